import type {
  Engine,
  Expression,
  FromClause,
  PreparedStatement,
  Result,
  Select,
  SelectOption,
  Statement,
} from "../../sql/mod.ts";
import type { Mapper } from "../mapper.ts";
import type { Relation } from "../relation.ts";
import type { SameRow } from "../session_options.ts";
import type { InstanceState } from "../state.ts";
import type { Loads } from "../types.ts";

/** One statement of a read, and who takes its rows. */
export interface Read {
  /** Who reads. */
  readonly reader: Reader;
  /** The statement. */
  readonly statement: Statement<unknown>;
  /** Where it goes. */
  engine: Engine;
  /** Its text and values. */
  prepared: PreparedStatement;
  /** Takes its rows, after those of the reads before it were taken. */
  readonly receive: ((rows: Result<unknown>) => void) | undefined;
  /** Its rows, once they are there. */
  rows: readonly unknown[];
}

/** Takes the rows of a read. */
export type Receive = (rows: readonly unknown[]) => void;

/** What loaders use of a session. */
export interface Reader {
  /** Of several databases that hold rows of one key, the one that it reads. */
  readonly identityToken?: string;
  /** Objects by identity. */
  readonly identityMap: ReadonlyMap<string, object>;
  /** Lets go of an object. */
  expunge(object: object): void;
  /** Where a statement goes; `flushing` where writes would. */
  engineOf(statement: Statement<unknown>, flushing?: boolean): Engine;
  /** Prepares a statement for the engine it goes to. */
  read(
    statement: Statement<unknown>,
    receive?: Receive,
    flushing?: boolean,
  ): Read;
  /** Sends reads, one trip for each engine. */
  run(reads: readonly Read[]): Promise<void>;
  /** Reads what is loaded later. */
  load(statement: Statement<unknown>): Promise<readonly unknown[]>;
  /** Is told of every trip that lazy loads make. */
  lazyLoaded?(relation: Relation, owners: number): void;
}

/** An option that may change a query before it is sent. */
export interface QueryOption {
  /** The query as it is sent. */
  rewrite?(query: Statement<unknown>): Statement<unknown>;
}

/** Some of the objects of a query, and how the query finds them. */
export interface Level {
  /** A query of those objects. */
  readonly query: Select<unknown>;
  /** What they come from, in that query. */
  readonly from: FromClause;
  /** The objects, once they are there. */
  objects(): readonly object[];
  /** Where they stand in the rows that are sent for; absent where they are not in them. */
  readonly joined?: {
    /** What they come from there. */
    readonly from: FromClause;
    /** Which part of a row they are. */
    readonly part: number;
    /** Whether every row has one. */
    readonly isInner: boolean;
  };
}

/** A level of which the class is known. */
export interface ClassLevel extends Level {
  /** How the class is mapped. */
  readonly mapper: Mapper;
}

/** A statement on its way to the database, as options change it. */
export interface Request {
  /** Who sends it. */
  readonly reader: Reader;
  /** The statement as it was asked for, with every criterion. */
  readonly asked: Statement<unknown>;
  /** The statement as it is sent. */
  sent: Statement<unknown>;
  /** What the parts of a row come from, where the statement was put into a subquery. */
  parts?: readonly FromClause[];
  /** What is done to the rows of what is sent to make those of what was asked for, the last first. */
  readonly finish: ((rows: unknown[]) => void)[];
  /** Options that go on to every further query. */
  readonly spread: readonly LoadOption[];
}

/**
 * A setting of a statement that changes how it is read. Each brings along
 * what carries it out, so that a bundle holds only those that it names.
 */
export interface LoadOption extends SelectOption<SameRow> {
  /** @ignore */
  readonly kind: "loader";
  /** Plans the reads of a statement with all its options. */
  plan(
    statement: Statement<unknown>,
    reader: Reader,
    receive?: Receive,
  ): readonly Read[];
  /** The relation that it is about, or any that no other option names. */
  readonly relation?: Relation | "*";
  /** What the relation leads from, where that is an alias. */
  readonly from?: FromClause | undefined;
  /** Options of the related objects. */
  readonly then?: readonly SelectOption[];
  /** Whether it leaves it to others how the relation is loaded. */
  readonly isDefault?: boolean;
  /** What must hold of a class's rows, where they come from somewhere. */
  criterionOf?(
    mapper: Mapper,
    from: FromClause,
  ): Expression<unknown> | undefined;
  /** Changes every statement that it reaches. */
  narrow?(statement: Statement<unknown>): Statement<unknown>;
  /** Changes what is sent for a statement. */
  prepare?(request: Request, level?: Level): void;
  /** Further reads of the same trip. */
  load?(relation: Relation, level: Level, request: Request): readonly Read[];
  /** Further reads of the same trip about objects themselves. */
  extend?(level: ClassLevel, request: Request): readonly Read[];
  /** Objects are there. */
  loaded?(relation: Relation, objects: readonly object[]): void;
  /** A relation is loaded later; `isLocal` where that takes no statement. */
  lazy?(relation: Relation, state: InstanceState, isLocal: boolean): void;
}

/** Loads relations of objects that ask for them. */
export interface RelationLoader {
  /** Loads a relation of an object. */
  load(state: InstanceState, relation: Relation): Promise<void>;
  /** What a many-to-one leads to, where that can be told without asking. */
  known(
    state: InstanceState,
    relation: Relation,
  ): readonly object[] | undefined;
}

/** How the options of a query have relations of its objects loaded later. */
export interface LaterLoads {
  /** A relation is loaded now; `isLocal` where that takes no statement. */
  lazy(relation: Relation, state: InstanceState, isLocal: boolean): void;
  /** The options of the statement that loads it. */
  optionsOf(relation: Relation): readonly SelectOption[];
  /** Whether only the database can tell which rows of a class count. */
  narrows(mapper: Mapper): boolean;
}

/** An option that loads a relation along with a query, or says how. */
export interface LoaderOption<
  Key extends string = string,
  Sub extends readonly unknown[] = readonly unknown[],
> extends Omit<LoadOption, keyof SelectOption>, Loads<Key, Sub> {}

/** Whether an option changes how a statement is read. */
export function isLoader(option: unknown): option is LoadOption {
  return (option as { kind?: unknown }).kind === "loader";
}

/** The reads of a statement with its options. */
export function planReads(
  reader: Reader,
  statement: Statement<unknown>,
  receive?: Receive,
): readonly Read[] {
  return statement.optionList.find(isLoader)
    ?.plan(statement, reader, receive) ?? [reader.read(statement, receive)];
}

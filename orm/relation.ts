import type {
  Column,
  Expression,
  FromClause,
  JoinPath,
  JoinStep,
  Select,
  Table,
} from "../sql/mod.ts";
import type { Changes } from "./changes.ts";
import type { Handle } from "./handles/handle.ts";
import type { ManyHandle } from "./handles/many_handle.ts";
import type { Mapper } from "./mapper.ts";
import type { InstanceState } from "./state.ts";
import type { Collection, LoadedCollection } from "./types.ts";

/** What happens to the other side when something happens to this one. */
export type Cascade =
  | "save-update"
  | "merge"
  | "delete"
  | "delete-orphan"
  | "expunge"
  | "refresh-expire";

/** The four kinds of relation. */
export type RelationKind =
  | "manyToOne"
  | "oneToMany"
  | "oneToOne"
  | "manyToMany";

/** Two columns that hold the same value in related rows. */
export interface Pair {
  /** The referenced key's attribute, in the class that has the key. */
  readonly from: string;
  /** The referring column: of the other class, or of the association table. */
  readonly to: string;
}

/** What was found out about one step of a relation. */
export interface JoinParts {
  /** The columns that are equal. */
  readonly pairs: readonly Pair[];
  /** What else holds of the rows, given what they come from. */
  extra?(referring: FromClause, referenced: FromClause): Expression<unknown>;
}

/** How rows of two tables find each other; made by `joinOn()`. */
export type JoinCondition = (
  referring: FromClause,
  referenced: FromClause,
  foreignKeys: readonly string[] | undefined,
  where: string,
  isAny?: boolean,
) => JoinParts;

/** Settings that every relation takes. */
export interface RelationOptions {
  /** The relation on the other side that is kept in step with this one. */
  readonly backPopulates?: string;
  /** `"all, delete-orphan"` and the like. @default {"save-update, merge"} */
  readonly cascade?: string;
  /** The referring columns, by key, where several foreign keys lead there. */
  readonly foreignKeys?: readonly string[];
  /** What holds between this row and the other (or the secondary one), where foreign keys do not say it: `joinOn(…)`. */
  readonly primaryJoin?: JoinCondition;
  /** Whether it is only read, never written. @default {false} */
  readonly viewOnly?: boolean;
  /** Whether the database looks after rows that are not loaded; `"all"`, after all. @default {false} */
  readonly passiveDeletes?: boolean | "all";
  /** Whether the database hands a changed key on; else its members are loaded and updated. @default {true} */
  readonly passiveUpdates?: boolean;
  /** Whether its key is written by an UPDATE of its own, so that rows may need each other. @default {false} */
  readonly postUpdate?: boolean;
  /** Whether an object has one owner only, as delete-orphan wants of many-to-one. @default {false} */
  readonly singleParent?: boolean;
}

/** Settings of a relation to many objects. */
export interface ToManyOptions extends RelationOptions {
  /** How the objects are sorted when they are loaded. */
  readonly orderBy?: () => Expression<unknown> | readonly Expression<unknown>[];
}

/** Settings of a many-to-many relation. */
export interface ManyToManyOptions extends ToManyOptions {
  /** The table that holds the pairs: Fowler's Association Table Mapping. */
  readonly secondary: Table | (() => Table);
  /** What holds between the secondary row and the other one: `joinOn(…)`. */
  readonly secondaryJoin?: JoinCondition;
}

/** Makes the handle of a relation of an object. */
export type HandleFactory = (
  state: InstanceState,
  relation: Relation,
) => Handle;

/** Makes the handle of a relation to many objects. */
export type CollectionFactory = (
  state: InstanceState,
  relation: Relation,
) => ManyHandle;

/** What a kind of collection is, given the type of its objects. */
export interface CollectionFunction {
  /** The objects' type. */
  readonly item: unknown;
  /** The collection, perhaps not loaded. */
  readonly collection: unknown;
  /** The collection, loaded. */
  readonly loaded: unknown;
  /** What a constructor takes for it. */
  readonly init: unknown;
}

/** Objects in a list: what a collection is unless it is told otherwise. */
export interface ListFunction extends CollectionFunction {
  /** @ignore */
  readonly collection: Collection<this["item"]>;
  /** @ignore */
  readonly loaded: LoadedCollection<this["item"]>;
  /** @ignore */
  readonly init: Iterable<this["item"]>;
}

/** A relation as it is described in a class. */
export interface RelationSpec<C> {
  /** Never present: carries the class. */
  readonly "~class"?: C;
  /** Which of the four. */
  readonly kind: RelationKind;
  /** What it does, which the function that describes it brings. */
  readonly make: RelationClass;
  /** The class on the other side. */
  readonly target: unknown;
  /** The settings. */
  readonly options: RelationOptions & Partial<ManyToManyOptions>;
  /** Makes the handle of an object. */
  readonly handle: HandleFactory;
}

/** What makes relations of one kind. */
export type RelationClass = new (
  parent: Mapper,
  key: string,
  target: Mapper,
  spec: RelationSpec<unknown>,
) => Relation;

/**
 * A relation to many objects.
 *
 * @typeParam C The class on the other side.
 * @typeParam F Which kind of collection they are in.
 */
export interface ToMany<C, F extends CollectionFunction = ListFunction>
  extends RelationSpec<C> {
  /** @ignore */
  readonly kind: "oneToMany" | "manyToMany";
  /** Never present: carries the kind of collection. */
  readonly "~collection"?: F;
}

/** A relation to one object, or to none. */
export interface ToOne<C> extends RelationSpec<C> {
  /** @ignore */
  readonly kind: "manyToOne" | "oneToOne";
}

/**
 * A relation of a mapped class with everything found out about it.
 *
 * @typeParam Key Its key in the class.
 * @typeParam C The class on the other side.
 */
export interface Relation<Key extends string = string, C = unknown>
  extends JoinPath {
  /** Its key in the class. */
  readonly key: Key;
  /** Never present: carries the class. */
  readonly "~class"?: C;
  /** Which of the four. */
  readonly kind: RelationKind;
  /** The class that has it. */
  readonly parent: Mapper;
  /** The class on the other side. */
  readonly target: Mapper;
  /** The settings. */
  readonly options: RelationSpec<C>["options"];
  /** What happens to the other side. */
  readonly cascade: ReadonlySet<Cascade>;
  /** Whether it leads to many objects. */
  readonly isMany: boolean;
  /** The relation on the other side, if any. */
  readonly inverse: Relation | undefined;
  /** Makes the handle of an object. */
  readonly handle: HandleFactory;
  /** The association table, of a many-to-many. */
  readonly secondary: Table | undefined;
  /** What else holds of the other side's rows, beside the pairs. */
  readonly extra: JoinParts["extra"];
  /** Keys of this class and what refers to them (one-to-many, many-to-many). */
  readonly localPairs: readonly Pair[];
  /** Keys of the other class and what refers to them (many-to-one, many-to-many). */
  readonly remotePairs: readonly Pair[];
  /** What a message calls it. */
  readonly name: string;
  /** Whether rows of the other class name this one's. */
  readonly isReferred: boolean;
  /** @ignore */
  readonly isAsked: boolean;
  /** @ignore */
  readonly own: readonly string[];
  /** @ignore */
  readonly ties: readonly Column<unknown>[];
  /** @ignore */
  readonly sides: readonly [referring: FromClause, referenced: FromClause];
  /** @ignore */
  steps(
    left?: FromClause,
    right?: FromClause,
    through?: FromClause,
  ): readonly JoinStep[];
  /** @ignore */
  select(): Select<unknown>;
  /** @ignore */
  read(row: unknown): readonly [object, readonly unknown[]];
  /** @ignore */
  link(): void;
  /** @ignore */
  sync(handle: Handle, changes: Changes): void;
  /** @ignore */
  release(state: InstanceState, changes: Changes): void;
  /** @ignore */
  received?(handle: Handle): void;
}

/** Whether rows of both come from one and the same table. */
export function overlap(one: FromClause, other: FromClause): boolean {
  return one.members.some((member) => other.members.includes(member));
}

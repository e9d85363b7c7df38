import type {
  CompiledStatement,
  Compiler,
  PreparedStatement,
  Slot,
} from "./compiler.ts";
import type { IndexConstraint } from "./constraint.ts";
import type { DriverResult } from "./driver.ts";
import type { Engine } from "./engine.ts";
import type { Bind, Expression } from "./expression.ts";
import type { Column } from "./from.ts";
import type { Node } from "./node.ts";
import type { ForeignKey, Table } from "./schema.ts";
import type { Statement } from "./statement.ts";
import type { ConstraintLine } from "./table_ddl.ts";
import type { SqlType, SqlValue, TypeRules } from "./types.ts";

/** What a platform refuses. A missing limit is no limit. */
export interface Limits {
  /** Bound parameters in a statement. */
  readonly params?: number;
  /** Columns in a result. */
  readonly columns?: number;
  /** Terms in UNION and its kin. */
  readonly compound?: number;
  /** Depth of an expression. */
  readonly depth?: number;
  /** Bytes of a LIKE pattern. */
  readonly like?: number;
  /** Bytes of a statement's text. */
  readonly sqlBytes?: number;
  /** Bytes of a value. */
  readonly valueBytes?: number;
}

/** Renders one kind of node in a dialect's own way. */
export type NodeRenderer = (node: never, compiler: Compiler) => void;

/** One column of a result list, as it is written. */
export interface WrittenColumn {
  /** The expression's text. */
  readonly sql: string;
  /** Its label, unique within the list. */
  readonly label: string;
  /** The type of its values. */
  readonly type: SqlType | undefined;
}

/** A result list that was written in fewer columns, and the way back. */
export interface PackedColumns {
  /** The columns as they are sent. */
  readonly columns: readonly { readonly sql: string; readonly label: string }[];
  /** A driver's row to the row of the columns that were asked for. */
  unpack(row: readonly unknown[]): unknown[];
}

/**
 * What differs between databases, as data and small functions. Everything
 * that two databases write alike stands in the nodes themselves.
 */
export interface Dialect {
  /** For messages and logs; never asked in an `if`. */
  readonly name: string;
  /** The quote around identifiers. */
  readonly quote: string;
  /** Notes behind the others what a placeholder takes, and gives the placeholder. */
  placeholder(slots: Slot[], slot: Slot, type: SqlType | undefined): string;
  /** Rules for each type, by the type's name. */
  rulesFor(type: SqlType): TypeRules;
  /** Binds a value of which no type is known. */
  bindUntyped(value: unknown): SqlValue;
  /** A value as it stands in the text of DDL and scripts. */
  literal(value: SqlValue): string;
  /** Writes IN or NOT IN and a list that is one parameter. */
  inList(list: Bind, negated: boolean, compiler: Compiler): void;
  /**
   * What a unit of work asks of the database within one batch; absent where a
   * batch has the database to itself. {@linkcode batchWrites} answers for both.
   */
  readonly writes?: BatchWrites;
  /** The schema under which a table is found. @default the table's own */
  translateSchema?(schema: string | undefined): string | undefined;
  /** Nodes that are written differently here, by their kind. */
  readonly overrides: Readonly<Record<string, NodeRenderer>>;
  /** What the platform refuses, where statements are written around it. */
  readonly limits?: Limits;
  /** What the language itself can and cannot say. */
  readonly features: DialectFeatures;
  /** What a schema needs beside tables and indexes; absent where that is nothing. */
  readonly schemaExtras?: SchemaExtras;
  /** Writes a result list in fewer columns, if it has too many. */
  packColumns?(columns: readonly WrittenColumn[]): PackedColumns | undefined;
  /** Compiles a statement, in another way if the platform would refuse it. */
  compile?(statement: Node): CompiledStatement;
  /**
   * A statement as it is sent, in several texts if the platform would refuse
   * it as one.
   *
   * @throws {LimitError} If that cannot be done.
   */
  fit?(statement: Node, whole: PreparedStatement): PreparedStatement;
}

/** Statements around those that create or drop tables, and words inside them. */
export interface SchemaExtras {
  /** How a column that numbers itself is declared. */
  autoincrement(column: Column<unknown>): AutoincrementWords;
  /** All statements that make sorted tables, which are created without what comes later. */
  around(
    tables: readonly Table[],
    create: (later: ReadonlySet<ForeignKey>) => string[],
    ifNotExists?: boolean,
  ): string[];
  /** Foreign keys that a sorted table cannot have yet, since they close a circle. */
  later(tables: readonly Table[]): ReadonlySet<ForeignKey>;
  /** What stands before the tables: named types. */
  before(tables: readonly Table[], ifNotExists?: boolean): string[];
  /** What stands behind them: foreign keys that close circles, remarks. */
  after(tables: readonly Table[], ifNotExists?: boolean): string[];
  /** What a constraint or index is over, with all that it says beside. */
  list(
    table: Table,
    line: ConstraintLine | IndexConstraint,
    parts: readonly string[],
  ): string;
  /** What goes when the tables are gone, unless those that are kept need it. */
  afterDrop(
    tables: readonly Table[],
    ifExists: string,
    kept: readonly Table[],
  ): string[];
}

/** How a column that numbers itself is declared. */
export interface AutoincrementWords {
  /** Instead of the column's type. */
  readonly type?: string;
  /** Behind the type. */
  readonly suffix?: string;
  /** Whether the suffix says PRIMARY KEY already. */
  readonly isPrimaryKey?: boolean;
}

/** A row that will be inserted. */
export interface RowToInsert {
  /** The table. */
  readonly table: Table;
  /** What it holds; what is left out, the database makes. */
  readonly values: Map<Column<unknown>, unknown>;
}

/** How keys that the database makes are known, and writes are checked, inside one batch. */
export interface BatchWrites {
  /**
   * The key of the row that was, or will be, inserted `offset` rows after the
   * last one. Absent where other writers may come in between.
   */
  keyAfterLast?(column: Column<unknown>, offset: number): Expression<unknown>;
  /** Fills in keys that rows leave to the database, reserved before they are sent; the other way to know them. */
  reserveKeys?(
    rows: readonly RowToInsert[],
    engine: Engine,
    send: (
      statements: readonly PreparedStatement[],
    ) => Promise<readonly DriverResult[]>,
  ): Promise<void>;
  /**
   * What gives the rows of a JSON list as `aludel_rows`: each a list `value` at
   * a `key` that grows, from 0 on where keys are counted by it.
   */
  eachRow(json: Bind): readonly Node[];
  /**
   * What can be told of how many rows of a table an UPDATE or DELETE finds:
   * of one row, or nothing. Absent where all can. The listener is warned where that matters.
   */
  counts?(
    table: Table,
    listener: { warn(message: string): void },
  ): "single" | "none" | undefined;
  /**
   * The statements that make a write and undo the whole batch with a
   * `GuardError` of this label unless it touched so many rows.
   */
  expectRows(
    write: Statement<unknown>,
    count: number,
    label: string,
  ): readonly Statement<unknown>[];
}

/** What a dialect's language has; what is not said, it has not. */
export interface DialectFeatures {
  /** `FOR UPDATE` and its kin. */
  readonly forUpdate?: boolean;
  /** INSERT, UPDATE and DELETE inside WITH. */
  readonly dmlInCte?: boolean;
  /** `ALTER TABLE … ADD CONSTRAINT`, so that cyclic foreign keys come later. */
  readonly alterConstraints?: boolean;
  /** `json_each(?)`: one parameter for a whole list. */
  readonly jsonEach?: boolean;
  /** `COMMENT ON`. */
  readonly comments?: boolean;
  /** `DEFAULT` for a value that a row of several leaves out. */
  readonly defaultInRows?: boolean;
  /** OFFSET needs a LIMIT before it. */
  readonly offsetNeedsLimit?: boolean;
  /** Generated columns are stored, in any case. */
  readonly storesComputed?: boolean;
  /** `STRICT` and `WITHOUT ROWID` behind a table. */
  readonly tableWords?: boolean;
  /** A schema is a file of its own: keys stay in it, and an index lies where its table does. */
  readonly schemaIsFile?: boolean;
  /** `ILIKE`. */
  readonly ilike?: boolean;
  /** `DISTINCT ON`. */
  readonly distinctOn?: boolean;
  /** `LATERAL`. */
  readonly lateral?: boolean;
  /** `DELETE … USING`. */
  readonly deleteUsing?: boolean;
  /** Types for times, and so `EXTRACT`; without them times are ISO 8601 text. */
  readonly timeTypes?: boolean;
  /** A type for JSON with path operators; without it JSON is text. */
  readonly jsonType?: boolean;
}

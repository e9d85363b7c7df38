import type {
  ColumnBuilder,
  Constraint,
  Dialect,
  Expression,
  IndexConstraint,
  Optionality,
  Statement,
  Table,
} from "../../sql/mod.ts";

/** A column of any type, as the Core describes it. */
export type AnyColumn = ColumnBuilder<unknown, Optionality>;

/** A constraint that is not an index. */
export type TableConstraint = Exclude<Constraint, IndexConstraint>;

/** Which table an operation is about. */
export interface TableReference {
  /** The table's name. */
  readonly table: string;
  /** Its schema; absent for the default one. */
  readonly schema?: string;
}

/** Makes a table with its indexes. */
export interface CreateTable {
  /** @ignore */
  readonly kind: "createTable";
  /** The complete description. */
  readonly table: Table;
  /** Whether an existing table is left as it is. */
  readonly ifNotExists: boolean;
}

/** Removes a table. */
export interface DropTable extends TableReference {
  /** @ignore */
  readonly kind: "dropTable";
  /** Whether a missing table is no error. */
  readonly ifExists: boolean;
  /** What it was, so that the operation can be reversed. */
  readonly original?: Table;
}

/** Gives a table another name. */
export interface RenameTable extends TableReference {
  /** @ignore */
  readonly kind: "renameTable";
  /** The new name. */
  readonly to: string;
}

/** Changes one table: what a database does in one go, or rebuilds. */
export interface AlterTable extends TableReference {
  /** @ignore */
  readonly kind: "alterTable";
  /** The changes, in order. */
  readonly changes: readonly TableChange[];
  /** Whether the table may, must or must not be rebuilt where ALTER cannot. */
  readonly recreate: Recreate;
  /** Lists of columns that stand in that order afterwards, where the table is rebuilt. */
  readonly partialReordering?: readonly (readonly string[])[];
  /** What the table is before, where the revisions do not say so. */
  readonly original?: Table;
  /** The tables that refer to it, where the revisions do not say so. */
  readonly referring?: readonly Table[];
}

/** When a table is rebuilt: only where ALTER is not enough, always, or never. */
export type Recreate = "auto" | "always" | "never";

/** Runs a statement as it is. */
export interface Execute {
  /** @ignore */
  readonly kind: "execute";
  /** The text, or a statement of the Core. */
  readonly statement: string | Statement<unknown>;
  /** What undoes it. */
  readonly undo?: string | Statement<unknown>;
}

/** Inserts rows. */
export interface BulkInsert extends TableReference {
  /** @ignore */
  readonly kind: "bulkInsert";
  /** The table's description, where it was given and not only its name. */
  readonly into?: Table;
  /** The rows, by column key. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** Runs operations outside any transaction: what came before stays done. */
export interface AutocommitBlock {
  /** @ignore */
  readonly kind: "autocommitBlock";
  /** What runs so. */
  readonly operations: readonly Operation[];
}

/** An operation of one's own, made by `defineOperation()`. */
export interface CustomOperation {
  /** @ignore */
  readonly kind: "custom";
  /** What it is called. */
  readonly name: string;
  /** What it was given. */
  readonly args: object;
  /** Where revisions import it from, if that is known. */
  readonly module?: string;
  /** The operations that it stands for on a database. */
  readonly standsFor: (dialect: Dialect) => readonly Operation[];
  /** What undoes it, where that is not the inverse of what it stands for. */
  readonly reverse?: () => Operation;
}

/** One thing a revision does. */
export type Operation =
  | CreateTable
  | DropTable
  | RenameTable
  | AlterTable
  | Execute
  | BulkInsert
  | AutocommitBlock
  | CustomOperation;

/** Adds a column, with its index and constraints. */
export interface AddColumn {
  /** @ignore */
  readonly kind: "addColumn";
  /** Its name. */
  readonly name: string;
  /** What it is. */
  readonly column: AnyColumn;
  /** Whether an existing column is left as it is. */
  readonly ifNotExists: boolean;
  /** Whether a primary key column is the primary key at once; else it may become it. */
  readonly inlinePrimaryKey?: boolean;
  /** The column that it stands behind, where the table is rebuilt. */
  readonly insertAfter?: string;
  /** The column that it stands before, where the table is rebuilt. */
  readonly insertBefore?: string;
}

/** Removes a column. */
export interface DropColumn {
  /** @ignore */
  readonly kind: "dropColumn";
  /** Its name. */
  readonly name: string;
  /** What it was. */
  readonly original?: AnyColumn;
}

/** Gives a column another name. */
export interface RenameColumn {
  /** @ignore */
  readonly kind: "renameColumn";
  /** The old name. */
  readonly name: string;
  /** The new name. */
  readonly to: string;
}

/** What is to be different about a column. What is absent stays. */
export interface ColumnChanges {
  /** Whether NULL is allowed. */
  readonly nullable?: boolean;
  /** The new type, as a column of it: `text(50)`. */
  readonly type?: AnyColumn;
  /** What the database fills in; `null` removes it. */
  readonly serverDefault?:
    | Expression<unknown>
    | string
    | number
    | boolean
    | null;
  /** The remark kept with it; `null` removes it. */
  readonly comment?: string | null;
  /** How it numbers itself (Postgres); `null` ends that. */
  readonly identity?: "always" | "by default" | null;
  /**
   * How old values become values of the new type (Postgres).
   *
   * @default as the database does it, else through their text
   */
  readonly using?: Expression<unknown>;
}

/** Changes what a column is. */
export interface AlterColumn {
  /** @ignore */
  readonly kind: "alterColumn";
  /** Its name. */
  readonly name: string;
  /** What becomes different. */
  readonly changes: ColumnChanges;
}

/** Makes an index. */
export interface CreateIndex {
  /** @ignore */
  readonly kind: "createIndex";
  /** Its description. */
  readonly index: IndexConstraint;
  /** Whether an existing index of that name is left as it is. */
  readonly ifNotExists: boolean;
  /** Whether writers go on meanwhile (Postgres, outside a transaction). */
  readonly concurrently: boolean;
}

/** Removes an index. */
export interface DropIndex {
  /** @ignore */
  readonly kind: "dropIndex";
  /** Its name. */
  readonly name: string;
  /** Whether a missing index is no error. */
  readonly ifExists: boolean;
  /** Whether writers go on meanwhile (Postgres, outside a transaction). */
  readonly concurrently: boolean;
  /** What it was. */
  readonly original?: IndexConstraint;
}

/** Adds a constraint. */
export interface AddConstraint {
  /** @ignore */
  readonly kind: "addConstraint";
  /** Its description. */
  readonly constraint: TableConstraint;
  /** Whether rows that are there are not looked at before `validateConstraint` (Postgres). */
  readonly notValid?: boolean;
}

/** Looks at the rows that a constraint has not looked at yet (Postgres). */
export interface ValidateConstraint extends NamedConstraint {
  /** @ignore */
  readonly kind: "validateConstraint";
}

/** Which constraint of a table a change is about. */
export interface NamedConstraint {
  /** Its name. */
  readonly name: string;
  /** Whether a naming convention makes no other of it. */
  readonly isNameFinal?: boolean;
  /** What it must be. */
  readonly type?: TableConstraint["kind"];
}

/** Removes a constraint. */
export interface DropConstraint extends NamedConstraint {
  /** @ignore */
  readonly kind: "dropConstraint";
  /** Whether a missing constraint is no error. */
  readonly ifExists?: boolean;
  /** What it was. */
  readonly original?: TableConstraint;
}

/** Writes or removes a table's remark (Postgres). */
export interface SetTableComment {
  /** @ignore */
  readonly kind: "setTableComment";
  /** The remark; `null` removes it. */
  readonly comment: string | null;
  /** What it was; `null` for none. */
  readonly original?: string | null;
}

/** One change of one table. */
export type TableChange =
  | AddColumn
  | DropColumn
  | RenameColumn
  | AlterColumn
  | CreateIndex
  | DropIndex
  | AddConstraint
  | DropConstraint
  | ValidateConstraint
  | SetTableComment;

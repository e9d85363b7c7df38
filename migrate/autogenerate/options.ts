import type {
  Column,
  Constraint,
  Dialect,
  MetaData,
  NamingConvention,
  Table,
} from "../../sql/mod.ts";
import type { Comparator } from "./comparator.ts";
import type { ComparisonDialect } from "./dialects.ts";
import type { RenameQuestion } from "./renames.ts";

/** The kinds of things that a filter is asked about. */
export type ObjectKind =
  | "schema"
  | "table"
  | "column"
  | "index"
  | "uniqueConstraint"
  | "foreignKeyConstraint"
  | "checkConstraint"
  | "excludeConstraint";

/** Something that a filter is asked about. */
export type SchemaObject = Table | Column<unknown> | Constraint;

/** Where a thing is, for a filter that knows names only. */
export interface Parents {
  /** The schema; absent for the database's own. */
  readonly schema?: string;
  /** The table, for what is part of one. */
  readonly table?: string;
}

/** One column on both sides. */
export interface ComparedColumn {
  /** The table's name. */
  readonly table: string;
  /** The column as the metadata describe it. */
  readonly wanted: Column<unknown>;
  /** The column as it is. */
  readonly actual: Column<unknown>;
  /** The database's language. */
  readonly dialect: Dialect;
}

/**
 * Decides whether two columns differ: `true` and `false` settle it, `undefined`
 * leaves it to the comparison itself.
 */
export type ColumnDecision = (column: ComparedColumn) => boolean | undefined;

/** How metadata are compared with what is there. */
export interface CompareOptions {
  /**
   * Tells by name whether something that is there counts, before it is looked
   * at. What does not count is as if it were not there.
   */
  readonly includeName?: (
    name: string,
    kind: ObjectKind,
    parents: Parents,
  ) => boolean;
  /**
   * Tells whether a difference about an object counts.
   *
   * @param isReflected Whether the object is what is there, not what is wanted.
   * @param compareTo The same on the other side, where there is one.
   */
  readonly includeObject?: (
    object: SchemaObject,
    name: string | undefined,
    kind: ObjectKind,
    isReflected: boolean,
    compareTo: SchemaObject | undefined,
  ) => boolean;
  /** The schemas beside the database's own whose tables are compared. @default none */
  readonly includeSchemas?: readonly string[];
  /** Whether types are compared, or who decides. @default {true} */
  readonly compareType?: boolean | ColumnDecision;
  /**
   * Whether defaults of the database are compared, or who decides. Databases
   * spell them in ways of their own, so it is for you to turn on.
   *
   * @default {false}
   */
  readonly compareServerDefault?: boolean | ColumnDecision;
  /**
   * Which comparators take part, by name: `*` stands for anything, and a leading
   * `~` takes out again.
   *
   * @default {["*"]}
   */
  readonly comparators?: readonly string[];
  /** Comparators of your own. */
  readonly plugins?: readonly Comparator[];
  /**
   * Answers whether something new is something old under another name:
   * which one, `null` for none, `undefined` if it cannot tell.
   */
  readonly decideRename?: (
    question: RenameQuestion,
  ) => string | null | undefined | Promise<string | null | undefined>;
  /** The naming convention under which the revisions are recorded. */
  readonly naming?: NamingConvention;
  /** Tables of these names are on neither side, such as the version table. */
  readonly ignoredTables?: readonly string[];
  /** What a comparison must know of a dialect that is not one of ours. */
  readonly comparisonDialect?: ComparisonDialect;
}

/** The metadata of an application: one set of tables, or several without a table in common. */
export type MetaDataSource = MetaData | readonly MetaData[];

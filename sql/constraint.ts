import type { ForeignKeyOptions } from "./column.ts";
import type { Expression } from "./expression.ts";

/** A foreign key: columns of a table that name a row of another. */
export interface ForeignKeyConstraint extends ForeignKeyOptions {
  /** @ignore */
  readonly kind: "foreignKey";
  /** The columns' keys or names. */
  readonly columns: readonly string[];
  /** What they name, each as `table.column`. */
  readonly targets: readonly string[];
}

/** Columns whose values together are unique. */
export interface UniqueConstraint {
  /** @ignore */
  readonly kind: "unique";
  /** The constraint's name. */
  readonly name?: string;
  /** The columns' keys or names. */
  readonly columns: readonly string[];
}

/** Columns that together name a row. */
export interface PrimaryKeyConstraint {
  /** @ignore */
  readonly kind: "primaryKey";
  /** The constraint's name. */
  readonly name?: string;
  /** The columns' keys or names. */
  readonly columns: readonly string[];
}

/** A condition that every row meets. */
export interface CheckConstraint {
  /** @ignore */
  readonly kind: "check";
  /** The constraint's name. */
  readonly name?: string;
  /** The condition. */
  readonly sql: Expression<unknown>;
}

/** An index. */
export interface IndexConstraint {
  /** @ignore */
  readonly kind: "index";
  /** Its name. @default from the naming convention */
  readonly name?: string;
  /** Columns' keys or names, or expressions. */
  readonly columns: readonly (string | Expression<unknown>)[];
  /** Whether equal entries are refused. */
  readonly unique?: boolean;
  /** Which rows are in it. */
  readonly where?: Expression<unknown>;
}

/** Anything that stands in a table beside its columns. */
export type Constraint =
  | ForeignKeyConstraint
  | UniqueConstraint
  | PrimaryKeyConstraint
  | CheckConstraint
  | IndexConstraint;

/** Columns that name a row of another table. */
export function foreignKey(
  columns: readonly string[],
  targets: readonly string[],
  options: ForeignKeyOptions = {},
): ForeignKeyConstraint {
  return { kind: "foreignKey", columns, targets, ...options };
}

/** Columns whose values together are unique. */
export function unique(
  columns: readonly string[],
  name?: string,
): UniqueConstraint {
  return { kind: "unique", columns, ...(name && { name }) };
}

/** Columns that together are the primary key. */
export function primaryKey(
  columns: readonly string[],
  name?: string,
): PrimaryKeyConstraint {
  return { kind: "primaryKey", columns, ...(name && { name }) };
}

/** A condition that every row meets. */
export function check(
  sql: Expression<unknown>,
  name?: string,
): CheckConstraint {
  return { kind: "check", sql, ...(name && { name }) };
}

/** An index over columns or expressions. */
export function index(
  name: string | undefined,
  columns: readonly (string | Expression<unknown>)[],
  options: { readonly unique?: boolean; readonly where?: Expression<unknown> } =
    {},
): IndexConstraint {
  return { kind: "index", columns, ...(name && { name }), ...options };
}

import {
  check,
  type Expression,
  foreignKey,
  type ForeignKeyOptions,
  index,
  type IndexConstraint,
  primaryKey,
  unique,
} from "../../sql/mod.ts";
import { OperationError } from "../errors.ts";
import { refuseOtherOptions } from "./options.ts";
import type {
  AnyColumn,
  ColumnChanges,
  TableChange,
  TableConstraint,
} from "./operation.ts";

/** Settings of a new column. */
export interface AddColumnOptions {
  /** Whether an existing column is left as it is. @default {false} */
  readonly ifNotExists?: boolean;
  /**
   * Whether a column that is described as the primary key becomes it at once.
   * Otherwise it is a column as others are, until `createPrimaryKey()`.
   *
   * @default {false}
   */
  readonly inlinePrimaryKey?: boolean;
  /**
   * The column that it stands behind. Only a rebuild can place a column, so
   * only SQLite. @default the last one
   */
  readonly insertAfter?: string;
  /** The column that it stands before. @default none */
  readonly insertBefore?: string;
}

/** Settings of the removal of a constraint. */
export interface DropConstraintOptions {
  /** What it must be: another of that name is refused. @default whatever it is */
  readonly type?: TableConstraint["kind"];
  /** Whether a missing constraint is no error. @default {false} */
  readonly ifExists?: boolean;
  /** What it was, where the revisions do not say: `unique(["a"], "uq")`. */
  readonly original?: TableConstraint;
}

/** Settings of a new index. */
export interface IndexOptions {
  /** Whether equal entries are refused. @default {false} */
  readonly unique?: boolean;
  /** Which rows are in it. */
  readonly where?: Expression<unknown>;
  /** Whether an existing index of that name is left as it is. @default {false} */
  readonly ifNotExists?: boolean;
  /**
   * Whether writers go on while it is built (Postgres). Such an index is built
   * outside the step's transaction.
   *
   * @default {false}
   */
  readonly concurrently?: boolean;
}

/** Settings of the removal of an index. */
export interface DropIndexOptions {
  /** Whether a missing index is no error. @default {false} */
  readonly ifExists?: boolean;
  /** Whether writers go on meanwhile (Postgres). @default {false} */
  readonly concurrently?: boolean;
  /** What it was, where the revisions do not say: `index("ix", ["a"])`. */
  readonly original?: IndexConstraint;
}

/**
 * Records changes of one table: the `t` of `op.alterTable("users", (t) => …)`.
 *
 * Nothing runs; each call adds plain data to {@linkcode changes}.
 */
export class TableChanges {
  /** What was recorded, in order. */
  readonly changes: TableChange[] = [];

  /**
   * Adds a column, with the index and constraints that its description names.
   *
   * @example In its place, where the table is rebuilt
   * ```ts
   * import { Operations } from "@aludel/aludel/migrate";
   * import { text } from "@aludel/aludel/sql";
   * import { deepEqual } from "node:assert/strict";
   *
   * const op = new Operations();
   * op.alterTable("people", (t) => {
   *   t.addColumn("surname", text(), { insertAfter: "name" });
   * });
   * const [operation] = op.take();
   * deepEqual(operation?.kind, "alterTable");
   * ```
   */
  addColumn(
    name: string,
    column: AnyColumn,
    { ifNotExists = false, inlinePrimaryKey, ...place }: AddColumnOptions = {},
  ): void {
    refuseOtherOptions(`add column '${name}'`, place, [
      "insertAfter",
      "insertBefore",
    ]);
    this.changes.push({
      kind: "addColumn",
      name,
      column,
      ifNotExists,
      ...(inlinePrimaryKey ? { inlinePrimaryKey } : {}),
      ...place,
    });
  }

  /** Removes a column. */
  dropColumn(
    name: string,
    options: { readonly original?: AnyColumn } = {},
  ): void {
    this.changes.push({ kind: "dropColumn", name, ...options });
  }

  /** Gives a column another name; data, keys and indexes follow. */
  renameColumn(name: string, to: string): void {
    this.changes.push({ kind: "renameColumn", name, to });
  }

  /**
   * Changes a column's type, default, remark, or whether it may be NULL.
   *
   * @throws {OperationError} If it is to become a computed one.
   */
  alterColumn(name: string, changes: ColumnChanges): void {
    if (changes.type?.spec.computed) {
      throw new OperationError(
        `Cannot make column '${name}' a computed one: no database turns the one into the other; drop it and add it again`,
      );
    }
    this.changes.push({ kind: "alterColumn", name, changes });
  }

  /** Makes an index over columns or expressions. */
  createIndex(
    name: string,
    columns: readonly (string | Expression<unknown>)[],
    options: IndexOptions = {},
  ): void {
    const { ifNotExists = false, concurrently = false, ...rest } = options;
    refuseOtherOptions(`create index '${name}'`, rest, ["unique", "where"]);
    this.changes.push({
      kind: "createIndex",
      index: index(name, columns, rest),
      ifNotExists,
      concurrently,
    });
  }

  /** Removes an index. */
  dropIndex(name: string, options: DropIndexOptions = {}): void {
    const { ifExists = false, concurrently = false, ...rest } = options;
    refuseOtherOptions(`drop index '${name}'`, rest, ["original"]);
    this.changes.push({
      kind: "dropIndex",
      name,
      ifExists,
      concurrently,
      ...rest,
    });
  }

  /** Makes values of columns unique together. */
  createUniqueConstraint(name: string, columns: readonly string[]): void {
    this.addConstraint(unique(columns, name));
  }

  /** Makes columns name a row of another table: `["users.id"]`. */
  createForeignKey(
    name: string,
    columns: readonly string[],
    targets: readonly string[],
    options: Omit<ForeignKeyOptions, "name"> = {},
  ): void {
    this.addConstraint(foreignKey(columns, targets, { ...options, name }));
  }

  /** Adds a condition that every row meets. */
  createCheckConstraint(name: string, condition: Expression<unknown>): void {
    this.addConstraint(check(condition, name));
  }

  /** Makes columns the primary key. */
  createPrimaryKey(name: string, columns: readonly string[]): void {
    this.addConstraint(primaryKey(columns, name));
  }

  /** Adds a constraint made by `unique()`, `foreignKey()`, `check()` or `primaryKey()`. */
  addConstraint(constraint: TableConstraint): void {
    this.changes.push({ kind: "addConstraint", constraint });
  }

  /**
   * Removes a constraint by its name.
   *
   * @throws {OperationError} If there is no such type.
   */
  dropConstraint(
    name: string,
    { ifExists, ...options }: DropConstraintOptions = {},
  ): void {
    refuseOtherOptions(`drop constraint '${name}'`, options, [
      "type",
      "original",
    ]);
    const { type } = options;
    if (type !== undefined && !CONSTRAINT_TYPES.includes(type)) {
      throw new OperationError(
        `Cannot drop constraint '${name}' as '${type}': there is no such type; say ${
          CONSTRAINT_TYPES.map((known) => `'${known}'`).join(", ")
        }`,
      );
    }
    this.changes.push({
      kind: "dropConstraint",
      name,
      ...options,
      ...(ifExists ? { ifExists } : {}),
    });
  }

  /** Keeps a remark with the table, where the database keeps any. */
  createTableComment(
    comment: string,
    options: { readonly original?: string | null } = {},
  ): void {
    this.changes.push({ kind: "setTableComment", comment, ...options });
  }

  /** Removes the table's remark. */
  dropTableComment(
    options: { readonly original?: string | null } = {},
  ): void {
    this.changes.push({ kind: "setTableComment", comment: null, ...options });
  }

  /**
   * Refused: a table is made beside others, not inside one.
   *
   * @throws {OperationError} Always.
   */
  createTable(name: string, ..._: readonly unknown[]): never {
    throw notInside("make", name, "createTable");
  }

  /**
   * Refused: a table is dropped as a whole, not inside one.
   *
   * @throws {OperationError} Always.
   */
  dropTable(name: string, ..._: readonly unknown[]): never {
    throw notInside("drop", name, "dropTable");
  }
}

const CONSTRAINT_TYPES: readonly TableConstraint["kind"][] = [
  "check",
  "foreignKey",
  "primaryKey",
  "unique",
];

function notInside(what: string, name: string, method: string): OperationError {
  return new OperationError(
    `Cannot ${what} table '${name}' inside alterTable(): that changes one table only; call op.${method}() before or after it`,
    "inside-alter-table",
  );
}

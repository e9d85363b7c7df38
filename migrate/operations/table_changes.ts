import {
  check,
  exclude,
  type ExcludeOptions,
  type Expression,
  type FinalName,
  foreignKey,
  type ForeignKeyOptions,
  index,
  type IndexConstraint,
  type IndexOptions,
  type KeyOptions,
  primaryKey,
  unique,
  type UniqueOptions,
} from "../../sql/mod.ts";
import { OperationError } from "./errors.ts";
import { refuseOtherOptions } from "./options.ts";
import type {
  AnyColumn,
  ColumnChanges,
  TableChange,
  TableConstraint,
} from "./operation.ts";

/** A constraint's name: one that a naming convention may make another of, or a final one. */
export type ConstraintName = string | FinalName;

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

/** Settings of a new foreign key or check. */
export interface AddConstraintOptions {
  /**
   * Whether rows that are there are not looked at (Postgres): the table is
   * locked for a moment only, and `validateConstraint()` looks later, while
   * others go on. Where a table is rebuilt every row is looked at anyway.
   *
   * @default {false}
   */
  readonly notValid?: boolean;
}

/** Which constraint is meant. */
export interface NamedConstraintOptions {
  /** What it must be: another of that name is refused. @default whatever it is */
  readonly type?: TableConstraint["kind"];
}

/** Settings of the removal of a constraint. */
export interface DropConstraintOptions extends NamedConstraintOptions {
  /** Whether a missing constraint is no error. @default {false} */
  readonly ifExists?: boolean;
  /** What it was, where the revisions do not say: `unique(["a"], "uq")`. */
  readonly original?: TableConstraint;
}

/** Settings of a new index. */
export interface CreateIndexOptions extends IndexOptions {
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
    name: ConstraintName,
    columns: readonly (string | Expression<unknown>)[],
    options: CreateIndexOptions = {},
  ): void {
    const { ifNotExists = false, concurrently = false, ...rest } = options;
    refuseOtherOptions(`create index '${nameIn(name)}'`, rest, [
      "unique",
      "where",
      "using",
      "include",
      "nullsNotDistinct",
    ]);
    this.changes.push({
      kind: "createIndex",
      index: index(nameIn(name), columns, rest),
      ifNotExists,
      concurrently,
    });
  }

  /** Removes an index. */
  dropIndex(given: ConstraintName, options: DropIndexOptions = {}): void {
    const name = nameIn(given);
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
  createUniqueConstraint(
    name: ConstraintName,
    columns: readonly string[],
    options: UniqueOptions = {},
  ): void {
    this.addConstraint(unique(columns, nameIn(name), options));
  }

  /** Makes columns name a row of another table: `["users.id"]`. */
  createForeignKey(
    name: ConstraintName,
    columns: readonly string[],
    targets: readonly string[],
    options: Omit<ForeignKeyOptions, "name"> & AddConstraintOptions = {},
  ): void {
    const { notValid = false, ...rest } = options;
    const key = foreignKey(columns, targets, { ...rest, name: nameIn(name) });
    this.addConstraint(key, { notValid });
  }

  /** Adds a condition that every row meets. */
  createCheckConstraint(
    name: ConstraintName,
    condition: Expression<unknown>,
    options: AddConstraintOptions = {},
  ): void {
    this.addConstraint(check(condition, name), options);
  }

  /** Refuses two rows that are alike in all the ways that are given (Postgres). */
  createExcludeConstraint(
    name: ConstraintName,
    ways: Parameters<typeof exclude>[0],
    options: Omit<ExcludeOptions, "name"> = {},
  ): void {
    this.addConstraint(exclude(ways, { ...options, name: nameIn(name) }));
  }

  /** Makes columns the primary key. */
  createPrimaryKey(
    name: ConstraintName,
    columns: readonly string[],
    options: KeyOptions = {},
  ): void {
    this.addConstraint(primaryKey(columns, nameIn(name), options));
  }

  /**
   * Adds a constraint made by `unique()`, `foreignKey()`, `check()`, `exclude()`
   * or `primaryKey()`.
   *
   * @throws {OperationError} If it is one that no database leaves unlooked at.
   */
  addConstraint(
    constraint: TableConstraint,
    { notValid = false, ...others }: AddConstraintOptions = {},
  ): void {
    refuseOtherOptions("add a constraint", others, ["notValid"]);
    const { kind } = constraint;
    if (notValid && kind !== "foreignKey" && kind !== "check") {
      throw new OperationError(
        `Cannot add constraint of type '${kind}' as notValid: only a foreign key or a check can wait for validateConstraint(); leave it out`,
      );
    }
    this.changes.push({
      kind: "addConstraint",
      constraint,
      ...(notValid ? { notValid } : {}),
    });
  }

  /** Looks at the rows that a constraint made with `notValid` has not looked at. */
  validateConstraint(
    name: ConstraintName,
    options: NamedConstraintOptions = {},
  ): void {
    this.changes.push({
      kind: "validateConstraint",
      ...named(name),
      ...options,
    });
  }

  /**
   * Removes a constraint by its name.
   *
   * @throws {OperationError} If there is no such type.
   */
  dropConstraint(
    given: ConstraintName,
    { ifExists, ...options }: DropConstraintOptions = {},
  ): void {
    const name = nameIn(given);
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
      ...named(given),
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

function nameIn(name: ConstraintName): string {
  return typeof name === "string" ? name : name.name;
}

function named(name: ConstraintName): { readonly name: string } {
  return typeof name === "string" ? { name } : name;
}

const CONSTRAINT_TYPES: readonly TableConstraint["kind"][] = [
  "check",
  "exclude",
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

import type { ForeignKeyOptions } from "./column.ts";
import { CompileError } from "./errors.ts";
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

/** How a constraint that stands on an index behaves, on Postgres. */
export interface KeyOptions {
  /** Columns that are kept with the entries of the index, and do not count. */
  readonly include?: readonly string[];
  /** Whether the check may wait for the end of the transaction. @default {false} */
  readonly deferrable?: boolean;
  /** Whether it waits without being asked. @default {false} */
  readonly initiallyDeferred?: boolean;
}

/** How a unique constraint behaves, on Postgres. */
export interface UniqueOptions extends KeyOptions {
  /** Whether NULL is a value like others, of which there is one. @default {false} */
  readonly nullsNotDistinct?: boolean;
}

/** Columns whose values together are unique. */
export interface UniqueConstraint extends UniqueOptions {
  /** @ignore */
  readonly kind: "unique";
  /** The constraint's name. */
  readonly name?: string;
  /** The columns' keys or names. */
  readonly columns: readonly string[];
}

/** Columns that together name a row. */
export interface PrimaryKeyConstraint extends KeyOptions {
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
  /** Whether a naming convention leaves the name as it is. */
  readonly isNameFinal?: boolean;
  /** The condition. */
  readonly sql: Expression<unknown>;
}

/** A name that no naming convention makes another of. */
export interface FinalName {
  /** The name. */
  readonly name: string;
  /** @ignore */
  readonly isNameFinal: true;
}

/** How an index is kept. */
export interface IndexOptions {
  /** Whether equal entries are refused. @default {false} */
  readonly unique?: boolean;
  /** Which rows are in it. @default all */
  readonly where?: Expression<unknown>;
  /** The kind of index, on Postgres: `"gin"`. @default {"btree"} */
  readonly using?: string;
  /** Columns that are kept with its entries, on Postgres, and are not searched. */
  readonly include?: readonly string[];
  /** Whether NULL is a value like others, of which there is one, on Postgres. @default {false} */
  readonly nullsNotDistinct?: boolean;
}

/** How an exclusion constraint behaves. */
export interface ExcludeOptions
  extends Omit<KeyOptions, "include">, Pick<IndexOptions, "where" | "using"> {
  /** The constraint's name. */
  readonly name?: string;
}

/** Rows of which no two are alike in all the ways that operators say (Postgres). */
export interface ExcludeConstraint extends ExcludeOptions {
  /** @ignore */
  readonly kind: "exclude";
  /** Columns' keys or names, or expressions. */
  readonly columns: readonly (string | Expression<unknown>)[];
  /** The operator for each of them: `"="`, `"&&"`. */
  readonly operators: readonly string[];
}

/** An index. */
export interface IndexConstraint extends IndexOptions {
  /** @ignore */
  readonly kind: "index";
  /** Its name. @default from the naming convention */
  readonly name?: string;
  /** Columns' keys or names, or expressions. */
  readonly columns: readonly (string | Expression<unknown>)[];
}

/** Anything that stands in a table beside its columns. */
export type Constraint =
  | ForeignKeyConstraint
  | UniqueConstraint
  | PrimaryKeyConstraint
  | CheckConstraint
  | ExcludeConstraint
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
  options?: UniqueOptions,
): UniqueConstraint {
  return { kind: "unique", columns, ...(name && { name }), ...options };
}

/** Columns that together are the primary key. */
export function primaryKey(
  columns: readonly string[],
  name?: string,
  options?: KeyOptions,
): PrimaryKeyConstraint {
  return { kind: "primaryKey", columns, ...(name && { name }), ...options };
}

/**
 * A condition that every row meets.
 *
 * @param name Of which a naming convention makes another; `finalName()` gives
 * one that it leaves as it is.
 */
export function check(
  sql: Expression<unknown>,
  name?: string | FinalName,
): CheckConstraint {
  return {
    kind: "check",
    sql,
    ...(typeof name === "string" ? name && { name } : name),
  };
}

/**
 * A name as it is, whatever a naming convention would make of it.
 *
 * @example
 * ```ts
 * import { check, createTable, finalName, integer, MetaData, sqlite, table, text } from "@aludel/aludel/sql";
 * import { match } from "node:assert/strict";
 *
 * const metadata = new MetaData({ naming: { check: "ck_{table}_{name}" } });
 * const ages = table("ages", metadata, { age: integer() }, [
 *   check(text("age > 0"), "positive"),
 *   check(text("age < 200"), finalName("ck_old")),
 * ]);
 * match(createTable(ages, sqlite), /"ck_ages_positive" CHECK .*\n.*"ck_old" CHECK/);
 * ```
 */
export function finalName(name: string): FinalName {
  return { name, isNameFinal: true };
}

/** An index over columns or expressions. */
export function index(
  name: string | undefined,
  columns: readonly (string | Expression<unknown>)[],
  options?: IndexOptions,
): IndexConstraint {
  return { kind: "index", columns, ...(name && { name }), ...options };
}

/**
 * Refuses two rows that are alike in all the ways that are given (Postgres).
 *
 * @example No room twice at one time
 * ```ts
 * import { createTable, exclude, integer, MetaData, postgres, table, text } from "@aludel/aludel/sql";
 * import { match } from "node:assert/strict";
 *
 * const bookings = table("bookings", new MetaData(), {
 *   room: integer(),
 *   begins: integer(),
 *   ends: integer(),
 * }, [
 *   exclude([["room", "="], [text("int4range(begins, ends)"), "&&"]], {
 *     name: "no_overlap",
 *   }),
 * ]);
 * match(
 *   createTable(bookings, postgres),
 *   /CONSTRAINT "no_overlap" EXCLUDE USING "gist" \("room" WITH =, \(int4range\(begins, ends\)\) WITH &&\)/,
 * );
 * ```
 *
 * @param ways What is compared, and with which operator.
 * @param options.using The kind of index. @default {"gist"}
 * @throws {CompileError} If an operator is none.
 */
export function exclude(
  ways: readonly (readonly [
    what: string | Expression<unknown>,
    operator: string,
  ])[],
  options?: ExcludeOptions,
): ExcludeConstraint {
  const other = ways.find(([, operator]) =>
    !/^[-+*/<>=~!@#%^&|`?]+$/.test(operator)
  );
  if (other) {
    throw new CompileError(
      `Cannot exclude by "${
        other[1]
      }": that is no operator; give one of signs, such as "="`,
    );
  }
  return {
    kind: "exclude",
    columns: ways.map(([what]) => what),
    operators: ways.map(([, operator]) => operator),
    ...options,
  };
}

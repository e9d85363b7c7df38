import { SqlError } from "./errors.ts";
import type { Result } from "./rows.ts";

/** There is no row where one must be. */
export class NoResultError extends SqlError {
  /** @ignore */
  override readonly name: string = "NoResultError";
  /** Makes an error for a result that is empty. */
  constructor() {
    super(
      "sql/no-result",
      "Cannot take one row: the result has none; use oneOrNull() if that may be",
    );
  }
}

/** There are several rows where one must be. */
export class MultipleResultsError extends SqlError {
  /** @ignore */
  override readonly name: string = "MultipleResultsError";
  /** Makes an error that says how many rows there are. */
  constructor(count: number) {
    super(
      "sql/multiple-results",
      `Cannot take one row: the result has ${count}; narrow it, or use first()`,
    );
  }
}

/**
 * The only row of a result.
 *
 * @example
 * ```ts
 * import { one } from "@aludel/aludel/sql";
 * import { strictEqual, throws } from "node:assert/strict";
 *
 * strictEqual(one(["ed"]), "ed");
 * throws(() => one([]), { code: "sql/no-result" });
 * ```
 *
 * @throws {NoResultError} If there is none.
 * @throws {MultipleResultsError} If there are several.
 */
export function one<Row>(rows: readonly Row[]): Row {
  if (rows.length === 0) throw new NoResultError();
  return oneOrNull(rows) as Row;
}

/**
 * The only row of a result, or `null` where it is empty.
 *
 * @throws {MultipleResultsError} If there are several.
 */
export function oneOrNull<Row>(rows: readonly Row[]): Row | null {
  if (rows.length > 1) throw new MultipleResultsError(rows.length);
  return first(rows);
}

/** The first row of a result, or `null` where it is empty. */
export function first<Row>(rows: readonly Row[]): Row | null {
  return rows.length > 0 ? rows[0] as Row : null;
}

/**
 * The rows as objects, keyed by what their parts are called: labels, columns,
 * and for whole rows the table or class.
 */
export function mappings(
  rows: Result<unknown>,
): Record<string, unknown>[] {
  const { columns } = rows;
  return rows.map((row) =>
    Array.isArray(row)
      ? Object.fromEntries(columns.map((key, i) => [key, row[i]]))
      : columns.length === 1 && !isRecord(row, columns)
      ? { [columns[0] as string]: row }
      : row as Record<string, unknown>
  );
}

function isRecord(row: unknown, [key = ""]: readonly string[]): boolean {
  return isPlain(row) && Object.keys(row).length === 1 &&
    Object.hasOwn(row, key);
}

/**
 * The rows without those that equal an earlier one. Objects of a class are
 * equal when they are one; tuples, records and plain values when they read
 * alike.
 */
export function uniqueRows<Row>(
  rows: readonly Row[],
  key: (row: Row) => unknown = keyMaker(),
): Row[] {
  const seen = new Set<unknown>();
  return rows.filter((row) => {
    const { size } = seen;
    return seen.add(key(row)).size > size;
  });
}

/** The rows in lists of at most `size`. */
export function partitions<Row>(
  rows: readonly Row[],
  size: number,
): Row[][] {
  if (!Number.isInteger(size) || size < 1) {
    throw new RangeError(
      `Cannot make partitions of ${size} rows; give a whole number from 1`,
    );
  }
  const parts: Row[][] = [];
  for (let at = 0; at < rows.length; at += size) {
    parts.push(rows.slice(at, at + size));
  }
  return parts;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function keyMaker(): (value: unknown) => unknown {
  const ids = new Map<unknown, number>();
  const key = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(key).join()}]`;
    if (isPlain(value)) return `{${Object.entries(value).map(key).join()}}`;
    if (value instanceof Date) return `d${value.getTime()}`;
    if (value instanceof Uint8Array) return `b${value.join()}`;
    if (typeof value === "string") return JSON.stringify(value);
    if (typeof value !== "object" && typeof value !== "function") {
      return `${typeof value}${String(value)}`;
    }
    if (value === null) return "null";
    const id = ids.get(value) ?? ids.size;
    ids.set(value, id);
    return `#${id}`;
  };
  return key;
}

import type { DriverResult, PreparedStatement } from "../../sql/mod.ts";
import type { Read } from "../loading/loader.ts";
import { QueryCacheError } from "./errors.ts";

/** The rows of one statement as plain data, which any codec keeps. */
export interface StoredRows {
  /** The labels of the columns. */
  readonly columns: readonly string[];
  /** The rows; what JSON has no word for stands as a list of what it is and its text. */
  readonly rows: readonly (readonly StoredValue[])[];
  /** What the platform counted. */
  readonly changes?: number | undefined;
}

/** A value as it is stored. */
export type StoredValue =
  | null
  | boolean
  | number
  | string
  | readonly [kind: Kind, of: unknown];

/** What is kept as a list, since JSON has no word for it, or too many. */
export type Kind = "number" | "bigint" | "date" | "bytes" | "buffer" | "json";

/** How it is read again. */
const KINDS: Readonly<Record<Kind, (of: unknown) => unknown>> = {
  number: Number,
  bigint: (text) => BigInt(text as string),
  date: (time) => new Date(time as number ?? NaN),
  bytes: (text) => bytesOf(text as string),
  buffer: (text) => bytesOf(text as string).buffer,
  // One object is not for several sessions, as a store in memory would have it.
  json: (value) => structuredClone(value),
};

/**
 * What a driver gave, as plain data. Rows are kept as the database sent them,
 * so that the types of columns read them as they would without a cache.
 *
 * @throws {QueryCacheError} If a value is none that can be kept.
 */
export function storeRows(
  { statement, prepared }: Pick<Read, "statement" | "prepared">,
  result: DriverResult,
): StoredRows {
  const { columns, rows, changes } = result;
  const readers = readersOf(statement.shape !== undefined, prepared, result);
  return {
    columns,
    rows: rows.map((row) =>
      row.map((value, i) => {
        const read = value === null ? undefined : readers?.[i];
        return storeValue(read ? read(value) : value);
      })
    ),
    changes,
  };
}

/** The reverse of {@linkcode storeRows}: as a driver gives it. */
export function restoreRows(
  { columns, rows, changes }: StoredRows,
): DriverResult {
  return {
    columns,
    rows: rows.map((row) => row.map(restoreValue)),
    ...changes !== undefined && { changes },
  };
}

/**
 * A value as it is stored: no two different ones are stored alike.
 *
 * @throws {QueryCacheError} If it is none that can be kept.
 */
export function storeValue(value: unknown): StoredValue {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : ["number", Object.is(value, -0) ? "-0" : `${value}`];
    case "bigint":
      return ["bigint", `${value}`];
    case "object":
      if (value === null) return value;
      if (value instanceof Date) return ["date", value.getTime()];
      if (value instanceof Uint8Array) return ["bytes", textOf(value)];
      if (value instanceof ArrayBuffer) {
        return ["buffer", textOf(new Uint8Array(value))];
      }
      if (isPlain(value)) return ["json", value];
  }
  throw new QueryCacheError(
    `Cannot cache the rows of a query: one holds a ${
      Object(value).constructor?.name ?? typeof value
    }, which is no value of a database; select it in another form`,
  );
}

function restoreValue(value: StoredValue): unknown {
  return value !== null && typeof value === "object"
    ? KINDS[value[0]](value[1])
    : value;
}

/**
 * How values are read by what the driver says of them, where no column's type
 * says it; functions are not stored, what they read is.
 */
function readersOf(
  isShaped: boolean,
  { columns }: PreparedStatement,
  { readers, columns: labels }: DriverResult,
): DriverResult["readers"] {
  return readers?.map((read, i) => {
    const column = isShaped
      ? columns[i]
      : columns.find(({ label }) => label === labels[i]);
    return column?.read ? undefined : read;
  });
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype ||
    prototype === null;
}

function textOf(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

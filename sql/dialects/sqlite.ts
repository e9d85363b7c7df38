import type { Dialect } from "../dialect.ts";
import {
  CompileError,
  TypeConversionError,
  UnsupportedError,
} from "../errors.ts";
import type { SqlType, SqlValue, TypeRules } from "../types.ts";
import { SQLITE_WRITES } from "./sqlite_writes.ts";

const asIs = (name: string): TypeRules => ({ ddl: () => name });

const number: Pick<TypeRules, "bind"> = {
  bind: (value: number) => {
    if (Number.isFinite(value)) return value;
    throw new TypeConversionError(
      "Cannot bind a number that is not finite: SQLite would store NULL; check it before",
    );
  },
};

const RULES: Readonly<Record<string, TypeRules>> = {
  integer: { ddl: () => "INTEGER", ...number, result: Number },
  bigint: {
    ddl: () => "INTEGER",
    // Drivers lose 64-bit numbers, so they travel as text both ways.
    bind: (value: bigint) => String(value),
    result: (value: string | number | bigint) => BigInt(value),
    select: (sql) => `CAST(${sql} AS TEXT)`,
    placeholder: (mark) => `CAST(${mark} AS INTEGER)`,
  },
  text: asIs("TEXT"),
  varchar: { ddl: ({ args }) => `VARCHAR(${args[0]})` },
  boolean: {
    ddl: () => "BOOLEAN",
    bind: (value: boolean) => value ? 1 : 0,
    result: (value: unknown) => Boolean(value),
  },
  real: { ddl: () => "REAL", ...number, result: Number },
  // A numeric affinity would turn exact decimals into doubles.
  numeric: { ddl: () => "TEXT", bind: String, result: String },
  date: asIs("TEXT"),
  time: asIs("TEXT"),
  timestamp: {
    ddl: () => "TEXT",
    bind: (value: Date) => {
      if (Number.isNaN(value.getTime())) {
        throw new TypeConversionError(
          "Cannot bind an invalid Date; check it before",
        );
      }
      return value.toISOString();
    },
    result: (value: string) => new Date(value),
  },
  interval: asIs("TEXT"),
  json: {
    ddl: () => "TEXT",
    bind: (value: unknown) => JSON.stringify(value),
    result: (value: string) => JSON.parse(value),
  },
  blob: {
    ddl: () => "BLOB",
    result: (value: ArrayLike<number> | ArrayBuffer) =>
      value instanceof Uint8Array ? value : new Uint8Array(value),
  },
  uuid: asIs("TEXT"),
  enum: asIs("TEXT"),
};

/** SQLite's way, shared by D1, Durable Objects, libSQL and files. */
export const sqlite: Dialect = {
  name: "sqlite",
  quote: '"',
  placeholder: () => "?",
  rulesFor(type: SqlType): TypeRules {
    const rules = RULES[type.name];
    if (rules) return rules;
    throw new UnsupportedError(
      `Cannot use type "${type.name}" on SQLite; use json() or a typeDecorator`,
    );
  },
  bindUntyped(value: unknown): SqlValue {
    if (typeof value === "boolean") return value ? 1 : 0;
    if (typeof value === "bigint") return String(value);
    if (value instanceof Date) return value.toISOString();
    if (
      typeof value === "string" || typeof value === "number" ||
      value instanceof Uint8Array
    ) return value;
    throw new TypeConversionError(
      "Cannot bind a value of no known type; use literal(value, type)",
    );
  },
  literal(value: SqlValue): string {
    if (value === null) return "NULL";
    if (typeof value === "number") return String(value);
    return typeof value === "string"
      ? `'${value.replaceAll("'", "''")}'`
      : `x'${hex(value)}'`;
  },
  missingValue(column, compiler): void {
    const { serverDefault, nullable } = column.spec;
    // SQLite has no DEFAULT in VALUES; NULL numbers a lone integer key.
    if (serverDefault === undefined && (nullable || column.spec.primaryKey)) {
      return compiler.write("NULL");
    }
    throw new CompileError(
      `Cannot leave out "${column.key}" in one row of several: SQLite has no DEFAULT in VALUES; give it in every row or in none`,
    );
  },
  autoincrement: ({ spec }) => ({
    type: "INTEGER",
    suffix: spec.autoincrement ? " PRIMARY KEY AUTOINCREMENT" : " PRIMARY KEY",
    isPrimaryKey: true,
  }),
  writes: SQLITE_WRITES,
  overrides: {},
  features: {
    forUpdate: false,
    dmlInCte: false,
    alterConstraints: false,
    jsonEach: true,
    comments: false,
    enumTypes: false,
    offsetNeedsLimit: true,
    virtualColumns: true,
    tableWords: true,
  },
};

/** Bytes as hexadecimal digits. */
export function hex(bytes: Uint8Array): string {
  let digits = "";
  for (const byte of bytes) digits += byte.toString(16).padStart(2, "0");
  return digits;
}

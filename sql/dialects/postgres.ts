import type { Dialect } from "../dialect.ts";
import { TypeConversionError, UnsupportedError } from "../errors.ts";
import type { SqlType, SqlValue, TypeRules } from "../types.ts";
import { POSTGRES_WRITES } from "./postgres_writes.ts";
import { postgresExtras } from "./postgres_ddl.ts";
import { hex } from "./sqlite.ts";

// Values travel as text both ways; a cast behind the placeholder names the type.
const typed = (name: string, more: Partial<TypeRules> = {}): TypeRules => ({
  ddl: () => name,
  bind: String,
  placeholder: (mark) => `${mark}::${name}`,
  ...more,
});

const finite = (value: number): string => String(value);

// One pure call, so that it leaves bundles that speak to SQLite alone.
const RULES: Readonly<Record<string, TypeRules>> = /* @__PURE__ */ (() => ({
  integer: typed("INTEGER", { bind: finite, result: Number }),
  bigint: typed("BIGINT", { result: (value: string) => BigInt(value) }),
  text: typed("TEXT"),
  varchar: typed("VARCHAR", { ddl: ({ args }) => `VARCHAR(${args[0]})` }),
  boolean: typed("BOOLEAN", {
    result: (value: unknown) =>
      value === true || value === "t" || value === "true",
  }),
  real: typed("DOUBLE PRECISION", { bind: finite, result: Number }),
  numeric: typed("NUMERIC", {
    ddl: ({ args }) =>
      args.length > 0 ? `NUMERIC(${args.join(", ")})` : "NUMERIC",
    result: String,
  }),
  date: typed("DATE"),
  time: typed("TIME"),
  timestamp: typed("TIMESTAMPTZ", {
    bind: (value: Date) => {
      if (Number.isNaN(value.getTime())) {
        throw new TypeConversionError(
          "Cannot bind an invalid Date; check it before",
        );
      }
      return value.toISOString();
    },
    result: (value: string) => parseTimestamp(value),
  }),
  interval: typed("INTERVAL"),
  json: typed("JSONB", {
    bind: (value: unknown) => JSON.stringify(value),
    result: (value: string) => JSON.parse(value),
  }),
  blob: typed("BYTEA", {
    bind: (value: Uint8Array) => `\\x${hex(value)}`,
    result: (value: string) => bytesOf(value.slice(2)),
  }),
  uuid: typed("UUID"),
  enum: {
    ddl: ({ args }) => quoted(String(args[0])),
    placeholder: (mark, { args }) => `${mark}::${quoted(String(args[0]))}`,
  },
}))();

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

// Postgres writes 1969-12-31 23:59:59.5+00, with BC behind years before 1.
function parseTimestamp(text: string): Date {
  const iso = text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00");
  return new Date(iso);
}

function bytesOf(digits: string): Uint8Array {
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}

/** Postgres' way, over HTTP or in process: every value is text. */
export const postgres: Dialect = {
  name: "postgres",
  quote: '"',
  placeholder: (n) => `$${n}`,
  rulesFor(type: SqlType): TypeRules {
    const rules = RULES[type.name];
    if (rules) return rules;
    throw new UnsupportedError(`Cannot use type "${type.name}" on Postgres`);
  },
  bindUntyped(value: unknown): SqlValue {
    if (value instanceof Date) return value.toISOString();
    if (value instanceof Uint8Array) return `\\x${hex(value)}`;
    return typeof value === "object" ? JSON.stringify(value) : String(value);
  },
  literal(value: SqlValue): string {
    return value === null ? "NULL" : `'${String(value).replaceAll("'", "''")}'`;
  },
  missingValue(_column, compiler): void {
    compiler.write("DEFAULT");
  },
  autoincrement: ({ spec }) => ({
    suffix: ` GENERATED ${
      spec.identity === "always" ? "ALWAYS" : "BY DEFAULT"
    } AS IDENTITY`,
    isPrimaryKey: false,
  }),
  writes: POSTGRES_WRITES,
  overrides: {},
  schemaExtras: /* @__PURE__ */ postgresExtras(() => postgres),
  features: {
    forUpdate: true,
    dmlInCte: true,
    alterConstraints: true,
    jsonEach: false,
    comments: true,
    enumTypes: true,
    offsetNeedsLimit: false,
    virtualColumns: false,
    tableWords: false,
  },
};

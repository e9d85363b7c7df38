import type { Slot } from "../compiler.ts";
import type { Dialect } from "../dialect.ts";
import { TypeConversionError, UnsupportedError } from "../errors.ts";
import {
  resultReader,
  type SqlType,
  type SqlValue,
  type TypeRules,
} from "../types.ts";
import { POSTGRES_WRITES } from "./postgres_writes.ts";
import { postgresExtras } from "./postgres_ddl.ts";
import { arrayLiteral, readArray } from "./postgres_arrays.ts";
import {
  decimal,
  hex,
  isoOf,
  jsonOf,
  readInteger,
  safeInteger,
} from "./values.ts";

// Values travel as text both ways; a cast behind the placeholder names the type.
const typed = (name: string, more: Partial<TypeRules> = {}): TypeRules => ({
  ddl: () => name,
  bind: plain,
  placeholder: (mark) => `${mark}::${name}`,
  ...more,
});

function plain(value: unknown): string {
  const text = String(value);
  if (!text.includes("\0")) return text;
  throw new TypeConversionError(
    "Cannot bind a text with a NUL character: Postgres keeps none; use blob()",
  );
}

const list: TypeRules = {
  ddl: ({ item }) => `${item ? ruleOf(item).ddl(item) : "TEXT"}[]`,
  bind: (values: readonly unknown[], type, dialect) =>
    arrayLiteral(values, type.item, dialect),
  result: (value: string, { item }, dialect) =>
    readArray(value, item && resultReader(item, dialect)),
  placeholder: (mark, { item }, dialect) => {
    if (!item) return mark;
    return `${ruleOf(item).placeholder?.(mark, item, dialect) ?? mark}[]`;
  },
};

// One pure call, so that it leaves bundles that speak to SQLite alone.
const RULES: Readonly<Record<string, TypeRules>> = /* @__PURE__ */ (() => ({
  any: {
    ddl: () => "TEXT",
    bind: (value: unknown, _type, dialect) => dialect.bindUntyped(value),
  },
  integer: typed("INTEGER", {
    bind: (value: number) => String(safeInteger(value)),
    result: readInteger,
  }),
  bigint: typed("BIGINT", {
    bind: (value: bigint) => String(BigInt(value)),
    result: (value: string) => BigInt(value),
  }),
  text: typed("TEXT"),
  varchar: typed("VARCHAR", { ddl: ({ args }) => `VARCHAR(${args[0]})` }),
  boolean: typed("BOOLEAN", {
    result: (value: unknown) =>
      value === true || value === "t" || value === "true",
  }),
  real: typed("DOUBLE PRECISION", { result: Number }),
  numeric: typed("NUMERIC", {
    ddl: ({ args }) =>
      args.length > 0 ? `NUMERIC(${args.join(", ")})` : "NUMERIC",
    bind: (value: string) => decimal(value, { name: "numeric", args: [] }),
    result: String,
  }),
  date: typed("DATE", { bind: toPostgresYear, result: fromPostgresYear }),
  time: typed("TIME"),
  timestamp: typed("TIMESTAMPTZ", {
    bind: (value: Date) => toPostgresYear(isoOf(value)),
    result: (value: string) => new Date(isoInstant(value)),
  }),
  instant: typed("TIMESTAMPTZ", {
    bind: toPostgresYear,
    result: isoInstant,
  }),
  interval: typed("INTERVAL"),
  json: typed("JSONB", {
    bind: (value: unknown) => {
      const text = jsonOf(value);
      // An escaped NUL, but no backslash in front of the letters u0000.
      if (/(?<!\\)(\\\\)*\\u0000/.test(text)) plain("\0");
      return text;
    },
    result: (value: string) => JSON.parse(value),
  }),
  jsonPath: typed("TEXT[]", {
    bind: (path: readonly unknown[], _type, dialect) =>
      arrayLiteral(path.map(String), undefined, dialect),
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
  list,
  array: list,
}))();

function ruleOf(type: SqlType): TypeRules {
  const rules = RULES[type.name];
  if (rules) return rules;
  throw new UnsupportedError(`Cannot use type "${type.name}" on Postgres`);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

// ISO 8601 counts years below 1 on, Postgres says BC: year 0 is 1 BC.
function toPostgresYear(text: string): string {
  const year = /^[+-]\d+/.exec(text)?.[0];
  if (year === undefined) return plain(text);
  const n = Number(year);
  const shown = String(n > 0 ? n : 1 - n).padStart(4, "0");
  return plain(shown + text.slice(year.length) + (n > 0 ? "" : " BC"));
}

function fromPostgresYear(text: string): string {
  const [, year = "", rest = "", bc] = /^(\d+)(.*?)( BC)?$/.exec(text) ?? [];
  if (bc) return `-${String(Number(year) - 1).padStart(6, "0")}${rest}`;
  return year.length > 4 ? `+${year.padStart(6, "0")}${rest}` : text;
}

// Postgres writes 1969-12-31 23:59:59.5+00; the session may be in any zone.
function isoInstant(text: string): string {
  const iso = fromPostgresYear(text).replace(" ", "T");
  const [, before = iso, fraction = "", zone = "+00"] =
    /^(.*?)(\.\d+)?([+-]\d\d(?::?\d\d)?(?::?\d\d)?)$/.exec(iso) ?? [];
  if (/^[+-]00$/.test(zone)) return `${before}${fraction}Z`;
  const [hours = "0", minutes = "0", seconds = "0"] = zone.slice(1).split(":");
  const offset = (Number(hours) * 3600 + Number(minutes) * 60 +
    Number(seconds)) * 1000;
  const moved = new Date(
    Date.parse(`${before}Z`) - (zone[0] === "-" ? -offset : offset),
  );
  return `${moved.toISOString().slice(0, -5)}${fraction}Z`;
}

function bytesOf(digits: string): Uint8Array {
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}

// GROUP BY is compared with the result list by parameter number, so a parameter
// has one number wherever it stands.
const numbers = new WeakMap<readonly Slot[], Map<Slot, number>>();

/** Postgres' way, over HTTP or in process: every value is text. */
export const postgres: Dialect = {
  name: "postgres",
  quote: '"',
  placeholder(slots, slot): string {
    let known = numbers.get(slots);
    if (!known) numbers.set(slots, known = new Map());
    const n = known.get(slot) ?? slots.push(slot);
    known.set(slot, n);
    return `$${n}`;
  },
  rulesFor: ruleOf,
  bindUntyped(value: unknown): SqlValue {
    if (value instanceof Date) return toPostgresYear(isoOf(value));
    if (value instanceof Uint8Array) return `\\x${hex(value)}`;
    return plain(typeof value === "object" ? jsonOf(value) : value);
  },
  literal(value: SqlValue): string {
    return value === null ? "NULL" : `'${String(value).replaceAll("'", "''")}'`;
  },
  inList(values, negated, compiler): void {
    compiler.write(negated ? " <> ALL (" : " = ANY (");
    compiler.bind(values);
    compiler.write(")");
  },
  writes: POSTGRES_WRITES,
  overrides: {},
  get schemaExtras() {
    return postgresExtras(this);
  },
  features: {
    forUpdate: true,
    storesComputed: true,
    dmlInCte: true,
    alterConstraints: true,
    comments: true,
    defaultInRows: true,
    ilike: true,
    distinctOn: true,
    lateral: true,
    deleteUsing: true,
    timeTypes: true,
    jsonType: true,
  },
};

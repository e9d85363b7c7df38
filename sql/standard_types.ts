/**
 * The types that columns have, each with how SQLite keeps it, since that is how
 * a database without a type of its own for it would. A dialect that has one
 * knows it by name. A bundle carries those that its columns name.
 */
import {
  decimal,
  finite,
  isoOf,
  jsonList,
  jsonOf,
  readInteger,
  safeInteger,
} from "./dialects/values.ts";
import { type SqlType, toDriver, type TypeRules } from "./types.ts";

const type = <T>(name: string, rules: TypeRules): SqlType<T> => ({
  name,
  args: [],
  rules,
});

const asText = <T>(name: string, rules: Partial<TypeRules> = {}): SqlType<T> =>
  type(name, { ddl: () => "TEXT", ...rules });

/** A whole number that JavaScript holds exactly. */
export const INTEGER: SqlType<number> = /* @__PURE__ */ type("integer", {
  ddl: () => "INTEGER",
  bind: safeInteger,
  result: readInteger,
  // Drivers bind every number as a REAL.
  exact: (mark) => `CAST(${mark} AS INTEGER)`,
});

/** A 64-bit whole number. */
export const BIGINT: SqlType<bigint> = /* @__PURE__ */ type("bigint", {
  ddl: () => "INTEGER",
  // Drivers lose 64-bit numbers, so they travel as text both ways.
  bind: (value: bigint) => String(BigInt(value)),
  result: (value: string | number | bigint) => BigInt(value),
  select: (sql) => `CAST(${sql} AS TEXT)`,
  placeholder: (mark) => `CAST(${mark} AS INTEGER)`,
});

/** Text. */
export const TEXT: SqlType<string> = /* @__PURE__ */ asText("text");

/** Text of at most so many characters. */
export const VARCHAR: SqlType<string> = /* @__PURE__ */ asText("varchar", {
  ddl: ({ args }) => `VARCHAR(${args[0]})`,
});

/** True or false. */
export const BOOLEAN: SqlType<boolean> = /* @__PURE__ */ type("boolean", {
  ddl: () => "BOOLEAN",
  bind: (value: boolean) => value ? 1 : 0,
  result: Boolean,
});

/** A double. */
export const REAL: SqlType<number> = /* @__PURE__ */ type("real", {
  ddl: () => "REAL",
  bind: finite,
  result: Number,
  // JSON has one number for 5 and 5.0.
  fromJson: (cell) => `CAST(${cell} AS REAL)`,
});

/** An exact decimal, which a numeric affinity would turn into a double. */
export const NUMERIC: SqlType<string> = /* @__PURE__ */ asText("numeric", {
  bind: decimal,
  result: decimal,
  operand: (sql) => `CAST(${sql} AS REAL)`,
});

/** A day. */
export const DATE: SqlType<string> = /* @__PURE__ */ asText("date");

/** A time of day. */
export const TIME: SqlType<string> = /* @__PURE__ */ asText("time");

/** An instant, to the millisecond. */
export const TIMESTAMP: SqlType<Date> = /* @__PURE__ */ asText("timestamp", {
  bind: isoOf,
  result: (value: string) => new Date(value),
});

/** An instant, to the microsecond. */
export const INSTANT: SqlType<string> = /* @__PURE__ */ asText("instant");

/** A length of time. */
export const INTERVAL: SqlType<string> = /* @__PURE__ */ asText("interval");

/** A JSON document. */
export const JSON_DOCUMENT: SqlType = /* @__PURE__ */ asText("json", {
  bind: jsonOf,
  result: (value: string) => JSON.parse(value),
});

/** Keys and indexes that lead into a JSON document. */
export const JSON_PATH: SqlType<readonly (string | number)[]> =
  /* @__PURE__ */ asText("jsonPath", {
    bind: (path: readonly (string | number)[]) =>
      path.reduce<string>(
        (text, key) =>
          text +
          (typeof key === "number" ? `[${key}]` : `.${JSON.stringify(key)}`),
        "$",
      ),
  });

/** Bytes. */
export const BLOB: SqlType<Uint8Array> = /* @__PURE__ */ type("blob", {
  ddl: () => "BLOB",
  fromJson: (cell) => `unhex(${cell})`,
  result: (value: ArrayLike<number> | ArrayBuffer) =>
    value instanceof Uint8Array ? value : new Uint8Array(value),
});

/** A UUID. */
export const UUID: SqlType<string> = /* @__PURE__ */ asText("uuid");

/** One of a few words: its arguments are a name and the words. */
export const ENUM: SqlType<string> = /* @__PURE__ */ asText("enum", {
  check: (column, { args: [, ...words] }, dialect) =>
    `CHECK (${column} IN (${
      words.map((word) => dialect.literal(word)).join(", ")
    }))`,
});

/** Several values of another type as one parameter. */
export const LIST: SqlType = /* @__PURE__ */ type("list", {
  ddl: () => "",
  bind: (values: readonly unknown[], { item }, dialect) =>
    jsonList(values.map((value) => toDriver(value, item, dialect))),
});

/** A value that only the database knows the type of. */
export const ANY: SqlType = /* @__PURE__ */ type("any", {
  ddl: () => "",
  bind: (value: unknown, _type, dialect) => dialect.bindUntyped(value),
});

/** The type that a value has by itself; nothing where it is a plain object. */
export function guessType(value: unknown): SqlType | undefined {
  switch (typeof value) {
    case "string":
      return TEXT;
    case "boolean":
      return BOOLEAN;
    case "bigint":
      return BIGINT;
    case "number":
      return Number.isInteger(value) ? INTEGER : REAL;
  }
  return value instanceof Date
    ? TIMESTAMP
    : value instanceof Uint8Array
    ? BLOB
    : undefined;
}

import type { Dialect } from "../dialect.ts";
import { CompileError, UnsupportedError } from "../errors.ts";
import {
  rootType,
  type SqlType,
  type SqlValue,
  toDriver,
  type TypeRules,
} from "../types.ts";
import {
  decimal,
  finite,
  hex,
  isoOf,
  jsonOf,
  readInteger,
  refuse,
  safeInteger,
} from "./values.ts";

const asIs = (name: string): TypeRules => ({ ddl: () => name });

const RULES: Readonly<Record<string, TypeRules>> = /* @__PURE__ */ (() => ({
  any: {
    ddl: () => "",
    bind: (value: unknown, _type, dialect) => dialect.bindUntyped(value),
  },
  integer: {
    ddl: () => "INTEGER",
    bind: safeInteger,
    result: readInteger,
    // Drivers bind every number as a REAL.
    exact: (mark) => `CAST(${mark} AS INTEGER)`,
  },
  bigint: {
    ddl: () => "INTEGER",
    // Drivers lose 64-bit numbers, so they travel as text both ways.
    bind: (value: bigint) => String(BigInt(value)),
    result: (value: string | number | bigint) => BigInt(value),
    select: (sql) => `CAST(${sql} AS TEXT)`,
    placeholder: (mark) => `CAST(${mark} AS INTEGER)`,
  },
  text: asIs("TEXT"),
  varchar: { ddl: ({ args }) => `VARCHAR(${args[0]})` },
  boolean: {
    ddl: () => "BOOLEAN",
    bind: (value: boolean) => value ? 1 : 0,
    result: Boolean,
  },
  real: { ddl: () => "REAL", bind: finite, result: Number },
  // A numeric affinity would turn exact decimals into doubles.
  numeric: {
    ddl: () => "TEXT",
    bind: decimal,
    result: decimal,
    operand: (sql) => `CAST(${sql} AS REAL)`,
  },
  date: asIs("TEXT"),
  time: asIs("TEXT"),
  timestamp: {
    ddl: () => "TEXT",
    bind: isoOf,
    result: (value: string) => new Date(value),
  },
  instant: asIs("TEXT"),
  interval: asIs("TEXT"),
  json: {
    ddl: () => "TEXT",
    bind: jsonOf,
    result: (value: string) => JSON.parse(value),
  },
  jsonPath: {
    ddl: () => "TEXT",
    bind: (path: readonly (string | number)[]) =>
      path.reduce<string>(
        (text, key) =>
          text +
          (typeof key === "number" ? `[${key}]` : `.${JSON.stringify(key)}`),
        "$",
      ),
  },
  blob: {
    ddl: () => "BLOB",
    result: (value: ArrayLike<number> | ArrayBuffer) =>
      value instanceof Uint8Array ? value : new Uint8Array(value),
  },
  uuid: asIs("TEXT"),
  enum: asIs("TEXT"),
  list: {
    ddl: () => "",
    bind: (values: readonly unknown[], { item }, dialect) =>
      // A bigint's digits are a JSON number as they stand.
      `[${
        values.map((value) => {
          const bound = toDriver(value, item, dialect);
          return item?.name === "bigint" && bound !== null
            ? bound
            : bound instanceof Uint8Array
            ? `"${hex(bound)}"`
            : JSON.stringify(bound);
        })
      }]`,
  },
}))();

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
    return refuse(
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
  inList(list, negated, compiler): void {
    const item = list.type?.item;
    const value = item && rootType(item).name === "blob"
      ? "unhex(value)"
      : item
      ? compiler.typed("value", item)
      : "value";
    compiler.write(
      `${negated ? " NOT" : ""} IN (SELECT ${value} FROM json_each(`,
    );
    compiler.bind(list);
    compiler.write("))");
  },
  autoincrement: ({ spec }) => ({
    type: "INTEGER",
    suffix: spec.autoincrement ? " PRIMARY KEY AUTOINCREMENT" : " PRIMARY KEY",
    isPrimaryKey: true,
  }),
  overrides: {},
  features: {
    jsonEach: true,
    offsetNeedsLimit: true,
    virtualColumns: true,
    tableWords: true,
  },
};

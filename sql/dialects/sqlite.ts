import type { Dialect } from "../dialect.ts";
import { UnsupportedError } from "../errors.ts";
import {
  type SqlType,
  type SqlValue,
  toDriver,
  type TypeRules,
} from "../types.ts";
import { guessType } from "../standard_types.ts";
import { hex, refuse } from "./values.ts";

/** SQLite's way, shared by D1, Durable Objects, libSQL and files. */
export const sqlite: Dialect = {
  name: "sqlite",
  quote: '"',
  placeholder(slots, slot): string {
    slots.push(slot);
    return "?";
  },
  rulesFor({ name, rules }: SqlType): TypeRules {
    if (rules) return rules;
    throw new UnsupportedError(
      `Cannot use type "${name}" on SQLite; use json() or a typeDecorator`,
    );
  },
  bindUntyped(value: unknown): SqlValue {
    const type = guessType(value);
    return type ? toDriver(value, type, this) : refuse(
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
  inList(list, negated, compiler): void {
    const value = compiler.cell("value", list.type?.item);
    compiler.write(
      `${negated ? " NOT" : ""} IN (SELECT ${value} FROM json_each(`,
    );
    compiler.bind(list);
    compiler.write("))");
  },
  overrides: {},
  features: {
    jsonEach: true,
    offsetNeedsLimit: true,
    tableWords: true,
    schemaIsFile: true,
  },
};

import { typeOf, type TypeOperand } from "./operators.ts";
import type { Compiler } from "./compiler.ts";
import { CompileError } from "./errors.ts";
import {
  type Expression,
  literal,
  type Operand,
  operand,
  Phrase,
  Raw,
} from "./expression.ts";
import { Expression as Base } from "./expression.ts";
import { INTEGER, REAL, TEXT, TIMESTAMP } from "./standard_types.ts";
import type { SqlType } from "./types.ts";

/** Calls any function of the database by name. */
export function func<T = unknown>(
  name: string,
  args: readonly unknown[] = [],
  type?: TypeOperand<T>,
): Expression<T> {
  return call(name, args.map((arg) => operand(arg)), type && typeOf(type));
}

function call<T>(
  name: string,
  args: readonly Expression<unknown>[],
  type: SqlType | undefined,
  distinct = "",
): Expression<T> {
  if (!/^[a-z_][\w.]*$/i.test(name)) {
    throw new CompileError(
      "Cannot call a function whose name is not a plain word; use text() for other syntax",
    );
  }
  return new Phrase("func", [`${name}(${distinct}`, args, ")"], type);
}

/** Counts rows, or rows where something is not NULL. */
export function count(of?: Expression<unknown>): Expression<number> {
  return call("count", [of ?? new Raw("*")], INTEGER);
}

/** Counts different values. */
export function countDistinct(of: Expression<unknown>): Expression<number> {
  return call("count", [of], INTEGER, "DISTINCT ");
}

/** Adds values up; NULL of no rows. */
export function sum<T>(of: Expression<T>): Expression<T | null> {
  return call("sum", [of], of.type);
}

/** The mean of values; NULL of no rows. */
export function avg(of: Expression<unknown>): Expression<number | null> {
  return call("avg", [of], REAL);
}

/** The least value; NULL of no rows. */
export function min<T>(of: Expression<T>): Expression<T | null> {
  return call("min", [of], of.type);
}

/** The greatest value; NULL of no rows. */
export function max<T>(of: Expression<T>): Expression<T | null> {
  return call("max", [of], of.type);
}

/** How many values one call takes: platforms take no more than some thirty. */
const ARGUMENTS = 30;

/** The first that is not NULL. */
export function coalesce<T>(
  first: Expression<T>,
  ...rest: readonly [
    ...(Operand<NonNullable<T>> | Expression<T>)[],
    Operand<NonNullable<T>>,
  ]
): Expression<NonNullable<T>> {
  const { type } = first;
  const values = [first, ...rest.map((value) => operand(value, type))];
  while (values.length > ARGUMENTS) {
    values.push(call("coalesce", values.splice(1 - ARGUMENTS), type));
  }
  return call("coalesce", values, type);
}

/** NULL where both are equal, else the first. */
export function nullif<T>(
  first: Expression<T>,
  second: Operand<T>,
): Expression<T | null> {
  const { type } = first;
  return call("nullif", [first, operand(second, type)], type);
}

/** In small letters. */
export function lower(of: Expression<unknown>): Expression<string> {
  return call("lower", [of], TEXT);
}

/** In capitals. */
export function upper(of: Expression<unknown>): Expression<string> {
  return call("upper", [of], TEXT);
}

/** How many characters a text has. */
export function length(of: Expression<unknown>): Expression<number> {
  return call("length", [of], INTEGER);
}

/** Without its sign. */
export function abs<T>(of: Expression<T>): Expression<T> {
  return call("abs", [of], of.type);
}

/** The time of the statement, in UTC. */
export function now(): Expression<Date> {
  return new Time("now", undefined, TIMESTAMP);
}

/** A part of a day or time, as {@linkcode extract} names it. */
export type TimeField =
  | "year"
  | "month"
  | "day"
  | "hour"
  | "minute"
  | "second"
  | "dow"
  | "doy"
  | "epoch";

/**
 * A part of a day or time as a whole number, in UTC: `extract("year", born)`.
 * Weekdays (`"dow"`) count from Sunday, 0.
 */
export function extract(
  field: TimeField,
  of: Expression<unknown>,
): Expression<number> {
  return new Time(field, of, INTEGER);
}

const FORMATS: Readonly<Record<TimeField, string>> = {
  year: "%Y",
  month: "%m",
  day: "%d",
  hour: "%H",
  minute: "%M",
  second: "%S",
  dow: "%w",
  doy: "%j",
  epoch: "%s",
};

/** What databases without types for times write in another way. */
class Time<T> extends Base<T> {
  readonly field: TimeField | "now";
  readonly of: Expression<unknown> | undefined;
  constructor(
    field: TimeField | "now",
    of: Expression<unknown> | undefined,
    type: SqlType,
  ) {
    super(type);
    this.field = field;
    this.of = of;
  }
  override get kind(): string {
    return "time";
  }
  override compile(compiler: Compiler): void {
    const { field, of } = this;
    const { timeTypes } = compiler.dialect.features;
    if (field === "now") {
      return compiler.write(
        timeTypes ? "CURRENT_TIMESTAMP" : "strftime('%Y-%m-%dT%H:%M:%fZ')",
      );
    }
    const format = Object.hasOwn(FORMATS, field) ? FORMATS[field] : undefined;
    if (!format) {
      throw new CompileError(
        `Cannot extract such a field; use one of ${Object.keys(FORMATS)}`,
      );
    }
    compiler.write(
      timeTypes
        ? `CAST(floor(EXTRACT(${field} FROM `
        : `CAST(strftime('${format}', `,
    );
    if (of) compiler.operand(of, 9);
    // An instant has no parts until its time zone is said.
    if (timeTypes && of?.type?.name === "timestamp") {
      compiler.write(" AT TIME ZONE 'UTC'");
    }
    compiler.write(timeTypes ? ")) AS INTEGER)" : ") AS INTEGER)");
  }
}

/** The row's number within its window, from 1. */
export function rowNumber(): Expression<number> {
  return call("row_number", [], INTEGER);
}

/** The row's rank within its window, with gaps behind equal ones. */
export function rank(): Expression<number> {
  return call("rank", [], INTEGER);
}

/** The row's rank within its window, without gaps. */
export function denseRank(): Expression<number> {
  return call("dense_rank", [], INTEGER);
}

/** The value so many rows before, within the window. */
export function lag<T>(of: Expression<T>, rows = 1): Expression<T | null> {
  return call("lag", [of, literal(rows)], of.type);
}

/** The value so many rows after, within the window. */
export function lead<T>(of: Expression<T>, rows = 1): Expression<T | null> {
  return call("lead", [of, literal(rows)], of.type);
}

/** The value of the window's first row. */
export function firstValue<T>(of: Expression<T>): Expression<T> {
  return call("first_value", [of], of.type);
}

import { type Expression, Func, operand, Raw, TYPES } from "./expression.ts";
import type { Operand } from "./expression.ts";
import { type SqlType, sqlType } from "./types.ts";

/** Calls any function of the database by name. */
export function func<T = unknown>(
  name: string,
  args: readonly unknown[] = [],
  type?: SqlType<T>,
): Expression<T> {
  return new Func(name, args.map((arg) => operand(arg)), type);
}

/** Counts rows, or rows where something is not NULL. */
export function count(of?: Expression<unknown>): Expression<number> {
  return new Func("count", [of ?? new Raw("*")], TYPES.integer);
}

/** Counts different values. */
export function countDistinct(of: Expression<unknown>): Expression<number> {
  return new Func("count", [of], TYPES.integer, true);
}

/** Adds values up; NULL of no rows. */
export function sum<T>(of: Expression<T>): Expression<T | null> {
  return new Func("sum", [of], of.type);
}

/** The mean of values; NULL of no rows. */
export function avg(of: Expression<unknown>): Expression<number | null> {
  return new Func("avg", [of], sqlType("real"));
}

/** The least value; NULL of no rows. */
export function min<T>(of: Expression<T>): Expression<T | null> {
  return new Func("min", [of], of.type);
}

/** The greatest value; NULL of no rows. */
export function max<T>(of: Expression<T>): Expression<T | null> {
  return new Func("max", [of], of.type);
}

/** The first that is not NULL. */
export function coalesce<T>(
  first: Expression<T>,
  ...rest: readonly Operand<NonNullable<T>>[]
): Expression<NonNullable<T>> {
  return new Func(
    "coalesce",
    [first, ...rest.map((value) => operand(value, first.type))],
    first.type,
  );
}

/** In small letters. */
export function lower(of: Expression<unknown>): Expression<string> {
  return new Func("lower", [of], TYPES.text);
}

/** In capitals. */
export function upper(of: Expression<unknown>): Expression<string> {
  return new Func("upper", [of], TYPES.text);
}

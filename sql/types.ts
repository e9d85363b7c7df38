import type { Dialect } from "./dialect.ts";
import { TypeConversionError } from "./errors.ts";

/** What a driver accepts as a bound value and what it hands back. */
export type SqlValue = string | number | null | Uint8Array;

/**
 * A column type: a name, its arguments, how it is kept, and, for a type of the
 * user's own, conversions on top of another type. `integer().spec.type` is one.
 *
 * @typeParam T The value as the program sees it.
 */
export interface SqlType<T = unknown> {
  /** The name under which dialects keep their rules: `"integer"`, `"text"`, … */
  readonly name: string;
  /** Length, precision and scale, enum labels. */
  readonly args: readonly (string | number)[];
  /** How it is kept where a dialect has no rules of its own for the name. */
  readonly rules?: TypeRules;
  /** The type of an array's items. */
  readonly item?: SqlType;
  /** The underlying type, for a type made by `typeDecorator`. */
  readonly base?: SqlType;
  /** Program value to bound value, past the dialect's rules: of `typeDecorator`. */
  toDriver?(value: T, dialect: Dialect): SqlValue;
  /** What turns a driver's value into the program's, past the dialect's rules. */
  reader?(dialect: Dialect): (value: unknown) => unknown;
  /** How two values compare, for change detection. @default by structure */
  equals?(a: T, b: T): boolean;
  /** The type of what an operator compares it with. @default this type */
  coerceComparedValue?(operator: string, other: unknown): SqlType | undefined;
  /** The column that it is the type of, for errors: `"users.age"`. */
  readonly place?: string;
  /** Never present: carries the value's type. */
  readonly "~value"?: T;
}

/** A type without what the user put on top of it. */
export function rootType(type: SqlType): SqlType {
  return type.base ? rootType(type.base) : type;
}

/** How a dialect stores, binds and reads one type. */
export interface TypeRules {
  /** The type in DDL, such as `VARCHAR(50)`. */
  ddl(type: SqlType): string;
  /** Behind a column: the condition that every value meets, where the type does not say it. */
  check?(column: string, type: SqlType, dialect: Dialect): string;
  /** Value to bound value; absent where the value is bound as it is. */
  bind?(value: never, type: SqlType, dialect: Dialect): SqlValue;
  /** Driver's value to value; absent where it is right as it comes. */
  result?(value: never, type: SqlType, dialect: Dialect): unknown;
  /** Wraps a column in a result list, for values that a driver would spoil. */
  select?(sql: string): string;
  /** Wraps a column that is compared, sorted or reckoned with. */
  operand?(sql: string): string;
  /** Wraps a placeholder, for values that need their type said. */
  placeholder?(sql: string, type: SqlType, dialect: Dialect): string;
  /** Reads a value out of a JSON document, where it does not come as it is. */
  fromJson?(cell: string): string;
  /** Wraps a placeholder where no column beside it says its type. */
  exact?(sql: string): string;
}

/** Turns a program value into a bound value. `null` stays `null`. */
export function toDriver(
  value: unknown,
  type: SqlType | undefined,
  dialect: Dialect,
): SqlValue {
  if (value === null || value === undefined) return null;
  if (!type) return dialect.bindUntyped(value);
  try {
    if (type.toDriver) return type.toDriver(value, dialect);
    const { bind } = dialect.rulesFor(type);
    return bind ? bind(value as never, type, dialect) : value as SqlValue;
  } catch (error) {
    if (!(error instanceof TypeConversionError) || !type.place) throw error;
    // Among the values of a whole commit, one has to be found.
    throw new TypeConversionError(
      error.message.replace(/;|$/, ` for "${type.place}"$&`),
      { cause: error },
    );
  }
}

/** The function that turns a driver's value into a program value, if one is needed. */
export function resultReader(
  type: SqlType | undefined,
  dialect: Dialect,
): ((value: unknown) => unknown) | undefined {
  if (!type) return undefined;
  if (type.reader) return type.reader(dialect);
  const { result } = dialect.rulesFor(type);
  return result &&
    ((value) => value === null ? null : result(value as never, type, dialect));
}

import { deepEqual } from "./deep_equal.ts";
import type { ColumnBuilder } from "./column.ts";
import type { Dialect } from "./dialect.ts";
import { resultReader, type SqlType, toDriver } from "./types.ts";

/** How a type of the user's own stands on another. NULL passes by it. */
export interface TypeDecoratorOptions<T, Base> {
  /** The program's value to the underlying type's. */
  processBindParam(value: T, dialect: Dialect): Base;
  /** The underlying type's value to the program's. */
  processResultValue(value: Base, dialect: Dialect): T;
  /**
   * Whether two values are the same, for change detection. Objects of a class
   * of their own are replaced, not changed in place.
   * @default by structure; what shows none, as a URL, is the same as itself alone
   */
  equals?(a: T, b: T): boolean;
  /**
   * The type of what an operator compares it with.
   * @default this type, so that values are converted alike
   */
  coerceComparedValue?(operator: string, other: unknown): SqlType | undefined;
}

/**
 * A type of your own on top of another: `column(money)` makes a column of it.
 * Make it once, at module level: statements are told apart by the type itself.
 *
 * @example
 * ```ts
 * import { column, integer, typeDecorator } from "@aludel/aludel/sql";
 * import { strictEqual } from "node:assert/strict";
 *
 * class Money {
 *   constructor(readonly cents: number) {}
 * }
 * const money = typeDecorator(integer(), {
 *   processBindParam: (value: Money) => value.cents,
 *   processResultValue: (cents) => new Money(cents),
 * });
 * strictEqual(column(money).spec.type.name, "integer");
 * ```
 */
export function typeDecorator<T, Base>(
  base: SqlType<Base> | ColumnBuilder<Base, boolean>,
  options: TypeDecoratorOptions<T, Base>,
): SqlType<T> {
  const type: SqlType = "spec" in base ? base.spec.type : base;
  const { equals = isSame, coerceComparedValue } = options;
  return {
    name: type.name,
    args: type.args,
    ...(type.item && { item: type.item }),
    ...(type.rules && { rules: type.rules }),
    base: type,
    toDriver: (value: T, dialect) =>
      toDriver(options.processBindParam(value, dialect), type, dialect),
    reader: (dialect) => {
      const inner = resultReader(type, dialect);
      return (value) => {
        const raw = inner && value !== null ? inner(value) : value;
        return raw === null
          ? null
          : options.processResultValue(raw as Base, dialect);
      };
    },
    equals,
    ...(coerceComparedValue && { coerceComparedValue }),
  };
}

/** By structure, as far as values show it: private fields they do not. */
function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (isIterable(a) && isIterable(b)) return deepEqual([...a], [...b]);
  return deepEqual(a, b) && (a instanceof Date || showsItself(a as object));
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null &&
    Symbol.iterator in value;
}

function showsItself(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return Object.keys(value).length > 0 || prototype === Object.prototype ||
    prototype === null;
}

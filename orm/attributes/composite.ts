import { and, type Column, type Expression, not } from "../../sql/mod.ts";
import type { AttributeSpec } from "../attribute.ts";

/** A class whose constructor takes the values of some columns, in order. */
export type ValueClass<T> = new (...values: never[]) => T;

/** A value object that says itself which column values it stands for. */
export interface CompositeValue {
  /** The values in the order of the columns. @default its own fields, in order */
  compositeValues(): readonly unknown[];
}

/** The values of a value object, in the order of its columns. */
export function compositeValues(value: object): readonly unknown[] {
  return "compositeValues" in value
    ? (value as CompositeValue).compositeValues()
    : Object.values(value);
}

/** An embedded value in SQL: several columns, compared together. */
export class CompositeExpression<T> {
  /** Its columns, for results and sorting. */
  readonly columns: readonly Column<unknown>[];
  readonly #keys: readonly string[];

  /** Use {@linkcode composite}. */
  constructor(columns: readonly Column<unknown>[], keys: readonly string[]) {
    this.columns = columns;
    this.#keys = keys;
  }
  /** Every column equals; `null` asks for no value in any. */
  eq(value: T | null): Expression<boolean> {
    const parts = this.#parts(value);
    return and(...this.columns.map((column, i) => column.eq(parts[i])));
  }
  /** Some column differs. */
  ne(value: T | null): Expression<boolean> {
    return not(this.eq(value));
  }
  /** What an update sets for it: `update(users).set(User.c.home.values(point))`. */
  values(value: T | null): Record<string, unknown> {
    const parts = this.#parts(value);
    return Object.fromEntries(this.#keys.map((key, i) => [key, parts[i]]));
  }
  #parts(value: T | null): readonly unknown[] {
    return value === null
      ? this.columns.map(() => null)
      : compositeValues(value as object);
  }
}

/** An embedded value as it is described. */
export interface CompositeSpec<T, Covered extends string>
  extends AttributeSpec<T, CompositeExpression<T>, true, Covered> {
  /**
   * The same, but `null` where there is no value.
   *
   * @param isNone Whether values make none. @default all of them are `null`
   */
  nullable(
    isNone?: (...values: unknown[]) => boolean,
  ): CompositeSpec<T | null, Covered>;
}

/**
 * An object made of several columns: Fowler's Embedded Value. It is compared
 * by its columns and replaced as a whole; changing it in place saves nothing.
 *
 * @example
 * ```ts
 * import { composite, Entity, integer } from "@aludel/aludel/orm";
 * import { strictEqual } from "node:assert/strict";
 *
 * class Point {
 *   constructor(readonly x: number, readonly y: number) {}
 * }
 * class Vertex extends Entity.table("vertices", {
 *   id: integer().primaryKey(),
 *   x: integer(),
 *   y: integer(),
 *   at: composite(Point, "x", "y"),
 * }) {}
 *
 * const vertex = new Vertex({ at: new Point(3, 4) });
 * strictEqual(vertex.x, 3);
 * vertex.at = new Point(5, 6);
 * strictEqual(vertex.y, 6);
 * ```
 *
 * @param cls The value's class; its constructor takes the columns' values in order.
 * @param keys The keys of the columns.
 */
export function composite<T extends object, const Keys extends string>(
  cls: ValueClass<T>,
  ...keys: Keys[]
): CompositeSpec<T, Keys> {
  return spec<T, Keys>(
    cls,
    keys,
    (...values) => values.every((value) => value === undefined),
  );
}

function spec<T, Keys extends string>(
  cls: ValueClass<NonNullable<T>>,
  keys: readonly Keys[],
  isNone: (...values: unknown[]) => boolean,
): CompositeSpec<T, Keys> {
  return {
    attribute: true,
    nullable: (
      none = (...values) =>
        values.every((one) => one === null || one === undefined),
    ) => spec<T | null, Keys>(cls as never, keys, none),
    install(host, key): void {
      // The object is made once for the same values, so that it is the same one.
      const made = new WeakMap<object, { from: unknown[]; value: T | null }>();
      Object.defineProperty(host.prototype, key, {
        configurable: true,
        get(this: Record<string, unknown>) {
          const from = keys.map((one) => this[one]);
          const known = made.get(this);
          if (known?.from.every((one, i) => Object.is(one, from[i]))) {
            return known.value;
          }
          const value = isNone(...from)
            ? null
            : new cls(...from as never[]) as T;
          made.set(this, { from, value });
          return value;
        },
        set(this: Record<string, unknown>, value: T | null) {
          const from = value === null
            ? []
            : [...compositeValues(value as object)];
          keys.forEach((one, i) => this[one] = from[i] ?? null);
          made.set(this, { from: keys.map((one) => this[one]), value });
        },
      });
    },
    expression: (c) =>
      new CompositeExpression<T>(
        keys.map((key) => c[key] as Column<unknown>),
        keys,
      ),
  };
}

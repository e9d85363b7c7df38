import type { AttributeSpec } from "../attribute.ts";

/** What a hybrid builds on: a class as far as it is described. */
export interface HybridBase {
  /** Its columns. */
  readonly c: unknown;
  /** @ignore */
  readonly prototype: unknown;
}

/**
 * An attribute that is computed: in the program for an object, by the
 * database for a query.
 *
 * @example
 * ```ts
 * import { Entity, hybrid, integer } from "@aludel/aludel/orm";
 * import { minus, select } from "@aludel/aludel/sql";
 * import { strictEqual } from "node:assert/strict";
 *
 * class Interval extends Entity.table("intervals", {
 *   id: integer().primaryKey(),
 *   start: integer(),
 *   end: integer(),
 * }, {
 *   attributes: (interval) => ({
 *     length: hybrid(
 *       interval,
 *       (self) => self.end - self.start,
 *       (c) => minus(c.end, c.start),
 *       (self, length: number) => {
 *         self.end = self.start + length;
 *       },
 *     ),
 *   }),
 * }) {}
 *
 * const one = new Interval({ start: 5, end: 8 });
 * strictEqual(one.length, 3);
 * one.length = 10;
 * strictEqual(one.end, 15);
 * select(Interval).where(Interval.c.length.gt(3));
 * ```
 *
 * @param of The class as it is described so far.
 * @param get Its value for an object.
 * @param expression What it is in SQL: an expression, or an object with comparisons of its own.
 * @param set Takes a new value; without it, the attribute is only read.
 */
export function hybrid<Of extends HybridBase, T, E>(
  of: Of,
  get: (self: Of["prototype"]) => T,
  expression: (c: Of["c"]) => E,
  set: (self: Of["prototype"], value: T) => void,
): AttributeSpec<T, E, true, never>;
/** Computes an attribute that is only read. */
export function hybrid<Of extends HybridBase, T, E>(
  of: Of,
  get: (self: Of["prototype"]) => T,
  expression: (c: Of["c"]) => E,
): AttributeSpec<T, E, false, never>;
/** Computes an attribute that only objects have. */
export function hybrid<Of extends HybridBase, T>(
  of: Of,
  get: (self: Of["prototype"]) => T,
): AttributeSpec<T, never, false, never>;
export function hybrid<Of extends HybridBase, T, E>(
  _of: Of,
  get: (self: Of["prototype"]) => T,
  expression?: (c: Of["c"]) => E,
  set?: (self: Of["prototype"], value: T) => void,
): AttributeSpec<T, E, boolean, never> {
  return {
    attribute: true,
    install(cls, key): void {
      Object.defineProperty(cls.prototype, key, {
        configurable: true,
        get(this: Of["prototype"]) {
          return get(this);
        },
        ...(set && {
          set(this: Of["prototype"], value: T) {
            set(this, value);
          },
        }),
      });
    },
    expression: (c) => expression?.(c),
  };
}

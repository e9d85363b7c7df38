import { Column } from "../../sql/mod.ts";
import type { AttributeSpec } from "../attribute.ts";

/**
 * Another name for an attribute, on objects and in SQL.
 *
 * @example
 * ```ts
 * import { Entity, integer, synonym, text } from "@aludel/aludel/orm";
 * import { strictEqual } from "node:assert/strict";
 *
 * class User extends Entity.table("users", {
 *   id: integer().primaryKey(),
 *   name: text(),
 * }, { attributes: (user) => ({ login: synonym(user.c.name) }) }) {}
 *
 * strictEqual(new User({ name: "ed" }).login, "ed");
 * strictEqual(User.c.login, User.c.name);
 * ```
 *
 * @param of The attribute: its column, or its key.
 */
export function synonym<T>(
  of: string | Column<T>,
): AttributeSpec<T, Column<T>, true, never> {
  const name = of instanceof Column ? of.key : of;
  return {
    attribute: true,
    install(cls, key): void {
      Object.defineProperty(cls.prototype, key, {
        configurable: true,
        get(this: Record<string, unknown>) {
          return this[name];
        },
        set(this: Record<string, unknown>, value: unknown) {
          this[name] = value;
        },
      });
    },
    expression: (c) => c[name],
  };
}

import type { AnyClass } from "../mapper.ts";
import { listenToAttribute } from "./attribute.ts";

/** Settings of {@linkcode validates}. */
export interface ValidatesOptions {
  /** Whether objects that leave a collection are looked at too. @default {false} */
  readonly includeRemoves?: boolean;
  /** Whether changes made through the other side of a relation are looked at. @default {true} */
  readonly includeBackrefs?: boolean;
}

/**
 * Looks at every value before it is set, and at every object before it joins a
 * collection: the validator gives back what is taken, or throws. Constructors
 * and whole lists are looked at item by item.
 *
 * @example
 * ```ts
 * import { Entity, integer, text, validates } from "@aludel/aludel/orm";
 * import { strictEqual, throws } from "node:assert/strict";
 *
 * class User extends Entity.table("users", {
 *   id: integer().primaryKey(),
 *   email: text(),
 * }) {}
 * validates(User, ["email"], (_, email) => {
 *   if (!String(email).includes("@")) throw new RangeError("no address");
 *   return String(email).toLowerCase();
 * });
 *
 * strictEqual(new User({ email: "Ed@Example.com" }).email, "ed@example.com");
 * throws(() => new User({ email: "ed" }), RangeError);
 * ```
 *
 * @param cls The class.
 * @param keys The attributes.
 * @param validate Gives back the value to take.
 * @returns A function that ends it.
 */
export function validates<C extends AnyClass>(
  cls: C,
  keys: readonly (keyof InstanceType<C> & string)[],
  validate: (
    object: InstanceType<C>,
    value: unknown,
    key: string,
    isRemove: boolean,
  ) => unknown,
  options: ValidatesOptions = {},
): () => void {
  const ends = keys.map((key) =>
    listenToAttribute<C, unknown>(cls, key, {
      set: (object, value) => validate(object, value, key, false),
      append: (object, item) => validate(object, item, key, false),
      ...(options.includeRemoves && {
        remove: (object, item) => void validate(object, item, key, true),
      }),
    }, options)
  );
  return () => ends.forEach((end) => end());
}

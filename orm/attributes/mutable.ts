import {
  column,
  type ColumnBuilder,
  json,
  TypeConversionError,
  typeDecorator,
} from "../../sql/mod.ts";

/**
 * A document with keys, such as `{ theme: "dark" }`, which may be changed in
 * place: like every value of a column it is compared with what was loaded, so
 * whatever changes it is saved. Anything but a plain object is refused when it
 * is written.
 *
 * @example
 * ```ts
 * import { Entity, integer, isModified, mutableDict, Session } from "@aludel/aludel/orm";
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createEngine, MetaData } from "@aludel/aludel/sql";
 * import { strictEqual } from "node:assert/strict";
 *
 * abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
 *   static override metadata = new MetaData();
 * }
 * class User extends Base.table("users", { settings: mutableDict<string>() }) {}
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * await Base.metadata.createAll(engine);
 * await using session = new Session({ bind: engine });
 * const user = new User({ settings: { theme: "dark" } });
 * session.add(user);
 * await session.commit();
 * user.settings["theme"] = "light";
 * strictEqual(isModified(user), true);
 * ```
 *
 * @typeParam V What a key leads to: anything that JSON can hold.
 */
export function mutableDict<V>(): ColumnBuilder<Record<string, V>> {
  return checked<Record<string, V>>("mutableDict", "a plain object", isPlain);
}

/**
 * A list that may be changed in place: every `push()`, `splice()`, `sort()` or
 * `list[0] = …` is saved. Anything but an array is refused when it is written.
 *
 * @example
 * ```ts
 * import { Entity, integer, mutableList } from "@aludel/aludel/orm";
 * import { strictEqual } from "node:assert/strict";
 *
 * class Poll extends Entity.table("polls", {
 *   id: integer().primaryKey(),
 *   answers: mutableList<string>(),
 * }) {}
 * strictEqual(new Poll({ answers: ["yes", "no"] }).answers.push("maybe"), 3);
 * ```
 *
 * @typeParam V Its items: anything that JSON can hold.
 */
export function mutableList<V>(): ColumnBuilder<V[]> {
  return checked<V[]>("mutableList", "an array", Array.isArray);
}

/**
 * A `Set` that may be changed in place, kept as a JSON list; the order of its
 * members is no change. Anything but a `Set` is refused when it is written.
 *
 * @example
 * ```ts
 * import { Entity, integer, mutableSet } from "@aludel/aludel/orm";
 * import { strictEqual } from "node:assert/strict";
 *
 * class Post extends Entity.table("posts", {
 *   id: integer().primaryKey(),
 *   tags: mutableSet<string>(),
 * }) {}
 * strictEqual(new Post({ tags: new Set(["new"]) }).tags.has("new"), true);
 * ```
 *
 * @typeParam V Its members.
 */
export function mutableSet<
  V extends string | number | boolean,
>(): ColumnBuilder<
  Set<V>
> {
  return column(typeDecorator(json<V[]>(), {
    processBindParam: (value: Set<V>) => {
      if (!(value instanceof Set)) throw refusal("mutableSet", "a Set", value);
      return [...value];
    },
    processResultValue: (value) => new Set(value),
    equals: (a, b) =>
      a instanceof Set && b instanceof Set && a.size === b.size &&
      [...a].every((one) => b.has(one)),
  }));
}

/** A value of which no part can be set. */
export type Frozen<T> = T extends object
  ? { readonly [K in keyof T]: Frozen<T[K]> }
  : T;

/**
 * A document that is replaced as a whole. Once it was read or written nothing
 * in it can be set: what would be lost elsewhere is an error there and then.
 *
 * @example
 * ```ts
 * import { Entity, frozenJson, integer } from "@aludel/aludel/orm";
 * import { strictEqual } from "node:assert/strict";
 *
 * class Event extends Entity.table("events", {
 *   id: integer().primaryKey(),
 *   payload: frozenJson<{ kind: string }>(),
 * }) {}
 * strictEqual(new Event({ payload: { kind: "click" } }).payload.kind, "click");
 * ```
 *
 * @typeParam T Anything that JSON can hold.
 */
export function frozenJson<T>(): ColumnBuilder<Frozen<T>> {
  return column(typeDecorator(json<T>(), {
    processBindParam: (value: Frozen<T>) => freeze(value) as T,
    processResultValue: (value) => freeze(value) as Frozen<T>,
  }));
}

function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  Object.values(value).forEach(freeze);
  return Object.freeze(value);
}

/** JSON whose values are of one kind, which is looked at before they are written. */
function checked<T>(
  name: string,
  wanted: string,
  isRight: (value: unknown) => boolean,
): ColumnBuilder<T> {
  return column(typeDecorator(json<T>(), {
    processBindParam: (value: T) => {
      if (!isRight(value)) throw refusal(name, wanted, value);
      return value;
    },
    processResultValue: (value) => value,
  }));
}

function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function refusal(
  name: string,
  wanted: string,
  value: unknown,
): TypeConversionError {
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  return new TypeConversionError(
    `Cannot save a value of ${name}(): it is of kind ${kind}; set ${wanted}`,
  );
}

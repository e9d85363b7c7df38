import type {
  CollectionFactory,
  CollectionFunction,
  ToMany,
} from "../relation.ts";

/**
 * Keeps related objects in a collection of one's own: a class that extends
 * {@linkcode ManyHandle}. Its `put`, `take` and `receive` are called whenever
 * objects come, go and are loaded, from whichever side.
 *
 * @example
 * ```ts
 * import {
 *   collectedIn,
 *   type CollectionFunction,
 *   Entity,
 *   integer,
 *   type LoadedCollection,
 *   ManyHandle,
 *   oneToMany,
 * } from "@aludel/aludel/orm";
 * import { strictEqual } from "node:assert/strict";
 *
 * interface Stack<T> extends LoadedCollection<T> {
 *   readonly top: T | undefined;
 * }
 * interface StackFunction extends CollectionFunction {
 *   readonly collection: Stack<this["item"]>;
 *   readonly loaded: Stack<this["item"]>;
 *   readonly init: Iterable<this["item"]>;
 * }
 * class StackHandle extends ManyHandle {
 *   get top(): object | undefined {
 *     return this.at(-1);
 *   }
 * }
 *
 * class Table extends Entity.table("tables", {
 *   id: integer().primaryKey(),
 *   plates: () =>
 *     collectedIn<typeof Plate, StackFunction>(
 *       oneToMany(Plate),
 *       (state, relation) => new StackHandle(state, relation),
 *     ),
 * }) {}
 * class Plate extends Entity.table("plates", {
 *   id: integer().primaryKey(),
 *   tableId: integer().references("tables.id").nullable(),
 * }) {}
 *
 * const plate = new Plate({});
 * strictEqual(new Table({ plates: [new Plate({}), plate] }).plates.top, plate);
 * ```
 *
 * @typeParam C The class on the other side.
 * @typeParam F What the collection is, by the type of its objects.
 * @param relation The relation.
 * @param collection Makes the collection of an object.
 */
export function collectedIn<C, F extends CollectionFunction>(
  relation: ToMany<C>,
  collection: CollectionFactory,
): ToMany<C, F> {
  return { ...relation, handle: collection } as ToMany<C, F>;
}

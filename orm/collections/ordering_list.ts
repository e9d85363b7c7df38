import { collectedIn } from "./custom.ts";
import { ManyHandle } from "../handles/many_handle.ts";
import type { CollectionFunction, ToMany } from "../relation.ts";
import type { Collection, InstanceOf, LoadedCollection } from "../types.ts";

/** Related objects whose place is a column of theirs, perhaps not loaded. */
export interface OrderingCollection<T> extends Collection<T> {
  /** Loads the objects, if they are not. */
  load(): Promise<OrderingList<T>>;
}

/** Related objects whose place in the list is a column of theirs. */
export interface OrderingList<T> extends LoadedCollection<T> {
  /** Loads the objects, if they are not. */
  load(): Promise<OrderingList<T>>;
  /** Puts an object at a place; those behind it move up. */
  insert(index: number, item: T): void;
  /** Moves an object to another place. */
  move(item: T, index: number): void;
  /** Sorts the objects, and numbers them so. */
  sort(compare: (a: T, b: T) => number): void;
  /** Numbers the objects as they stand. */
  reorder(): void;
}

/** Related objects with a place: what the handle is. */
export interface OrderingFunction extends CollectionFunction {
  /** @ignore */
  readonly collection: OrderingCollection<this["item"]>;
  /** @ignore */
  readonly loaded: OrderingList<this["item"]>;
  /** @ignore */
  readonly init: Iterable<this["item"]>;
}

class OrderedHandle extends ManyHandle implements OrderingList<object> {
  key = "";
  first = 0;

  insert(index: number, item: object): void {
    this.add(item);
    this.move(item, index);
  }
  move(item: object, index: number): void {
    const rest = this.toArray().filter((one) => one !== item);
    rest.splice(index, 0, item);
    this.items = rest;
    this.reorder();
  }
  sort(compare: (a: object, b: object) => number): void {
    this.items = this.toArray().sort(compare);
    this.reorder();
  }
  reorder(): void {
    this.items?.forEach((item, i) => {
      const object = item as Record<string, unknown>;
      if (object[this.key] !== i + this.first) {
        object[this.key] = i + this.first;
      }
    });
  }
  override set(items: Iterable<object>): void {
    const wanted = [...items];
    super.set(wanted);
    this.sort((a, b) => wanted.indexOf(a) - wanted.indexOf(b));
  }
  override put(item: object): boolean {
    const isNew = super.put(item);
    if (isNew) this.reorder();
    return isNew;
  }
  override take(item: object): boolean {
    const isGone = super.take(item);
    if (isGone) {
      (item as Record<string, unknown>)[this.key] = null;
      this.reorder();
    }
    return isGone;
  }
}

/**
 * Keeps a column in step with the place of an object in its collection.
 *
 * @example
 * ```ts
 * import { Entity, integer, oneToMany, orderingList, text } from "@aludel/aludel/orm";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * class Deck extends Entity.table("decks", {
 *   id: integer().primaryKey(),
 *   slides: () =>
 *     orderingList(
 *       oneToMany(Slide, { orderBy: () => Slide.c.position }),
 *       "position",
 *     ),
 * }) {}
 * class Slide extends Entity.table("slides", {
 *   id: integer().primaryKey(),
 *   deckId: integer().references("decks.id"),
 *   title: text(),
 *   position: integer().nullable(),
 * }) {}
 *
 * const deck = new Deck({
 *   slides: [new Slide({ title: "a" }), new Slide({ title: "b" })],
 * });
 * const slides = await deck.slides.load();
 * slides.insert(0, new Slide({ title: "c" }));
 * deepStrictEqual(
 *   slides.toArray().map(({ title, position }) => [title, position]),
 *   [["c", 0], ["a", 1], ["b", 2]],
 * );
 * ```
 *
 * @param relation The relation; sort it by the column.
 * @param key The attribute that holds the place.
 * @param options Where counting starts. @default {0}
 */
export function orderingList<C>(
  relation: ToMany<C>,
  key: keyof InstanceOf<C> & string,
  options: { readonly countFrom?: number } = {},
): ToMany<C, OrderingFunction> {
  return collectedIn<C, OrderingFunction>(relation, (state, found) => {
    const handle = new OrderedHandle(state, found);
    handle.key = key;
    handle.first = options.countFrom ?? 0;
    return handle;
  });
}

import { collectedIn } from "./custom.ts";
import { StateError } from "../errors.ts";
import { ManyHandle } from "../handles/many_handle.ts";
import type { CollectionFunction, ToMany } from "../relation.ts";
import type { Collection, InstanceOf, LoadedCollection } from "../types.ts";

/** Related objects by key, perhaps not loaded. */
export interface MapCollection<K, T> extends Collection<T> {
  /** Loads the objects, if they are not. */
  load(): Promise<LoadedMap<K, T>>;
}

/** Related objects by key. */
export interface LoadedMap<K, T> extends LoadedCollection<T> {
  /** Loads the objects, if they are not. */
  load(): Promise<LoadedMap<K, T>>;
  /** The object of a key. */
  get(key: K): T | undefined;
  /** Whether there is an object of a key. */
  hasKey(key: K): boolean;
  /** The keys, in the order of the objects. */
  keys(): IterableIterator<K>;
  /** Keys and objects. */
  entries(): IterableIterator<[K, T]>;
  /** Removes the object of a key; gives it back. */
  removeKey(key: K): T | undefined;
  /** The objects as a `Map` of their own. */
  toMap(): Map<K, T>;
}

/** Related objects by key: what its handle is. */
export interface MapFunction<K> extends CollectionFunction {
  /** @ignore */
  readonly collection: MapCollection<K, this["item"]>;
  /** @ignore */
  readonly loaded: LoadedMap<K, this["item"]>;
  /** @ignore */
  readonly init: Iterable<this["item"]>;
}

/** Settings of {@linkcode keyedBy}. */
export interface KeyedOptions {
  /** Whether objects without a key are left out of the map instead of being refused. @default {false} */
  readonly ignoreUnpopulated?: boolean;
}

type KeyOf = (item: object) => unknown;

class MapHandle extends ManyHandle implements LoadedMap<unknown, object> {
  keyOf: KeyOf = () => undefined;
  isLenient = false;

  get(key: unknown): object | undefined {
    return this.toArray().find((item) => this.keyOf(item) === key);
  }
  hasKey(key: unknown): boolean {
    return this.get(key) !== undefined;
  }
  keys(): IterableIterator<unknown> {
    return this.toMap().keys();
  }
  entries(): IterableIterator<[unknown, object]> {
    return this.toMap().entries();
  }
  removeKey(key: unknown): object | undefined {
    const item = this.get(key);
    if (item) this.remove(item);
    return item;
  }
  toMap(): Map<unknown, object> {
    const pairs = this.toArray().map((
      item,
    ): [unknown, object] => [this.keyOf(item), item]);
    return new Map(pairs.filter(([key]) => key !== null && key !== undefined));
  }
  override put(item: object): boolean {
    const key = this.keyOf(item);
    const isMissing = key === null || key === undefined;
    if (isMissing && !this.isLenient) {
      const { parent, key: name } = this.relation;
      throw new StateError(
        `Cannot put ${item.constructor.name} into ${parent.name}.${name}: its key is not set; set it first, or give ignoreUnpopulated`,
      );
    }
    // One object a key: the new one takes the place of the old.
    if (!isMissing && this.isLoaded) {
      const former = this.get(key);
      if (former && former !== item) this.remove(former);
    }
    return super.put(item);
  }
}

/**
 * Keeps related objects by a key of theirs.
 *
 * @example
 * ```ts
 * import { Entity, integer, keyedBy, oneToMany, text } from "@aludel/aludel/orm";
 * import { strictEqual } from "node:assert/strict";
 *
 * class Item extends Entity.table("items", {
 *   id: integer().primaryKey(),
 *   notes: () => keyedBy(oneToMany(Note), (note) => note.keyword),
 * }) {}
 * class Note extends Entity.table("notes", {
 *   id: integer().primaryKey(),
 *   itemId: integer().references("items.id"),
 *   keyword: text(),
 * }) {}
 *
 * const item = new Item({ notes: [new Note({ keyword: "a" })] });
 * const notes = await item.notes.load();
 * strictEqual(notes.get("a")?.keyword, "a");
 * ```
 *
 * @param relation The relation.
 * @param key Gives an object's key.
 */
export function keyedBy<C, K>(
  relation: ToMany<C>,
  key: (item: InstanceOf<C>) => K,
  options: KeyedOptions = {},
): ToMany<C, MapFunction<K>> {
  return collectedIn<C, MapFunction<K>>(relation, (state, found) => {
    const handle = new MapHandle(state, found);
    handle.keyOf = key as KeyOf;
    handle.isLenient = options.ignoreUnpopulated ?? false;
    return handle;
  });
}

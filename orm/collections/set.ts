import { collectedIn } from "./custom.ts";
import { ManyHandle } from "../handles/many_handle.ts";
import type { CollectionFunction, ToMany } from "../relation.ts";
import type { Collection, LoadedCollection } from "../types.ts";

/** Related objects as a set, perhaps not loaded. */
export interface SetCollection<T> extends Collection<T> {
  /** Loads the objects, if they are not. */
  load(): Promise<LoadedSet<T>>;
}

/** Related objects as a set. */
export interface LoadedSet<T> extends LoadedCollection<T> {
  /** Loads the objects, if they are not. */
  load(): Promise<LoadedSet<T>>;
  /** How many there are. */
  readonly size: number;
  /** The objects as a `Set` of their own. */
  toSet(): Set<T>;
}

/** Related objects as a set: what its handle is. */
export interface SetFunction extends CollectionFunction {
  /** @ignore */
  readonly collection: SetCollection<this["item"]>;
  /** @ignore */
  readonly loaded: LoadedSet<this["item"]>;
  /** @ignore */
  readonly init: Iterable<this["item"]>;
}

class SetHandle extends ManyHandle implements LoadedSet<object> {
  get size(): number {
    return this.length;
  }
  toSet(): Set<object> {
    return new Set(this);
  }
}

/**
 * Keeps related objects as a set: `tags: () => asSet(manyToMany(Tag, …))`.
 *
 * @param relation The relation.
 */
export function asSet<C>(relation: ToMany<C>): ToMany<C, SetFunction> {
  return collectedIn<C, SetFunction>(
    relation,
    (state, found) => new SetHandle(state, found),
  );
}

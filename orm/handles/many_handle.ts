import type { Relation } from "../relation.ts";
import { type InstanceState, stateOf } from "../state.ts";
import type { LoadedCollection } from "../types.ts";
import { RelationHandle } from "./handle.ts";

/** The objects of a to-many relation. */
export class ManyHandle extends RelationHandle
  implements LoadedCollection<object> {
  /** Makes the handle of a relation of an object. */
  constructor(state: InstanceState, relation: Relation) {
    super(state, relation);
    // What has no row yet is known to have nothing in the database.
    if (state.key === undefined) this.items = this.before = [];
  }

  async load(): Promise<this> {
    await this.fetch();
    return this;
  }

  add(...items: object[]): void {
    for (const given of items) {
      this.check(given);
      if (this.items?.includes(given)) {
        this.renew(given);
        continue;
      }
      const item = this.heard("append", given, false);
      if (!this.put(item)) continue;
      this.join(item);
      this.cascade(item);
    }
  }

  remove(item: object): void {
    if (!this.take(item)) return;
    this.heard("remove", item, false);
    this.part(item);
  }

  override set(items: Iterable<object>): void {
    const wanted = new Set(items);
    this.heard("bulkReplace", [...wanted], false);
    // Whatever the database has is replaced: that is asked for when it is written.
    this.items ??= this.known;
    this.added = this.removed = undefined;
    this.add(...wanted);
    for (const item of this.known) if (!wanted.has(item)) this.remove(item);
  }

  /** Adds an object on this side only. */
  put(item: object): boolean {
    const { items, relation } = this;
    this.own(item);
    if (items?.includes(item)) return false;
    if (items) this.items = [...items, item];
    else {
      // A pair may be there or not: it is removed, then written.
      if (!relation.secondary) this.removed?.delete(item);
      (this.added ??= new Set()).add(item);
    }
    return true;
  }

  /** Removes an object on this side only. */
  take(item: object): boolean {
    const { items } = this;
    if (items) {
      this.items = items.filter((one) => one !== item);
      return this.items.length < items.length;
    }
    this.added?.delete(item);
    if (stateOf(item).key !== undefined) {
      (this.removed ??= new Set()).add(item);
    }
    return true;
  }

  /** @ignore */
  override denies(item: object): boolean {
    return this.isReplaced
      ? !this.known.includes(item)
      : this.removed?.has(item) ?? false;
  }
  /** @ignore */
  override meet(item: object): void {
    if (!this.items?.includes(item)) this.heard("append", item, true);
    this.put(item);
  }
  /** @ignore */
  override leave(item: object): void {
    if (this.take(item)) this.heard("remove", item, true);
  }
  /** @ignore */
  override unsave(): void {
    this.before = [];
  }

  get length(): number {
    return this.here.length;
  }
  at(index: number): object | undefined {
    return this.here.at(index);
  }
  has(item: object): boolean {
    return this.here.includes(item);
  }
  toArray(): object[] {
    return [...this.here];
  }
  /** Goes through the objects. */
  [Symbol.iterator](): Iterator<object> {
    return this.here[Symbol.iterator]();
  }
  /** The objects, if they are here. */
  toJSON(): unknown {
    return this.items;
  }
}

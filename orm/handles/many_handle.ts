import { stateOf } from "../state.ts";
import type { LoadedCollection } from "../types.ts";
import { handleOf, RelationHandle } from "./handle.ts";

/** The objects of a to-many relation. */
export class ManyHandle extends RelationHandle
  implements LoadedCollection<object> {
  /** The objects, once they are here. */
  items: object[] | undefined;
  /** The objects as the database has them. */
  before: readonly object[] = [];
  /** What was added before the objects were here. */
  readonly added: Set<object> = new Set();
  /** What was removed before the objects were here. */
  readonly removed: Set<object> = new Set();
  /** Whether the objects were replaced before they were here. */
  isAsked = false;

  override get isLoaded(): boolean {
    // What has no row yet has nothing in the database to load.
    if (!this.items && this.state.key === undefined) this.items = [];
    return this.items !== undefined;
  }
  /** @ignore */
  override get isKnown(): boolean {
    return this.isLoaded;
  }
  /** @ignore */
  override get isChanged(): boolean {
    return this.isAsked || this.additions.length + this.removals.length > 0;
  }
  /** @ignore */
  override get known(): readonly object[] {
    return this.items ?? [...this.added];
  }
  /** @ignore */
  override get additions(): object[] {
    if (!this.items) return [...this.added];
    const before = new Set(this.before);
    return [...new Set(this.items)].filter((item) => !before.has(item));
  }
  /** @ignore */
  override get removals(): object[] {
    const { items } = this;
    if (!items) return [...this.removed];
    const now = new Set(items);
    return this.before.filter((item) => !now.has(item));
  }

  /** @ignore */
  override receive(items: readonly object[]): void {
    const { object } = this.state;
    const there = new Set(items);
    const isKept = (item: object): boolean =>
      !this.isAsked && !this.removed.has(item) &&
      // It has been moved to another owner meanwhile.
      !this.other(item)?.denies(object);
    this.before = items;
    this.items = [
      ...items.filter(isKept),
      ...[...this.added].filter((item) => !isKept(item) || !there.has(item)),
    ];
    for (const item of this.items) {
      this.own(item);
      // A pair that is there already is not to be written by the other side.
      const other = there.has(item) && this.other(item);
      if (other instanceof ManyHandle) other.#confirm(object);
    }
    for (const item of this.isAsked ? this.removals : []) {
      const { inverse } = this.relation;
      if (inverse) handleOf(item, inverse).leave(object);
    }
    this.#forget();
  }

  /** @ignore */
  override settle(
    items: readonly object[] | undefined,
    added: readonly object[],
    removed: readonly object[],
  ): void {
    this.before = items ?? this.before;
    for (const item of added) this.added.delete(item);
    for (const item of removed) this.removed.delete(item);
  }

  /** Rows were deleted, these objects with them; says whether it had one. */
  lose(gone: ReadonlySet<object>): boolean {
    const stays = (item: object) => !gone.has(item);
    const { items, before } = this;
    this.items = items?.filter(stays);
    this.before = before.filter(stays);
    for (const item of gone) this.#confirm(item);
    return this.items?.length !== items?.length ||
      this.before.length < before.length;
  }

  /** Nothing of it is in the database any more. */
  unsave(): void {
    this.before = [];
  }

  /** Forgets the objects; they are loaded anew. */
  expire(): void {
    this.items = undefined;
    this.before = [];
    this.#forget();
  }

  #forget(): void {
    this.isAsked = false;
    this.added.clear();
    this.removed.clear();
  }

  /** The other side knows that the database has an object here, which stays. */
  #confirm(item: object): void {
    this.added.delete(item);
    this.removed.delete(item);
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

  set(items: Iterable<object>): void {
    const wanted = new Set(items);
    this.heard("bulkReplace", [...wanted], false);
    if (!this.isLoaded) this.isAsked = true;
    this.add(...wanted);
    for (const item of [...this.known]) {
      if (!wanted.has(item)) this.remove(item);
    }
  }

  /** Adds an object on this side only. */
  put(item: object): boolean {
    this.own(item);
    if (this.isLoaded) {
      if (this.items?.includes(item)) return false;
      this.items?.push(item);
    } else {
      // A pair may be there or not: it is removed, then written.
      if (!this.relation.secondary) this.removed.delete(item);
      this.added.add(item);
    }
    return true;
  }

  /** Removes an object on this side only. */
  take(item: object): boolean {
    if (this.isLoaded) {
      const at = this.items?.indexOf(item) ?? -1;
      if (at < 0) return false;
      this.items?.splice(at, 1);
    } else {
      this.added.delete(item);
      if (stateOf(item).key !== undefined) this.removed.add(item);
    }
    return true;
  }

  /** @ignore */
  override denies(item: object): boolean {
    return this.removed.has(item) || this.isAsked && !this.added.has(item);
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

  #loaded(): object[] {
    if (this.isLoaded && this.items) return this.items;
    throw this.notLoaded();
  }
  get length(): number {
    return this.#loaded().length;
  }
  at(index: number): object | undefined {
    return this.#loaded().at(index);
  }
  has(item: object): boolean {
    return this.#loaded().includes(item);
  }
  toArray(): object[] {
    return [...this.#loaded()];
  }
  /** Goes through the objects. */
  [Symbol.iterator](): Iterator<object> {
    return this.#loaded()[Symbol.iterator]();
  }
  /** The objects, if they are here. */
  toJSON(): unknown {
    return this.items;
  }
}

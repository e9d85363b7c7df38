import { NotLoadedError, StateError } from "./errors.ts";
import { hooks } from "./hooks.ts";
import type { AnyClass } from "./mapper.ts";
import type { Relation } from "./relation.ts";
import { type InstanceState, stateOf } from "./state.ts";
import type { LoadedCollection, LoadedReference } from "./types.ts";

/** The handle of a relation of an object, of either sort. */
export type Handle = ManyHandle | OneHandle;

/** What the handles of both sorts have in common. */
export abstract class RelationHandle {
  /** The state of the object that has it. */
  readonly state: InstanceState;
  /** Whose handle it is. */
  readonly relation: Relation;

  /** Makes the handle of a relation of an object. */
  constructor(state: InstanceState, relation: Relation) {
    this.state = state;
    this.relation = relation;
  }

  /** Whether what it leads to is here. */
  abstract get isLoaded(): boolean;

  /** The error of reading what is not here. */
  protected notLoaded(): NotLoadedError {
    const { parent, key } = this.relation;
    return new NotLoadedError(
      parent.name,
      key,
      `await .${key}.load(), or load it with the query: options(selectinload(${parent.name}.r.${key}))`,
    );
  }

  /** Loads what is not here. */
  protected async fetch(): Promise<void> {
    if (this.isLoaded) return;
    const { session } = this.state;
    if (!session) {
      throw new StateError(
        `Cannot load ${this.relation.parent.name}.${this.relation.key}: the object is in no session; add it to one`,
      );
    }
    await session.loadRelation(this.state, this.relation);
  }

  /** Checks a value that is about to become related. */
  protected check(item: object): void {
    const { target, parent, key } = this.relation;
    const isFit = item instanceof target.cls;
    const owner = isFit && claims.get(item)?.get(this.relation);
    const isTaken = owner && owner.state !== this.state && owner.holds(item);
    if (isFit && !isTaken) return;
    throw new StateError(
      `Cannot put ${
        item === null || item === undefined ? item : item.constructor.name
      } into ${parent.name}.${key}: ${
        isTaken
          ? `another ${parent.name} has it, and singleParent allows one; take it from there first`
          : `it takes ${target.name}`
      }`,
    );
  }

  /** Whether an object is known to be what it leads to. */
  abstract holds(item: object): boolean;

  /** Whether an object, if the database has it here, is to go. */
  abstract denies(item: object): boolean;

  /** Takes what it leads to into the object's session. */
  protected cascade(item: object): void {
    if (this.relation.cascade.has("save-update")) {
      this.state.session?.cascade(item);
    }
  }
}

/** The objects of a to-many relation. */
export class ManyHandle extends RelationHandle
  implements LoadedCollection<object> {
  /** The objects, once they are here. */
  items: object[] | undefined;
  /** The objects as the database has them. */
  committed: readonly object[] = [];
  /** What was added before the objects were here. */
  readonly added: Set<object> = new Set();
  /** What was removed before the objects were here. */
  readonly removed: Set<object> = new Set();
  /** Whether the objects were replaced before they were here. */
  replaces = false;

  override get isLoaded(): boolean {
    // What has no row yet has nothing in the database to load.
    if (!this.items && this.state.key === undefined) this.items = [];
    return this.items !== undefined;
  }

  /** Takes the objects as the database has them; changes made before stay. */
  receive(items: readonly object[]): void {
    const { inverse } = this.relation;
    const { object } = this.state;
    const isKept = (item: object): boolean =>
      !this.replaces && !this.removed.has(item) &&
      // It has been moved to another owner meanwhile.
      !otherSide(this, item)?.denies(object);
    this.committed = items;
    this.items = [
      ...items.filter(isKept),
      ...[...this.added].filter((item) =>
        !isKept(item) || !items.includes(item)
      ),
    ];
    for (const item of this.items) {
      claim(this, item);
      // A pair that is there already is not to be written by the other side.
      const other = items.includes(item) && otherSide(this, item);
      if (other instanceof ManyHandle) other.confirm(object);
    }
    for (const item of this.replaces && inverse ? this.removals : []) {
      unpair(item, inverse as Relation, object);
    }
    this.replaces = false;
    this.added.clear();
    this.removed.clear();
  }

  /** What a unit of work wrote is what the database has. */
  settle(
    items: readonly object[] | undefined,
    added: readonly object[],
    removed: readonly object[],
  ): void {
    this.committed = items ?? this.committed;
    for (const item of added) this.added.delete(item);
    for (const item of removed) this.removed.delete(item);
  }

  /** Rows were deleted, these objects with them; says whether it had one. */
  lose(gone: ReadonlySet<object>): boolean {
    const stays = (item: object) => !gone.has(item);
    const { items, committed } = this;
    this.items = items?.filter(stays);
    this.committed = committed.filter(stays);
    for (const item of gone) {
      this.added.delete(item);
      this.removed.delete(item);
    }
    return this.items?.length !== items?.length ||
      this.committed.length < committed.length;
  }

  /** Nothing of it is in the database any more. */
  unsave(): void {
    this.committed = [];
  }

  /** Forgets the objects; they are loaded anew. */
  expire(): void {
    this.items = undefined;
    this.committed = [];
    this.replaces = false;
    this.added.clear();
    this.removed.clear();
  }

  /** Objects that are here now and were not in the database. */
  get additions(): object[] {
    if (!this.items) return [...this.added];
    const before = new Set(this.committed);
    return [...new Set(this.items)].filter((item) => !before.has(item));
  }

  /** Objects that are in the database and were removed. */
  get removals(): object[] {
    if (!this.items) return [...this.removed];
    const now = new Set(this.items);
    return this.committed.filter((item) => !now.has(item));
  }

  async load(): Promise<this> {
    await this.fetch();
    return this;
  }

  add(...items: object[]): void {
    for (const given of items) {
      this.check(given);
      if (this.items?.includes(given)) {
        renew(this, given);
        continue;
      }
      const item = heard("append", this, given);
      if (!this.put(item)) continue;
      pairUp(this, item);
      this.cascade(item);
    }
  }

  remove(item: object): void {
    if (!this.take(item)) return;
    heard("remove", this, item);
    const { inverse } = this.relation;
    if (inverse) unpair(item, inverse, this.state.object);
    orphan(item, this.relation);
  }

  set(items: Iterable<object>): void {
    const wanted = new Set(items);
    heard("bulkReplace", this, [...wanted]);
    if (!this.isLoaded) this.replaces = true;
    this.add(...wanted);
    for (const item of [...this.items ?? this.added]) {
      if (!wanted.has(item)) this.remove(item);
    }
  }

  /** Adds an object on this side only. */
  put(item: object): boolean {
    if (this.relation.cascade.has("delete-orphan")) {
      stateOf(item).isOrphan = false;
    }
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

  /** Whether an object is known to be what it leads to. */
  override holds(item: object): boolean {
    return this.items?.includes(item) ?? this.added.has(item);
  }

  /** Whether an object, if the database has it here, is to go. */
  override denies(item: object): boolean {
    return this.removed.has(item) || this.replaces && !this.added.has(item);
  }

  /** The other side knows that the database has an object here, which stays. */
  confirm(item: object): void {
    this.added.delete(item);
    this.removed.delete(item);
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

/** The object of a to-one relation. */
export class OneHandle extends RelationHandle
  implements LoadedReference<object> {
  /** The object or `null`; `undefined` while it is not here. */
  current: object | null | undefined;
  /** The object as the database has it; `undefined` while it is not known. */
  committed: object | null | undefined;

  override get isLoaded(): boolean {
    // What has no row yet refers to nothing that could be loaded.
    return this.current !== undefined || this.state.key === undefined;
  }

  /** Whether the program set it since the database was read or written. */
  get isChanged(): boolean {
    return this.current !== undefined && this.current !== this.committed;
  }

  /** Takes the object as the database has it, unless the program set another. */
  receive(item: object | null): void {
    this.committed = item;
    if (this.current === undefined) {
      const isGone = item && otherSide(this, item)?.denies(this.state.object);
      this.current = isGone ? null : item;
    }
    if (item && this.current === item) claim(this, item);
  }

  /** Whether an object is known to be what it leads to. */
  override holds(item: object): boolean {
    return this.current === item;
  }

  /** Whether an object, if the database has it here, is to go. */
  override denies(item: object): boolean {
    return this.isChanged && this.current !== item;
  }

  /** Rows were deleted, these objects with them; says whether it had one. */
  lose(gone: ReadonlySet<object>): boolean {
    const { current, committed } = this;
    if (committed && gone.has(committed)) this.committed = null;
    if (current && gone.has(current)) this.current = this.committed = null;
    return this.current !== current || this.committed !== committed;
  }

  /** Nothing of it is in the database any more. */
  unsave(): void {
    this.committed = undefined;
  }

  /** Forgets the object; it is loaded anew. */
  expire(): void {
    this.current = this.committed = undefined;
  }

  async load(): Promise<object | null> {
    await this.fetch();
    return this.current ?? null;
  }

  get value(): object | null {
    if (this.isLoaded) return this.current ?? null;
    throw this.notLoaded();
  }

  /** The object before another takes its place, where nobody need be asked. */
  former(): object | null | undefined {
    const { state, relation } = this;
    if (this.current === undefined) {
      const known = state.session?.known(state, relation);
      if (known !== undefined) this.receive(known);
    }
    return this.current;
  }

  set(given: object | null): void {
    if (given !== null) this.check(given);
    const old = this.former();
    if (old === given) {
      if (given) renew(this, given);
      return;
    }
    const item = heard("set", this, given, false, old);
    const { inverse, cascade } = this.relation;
    // The other side first: it may refuse.
    if (item) pairUp(this, item);
    if (old && inverse) unpair(old, inverse, this.state.object);
    this.current = item;
    if (old) {
      orphan(old, this.relation);
      if (!item && inverse) orphan(this.state.object, inverse);
    }
    if (!item) return;
    if (cascade.has("delete-orphan")) stateOf(item).isOrphan = false;
    this.cascade(item);
  }

  /** The object, if it is here. */
  toJSON(): unknown {
    return this.current;
  }
}

/** Tells listeners, who may want another item instead. */
function heard<T>(
  event: string,
  { state, relation }: RelationHandle,
  item: T,
  isBackref = false,
  ...old: unknown[]
): T {
  const { hear } = hooks;
  return hear
    ? hear(event, state.object, relation.key, isBackref, ...old, item) as T
    : item;
}

// Who has an object that may have one owner only.
const claims = new WeakMap<object, Map<Relation, Handle>>();

/** Notes who has an object, where that may be one only. */
function claim(handle: Handle, item: object): void {
  const { relation } = handle;
  if (!relation.options.singleParent) return;
  const owners = claims.get(item) ?? new Map<Relation, Handle>();
  claims.set(item, owners.set(relation, handle));
}

/** Tells the other side that two objects are related now. */
function pairUp(handle: Handle, item: object): void {
  claim(handle, item);
  const { inverse } = handle.relation;
  if (!inverse) return;
  const { object } = handle.state;
  const other = handleOf(item, inverse);
  claim(other, object);
  if (other instanceof ManyHandle) {
    if (!other.items?.includes(object)) heard("append", other, object, true);
    other.put(object);
    return;
  }
  const former = other.former();
  if (former === object) return;
  heard("set", other, object, true, former);
  // The object leaves its former owner's collection, if that is here.
  if (former) unpair(former, handle.relation, item);
  other.current = object;
  if (inverse.cascade.has("delete-orphan")) stateOf(object).isOrphan = false;
}

/**
 * Relates two objects that are related here, as far as one knows: the other
 * side, not loaded, may have been replaced by one without this object.
 */
function renew(handle: Handle, item: object): void {
  if (otherSide(handle, item)?.denies(handle.state.object)) {
    pairUp(handle, item);
  }
}

/** An object lost an owner without whom it is not. */
function orphan(item: object, { cascade }: Relation): void {
  if (!cascade.has("delete-orphan")) return;
  const state = stateOf(item);
  state.isOrphan = true;
  state.session?.orphan(item);
}

/** Tells one side that it is no longer related to an object. */
function unpair(side: object, relation: Relation, item: object): void {
  const handle = handleOf(side, relation);
  if (handle instanceof ManyHandle) {
    if (handle.take(item)) heard("remove", handle, item, true);
  } else if (handle.current === item || handle.current === undefined) {
    handle.current = null;
  }
}

/** What an object that a handle leads to says of the same relation, if anything. */
function otherSide({ relation }: Handle, item: object): Handle | undefined {
  return relation.inverse && stateOf(item).handles.get(relation.inverse.key);
}

/** The handle of a relation of an object. */
export function handleOf(object: object, relation: Relation): Handle {
  const state = stateOf(object);
  let handle = state.handles.get(relation.key);
  if (!handle) {
    handle = relation.isMany
      ? relation.collection?.(state, relation) ??
        new ManyHandle(state, relation)
      : new OneHandle(state, relation);
    state.handles.set(relation.key, handle);
  }
  return handle;
}

/** Makes relations readable as attributes: each gives the object's handle. */
export function defineHandles(cls: AnyClass, keys: readonly string[]): void {
  for (const key of keys) {
    Object.defineProperty(cls.prototype, key, {
      configurable: true,
      get(this: object) {
        return handleOf(this, stateOf(this).mapper.relation(key));
      },
    });
  }
}

/** Gives a new object the values and related objects of its constructor. */
export function initialize(
  object: object,
  init: Readonly<Record<string, unknown>>,
): void {
  const { mapper } = stateOf(object);
  hooks.hear?.("init", object, init);
  try {
    for (const [column, value] of mapper.polymorphism?.initial ?? []) {
      (object as Record<string, unknown>)[mapper.keyOf(column)] = value;
    }
    for (const [key, value] of Object.entries(init)) {
      if (value === undefined) continue;
      // Attributes that are not columns are accessors of the class.
      if (Object.hasOwn(mapper.c, key)) {
        (object as Record<string, unknown>)[key] = value;
      } else handleOf(object, mapper.relation(key)).set(value as never);
    }
  } catch (error) {
    hooks.hear?.("initFailure", object, init);
    throw error;
  }
}

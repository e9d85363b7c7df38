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
  /** Whether it is known what it leads to in the database. */
  abstract get isKnown(): boolean;
  /** Whether that must be known before the unit of work is planned. */
  abstract get isAsked(): boolean;
  /** Whether it leads elsewhere than in the database. */
  abstract get isChanged(): boolean;
  /** The objects that it leads to, where they are here. */
  abstract readonly items: readonly object[] | undefined;
  /** The objects that it is known to lead to. */
  abstract get known(): readonly object[];
  /** The objects as the database has them. */
  abstract get before(): readonly object[];
  /** Objects that are here now and were not in the database. */
  abstract get additions(): readonly object[];
  /** Objects that are in the database and were removed. */
  abstract get removals(): readonly object[];
  /** Takes the objects as the database has them; changes made before stay. */
  abstract receive(items: readonly object[]): void;
  /** What a unit of work wrote is what the database has. */
  abstract settle(
    items: readonly object[] | undefined,
    added: readonly object[],
    removed: readonly object[],
  ): void;
  /** Whether an object, if the database has it here, is to go. */
  abstract denies(item: object): boolean;
  /** The other side took this handle's object. */
  abstract meet(item: object, other: Relation): void;
  /** The other side let go of this handle's object. */
  abstract leave(item: object): void;

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
    const { state, relation } = this;
    if (!state.session) {
      throw new StateError(
        `Cannot load ${relation.name}: the object is in no session; add it to one`,
      );
    }
    await state.session.loadRelation(state, relation);
  }

  /** Checks a value that is about to become related. */
  protected check(item: object): void {
    const { target, parent, name } = this.relation;
    const isFit = item instanceof target.cls;
    const owner = isFit && stateOf(item).owners?.get(this.relation);
    const isTaken = owner && owner.state !== this.state &&
      owner.known.includes(item);
    if (isFit && !isTaken) return;
    throw new StateError(
      `Cannot put ${item?.constructor.name ?? item} into ${name}: ${
        isTaken
          ? `another ${parent.name} has it, and singleParent allows one; take it from there first`
          : `it takes ${target.name}`
      }`,
    );
  }

  /** Tells listeners, who may want another item instead. */
  protected heard<T>(event: string, item: T, ...details: unknown[]): T {
    const { state: { object }, relation: { key } } = this;
    const { hear } = hooks;
    return hear ? hear(event, object, key, ...details, item) as T : item;
  }

  /** What an object that it leads to says of the same relation, if anything. */
  protected other(item: object): Handle | undefined {
    const { inverse } = this.relation;
    return inverse && stateOf(item).handles.get(inverse.key);
  }

  /** Tells the other side that two objects are related now. */
  protected join(item: object): void {
    const { relation } = this;
    if (relation.inverse) {
      handleOf(item, relation.inverse).meet(this.state.object, relation);
    }
  }

  /**
   * Relates two objects that are related here, as far as one knows: the other
   * side, not loaded, may have been replaced by one without this object.
   */
  protected renew(item: object): void {
    if (this.other(item)?.denies(this.state.object)) this.join(item);
  }

  /** Tells the other side that two objects are no longer related. */
  protected part(item: object): void {
    const { inverse } = this.relation;
    if (inverse) handleOf(item, inverse).leave(this.state.object);
    orphan(item, this.relation);
  }

  /** An object has this owner now. */
  protected own(item: object): void {
    const { options, cascade } = this.relation;
    const state = stateOf(item);
    if (options.singleParent) {
      const owners = state.owners ??= new Map();
      owners.set(this.relation, this as RelationHandle as Handle);
    }
    if (cascade.has("delete-orphan")) state.isOrphan = false;
  }

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
    const isKept = (item: object): boolean =>
      !this.isAsked && !this.removed.has(item) &&
      // It has been moved to another owner meanwhile.
      !this.other(item)?.denies(object);
    this.before = items;
    this.items = [
      ...items.filter(isKept),
      ...[...this.added].filter((item) =>
        !isKept(item) || !items.includes(item)
      ),
    ];
    for (const item of this.items) {
      this.own(item);
      // A pair that is there already is not to be written by the other side.
      const other = items.includes(item) && this.other(item);
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
  /** @ignore */
  override get isKnown(): boolean {
    return this.isLoaded && this.committed !== undefined;
  }
  /** @ignore */
  override get isAsked(): boolean {
    return this.relation.isReferred && this.isChanged && !this.isKnown;
  }
  /** @ignore */
  override get isChanged(): boolean {
    return this.current !== undefined && this.current !== this.committed;
  }
  /** @ignore */
  override get items(): readonly object[] | undefined {
    return this.isLoaded ? this.known : undefined;
  }
  /** @ignore */
  override get known(): readonly object[] {
    return this.current ? [this.current] : [];
  }
  /** @ignore */
  override get before(): readonly object[] {
    return this.committed ? [this.committed] : [];
  }
  /** @ignore */
  override get additions(): readonly object[] {
    return this.isChanged ? this.known : [];
  }
  /** @ignore */
  override get removals(): readonly object[] {
    return this.isChanged ? this.before : [];
  }

  /** @ignore */
  override receive([given]: readonly object[]): void {
    const item = given ?? null;
    this.committed = item;
    if (this.current === undefined) {
      const isGone = item && this.other(item)?.denies(this.state.object);
      this.current = isGone ? null : item;
    }
    if (item && this.current === item) this.own(item);
  }

  /** @ignore */
  override settle([item]: readonly object[] = []): void {
    this.committed = item ?? null;
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
      if (known !== undefined) this.receive(known ? [known] : []);
    }
    return this.current;
  }

  set(given: object | null): void {
    if (given !== null) this.check(given);
    const old = this.former();
    if (old === given) {
      if (given) this.renew(given);
      return;
    }
    const item = this.heard("set", given, false, old);
    // The other side first: it may refuse.
    if (item) this.join(item);
    if (old) this.part(old);
    this.current = item;
    if (item) {
      this.own(item);
      this.cascade(item);
    } else if (old && this.relation.inverse) {
      orphan(this.state.object, this.relation.inverse);
    }
  }

  /** @ignore */
  override denies(item: object): boolean {
    return this.isChanged && this.current !== item;
  }
  /** @ignore */
  override meet(item: object, other: Relation): void {
    const former = this.former();
    if (former === item) return;
    this.heard("set", item, true, former);
    // The object leaves its former owner's collection, if that is here.
    if (former) handleOf(former, other).leave(this.state.object);
    this.current = item;
    this.own(item);
  }
  /** @ignore */
  override leave(item: object): void {
    if (this.current === item || this.current === undefined) {
      this.current = null;
    }
  }

  /** The object, if it is here. */
  toJSON(): unknown {
    return this.current;
  }
}

/** An object lost an owner without whom it is not. */
function orphan(item: object, { cascade }: Relation): void {
  if (!cascade.has("delete-orphan")) return;
  const state = stateOf(item);
  state.isOrphan = true;
  state.session?.orphan(item);
}

/** Whether an object has another owner than this one, as far as one knows. */
export function hasMoved(
  item: object,
  { inverse }: Relation,
  owner: object,
): boolean {
  return inverse !== undefined && !inverse.isMany &&
    handleOf(item, inverse).known.some((other) => other !== owner);
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

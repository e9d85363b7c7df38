import { NotLoadedError, StateError } from "../errors.ts";
import { hooks } from "../hooks.ts";
import type { Relation } from "../relation.ts";
import { type InstanceState, stateOf } from "../state.ts";
import type { ManyHandle } from "./many_handle.ts";
import type { OneHandle } from "./one_handle.ts";

/** The handle of a relation of an object, of either sort. */
export type Handle = ManyHandle | OneHandle;

/**
 * What an object says of one of its relations: what it leads to, and what the
 * database has. Lists are never changed, but others take their place.
 */
export abstract class RelationHandle {
  // Behind getters, so that printing what it leads to does not print the session.
  readonly #state: InstanceState;
  readonly #relation: Relation;
  /** The objects, once they are here. */
  items: readonly object[] | undefined;
  /** The objects as the database has them, once that is known. */
  before: readonly object[] | undefined;
  /** What was added before the objects were here. */
  added: Set<object> | undefined;
  /** What was removed before the objects were here. */
  removed: Set<object> | undefined;

  /** Makes the handle of a relation of an object. */
  constructor(state: InstanceState, relation: Relation) {
    this.#state = state;
    this.#relation = relation;
  }

  /** The state of the object that has it. */
  get state(): InstanceState {
    return this.#state;
  }
  /** Whose handle it is. */
  get relation(): Relation {
    return this.#relation;
  }

  /** Whether what it leads to is here. */
  get isLoaded(): boolean {
    // What has no row yet has nothing in the database that could be loaded.
    return this.items !== undefined || this.state.key === undefined;
  }
  /** Whether the objects were replaced before it was known by what they are. */
  get isReplaced(): boolean {
    return this.items !== undefined && this.before === undefined;
  }
  /** Whether it leads elsewhere than in the database. */
  get isChanged(): boolean {
    return this.isReplaced || this.additions.length + this.removals.length > 0;
  }
  /** The objects that it is known to lead to. */
  get known(): readonly object[] {
    return this.items ?? [...this.added ?? []];
  }
  /** Objects that are here now and were not in the database. */
  get additions(): readonly object[] {
    return without(this.known, this.before);
  }
  /** Objects that are in the database and were removed. */
  get removals(): readonly object[] {
    return without(this.before ?? this.removed, this.items);
  }

  /** Another collection or object was set on one side only. */
  abstract set(items: unknown): void;
  /** Whether an object, if the database has it here, is to go. */
  abstract denies(item: object): boolean;
  /** The other side took this handle's object. */
  abstract meet(item: object, other: Relation): void;
  /** The other side let go of this handle's object. */
  abstract leave(item: object): void;

  /** Takes the objects as the database has them; changes made before stay. */
  receive(items: readonly object[]): void {
    const { isReplaced, state: { object }, relation } = this;
    const { inverse } = relation;
    this.before = items;
    this.items ??= [
      ...new Set([
        ...items.filter((item) =>
          !this.removed?.has(item) &&
          // It has been moved to another owner meanwhile.
          !this.other(item)?.denies(object)
        ),
        ...this.added ?? [],
      ]),
    ];
    this.added = this.removed = undefined;
    for (const item of this.items) this.own(item);
    for (const item of inverse && isReplaced ? this.removals : []) {
      handleOf(item, inverse!).leave(object);
    }
    relation.received?.(this as RelationHandle as Handle);
  }

  /** What a unit of work wrote is what the database has. */
  settle(
    items: readonly object[] | undefined,
    added: readonly object[],
    removed: readonly object[],
  ): void {
    this.before = items ?? this.before;
    for (const item of added) this.added?.delete(item);
    for (const item of removed) this.removed?.delete(item);
  }

  /** Rows were deleted, these objects with them; says whether it had one. */
  lose(gone: ReadonlySet<object>): boolean {
    const { items, before } = this;
    const stays = (item: object) => !gone.has(item);
    this.items = items?.filter(stays);
    this.before = before?.filter(stays);
    this.added = this.added?.difference(gone);
    this.removed = this.removed?.difference(gone);
    return this.items?.length !== items?.length ||
      this.before?.length !== before?.length;
  }

  /** Nothing of it is in the database any more. */
  unsave(): void {
    this.before = undefined;
  }

  /** Forgets the objects; they are loaded anew. */
  expire(): void {
    this.items =
      this.before =
      this.added =
      this.removed =
        undefined;
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
    await state.session.loader.load(state, relation);
  }

  /** What is here; reading what is not is an error. */
  protected get here(): readonly object[] {
    if (this.isLoaded) return this.known;
    const { parent, key } = this.relation;
    throw new NotLoadedError(
      parent.name,
      key,
      `await .${key}.load(), or load it with the query: options(selectinload(${parent.name}.r.${key}))`,
    );
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
          ? `another ${parent.name} has it; take it from there first`
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

/** Objects without others, each once. */
function without(
  some: Iterable<object> = [],
  others: Iterable<object> = [],
): object[] {
  return [...new Set(some).difference(new Set(others))];
}

/** An object lost an owner without whom it is not. */
export function orphan(item: object, { cascade }: Relation): void {
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
  const { handles } = state;
  let handle = handles.get(relation.key);
  if (!handle) {
    handles.set(relation.key, handle = relation.handle(state, relation));
  }
  return handle;
}

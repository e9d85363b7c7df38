import { NotLoadedError, StateError } from "../errors.ts";
import { hooks } from "../hooks.ts";
import type { Relation } from "../relation.ts";
import { type InstanceState, stateOf } from "../state.ts";
import type { ManyHandle } from "./many_handle.ts";
import type { OneHandle } from "./one_handle.ts";

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
  let handle = state.handles.get(relation.key);
  if (!handle) {
    handle = relation.newHandle(state);
    state.handles.set(relation.key, handle);
  }
  return handle;
}

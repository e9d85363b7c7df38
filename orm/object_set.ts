import type { Column, RowSource } from "../sql/mod.ts";
import { StateError } from "./errors.ts";
import { handleOf, ManyHandle, OneHandle } from "./handles.ts";
import { hooks } from "./hooks.ts";
import type { Mapper } from "./mapper.ts";
import type { Relation } from "./relation.ts";
import {
  adoptState,
  copyValue,
  identityKey,
  type InstanceState,
  stateOf,
  type StateOwner,
} from "./state.ts";
import { KeyRef, type Plan } from "./unit_of_work.ts";

/** Loads relations of objects that ask for them. */
export interface RelationLoader {
  /** Loads a relation of an object. */
  load(state: InstanceState, relation: Relation): Promise<void>;
}

/**
 * The objects of a session: by identity, pending, and to be deleted. It knows
 * the edges between an object's states and sends nothing.
 */
export class ObjectSet implements StateOwner {
  /** Objects by identity. */
  readonly identityMap: Map<string, object> = new Map();
  /** Objects that have no row yet, in the order of addition. */
  readonly pending: Set<InstanceState> = new Set();
  /** Objects whose rows will be deleted. */
  readonly doomed: Set<InstanceState> = new Set();
  readonly #loader: RelationLoader;

  /** Starts an empty set. */
  constructor(loader: RelationLoader) {
    this.#loader = loader;
  }

  /** The states of objects that have rows. */
  persistent(): InstanceState[] {
    return [...this.identityMap.values()].map(stateOf);
  }

  /** Takes in an object, and what its relations cascade to. */
  add(object: object): void {
    const state = stateOf(object);
    this.#take(state);
    this.doomed.delete(state);
    this.#follow(state, "save-update", (item) => this.cascade(item));
  }

  /** Marks an object's row to be deleted. */
  delete(object: object): void {
    const state = stateOf(object);
    if (state.key === undefined) {
      throw new StateError(
        `Cannot delete ${state.mapper.name}: it is not persisted; expunge() it if it was only added`,
      );
    }
    this.#take(state);
    this.doomed.add(state);
  }

  /** Lets go of an object. */
  expunge(object: object): void {
    const state = stateOf(object);
    if (state.session !== this) {
      throw new StateError(
        `Cannot expunge ${state.mapper.name}: it is not in this session`,
      );
    }
    this.#release(state);
    this.#follow(state, "expunge", (item) => {
      if (stateOf(item).session === this) this.expunge(item);
    });
  }

  /** Lets go of every object. */
  clear(): void {
    for (const state of [...this.pending, ...this.persistent()]) {
      this.#release(state);
    }
  }

  cascade(object: object): void {
    if (stateOf(object).session !== this) this.add(object);
  }

  orphan(object: object): void {
    const state = stateOf(object);
    if (state.session === this && state.status === "pending") {
      this.#release(state);
    }
  }

  loadRelation(state: InstanceState, relation: Relation): Promise<void> {
    return this.#loader.load(state, relation);
  }

  /** Follows every cascade, before a unit of work is planned. */
  cascadeAll(): void {
    for (const state of [...this.pending, ...this.persistent()]) {
      this.#follow(state, "save-update", (item) => this.cascade(item));
      for (const { relation } of state.handles.values()) {
        if (relation.cascade.has("delete-orphan")) {
          this.#doomOrphans(state, relation);
        }
      }
    }
    for (const state of this.doomed) {
      this.#follow(state, "delete", (item) => {
        const other = stateOf(item);
        if (other.status === "persistent") this.doomed.add(other);
        else this.orphan(item);
      });
    }
  }

  /** The object of a row: the one that is here, else a new one. */
  hydrate(source: RowSource, values: readonly unknown[]): object | null {
    const mapper = source.owner as Mapper;
    const keyAt = mapper.primaryKey.map((column) =>
      source.columns.indexOf(column)
    );
    const key = keyAt.map((i) => values[i]);
    if (key.every((value) => value === null)) return null;
    const identity = identityKey(mapper, key);
    const known = this.identityMap.get(identity);
    if (known) {
      stateOf(known).fill(source.columns, values);
      return known;
    }
    const object: Record<string, unknown> = Object.create(mapper.cls.prototype);
    const state = adoptState(object, mapper);
    source.columns.forEach((column, i) => {
      object[mapper.keyOf(column)] = values[i];
    });
    state.key = identity;
    state.session = this;
    if (source.columns === mapper.columns) {
      state.committed = values.map(copyValue);
    } else {
      state.snapshot();
      for (const column of mapper.columns) {
        if (!source.columns.includes(column)) state.unload(column);
      }
    }
    this.identityMap.set(identity, object);
    mapper.parts.reconstructor?.(object as never);
    hooks.hear?.("load", object, this);
    return object;
  }

  /** Every answer is there: objects become what the plan wrote. */
  finish(plan: Plan): void {
    for (const { kind, state, values } of plan.writes) {
      for (const column of state.mapper.columns) {
        const value = known(values.get(column));
        if (value !== undefined) state.write(column, value);
        else if (kind === "insert" && state.read(column) === undefined) {
          state.write(column, null);
        }
      }
    }
    for (const { kind, state } of plan.writes) {
      state.snapshot();
      if (kind === "insert") {
        state.key = identityKey(state.mapper, state.primaryKey);
        this.identityMap.set(state.key, state.object);
        this.pending.delete(state);
      }
    }
    for (const { state } of plan.deletes) {
      state.isDeleted = true;
      this.#release(state);
    }
    for (const state of this.persistent()) {
      for (const handle of state.handles.values()) handle.snapshot();
    }
  }

  /** Undoes what was added, marked and changed. */
  rollback(): void {
    for (const state of this.pending) this.#release(state);
    this.doomed.clear();
    for (const state of this.persistent()) {
      state.mapper.columns.forEach((column, i) => restore(state, column, i));
      state.handles.clear();
    }
  }

  #take(state: InstanceState): void {
    const { mapper, key, session } = state;
    if (session === this) return;
    if (session) {
      throw new StateError(
        `Cannot add ${mapper.name}: it is in another session; expunge() it there first`,
      );
    }
    if (state.isDeleted) {
      throw new StateError(
        `Cannot add ${mapper.name}: its row was deleted; makeTransient() it first`,
      );
    }
    if (key === undefined) this.pending.add(state);
    else {
      const present = this.identityMap.get(key);
      if (present && present !== state.object) {
        throw new StateError(
          `Cannot add ${mapper.name}: another object of the same identity is in the session; merge() it`,
        );
      }
      this.identityMap.set(key, state.object);
    }
    state.session = this;
  }

  #release(state: InstanceState): void {
    this.pending.delete(state);
    this.doomed.delete(state);
    if (
      state.key !== undefined &&
      this.identityMap.get(state.key) === state.object
    ) {
      this.identityMap.delete(state.key);
    }
    state.session = undefined;
  }

  /** Visits the objects that relations of a cascade lead to, if they are here. */
  #follow(
    state: InstanceState,
    cascade: "save-update" | "delete" | "expunge",
    visit: (item: object) => void,
  ): void {
    for (const handle of [...state.handles.values()]) {
      if (!handle.relation.cascade.has(cascade)) continue;
      const items = handle instanceof ManyHandle
        ? [...(handle.items ?? handle.added)]
        : handle.current
        ? [handle.current]
        : [];
      for (const item of items) visit(item);
    }
  }

  #doomOrphans(state: InstanceState, relation: Relation): void {
    const handle = handleOf(state.object, relation);
    const lost = handle instanceof ManyHandle
      ? handle.removals
      : handle.isChanged && handle.committed
      ? [handle.committed]
      : [];
    for (const item of lost) {
      const other = stateOf(item);
      const owner = relation.inverse && handleOf(item, relation.inverse);
      const isMoved = owner instanceof OneHandle && owner.current;
      if (other.status === "persistent" && !isMoved) this.doomed.add(other);
    }
  }
}

function known(value: unknown): unknown {
  return value instanceof KeyRef ? value.state.read(value.column) : value;
}

function restore(
  state: InstanceState,
  column: Column<unknown>,
  i: number,
): void {
  const before = state.committed?.[i];
  if (before !== undefined) state.write(column, copyValue(before));
}

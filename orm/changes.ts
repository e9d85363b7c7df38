import type { Column } from "../sql/mod.ts";
import { fillDefaults } from "./_defaults.ts";
import { StateError } from "./errors.ts";
import { type Handle, hasMoved } from "./handles/handle.ts";
import type { RowTable } from "./mapper.ts";
import type { ObjectSet } from "./object_set.ts";
import type { Pair, Relation } from "./relation.ts";
import { type InstanceState, stateOf } from "./state.ts";
import {
  KeyRef,
  rowOf,
  type Saved,
  updatesOf,
  type Values,
  type Work,
} from "./work.ts";

/**
 * What changed since a session's objects were read or written: values of their
 * own, keys that relations copy, pairs.
 *
 * It touches no object: values to come are gathered beside them, so that a
 * failed commit leaves everything as it was.
 */
export class Changes {
  /** What the objects become. */
  readonly saved: Map<InstanceState, Saved> = new Map();
  /** Keys that are written by an UPDATE of their own, after every INSERT. */
  readonly late: Map<InstanceState, Values> = new Map();
  /**
   * Rows to write that are no object's: pairs of many-to-many relations, by what
   * makes them one; and, by themselves, those that let go of what is deleted.
   */
  readonly links: Map<unknown, Work> = new Map();
  /** New objects in pairs, told apart by numbers. */
  readonly numbers: Map<InstanceState, number> = new Map();
  /** Notes in handles that what they say is written. */
  readonly settled: Map<Handle, () => void> = new Map();
  /** New objects that are to be inserted. */
  readonly pending: ReadonlySet<InstanceState>;
  /** Objects that have rows and keep them. */
  readonly persistent: readonly InstanceState[];
  /** Objects whose rows are to be deleted. */
  readonly deleted: ReadonlySet<InstanceState>;
  readonly #objects: ObjectSet;

  /** Gathers what changed. */
  constructor(objects: ObjectSet, deleted: ReadonlySet<InstanceState>) {
    this.#objects = objects;
    this.deleted = deleted;
    this.pending = objects.pending;
    this.persistent = objects.persistent().filter((one) => !deleted.has(one));
    for (const state of this.pending) this.#gatherNew(state);
    for (const state of this.persistent) {
      for (const column of state.changes()) {
        this.#give(state, column, state.read(column) ?? null);
      }
    }
    for (const { handles } of [...this.pending, ...this.persistent]) {
      for (const handle of [...handles.values()]) this.#sync(handle);
    }
    for (const state of deleted) {
      for (const relation of state.mapper.relations.values()) {
        if (!relation.options.viewOnly) relation.release(state, this);
      }
    }
  }

  #gatherNew(state: InstanceState): void {
    const { columns, polymorphism } = state.mapper;
    for (const column of columns) {
      const given = state.read(column);
      const value = given === undefined
        ? polymorphism?.initial.get(column)
        : given;
      if (value !== undefined) this.#give(state, column, value);
    }
    const { values, isGiven } = this.of(state);
    fillDefaults(state, values, true);
    for (const column of values.keys()) {
      if (!isGiven.has(column)) isGiven.set(column, false);
    }
  }

  #give(state: InstanceState, column: Column<unknown>, value: unknown): void {
    const { values, isGiven } = this.of(state);
    values.set(column, value);
    isGiven.set(column, true);
  }

  /** Turns what a handle says into keys and pairs. */
  #sync(handle: Handle): void {
    const { relation, additions, removals, items, isChanged } = handle;
    if (relation.options.viewOnly) return;
    if (isChanged) {
      this.settled.set(handle, () => handle.settle(items, additions, removals));
    }
    relation.sync(handle, this);
  }

  /** What an object becomes. */
  of(state: InstanceState): Saved {
    let found = this.saved.get(state);
    if (!found) {
      found = { values: new Map(), isGiven: new Map(), refers: new Map() };
      this.saved.set(state, found);
    }
    return found;
  }

  /** A key that is known, or a reference to one that is not. */
  keyValue(state: InstanceState, key: string): unknown {
    const column = state.mapper.column(key);
    if (!this.pending.has(state)) return state.read(column);
    const { values } = this.of(state);
    const planned = values.get(column);
    return planned === undefined ? new KeyRef(state, column, values) : planned;
  }

  /** What an object's row will be known by in one of its tables. */
  keyIn(state: InstanceState, { key }: RowTable): Values {
    const { primaryKey } = state.mapper;
    const { former } = this.of(state);
    return new Map(key.map((column, i) => [
      column,
      former?.primaryKey[i] ?? this.keyValue(state, primaryKey[i]!.key),
    ]));
  }

  /** Copies the key of one object into the referring columns of another. */
  copyKeys(
    from: object | null,
    relation: Relation,
    pairs: readonly Pair[],
    to: InstanceState,
  ): void {
    const { mapper } = to;
    if (this.deleted.has(to)) return;
    for (const pair of pairs) {
      const column = mapper.column(pair.to);
      if (!from && mapper.primaryKey.includes(column)) {
        throw new StateError(
          `Cannot clear ${mapper.name}.${column.key}: it is part of the primary key and comes from ${relation.name}; delete the object, or give it another owner`,
        );
      }
      const source = from && stateOf(from);
      const value = source && this.keyValue(source, pair.from);
      const { values, isGiven, refers } = this.of(to);
      values.set(column, value);
      isGiven.delete(column);
      refers.delete(column);
      if (!source || !this.pending.has(source)) continue;
      refers.set(column, source);
      if (relation.options.postUpdate && this.pending.has(to)) {
        this.defer(to, column, value);
      }
    }
  }

  /** Has a key written by an UPDATE of its own. */
  defer(state: InstanceState, column: Column<unknown>, value: unknown): void {
    this.of(state).values.delete(column);
    const values: Values = this.late.get(state) ?? new Map();
    this.late.set(state, values.set(column, value));
  }

  /** A member that has no new owner loses its key. */
  forget(item: object, relation: Relation, owner: InstanceState): void {
    const state = stateOf(item);
    if (state.key !== undefined && !hasMoved(item, relation, owner.object)) {
      this.copyKeys(null, relation, relation.localPairs, state);
    }
  }

  /** Clears columns of a row before it is deleted. */
  clear(state: InstanceState, values: Values): void {
    const works = updatesOf(state, values, (row) => rowOf(state, row));
    for (const work of works) this.links.set(work, work);
  }

  /** Whether a related object is in the session, as it should be. */
  isThere(relation: Relation, item: object): boolean {
    const { session, mapper } = stateOf(item);
    if (!session) {
      this.#objects.warn(
        `${relation.name} holds an object of ${mapper.name} that is not in the session; it is not saved`,
      );
    }
    return session !== undefined;
  }

  /** Whether the key changes by which members name an object. */
  isRekeyed({ localPairs }: Relation, state: InstanceState): boolean {
    return state.key !== undefined &&
      localPairs.some(({ from }) =>
        this.saved.get(state)?.values.has(state.mapper.column(from))
      );
  }
}

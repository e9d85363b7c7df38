import type { Column } from "../sql/mod.ts";
import { StateError } from "./errors.ts";
import { type Handle, hasMoved } from "./handles/handle.ts";
import type { Pair, Relation } from "./relation.ts";
import { type InstanceState, stateOf } from "./state.ts";
import {
  KeyRef,
  rowOf,
  type Saved,
  type Values,
  type Work,
  workOn,
} from "./work.ts";

/** What the planner is told: the objects of a session by what happens to them. */
export interface Unit {
  /** Pending objects in the order in which they were added. */
  readonly pending: Iterable<InstanceState>;
  /** Persistent objects. */
  readonly persistent: readonly InstanceState[];
  /** Objects to delete. */
  readonly deleted: ReadonlySet<InstanceState>;
  /** Fills columns that the program left out; returns them. */
  defaults(state: InstanceState, values: Values, isInsert: boolean): void;
  /** Is told of what is odd, but no error. */
  warn(message: string): void;
}

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
  /** Pairs of many-to-many relations, by what makes them one. */
  readonly pairs: Map<string, Work> = new Map();
  /** New objects in pairs, told apart by numbers. */
  readonly numbers: Map<InstanceState, number> = new Map();
  /** What must be let go of before rows are deleted. */
  readonly released: Work[] = [];
  /** Notes in handles that what they say is written. */
  readonly settled: Map<Handle, () => void> = new Map();
  /** New objects that are to be inserted. */
  readonly pending: ReadonlySet<InstanceState>;
  /** Objects that have rows and keep them. */
  readonly persistent: readonly InstanceState[];
  readonly #unit: Unit;

  /** Gathers what changed. */
  constructor(unit: Unit) {
    const { deleted } = unit;
    this.#unit = unit;
    this.pending = new Set(
      [...unit.pending].filter((state) => !deleted.has(state)),
    );
    this.persistent = unit.persistent.filter((state) => !deleted.has(state));
    for (const state of this.pending) this.#gatherNew(state);
    for (const state of this.persistent) {
      for (const column of state.changes()) {
        const { values, own } = this.of(state);
        own.add(column) && values.set(column, state.read(column) ?? null);
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
    const { values, own, filled } = this.of(state);
    const { columns, polymorphism } = state.mapper;
    for (const column of columns) {
      const given = state.read(column);
      const value = given === undefined
        ? polymorphism?.initial.get(column)
        : given;
      if (value !== undefined) own.add(column) && values.set(column, value);
    }
    this.#unit.defaults(state, values, true);
    for (const column of values.keys()) {
      if (!own.has(column)) filled.add(column);
    }
  }

  /** Turns what a handle says into keys and pairs. */
  #sync(handle: Handle): void {
    const { relation, additions, removals, items, isChanged } = handle;
    if (relation.options.viewOnly) return;
    if (isChanged) {
      const now = items && [...items];
      this.settled.set(handle, () => handle.settle(now, additions, removals));
    }
    relation.sync(handle, this);
  }

  /** What an object becomes. */
  of(state: InstanceState): Saved {
    let found = this.saved.get(state);
    if (!found) {
      found = { values: new Map(), own: new Set(), filled: new Set() };
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

  /** Copies the key of one object into the referring columns of another. */
  copyKeys(
    from: object | null,
    relation: Relation,
    pairs: readonly Pair[],
    to: InstanceState,
  ): void {
    const { mapper } = to;
    if (this.isGoing(to)) return;
    for (const pair of pairs) {
      const column = mapper.column(pair.to);
      if (!from && mapper.primaryKey.includes(column)) {
        throw new StateError(
          `Cannot clear ${mapper.name}.${column.key}: it is part of the primary key and comes from ${relation.name}; delete the object, or give it another owner`,
        );
      }
      const value = from && this.keyValue(stateOf(from), pair.from);
      const { values, own, filled } = this.of(to);
      values.set(column, value);
      if (
        value instanceof KeyRef && relation.options.postUpdate &&
        this.pending.has(to)
      ) this.defer(to, column, value);
      own.delete(column);
      filled.delete(column);
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
    const { mapper } = state;
    for (const one of mapper.tables) {
      const { table } = one;
      if (![...values.keys()].some((column) => column.table === table)) {
        continue;
      }
      const where = rowOf(state, one);
      this.released.unshift(workOn("update", state, table, values, where));
    }
  }

  /** Whether an object's row is to be deleted. */
  isGoing(state: InstanceState): boolean {
    return this.#unit.deleted.has(state);
  }

  /** Whether a related object is in the session, as it should be. */
  isThere(relation: Relation, item: object): boolean {
    const { session, mapper } = stateOf(item);
    if (!session) {
      this.#unit.warn(
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

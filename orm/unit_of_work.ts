import type { Column, Table } from "../sql/mod.ts";
import { CircularDependencyError, StateError } from "./errors.ts";
import { type Handle, handleOf, ManyHandle, OneHandle } from "./handles.ts";
import type { Pair, Relation } from "./relation.ts";
import { type InstanceState, stateOf } from "./state.ts";
import { rank } from "./_topological.ts";

/** The key of a row that does not exist yet: known when the batch runs. */
export class KeyRef {
  /** The object whose key it will be. */
  readonly state: InstanceState;
  /** Which column of the key. */
  readonly column: Column<unknown>;

  /** Refers to a column of an object that is about to be inserted. */
  constructor(state: InstanceState, column: Column<unknown>) {
    this.state = state;
    this.column = column;
  }
}

/** What an attribute will hold when the unit is done: a value, or a key to come. */
export type Values = Map<Column<unknown>, unknown>;

/** One row to write for one object. */
export interface RowWork {
  /** What is done to the row. */
  readonly kind: "insert" | "update" | "delete";
  /** The object. */
  readonly state: InstanceState;
  /** The table of the row. */
  readonly table: Table;
  /** The columns that are written. */
  readonly values: Values;
}

/** One pair of a many-to-many relation to write or remove. */
export interface PairWork {
  /** Whether the pair comes or goes. */
  readonly kind: "link" | "unlink";
  /** The relation. */
  readonly relation: Relation;
  /** The row of the association table. */
  readonly values: Values;
}

/** What a unit of work writes, in an order that no foreign key minds. */
export interface Plan {
  /** New and changed rows, referenced ones first. */
  readonly writes: readonly RowWork[];
  /** Pairs to remove, then pairs to add. */
  readonly pairs: readonly PairWork[];
  /** Rows to delete, referring ones first. */
  readonly deletes: readonly RowWork[];
}

/** What the planner is told: the objects of a session by what happens to them. */
export interface Unit {
  /** Pending objects in the order in which they were added. */
  readonly pending: readonly InstanceState[];
  /** Persistent objects. */
  readonly persistent: Iterable<InstanceState>;
  /** Objects to delete. */
  readonly deleted: ReadonlySet<InstanceState>;
  /** Fills columns that the program left out, for an insert or update. */
  defaults(state: InstanceState, values: Values, isInsert: boolean): void;
}

/**
 * Plans what a session's changes write: Fowler's Unit of Work.
 *
 * It touches no object: values to come are gathered beside them, so that a
 * failed commit leaves everything as it was.
 */
export function planUnit(unit: Unit): Plan {
  const written = new Map<InstanceState, Values>();
  const valuesOf = (state: InstanceState): Values => {
    let values = written.get(state);
    if (!values) written.set(state, values = new Map());
    return values;
  };
  const isNew = new Set(unit.pending);
  const persistent = [...unit.persistent].filter((state) =>
    !unit.deleted.has(state)
  );
  const pairs = new PairSet();

  collectColumns(unit, persistent, valuesOf);
  for (const state of [...unit.pending, ...persistent]) {
    for (const handle of state.handles.values()) {
      if (handle.relation.options.viewOnly) continue;
      syncRelation(handle, { unit, isNew, valuesOf, pairs });
    }
  }
  for (const state of unit.deleted) {
    releaseRelated(state, { unit, isNew, valuesOf, pairs });
  }

  const writes = orderWrites(unit, written, isNew);
  return {
    writes,
    pairs: pairs.inOrder(),
    deletes: orderDeletes([...unit.deleted]),
  };
}

interface Sync {
  readonly unit: Unit;
  readonly isNew: ReadonlySet<InstanceState>;
  readonly valuesOf: (state: InstanceState) => Values;
  readonly pairs: PairSet;
}

function collectColumns(
  unit: Unit,
  persistent: readonly InstanceState[],
  valuesOf: (state: InstanceState) => Values,
): void {
  for (const state of unit.pending) {
    const values = valuesOf(state);
    for (const column of state.mapper.columns) {
      const value = state.read(column);
      if (value !== undefined) values.set(column, value);
    }
  }
  for (const state of persistent) {
    for (const column of state.changes()) {
      valuesOf(state).set(column, state.read(column));
    }
  }
}

/** Turns what a relation's handle says into keys and pairs. */
function syncRelation(handle: Handle, sync: Sync): void {
  const { relation, state } = handle;
  if (handle instanceof OneHandle) {
    if (relation.kind === "manyToOne") {
      if (!handle.isChanged) return;
      copyKeys(handle.current ?? null, relation.remotePairs, state, sync);
    } else if (handle.isChanged) {
      if (handle.committed) forget(handle.committed, relation, state, sync);
      if (handle.current) adopt(handle.current, relation, state, sync);
    }
    return;
  }
  for (const item of handle.additions) {
    if (relation.kind === "manyToMany") {
      sync.pairs.add("link", relation, state, item, sync);
    } else adopt(item, relation, state, sync);
  }
  for (const item of handle.removals) {
    if (relation.kind === "manyToMany") {
      sync.pairs.add("unlink", relation, state, item, sync);
    } else forget(item, relation, state, sync);
  }
}

/** A child gets its owner's key. */
function adopt(
  child: object,
  relation: Relation,
  owner: InstanceState,
  sync: Sync,
): void {
  copyKeys(owner.object, relation.localPairs, stateOf(child), sync);
}

/** A child that has no new owner loses its key. */
function forget(
  child: object,
  relation: Relation,
  owner: InstanceState,
  sync: Sync,
): void {
  const state = stateOf(child);
  if (sync.unit.deleted.has(state) || !state.key) return;
  const { inverse } = relation;
  const other = inverse && handleOf(child, inverse);
  if (
    other instanceof OneHandle && other.current &&
    other.current !== owner.object
  ) return;
  copyKeys(null, relation.localPairs, state, sync);
}

/** Copies the key of one object into the referring columns of another. */
function copyKeys(
  from: object | null,
  pairs: readonly Pair[],
  to: InstanceState,
  sync: Sync,
): void {
  for (const pair of pairs) {
    const column = to.mapper.table.column(pair.to);
    if (from === null && column.spec.primaryKey) {
      throw new StateError(
        `Cannot clear ${to.mapper.name}.${column.key}: it is part of the primary key; delete the object, or give it another owner`,
      );
    }
    sync.valuesOf(to).set(
      column,
      from === null ? null : keyValue(from, pair.from, sync),
    );
  }
}

/** A key that is known, or a reference to one that is not. */
function keyValue(object: object, key: string, sync: Sync): unknown {
  const state = stateOf(object);
  const column = state.mapper.table.column(key);
  const planned = sync.isNew.has(state)
    ? sync.valuesOf(state).get(column)
    : state.read(column);
  if (planned !== undefined) return planned;
  if (sync.isNew.has(state)) return new KeyRef(state, column);
  throw new StateError(
    `Cannot refer to ${state.mapper.name}: it is neither saved nor in the session; add it to the session`,
  );
}

/** What referred to a deleted object no longer does. */
function releaseRelated(state: InstanceState, sync: Sync): void {
  for (const relation of state.mapper.relations.values()) {
    const { options, kind } = relation;
    if (options.viewOnly || kind === "manyToOne") continue;
    const handle = state.handles.get(relation.key);
    if (kind === "manyToMany") {
      for (const item of handle instanceof ManyHandle ? handle.committed : []) {
        sync.pairs.add("unlink", relation, state, item, sync);
      }
    } else if (handle && options.passiveDeletes !== "all") {
      const children = handle instanceof ManyHandle
        ? handle.committed
        : [handle.committed];
      for (const child of children) {
        if (child) forget(child, relation, state, sync);
      }
    }
  }
}

/** Pairs of association tables, each once though both sides name it. */
class PairSet {
  readonly #pairs = new Map<string, PairWork>();
  readonly #ids = new Map<InstanceState, number>();

  add(
    kind: PairWork["kind"],
    relation: Relation,
    owner: InstanceState,
    item: object,
    sync: Sync,
  ): void {
    const { secondary, localPairs, remotePairs } = relation;
    if (!secondary) return;
    const other = stateOf(item);
    if (kind === "link" && sync.unit.deleted.has(other)) return;
    const values: Values = new Map();
    for (const pair of localPairs) {
      values.set(
        secondary.column(pair.to),
        keyValue(owner.object, pair.from, sync),
      );
    }
    for (const pair of remotePairs) {
      values.set(secondary.column(pair.to), keyValue(item, pair.from, sync));
    }
    // Both directions of a relation write the same columns of the same row.
    const row = [...values].sort(([a], [b]) => a.name < b.name ? -1 : 1)
      .map(([column, value]) =>
        `${column.name}=${
          value instanceof KeyRef ? `#${this.#id(value.state)}` : String(value)
        }`
      );
    this.#pairs.set(`${kind} ${secondary.fullName} ${row.join()}`, {
      kind,
      relation,
      values,
    });
  }

  #id(state: InstanceState): number {
    const known = this.#ids.get(state) ?? this.#ids.size;
    this.#ids.set(state, known);
    return known;
  }

  inOrder(): PairWork[] {
    const all = [...this.#pairs.values()];
    return [
      ...all.filter(({ kind }) => kind === "unlink"),
      ...all.filter(({ kind }) => kind === "link"),
    ];
  }
}

/** Referenced rows first; among equals, in the order of addition. */
function orderWrites(
  unit: Unit,
  written: ReadonlyMap<InstanceState, Values>,
  isNew: ReadonlySet<InstanceState>,
): RowWork[] {
  const inserts = unit.pending.filter((state) => !unit.deleted.has(state));
  const needs = (state: InstanceState): InstanceState[] => {
    const values = written.get(state);
    return values
      ? [...values.values()].flatMap((value) =>
        value instanceof KeyRef ? [value.state] : []
      )
      : [];
  };
  const objectRank = rank(inserts, needs);
  for (const state of inserts) {
    for (const needed of needs(state)) {
      if (
        needed !== state && objectRank.get(needed) === objectRank.get(state)
      ) {
        throw new CircularDependencyError([
          state.mapper.name,
          needed.mapper.name,
        ]);
      }
    }
  }
  const tables = tableRanks(inserts);
  const depth = new Map<InstanceState, number>();
  const depthOf = (state: InstanceState): number => {
    const known = depth.get(state);
    if (known !== undefined) return known;
    const inner = needs(state).filter((needed) =>
      tables.get(needed.mapper.table) === tables.get(state.mapper.table)
    );
    const found = inner.length === 0 ? 0 : 1 + Math.max(...inner.map(depthOf));
    depth.set(state, found);
    return found;
  };
  const order = new Map(inserts.map((state, i) => [state, i]));
  // Rows with keys of their own come before those that the database numbers,
  // which then follow each other without a gap.
  const isNumbered = (state: InstanceState): number =>
    state.mapper.primaryKey.every((column) => written.get(state)?.has(column))
      ? 0
      : 1;
  const sorted = [...inserts].sort((a, b) =>
    (tables.get(a.mapper.table) ?? 0) - (tables.get(b.mapper.table) ?? 0) ||
    depthOf(a) - depthOf(b) ||
    isNumbered(a) - isNumbered(b) ||
    (order.get(a) ?? 0) - (order.get(b) ?? 0)
  );
  const updates = [...written].filter(([state, values]) =>
    !isNew.has(state) && !unit.deleted.has(state) && values.size > 0
  ).map(([state]) => state).sort(byKey);
  return [...sorted, ...updates].map((state) => {
    const isInsert = isNew.has(state);
    const values = written.get(state) ?? new Map();
    unit.defaults(state, values, isInsert);
    return {
      kind: isInsert ? "insert" : "update",
      state,
      table: state.mapper.table,
      values,
    };
  });
}

function orderDeletes(states: readonly InstanceState[]): RowWork[] {
  const tables = tableRanks(states);
  return [...states].sort((a, b) =>
    (tables.get(b.mapper.table) ?? 0) - (tables.get(a.mapper.table) ?? 0) ||
    byKey(a, b)
  ).map((state) => ({
    kind: "delete",
    state,
    table: state.mapper.table,
    values: new Map(),
  }));
}

/** Ranks tables by what their foreign keys need; circles share a rank. */
function tableRanks(states: readonly InstanceState[]): Map<Table, number> {
  const tables = [...new Set(states.map((state) => state.mapper.table))];
  const byName = new Map(tables.map((table) => [table.fullName, table]));
  return rank(
    tables,
    (table) =>
      table.foreignKeys.flatMap((key) => byName.get(key.targetTable) ?? []),
  );
}

function byKey(a: InstanceState, b: InstanceState): number {
  const left = a.primaryKey;
  const right = b.primaryKey;
  for (let i = 0; i < left.length; i++) {
    const x = left[i] as string;
    const y = right[i] as string;
    if (x < y) return -1;
    if (x > y) return 1;
  }
  return 0;
}

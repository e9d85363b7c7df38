import type { Column, Table } from "../sql/mod.ts";
import { rank } from "./_topological.ts";
import { CircularDependencyError, StateError } from "./errors.ts";
import { type Handle, handleOf, OneHandle } from "./handles.ts";
import type { Mapper } from "./mapper.ts";
import type { Pair, Relation } from "./relation.ts";
import { identityKey, type InstanceState, stateOf } from "./state.ts";

/** The key of a row that does not exist yet: known when the batch runs. */
export class KeyRef {
  /** The object whose key it will be. */
  readonly state: InstanceState;
  /** Which column of the key. */
  readonly column: Column<unknown>;
  readonly #values: Values;

  /** Refers to a column of an object that is about to be inserted. */
  constructor(state: InstanceState, column: Column<unknown>, values: Values) {
    this.state = state;
    this.column = column;
    this.#values = values;
  }

  /** The key, where it was reserved beforehand. */
  get known(): unknown {
    return this.#values.get(this.column);
  }
}

/** Columns and what they will hold: a value, or a key to come. */
export type Values = Map<Column<unknown>, unknown>;

/** One row to write. */
export interface Work {
  /** What is done to the row. */
  readonly kind: "insert" | "update" | "delete";
  /** The class that it is done for; it says where the statement goes. */
  readonly mapper: Mapper;
  /** The table of the row. */
  readonly table: Table;
  /** The columns that are written. */
  readonly values: Values;
  /** What the row is known by, unless it is new. */
  readonly where: Values;
  /** Whether the row must be there. */
  readonly isExpected: boolean;
  /** The object whose row it is; a pair of a many-to-many relation is no object. */
  readonly state?: InstanceState | undefined;
}

/** What an object's attributes become. */
export interface Saved {
  /** Every column that is written. */
  readonly values: Values;
  /** Those whose value the program gave. */
  readonly own: Set<Column<unknown>>;
  /** Those that a default filled. */
  readonly filled: Set<Column<unknown>>;
  /** The deleted object whose row a new one takes over. */
  former?: InstanceState;
}

/** What a unit of work writes, in an order that no foreign key minds. */
export interface Plan {
  /** The rows in order. */
  readonly works: readonly Work[];
  /** What the objects become. */
  readonly saved: ReadonlyMap<InstanceState, Saved>;
  /** The objects whose rows go. */
  readonly gone: ReadonlySet<InstanceState>;
  /** What changed relations held when it was planned. */
  readonly related: readonly (readonly [Handle, settle: () => void])[];
}

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
 * Plans what a session's changes write: Fowler's Unit of Work.
 *
 * It touches no object: values to come are gathered beside them, so that a
 * failed commit leaves everything as it was.
 */
export function planUnit(unit: Unit): Plan {
  const { deleted, defaults, warn } = unit;
  const pending = [...unit.pending].filter((state) => !deleted.has(state));
  const persistent = unit.persistent.filter((state) => !deleted.has(state));
  const isNew = new Set(pending);
  const saved = new Map<InstanceState, Saved>();
  // Keys that are written by an UPDATE of their own, after every INSERT.
  const late = new Map<InstanceState, Values>();
  const pairs = new Map<string, Work>();
  const related: [Handle, () => void][] = [];
  const ids = new Map<InstanceState, number>();

  const savedOf = (state: InstanceState): Saved => {
    let found = saved.get(state);
    if (!found) {
      found = { values: new Map(), own: new Set(), filled: new Set() };
      saved.set(state, found);
    }
    return found;
  };

  /** A key that is known, or a reference to one that is not. */
  const keyValue = (object: object, key: string): unknown => {
    const state = stateOf(object);
    const column = state.mapper.table.column(key);
    if (!isNew.has(state)) return state.read(column);
    const { values } = savedOf(state);
    const planned = values.get(column);
    return planned === undefined ? new KeyRef(state, column, values) : planned;
  };

  /** Copies the key of one object into the referring columns of another. */
  const copyKeys = (
    from: object | null,
    relation: Relation,
    columns: readonly Pair[],
    to: InstanceState,
  ): void => {
    const { mapper } = to;
    if (deleted.has(to)) return;
    for (const pair of columns) {
      const column = mapper.table.column(pair.to);
      if (from === null && mapper.primaryKey.includes(column)) {
        throw new StateError(
          `Cannot clear ${mapper.name}.${column.key}: it is part of the primary key and comes from ${relation.parent.name}.${relation.key}; delete the object, or give it another owner`,
        );
      }
      const value = from === null ? null : keyValue(from, pair.from);
      const { values, own, filled } = savedOf(to);
      if (
        value instanceof KeyRef && relation.options.postUpdate && isNew.has(to)
      ) defer(to, column, value);
      else values.set(column, value);
      own.delete(column);
      filled.delete(column);
    }
  };
  const defer = (
    state: InstanceState,
    column: Column<unknown>,
    value: unknown,
  ): void => {
    savedOf(state).values.delete(column);
    const values: Values = late.get(state) ?? new Map();
    late.set(state, values.set(column, value));
  };

  /** A child that has no new owner loses its key. */
  const forget = (
    child: object,
    relation: Relation,
    owner: InstanceState,
  ): void => {
    const state = stateOf(child);
    if (state.key === undefined) return;
    const { inverse } = relation;
    const other = inverse && handleOf(child, inverse);
    if (
      other instanceof OneHandle && other.current &&
      other.current !== owner.object
    ) return;
    copyKeys(null, relation, relation.localPairs, state);
  };

  const pair = (
    kind: "insert" | "delete",
    relation: Relation,
    owner: InstanceState,
    item: object,
    isExpected: boolean,
  ): void => {
    const { secondary, localPairs, remotePairs, parent: mapper } = relation;
    if (!secondary || deleted.has(stateOf(item))) return;
    const row: Values = new Map();
    const sides = [[localPairs, owner.object], [remotePairs, item]] as const;
    for (const [columns, object] of sides) {
      for (const { from, to } of columns) {
        row.set(secondary.column(to), keyValue(object, from));
      }
    }
    // Both directions of a relation write the same columns of the same row.
    const text = [...row].map(([{ name }, value]) => {
      if (!(value instanceof KeyRef)) return `${name}=${value}`;
      const id = ids.get(value.state) ?? ids.size;
      ids.set(value.state, id);
      return `${name}#${id}`;
    }).sort();
    const values: Values = kind === "insert" ? row : new Map();
    const where: Values = kind === "insert" ? new Map() : row;
    pairs.set(`${kind}${secondary.fullName}${text}`, {
      ...{ kind, mapper, table: secondary, values, where, isExpected },
      state: undefined,
    });
  };

  /** Turns what a relation's handle says into keys and pairs. */
  const sync = (handle: Handle): void => {
    const { relation, state } = handle;
    const { localPairs, remotePairs, kind } = relation;
    const adopt = (child: object): void =>
      copyKeys(state.object, relation, localPairs, stateOf(child));
    const isThere = (item: object): boolean => {
      const { session, mapper } = stateOf(item);
      if (session) return true;
      warn(
        `${relation.parent.name}.${relation.key} holds an object of ${mapper.name} that is not in the session; it is not saved`,
      );
      return false;
    };
    const rekeyed = state.key !== undefined && kind !== "manyToOne" &&
      localPairs.some(({ from }) =>
        saved.get(state)?.values.has(state.mapper.table.column(from))
      );
    if (handle instanceof OneHandle) {
      const { current, committed } = handle;
      if (handle.isChanged) {
        related.push([handle, () => handle.committed = current]);
        if (kind === "manyToOne") {
          // Who goes is named by nobody any more.
          const isGoing = current && deleted.has(stateOf(current));
          const to = isGoing || !current ? null : current;
          if (!to || isThere(to)) copyKeys(to, relation, remotePairs, state);
        } else {
          if (committed) forget(committed, relation, state);
          if (current && isThere(current)) adopt(current);
        }
      } else if (rekeyed && current) adopt(current);
      return;
    }
    const { additions, removals, items } = handle;
    if (additions.length + removals.length > 0) {
      const now = items && [...items];
      related.push([handle, () => handle.settle(now, additions, removals)]);
    }
    const isPaired = kind === "manyToMany";
    for (const item of additions) {
      if (!isThere(item)) continue;
      if (isPaired) pair("insert", relation, state, item, false);
      else adopt(item);
    }
    for (const item of removals) {
      if (isPaired) pair("delete", relation, state, item, !!items);
      else forget(item, relation, state);
    }
    if (rekeyed && !isPaired) {
      for (const child of items ?? []) {
        if (!additions.includes(child)) adopt(child);
      }
    }
  };

  for (const state of pending) {
    const { values, own, filled } = savedOf(state);
    for (const column of state.mapper.columns) {
      const value = state.read(column);
      if (value !== undefined) own.add(column) && values.set(column, value);
    }
    defaults(state, values, true);
    for (const column of values.keys()) {
      if (!own.has(column)) filled.add(column);
    }
  }
  for (const state of persistent) {
    for (const column of state.changes()) {
      const { values, own } = savedOf(state);
      own.add(column) && values.set(column, state.read(column) ?? null);
    }
  }
  for (const state of [...pending, ...persistent]) {
    for (const handle of [...state.handles.values()]) {
      if (!handle.relation.options.viewOnly) sync(handle);
    }
  }

  const released: Work[] = [];
  for (const state of deleted) {
    const { mapper, committed } = state;
    for (const relation of mapper.relations.values()) {
      const { options, kind, secondary, localPairs } = relation;
      if (options.viewOnly) continue;
      const handle = state.handles.get(relation.key);
      const table = secondary ?? mapper.table;
      const where: Values = new Map();
      const values: Values = new Map();
      const work = { mapper, table, values, where, isExpected: false };
      if (secondary) {
        if (options.passiveDeletes) continue;
        for (const { from, to } of localPairs) {
          where.set(
            secondary.column(to),
            committed?.[mapper.columns.indexOf(mapper.table.column(from))],
          );
        }
        released.push({ ...work, kind: "delete" });
      } else if (kind === "manyToOne") {
        if (!options.postUpdate) continue;
        for (const { to } of relation.remotePairs) {
          const column = mapper.table.column(to);
          if (state.read(column) !== null) values.set(column, null);
        }
        rowOf(state).forEach((value, column) => where.set(column, value));
        if (values.size > 0) released.unshift({ ...work, kind: "update" });
      } else if (handle && options.passiveDeletes !== "all") {
        const { committed: before } = handle;
        for (const child of [before ?? []].flat()) {
          forget(child, relation, state);
        }
      }
    }
  }

  const formers = new Map([...deleted].map((state) => [state.key, state]));
  const isGenerated = (state: InstanceState): boolean =>
    state.mapper.primaryKey.some((column) =>
      !savedOf(state).values.has(column)
    );
  for (const state of pending) {
    const { mapper } = state;
    const found = savedOf(state);
    const { values, filled } = found;
    for (const column of mapper.primaryKey) {
      if (
        (values.get(column) ?? null) === null && !late.get(state)?.has(column)
      ) {
        values.delete(column);
        if (
          column !== mapper.table.autoincrementColumn &&
          column.spec.serverDefault === undefined
        ) {
          throw new StateError(
            `Cannot insert ${mapper.name}: its primary key "${column.key}" has no value; set it, or let it have a default()`,
          );
        }
      }
    }
    const key = mapper.primaryKey.map((column) => values.get(column));
    const former = formers.get(identityKey(mapper, key));
    // A new object with a deleted one's key takes over its row.
    if (former) {
      found.former = former;
      for (const column of filled) values.delete(column);
    }
    // What the database numbers stays without a gap: such rows come last.
    if (former || isGenerated(state)) continue;
    for (const [column, value] of [...values]) {
      if (
        value instanceof KeyRef && column.spec.nullable &&
        value.state.mapper.table === mapper.table
      ) defer(state, column, value);
    }
  }

  // Referenced tables first; what stands in a circle shares a rank.
  const needs = new Map<Table, Set<Table>>();
  const states = [...saved.keys(), ...deleted];
  const byName = new Map(
    states.map(({ mapper: { table } }) => [table.fullName, table]),
  );
  for (const table of byName.values()) {
    needs.set(
      table,
      new Set(
        table.foreignKeys.flatMap((key) => byName.get(key.targetTable) ?? []),
      ),
    );
  }
  const named = new Map<InstanceState, InstanceState[]>();
  /** The new objects whose keys an object's row needs. */
  const refs = (state: InstanceState): InstanceState[] => {
    let found = named.get(state);
    if (found) return found;
    named.set(state, found = []);
    for (const value of saved.get(state)?.values.values() ?? []) {
      if (value instanceof KeyRef) found.push(value.state);
    }
    return found;
  };
  for (const state of saved.keys()) {
    for (const { mapper } of refs(state)) {
      needs.get(state.mapper.table)?.add(mapper.table);
    }
  }
  const ranks = rank([...needs.keys()], (table) => needs.get(table) ?? []);
  const rankOf = ({ mapper }: InstanceState): number =>
    ranks.get(mapper.table) ?? 0;
  const tables = [...needs.keys()];
  // How many rows of the same rank must be there before; -1 while it is counted.
  const depths = new Map<InstanceState, number>();
  const depthOf = (state: InstanceState): number => {
    const known = depths.get(state);
    if (known !== undefined && known >= 0) return known;
    if (known !== undefined) {
      const open = [...depths].filter(([, depth]) => depth < 0);
      const from = open.findIndex(([one]) => one === state);
      throw new CircularDependencyError(
        [...open.slice(from), [state] as const].map(([{ mapper }]) =>
          mapper.name
        ),
      );
    }
    depths.set(state, -1);
    let depth = 0;
    for (const needed of refs(state)) {
      if (needed !== state && rankOf(needed) === rankOf(state)) {
        depth = Math.max(depth, 1 + depthOf(needed));
      }
    }
    depths.set(state, depth);
    return depth;
  };
  const order = (state: InstanceState, i: number): readonly number[] => {
    const isInsert = isNew.has(state) && !saved.get(state)?.former;
    const isWaiting = refs(state).some((needed) =>
      rankOf(needed) === rankOf(state)
    );
    const numbered = Number(isInsert && isGenerated(state));
    const depth = isInsert ? depthOf(state) : 0;
    return [
      rankOf(state),
      isInsert ? 1 : isWaiting ? 2 : 0,
      ...(needs.get(state.mapper.table)?.has(state.mapper.table)
        ? [numbered, depth]
        : [depth, numbered]),
      tables.indexOf(state.mapper.table),
      i,
    ];
  };
  const changed = persistent.filter((state) => saved.has(state)).sort(byKey);
  const writes = [...pending, ...changed]
    .map((state, i) => [order(state, i), state] as const)
    .sort(([a], [b]) => compare(a, b))
    .flatMap(([, state]): Work | [] => {
      const { values, former } = savedOf(state);
      const work = workOn(state, values);
      if (isNew.has(state) && !former) {
        return { kind: "insert", ...work, where: new Map(), isExpected: false };
      }
      if (former) {
        for (const key of state.mapper.primaryKey) values.delete(key);
      }
      if (values.size === 0) return [];
      defaults(former ?? state, values, false);
      const where = rowOf(former ?? state);
      return { kind: "update", ...work, where, isExpected: true };
    });

  // Rows of tables in a circle that name each other go before those that they
  // name, save by keys that were cleared before.
  const mappers = new Map(
    [...deleted].map(({ mapper }) => [mapper.table.fullName, mapper]),
  );
  const cleared = new Set(
    released.flatMap(({ kind, values }) =>
      kind === "update" ? [...values.keys()] : []
    ),
  );
  const isCircular = ({ mapper: { table } }: InstanceState): boolean =>
    [...needs.get(table) ?? []].some((one) =>
      ranks.get(one) === ranks.get(table)
    );
  const referred = ({ mapper, committed }: InstanceState): InstanceState[] =>
    mapper.table.foreignKeys.flatMap(({ columns, targetTable }) => {
      const target = mappers.get(targetTable);
      if (!target || columns.some((column) => cleared.has(column))) return [];
      const key = columns.map((column) =>
        committed?.[mapper.columns.indexOf(column)]
      );
      return formers.get(identityKey(target, key)) ?? [];
    });
  const inside = rank([...deleted].sort(byKey), referred);
  const taken = new Set([...saved.values()].map(({ former }) => former));
  const deletes = [...deleted].filter((state) => !taken.has(state)).sort(
    (a, b) =>
      rankOf(b) - rankOf(a) ||
      (isCircular(a) ? (inside.get(b) ?? 0) - (inside.get(a) ?? 0) : 0) ||
      byKey(a, b),
  ).map((state): Work => ({
    kind: "delete",
    ...workOn(state, new Map()),
    where: rowOf(state),
    isExpected: state.mapper.versionColumn !== undefined,
  }));
  const lateWrites = [...late].map(([state, values]): Work => ({
    kind: "update",
    ...workOn(state, values),
    where: new Map(
      state.mapper.primaryKey.map((
        column,
      ) => [column, keyValue(state.object, column.key)]),
    ),
    isExpected: false,
  }));
  const paired = [...pairs.values()];
  return {
    works: [
      ...writes,
      ...lateWrites,
      ...paired.filter(({ kind }) => kind === "delete"),
      ...released,
      ...paired.filter(({ kind }) => kind === "insert"),
      ...deletes,
    ],
    saved,
    gone: deleted,
    related,
  };
}

function workOn(
  state: InstanceState,
  values: Values,
): Pick<Work, "mapper" | "table" | "state" | "values"> {
  const { mapper } = state;
  return { mapper, table: mapper.table, state, values };
}

/** The row of an object as it was last seen: its key, and its version if it has one. */
function rowOf({ mapper, committed, primaryKey }: InstanceState): Values {
  const row: Values = new Map(
    mapper.primaryKey.map((column, i) => {
      const value = primaryKey[i];
      if (value !== null && value !== undefined) return [column, value];
      throw new StateError(
        `Cannot write ${mapper.name}: "${column.key}" of its primary key is NULL; no row can be told by it`,
      );
    }),
  );
  const { versionColumn } = mapper;
  if (versionColumn) {
    row.set(versionColumn, committed?.[mapper.columns.indexOf(versionColumn)]);
  }
  return row;
}

function compare(a: readonly unknown[], b: readonly unknown[]): number {
  const i = a.findIndex((value, at) => value !== b[at]);
  return i < 0 ? 0 : (a[i] as number) < (b[i] as number) ? -1 : 1;
}

function byKey(a: InstanceState, b: InstanceState): number {
  return compare(a.primaryKey, b.primaryKey);
}

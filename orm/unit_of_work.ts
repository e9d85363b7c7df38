import type { Column, Table } from "../sql/mod.ts";
import { rank } from "./_topological.ts";
import { CircularDependencyError, StateError } from "./errors.ts";
import { type Handle, handleOf, OneHandle } from "./handles.ts";
import type { Mapper, RowTable } from "./mapper.ts";
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

  /** The table that makes it. */
  get table(): Table {
    return this.column.table as Table;
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

/** One row of an object; of a class that inherits, an object may have several. */
interface Row extends RowTable {
  /** The object. */
  readonly state: InstanceState;
  /** What is written to it. */
  readonly values: Values;
  /** Whether it is new. */
  readonly isInsert: boolean;
  /** The object's row that it belongs to. */
  readonly before: Row | undefined;
}

/** What an object's attributes become. */
export interface Saved {
  /** Every column that is written; of several rows, at last those of the first. */
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
    const column = state.mapper.column(key);
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
      const column = mapper.column(pair.to);
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
        saved.get(state)?.values.has(state.mapper.column(from))
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
    const { columns, polymorphism } = state.mapper;
    for (const column of columns) {
      const given = state.read(column);
      const value = given === undefined
        ? polymorphism?.initial.get(column)
        : given;
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
      const where: Values = new Map();
      const values: Values = new Map();
      const work = { mapper, values, where, isExpected: false };
      if (secondary) {
        if (options.passiveDeletes) continue;
        for (const { from, to } of localPairs) {
          where.set(
            secondary.column(to),
            committed?.[mapper.columns.indexOf(mapper.column(from))],
          );
        }
        released.push({ ...work, table: secondary, kind: "delete" });
      } else if (kind === "manyToOne") {
        if (!options.postUpdate) continue;
        for (const { to } of relation.remotePairs) {
          const column = mapper.column(to);
          if (state.read(column) !== null) values.set(column, null);
        }
        for (const one of mapper.tables) {
          if (![...values.keys()].some(({ table }) => table === one.table)) {
            continue;
          }
          const where = rowOf(state, one);
          released.unshift({
            ...work,
            table: one.table,
            where,
            kind: "update",
          });
        }
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
          column !== mapper.tables[0]?.table.autoincrementColumn &&
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
        value.column.table === column.table
      ) defer(state, column, value);
    }
  }

  const changed = persistent.filter((state) => saved.has(state)).sort(byKey);
  const rows = new Map<InstanceState, Row[]>();
  /** The rows of an object, each with the values that go there. */
  const rowsOf = (state: InstanceState): Row[] => {
    let found = rows.get(state);
    if (found) return found;
    const { mapper, object } = state;
    const { values, former } = savedOf(state);
    const isNewRow = isNew.has(state) && !former;
    if (former) { for (const key of mapper.primaryKey) values.delete(key); }
    if (!isNewRow && values.size > 0) {
      defaults(former ?? state, values, false);
    }
    rows.set(state, found = []);
    for (const { table, key } of mapper.tables) {
      const isInsert = isNewRow || former !== undefined &&
          former.mapper.tables.every((one) => one.table !== table);
      const before = found.at(-1);
      const own: Values = before ? new Map() : values;
      if (before && isInsert) {
        mapper.primaryKey.forEach((column, i) => {
          own.set(
            key[i] as Column<unknown>,
            former?.primaryKey[i] ?? keyValue(object, column.key),
          );
        });
      }
      for (const [column, value] of before ? [...values] : []) {
        if (column.table !== table) continue;
        own.set(column, value);
        values.delete(column);
      }
      found.push({ state, table, key, values: own, isInsert, before });
    }
    return found;
  };

  // Referenced tables first; what stands in a circle shares a rank.
  const needs = new Map<Table, Set<Table>>();
  const all = [...pending, ...changed].flatMap(rowsOf);
  const byName = new Map(
    [
      ...all,
      ...[...deleted].flatMap(({ mapper }) => mapper.tables),
    ].map(({ table }) => [table.fullName, table]),
  );
  for (const table of byName.values()) {
    needs.set(
      table,
      new Set(
        table.foreignKeys.flatMap((key) => byName.get(key.targetTable) ?? []),
      ),
    );
  }
  const named = new Map<Row, Row[]>();
  /** The new rows that a row needs. */
  const refs = (row: Row): Row[] => {
    let found = named.get(row);
    if (found) return found;
    named.set(row, found = row.before && row.isInsert ? [row.before] : []);
    for (const [column, value] of row.values) {
      if (!(value instanceof KeyRef)) continue;
      const target = row.table.foreignKeys.find(({ columns }) =>
        columns.includes(column)
      )?.targetTable;
      const others = rowsOf(value.state);
      found.push(
        others.find(({ table }) => table.fullName === target) ??
          others[0] as Row,
      );
    }
    return found;
  };
  for (const row of all) {
    for (const { table } of refs(row)) needs.get(row.table)?.add(table);
  }
  const ranks = rank([...needs.keys()], (table) => needs.get(table) ?? []);
  const rankOf = ({ table }: { readonly table: Table }): number =>
    ranks.get(table) ?? 0;
  const tables = [...needs.keys()];
  // How many rows of the same rank must be there before; -1 while it is counted.
  const depths = new Map<Row, number>();
  const depthOf = (row: Row): number => {
    const known = depths.get(row);
    if (known !== undefined && known >= 0) return known;
    if (known !== undefined) {
      const open = [...depths].filter(([, depth]) => depth < 0);
      const from = open.findIndex(([one]) => one === row);
      throw new CircularDependencyError(
        [...open.slice(from), [row] as const].map(([{ state }]) =>
          state.mapper.name
        ),
      );
    }
    depths.set(row, -1);
    let depth = 0;
    for (const needed of refs(row)) {
      if (needed !== row && rankOf(needed) === rankOf(row)) {
        depth = Math.max(depth, 1 + depthOf(needed));
      }
    }
    depths.set(row, depth);
    return depth;
  };
  const order = (row: Row, i: number): readonly number[] => {
    const { table, state, isInsert } = row;
    const isWaiting = refs(row).some((needed) =>
      rankOf(needed) === rankOf(row)
    );
    const numbered = Number(isInsert && isGenerated(state));
    const depth = isInsert ? depthOf(row) : 0;
    return [
      rankOf(row),
      isInsert ? 1 : isWaiting ? 2 : 0,
      ...(needs.get(table)?.has(table) ? [numbered, depth] : [depth, numbered]),
      tables.indexOf(table),
      i,
    ];
  };
  const writes = all
    .map((row, i) => [order(row, i), row] as const)
    .sort(([a], [b]) => compare(a, b))
    .flatMap(([, row]): Work | [] => {
      const { state, table, values, isInsert } = row;
      const work = { mapper: state.mapper, table, state, values };
      if (isInsert) {
        return { kind: "insert", ...work, where: new Map(), isExpected: false };
      }
      if (values.size === 0) return [];
      const where = rowOf(savedOf(state).former ?? state, row);
      return { kind: "update", ...work, where, isExpected: true };
    });

  // Rows of tables in a circle that name each other go before those that they
  // name, save by keys that were cleared before.
  const mappers = new Map(
    [...deleted].flatMap(({ mapper }) =>
      mapper.tables.map(({ table }) => [table.fullName, mapper])
    ),
  );
  const cleared = new Set(
    released.flatMap(({ kind, values }) =>
      kind === "update" ? [...values.keys()] : []
    ),
  );
  const isCircular = (table: Table): boolean =>
    [...needs.get(table) ?? []].some((one) =>
      ranks.get(one) === ranks.get(table)
    );
  const referred = ({ mapper, committed }: InstanceState): InstanceState[] =>
    mapper.tables.flatMap(({ table }) => table.foreignKeys).flatMap((
      { columns, targetTable },
    ) => {
      const target = mappers.get(targetTable);
      if (!target || columns.some((column) => cleared.has(column))) return [];
      const key = columns.map((column) =>
        committed?.[mapper.columns.indexOf(column)]
      );
      return formers.get(identityKey(target, key)) ?? [];
    });
  const inside = rank([...deleted].sort(byKey), referred);
  // Rows that a new object takes over stay.
  const heirs = new Map(
    [...saved].map(([{ mapper }, { former }]) => [former, mapper.tables]),
  );
  const deletes = [...deleted].flatMap((state) =>
    state.mapper.tables.map((one, place) => ({ ...one, state, place }))
  ).filter(({ state, table, isPassive }) =>
    !isPassive && !heirs.get(state)?.some((one) => one.table === table)
  ).sort((a, b) =>
    rankOf(b) - rankOf(a) ||
    (isCircular(a.table)
      ? (inside.get(b.state) ?? 0) - (inside.get(a.state) ?? 0)
      : 0) ||
    b.place - a.place || byKey(a.state, b.state)
  ).map((one): Work => ({
    kind: "delete",
    mapper: one.state.mapper,
    table: one.table,
    state: one.state,
    values: new Map(),
    where: rowOf(one.state, one),
    isExpected: one.state.mapper.versionColumn?.table === one.table,
  }));
  const lateWrites = [...late].flatMap(([state, all]) =>
    state.mapper.tables.flatMap(({ table, key }): Work | [] => {
      const values: Values = new Map(
        [...all].filter(([column]) => column.table === table),
      );
      if (values.size === 0) return [];
      const { mapper, object } = state;
      return {
        ...{ kind: "update", mapper, table, state, values },
        where: new Map(
          mapper.primaryKey.map((column, i) => [
            key[i] as Column<unknown>,
            keyValue(object, column.key),
          ]),
        ),
        isExpected: false,
      };
    })
  );
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

/** A row of an object as it was last seen: its key, and its version if it has one there. */
function rowOf(
  { mapper, committed, primaryKey }: InstanceState,
  { table, key }: RowTable,
): Values {
  const row: Values = new Map(
    key.map((column, i) => {
      const value = primaryKey[i];
      if (value !== null && value !== undefined) return [column, value];
      throw new StateError(
        `Cannot write ${mapper.name}: "${column.key}" of its primary key is NULL; no row can be told by it`,
      );
    }),
  );
  const { versionColumn } = mapper;
  if (versionColumn?.table === table) {
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

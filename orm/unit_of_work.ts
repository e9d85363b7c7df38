import type { ForeignKey, Table } from "../sql/mod.ts";
import { fillDefaults } from "./_defaults.ts";
import { rank } from "./_topological.ts";
import { Changes } from "./changes.ts";
import { CircularDependencyError, StateError } from "./errors.ts";
import type { Handle } from "./handles/handle.ts";
import type { ObjectSet } from "./object_set.ts";
import { identityKey, type InstanceState } from "./state.ts";
import {
  KeyRef,
  ofTable,
  rowOf,
  type RowWork,
  type Saved,
  updatesOf,
  type Work,
  workOn,
} from "./work.ts";

/** What a unit of work writes, in an order that no foreign key minds. */
export interface Plan {
  /** The rows in order. */
  readonly works: readonly Work[];
  /** What the objects become. */
  readonly saved: ReadonlyMap<InstanceState, Saved>;
  /** The objects whose rows go. */
  readonly gone: ReadonlySet<InstanceState>;
  /** Notes in handles that what they say is written. */
  readonly settled: ReadonlyMap<Handle, () => void>;
}

/**
 * Plans what a session's changes write: Fowler's Unit of Work.
 *
 * @param deleted The objects whose rows go.
 */
export function planUnit(
  objects: ObjectSet,
  deleted: ReadonlySet<InstanceState>,
): Plan {
  const changes = new Changes(objects, deleted);
  const { saved, late, settled, pending, persistent } = changes;
  const links = [...changes.links.values()];
  const formers = new Map([...deleted].map((state) => [state.key, state]));
  const isGenerated = (state: InstanceState): boolean =>
    state.mapper.primaryKey.some((column) =>
      !changes.of(state).values.has(column)
    );
  for (const state of pending) {
    const { mapper, identityToken } = state;
    const found = changes.of(state);
    const { values, isGiven } = found;
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
    const former = formers.get(identityKey(mapper, key, identityToken));
    // A new object with a deleted one's key takes over its row.
    if (former) {
      found.former = former;
      for (const [column, isOwn] of isGiven) if (!isOwn) values.delete(column);
    }
  }
  // What the database numbers stays without a gap: such rows come after those
  // of which the key is known, be they new or known by another one now.
  for (const [state, { values, former }] of saved) {
    if (former || isGenerated(state)) continue;
    for (const [column, value] of [...values]) {
      if (
        value instanceof KeyRef && column.spec.nullable &&
        (state.key || value.table === column.table)
      ) changes.defer(state, column, value);
    }
  }

  const changed = persistent.filter((state) => saved.has(state)).sort(byKey);
  const rows = new Map(
    [...pending, ...changed].map((state) => [state, rowsOf(state, changes)]),
  );
  const all = [...rows.values()].flat();
  const going = [...deleted].sort(byKey).flatMap((state) =>
    state.mapper.tables.map((one) => ({ ...one, state }))
  );

  // Referenced tables first; those of a circle share a rank.
  const tables = [...new Set([...all, ...going].map(({ table }) => table))];
  const tableOf = ({ targetTable }: ForeignKey): Table | undefined =>
    tables.find(({ fullName }) => fullName === targetTable);
  const needs = new Map(
    tables.map((table) => [
      table,
      new Set(table.foreignKeys.flatMap((key) => tableOf(key) ?? [])),
    ]),
  );
  const named = new Map<RowWork, RowWork[]>();
  for (const own of rows.values()) {
    own.forEach((row, i) => {
      const { kind, table, values, state } = row;
      // A new row needs those of the classes above.
      const found = kind === "insert" ? own.slice(0, i) : [];
      for (const [column, source] of changes.of(state).refers) {
        if (!values.has(column)) continue;
        const key = table.foreignKeys.find(({ columns }) =>
          columns.includes(column)
        );
        const target = key && tableOf(key);
        const others = rows.get(source) as [RowWork];
        const other = others.find(({ table }) => table === target) ??
          others[0];
        // A row that is taken over is there.
        if (other.kind === "insert") found.push(other);
      }
      for (const other of found) needs.get(table)?.add(other.table);
      named.set(row, found.filter((other) => other !== row));
    });
  }
  const ranks = rank(tables, (table) => [...needs.get(table) ?? []]);
  const rankOf = ({ table }: Work): number => ranks.get(table) ?? 0;
  /** The new rows of the same rank that a row needs. */
  const refs = (row: RowWork): RowWork[] =>
    named.get(row)?.filter((other) => rankOf(other) === rankOf(row)) ?? [];
  const depths = rank(
    all.filter(({ kind }) => kind === "insert"),
    refs,
    (circle) => {
      throw new CircularDependencyError(
        [...circle, ...circle.slice(0, 1)].map(({ state }) =>
          state.mapper.name
        ),
      );
    },
  );
  const writes = inOrder(
    all.filter(({ kind, values }) => kind === "insert" || values.size > 0),
    (row) => {
      const { kind, table, state } = row;
      const isInsert = kind === "insert";
      const numbered = Number(isInsert && isGenerated(state));
      const depth = depths.get(row) ?? 0;
      return [
        rankOf(row),
        isInsert ? 1 : refs(row).length > 0 ? 2 : 0,
        // Only where keys are numbered must known ones come first.
        ...(table.autoincrementColumn && needs.get(table)?.has(table)
          ? [numbered, depth]
          : [depth, numbered]),
        tables.indexOf(table),
      ];
    },
  );

  // Rows of tables in a circle that name each other go before those that they
  // name, save by keys that were cleared before.
  const mappers = new Map(
    going.map(({ table, state }) => [table, state.mapper]),
  );
  const cleared = new Set(links.flatMap(({ values }) => [...values.keys()]));
  const inside = rank(
    [...deleted],
    (state) =>
      state.mapper.tables.flatMap(({ table }) =>
        table.foreignKeys.flatMap((key) => {
          const { columns } = key;
          const target = tableOf(key);
          const mapper = target && mappers.get(target);
          if (
            !mapper || ranks.get(target) !== ranks.get(table) ||
            columns.some((column) => cleared.has(column))
          ) return [];
          const values = columns.map((column) => state.before(column));
          return formers.get(
            identityKey(mapper, values, state.identityToken),
          ) ??
            [];
        })
      ),
  );
  // Rows that a new object takes over stay.
  const heirs = new Map(
    [...saved].map(([{ mapper }, { former }]) => [former, mapper.tables]),
  );
  const deletes = inOrder(
    going.flatMap((row): RowWork | [] => {
      const { state, table, isPassive } = row;
      if (isPassive || heirs.get(state)?.some((one) => one.table === table)) {
        return [];
      }
      const isVersioned = state.mapper.versionColumn?.table === table;
      const where = rowOf(state, row);
      return workOn("delete", state, table, new Map(), where, isVersioned);
    }),
    // Of one object, what belongs to another of its rows goes before it.
    (row) => [
      -rankOf(row),
      -(inside.get(row.state) ?? 0),
      -tables.indexOf(row.table),
    ],
  );
  const lateWrites = [...late].flatMap(([state, values]) =>
    updatesOf(state, values, (row) => changes.keyIn(state, row))
  );
  return {
    works: [
      ...writes,
      ...lateWrites,
      ...links.filter(({ kind }) => kind !== "insert"),
      ...links.filter(({ kind }) => kind === "insert"),
      ...deletes,
    ],
    saved,
    gone: deleted,
    settled,
  };
}

/** What is written to an object's rows, each with the values that go there. */
function rowsOf(state: InstanceState, changes: Changes): RowWork[] {
  const { mapper } = state;
  const { values, former } = changes.of(state);
  const isNew = changes.pending.has(state) && !former;
  if (former) { for (const key of mapper.primaryKey) values.delete(key); }
  if (!isNew && values.size > 0) fillDefaults(former ?? state, values, false);
  return mapper.tables.map((row, i) => {
    const { table } = row;
    const isInsert = isNew || former !== undefined &&
        former.mapper.tables.every((one) => one.table !== table);
    let own = values;
    if (i > 0) {
      // What a class adds stands in a table of its own.
      const added = ofTable(values, table);
      for (const column of added.keys()) values.delete(column);
      own = new Map([...isInsert ? changes.keyIn(state, row) : [], ...added]);
    }
    return isInsert
      ? workOn("insert", state, table, own, new Map())
      : workOn("update", state, table, own, rowOf(former ?? state, row), true);
  });
}

/** Items by what decides for each, the first differing number first; else as they are. */
function inOrder<T>(
  items: readonly T[],
  by: (item: T) => readonly number[],
): T[] {
  return items.map((item) => [by(item), item] as const)
    .sort(([a], [b]) => compare(a, b)).map(([, item]) => item);
}

function compare(a: readonly unknown[], b: readonly unknown[]): number {
  const i = a.findIndex((value, at) => value !== b[at]);
  return i < 0 ? 0 : (a[i] as number) < (b[i] as number) ? -1 : 1;
}

function byKey(a: InstanceState, b: InstanceState): number {
  return compare(a.primaryKey, b.primaryKey);
}

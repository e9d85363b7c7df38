import type { Column, Table } from "../sql/mod.ts";
import { rank } from "./_topological.ts";
import { Changes, type Unit } from "./changes.ts";
import { CircularDependencyError, StateError } from "./errors.ts";
import type { Handle } from "./handles/handle.ts";
import type { RowTable } from "./mapper.ts";
import { identityKey, type InstanceState } from "./state.ts";
import {
  KeyRef,
  rowOf,
  type Saved,
  type Values,
  type Work,
  workOn,
} from "./work.ts";

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
 */
export function planUnit(unit: Unit): Plan {
  const { deleted, defaults } = unit;
  const changes = new Changes(unit);
  const { saved, late, pairs, released, settled, pending, persistent } =
    changes;
  const savedOf = (state: InstanceState): Saved => changes.of(state);

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
    const former = formers.get(identityKey(mapper, key, state.identityToken));
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
      ) changes.defer(state, column, value);
    }
  }

  const changed = persistent.filter((state) => saved.has(state)).sort(byKey);
  const rows = new Map<InstanceState, Row[]>();
  /** The rows of an object, each with the values that go there. */
  const rowsOf = (state: InstanceState): Row[] => {
    let found = rows.get(state);
    if (found) return found;
    const { mapper } = state;
    const { values, former } = savedOf(state);
    const isNewRow = pending.has(state) && !former;
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
            former?.primaryKey[i] ?? changes.keyValue(state, column.key),
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
  const all = [...pending, ...changed].flatMap(rowsOf);
  const going = [...deleted].sort(byKey).flatMap((state) =>
    state.mapper.tables.map((one, place) => ({ ...one, state, place }))
      .reverse()
  );

  // Referenced tables first; those of a circle share a rank.
  const byName = new Map(
    [...all, ...going].map(({ table }) => [table.fullName, table]),
  );
  const tables = [...byName.values()];
  const needs = new Map(
    tables.map((
      table,
    ) => [
      table,
      new Set(
        table.foreignKeys.flatMap((key) => byName.get(key.targetTable) ?? []),
      ),
    ]),
  );
  const named = new Map<Row, Row[]>();
  for (const row of all) {
    const found = row.before && row.isInsert ? [row.before] : [];
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
    for (const { table } of found) needs.get(row.table)?.add(table);
    named.set(row, found.filter((other) => other !== row));
  }
  const ranks = rank(tables, (table) => [...needs.get(table) ?? []]);
  const rankOf = ({ table }: { readonly table: Table }): number =>
    ranks.get(table) ?? 0;
  /** The new rows of the same rank that a row needs. */
  const refs = (row: Row): Row[] =>
    named.get(row)?.filter((other) => rankOf(other) === rankOf(row)) ?? [];
  const depths = rank(
    all.filter(({ isInsert }) => isInsert),
    refs,
    (circle) => {
      throw new CircularDependencyError(
        [...circle, ...circle.slice(0, 1)].map(({ state }) =>
          state.mapper.name
        ),
      );
    },
  );
  const writes = inOrder(all, (row) => {
    const { table, state, isInsert } = row;
    const numbered = Number(isInsert && isGenerated(state));
    const depth = depths.get(row) ?? 0;
    return [
      rankOf(row),
      isInsert ? 1 : refs(row).length > 0 ? 2 : 0,
      ...(needs.get(table)?.has(table) ? [numbered, depth] : [depth, numbered]),
      tables.indexOf(table),
    ];
  }).flatMap(({ state, table, key, values, isInsert }): Work | [] => {
    if (isInsert) return workOn("insert", state, table, values, new Map());
    if (values.size === 0) return [];
    const where = rowOf(savedOf(state).former ?? state, { table, key });
    return workOn("update", state, table, values, where, true);
  });

  // Rows of tables in a circle that name each other go before those that they
  // name, save by keys that were cleared before.
  const mappers = new Map(
    going.map(({ table, state }) => [table.fullName, state.mapper]),
  );
  const cleared = new Set(released.flatMap(({ values }) => [...values.keys()]));
  const inside = rank(
    going.map(({ state }) => state),
    (state) =>
      state.mapper.tables.flatMap(({ table }) => table.foreignKeys).flatMap((
        { columns, targetTable },
      ) => {
        const target = mappers.get(targetTable);
        if (!target || columns.some((column) => cleared.has(column))) return [];
        const key = columns.map((column) => state.before(column));
        return formers.get(identityKey(target, key, state.identityToken)) ?? [];
      }),
  );
  // Rows that a new object takes over stay.
  const heirs = new Map(
    [...saved].map(([{ mapper }, { former }]) => [former, mapper.tables]),
  );
  const deletes = inOrder(
    going.filter(({ state, table, isPassive }) =>
      !isPassive && !heirs.get(state)?.some((one) => one.table === table)
    ),
    ({ table, state, place }) => {
      const isCircular = [...needs.get(table) ?? []].some((one) =>
        ranks.get(one) === ranks.get(table)
      );
      return [
        -rankOf({ table }),
        isCircular ? -(inside.get(state) ?? 0) : 0,
        // Of one object, what belongs to another of its rows goes before it.
        -(isCircular ? place : tables.indexOf(table)),
      ];
    },
  ).map((row) => {
    const { state, table } = row;
    const isVersioned = state.mapper.versionColumn?.table === table;
    const where = rowOf(state, row);
    return workOn("delete", state, table, new Map(), where, isVersioned);
  });
  const lateWrites = [...late].flatMap(([state, all]) =>
    state.mapper.tables.flatMap(({ table, key }): Work | [] => {
      const values: Values = new Map(
        [...all].filter(([column]) => column.table === table),
      );
      if (values.size === 0) return [];
      const where: Values = new Map(
        state.mapper.primaryKey.map((column, i) => [
          key[i] as Column<unknown>,
          changes.keyValue(state, column.key),
        ]),
      );
      return workOn("update", state, table, values, where);
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
    settled,
  };
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

import type { Column, Table } from "../sql/mod.ts";
import { StateError } from "./errors.ts";
import type { Mapper, RowTable } from "./mapper.ts";
import type { InstanceState } from "./state.ts";

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

/** A column and what it will hold. */
export type Entry = readonly [Column<unknown>, unknown];

/** One row to write. */
export interface Work {
  /** What is done to the row. */
  readonly kind: "insert" | "update" | "delete";
  /** The class that it is done for; it says where the statement goes. */
  readonly mapper: Mapper;
  /** Which database the row is in, where rows of one key are in several. */
  readonly identityToken?: string | undefined;
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

/** One row of an object to write. */
export interface RowWork extends Work {
  readonly state: InstanceState;
}

/** Notes what is written to a row of an object. */
export function workOn(
  kind: Work["kind"],
  state: InstanceState,
  table: Table,
  values: Values,
  where: Values,
  isExpected = false,
): RowWork {
  const { mapper, identityToken } = state;
  return {
    kind,
    mapper,
    identityToken,
    table,
    values,
    where,
    isExpected,
    state,
  };
}

/** Notes what is written to columns of an object's rows, each table's by itself. */
export function updatesOf(
  state: InstanceState,
  values: Values,
  whereOf: (row: RowTable) => Values,
): RowWork[] {
  return state.mapper.tables.flatMap((row) => {
    const own = ofTable(values, row.table);
    return own.size > 0
      ? workOn("update", state, row.table, own, whereOf(row))
      : [];
  });
}

/** Those of some values that stand in one table. */
export function ofTable(values: Values, table: Table): Values {
  return new Map([...values].filter(([column]) => column.table === table));
}

/** What an object's attributes become. */
export interface Saved {
  /** Every column that is written; of several rows, at last those of the first. */
  readonly values: Values;
  /** Those of which the program gave the value, and, as `false`, a default did. */
  readonly isGiven: Map<Column<unknown>, boolean>;
  /** Whose key a column holds, of those that are new: their rows go first. */
  readonly refers: Map<Column<unknown>, InstanceState>;
  /** The deleted object whose row a new one takes over. */
  former?: InstanceState;
}

/** A row of an object as it was last seen: its key, and its version if it has one there. */
export function rowOf(
  state: InstanceState,
  { table, key }: RowTable,
): Values {
  const { mapper, primaryKey } = state;
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
    row.set(versionColumn, state.before(versionColumn));
  }
  return row;
}

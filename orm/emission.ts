import {
  Bind,
  type Column,
  deleteFrom,
  type Engine,
  Expression,
  Insert,
  insert,
  type RowShape,
  type Statement,
  type Table,
  toDriver,
  Update,
} from "../sql/mod.ts";
import { type BulkColumn, JsonInsert } from "./_json_insert.ts";
import type { InstanceState } from "./state.ts";
import {
  KeyRef,
  type PairWork,
  type RowWork,
  type Values,
} from "./unit_of_work.ts";

/** From how many rows on they go as one JSON parameter; fewer read better in a log. */
const BULK = 5;

/** The most characters of such a parameter; each may be three bytes. */
const BULK_CHARS = 300_000;

/** A statement of a unit of work, and what its answer says of objects. */
export interface Emission {
  /** The statement. */
  readonly statement: Statement<unknown>;
  /** Takes the rows of its answer. */
  readonly receive?: (rows: readonly unknown[]) => void;
}

/** What the database made for new rows, gathered until every answer is there. */
export type Generated = Map<InstanceState, Map<Column<unknown>, unknown>>;

/** Keys that were reserved before the batch, for databases that count apart. */
export type ReservedKeys = ReadonlyMap<InstanceState, unknown>;

/** Turns the work for one engine into statements, in order. */
export class Emitter {
  /** The statements so far. */
  readonly emissions: Emission[] = [];
  /** What their answers said. */
  readonly generated: Generated = new Map();
  /** What each guard's label stands for. */
  readonly guarded: InstanceState[] = [];
  /** Where they go. */
  readonly engine: Engine;
  readonly #reserved: ReservedKeys;
  // How many rows were numbered by each table so far, and each object's place.
  readonly #numbered = new Map<Table, number>();
  readonly #places = new Map<InstanceState, number>();
  readonly #placed = new Map<Table, number>();

  /** Starts the statements for an engine. */
  constructor(engine: Engine, reserved: ReservedKeys) {
    this.engine = engine;
    this.#reserved = reserved;
  }

  /** Adds rows to write; `works` is one run of a plan. */
  write(works: readonly RowWork[]): void {
    for (const { state, kind, table, values } of works) {
      if (kind === "insert" && numberedColumn(table, values)) {
        this.#place(state, table);
      }
    }
    for (let i = 0; i < works.length;) {
      const first = works[i] as RowWork;
      let end = i + 1;
      while (
        end < works.length && this.#isAlike(first, works[end] as RowWork)
      ) end++;
      const run = works.slice(i, end);
      if (first.kind === "insert") this.#insert(run);
      else this.#update(run);
      i = end;
    }
  }

  /** Adds pairs of many-to-many relations to write and remove. */
  pairs(works: readonly PairWork[]): void {
    for (let i = 0; i < works.length;) {
      const first = works[i] as PairWork;
      let end = i + 1;
      while (
        end < works.length && works[end]?.kind === first.kind &&
        works[end]?.relation.secondary === first.relation.secondary &&
        this.#maskOf(works[end]?.values as Values) ===
          this.#maskOf(first.values)
      ) end++;
      const run = works.slice(i, end).map(({ values }) => values);
      const table = first.relation.secondary as Table;
      if (first.kind === "link") this.#insertRows(table, undefined, run, []);
      else for (const values of run) this.#unlink(table, values);
      i = end;
    }
  }

  /** Adds rows to delete. */
  delete(works: readonly RowWork[]): void {
    for (let i = 0; i < works.length;) {
      const { state, table } = works[i] as RowWork;
      const { versionColumn, primaryKey: [key, ...more] } = state.mapper;
      let end = i + 1;
      if (versionColumn || more.length > 0 || !key) {
        const statement = deleteFrom(table).where(...this.#identify(state));
        if (versionColumn) this.#guard(statement, state);
        else this.emissions.push({ statement });
      } else {
        while (works[end]?.table === table) end++;
        const keys = works.slice(i, end).map((work) =>
          work.state.primaryKey[0]
        );
        const found = keys.length === 1 ? key.eq(keys[0]) : key.in(keys);
        this.emissions.push({ statement: deleteFrom(table).where(found) });
      }
      i = end;
    }
  }

  #place(state: InstanceState, table: Table): void {
    const place = this.#placed.get(table) ?? 0;
    this.#placed.set(table, place + 1);
    this.#places.set(state, place);
  }

  #isAlike(a: RowWork, b: RowWork): boolean {
    return a.kind === "insert" && b.kind === "insert" && a.table === b.table &&
      this.#maskOf(a.values) === this.#maskOf(b.values);
  }

  /** Rows with equal masks fit one statement: same columns, same references. */
  #maskOf(values: Values): string {
    return [...values].map(([column, value]) =>
      column.name +
      (this.#isRef(value)
        ? `#${value.column.table.labelPrefix}`
        : value instanceof Expression
        ? "?"
        : "")
    ).join("\0");
  }

  #isRef(value: unknown): value is KeyRef {
    return value instanceof KeyRef && !this.#reserved.has(value.state);
  }

  #insert(run: readonly RowWork[]): void {
    const { table, values } = run[0] as RowWork;
    const numbered = numberedColumn(table, values);
    const returning = table.columns.filter((column) =>
      column === numbered && !this.#reserved.has((run[0] as RowWork).state) ||
      !values.has(column) &&
        (column.spec.serverDefault !== undefined || column.spec.computed)
    );
    this.#insertRows(
      table,
      numbered,
      run.map((work) => work.values),
      run.map((work) => work.state),
      returning,
    );
  }

  #insertRows(
    table: Table,
    numbered: Column<unknown> | undefined,
    rows: readonly Values[],
    states: readonly InstanceState[],
    returning: readonly Column<unknown>[] = [],
  ): void {
    const { dialect } = this.engine;
    const first = rows[0] as Values;
    const isBulk = rows.length >= BULK && dialect.features.jsonEach &&
      rows.every((values) => [...values.values()].every(isJsonSafe));
    const shape: RowShape | undefined = returning.length > 0
      ? {
        kind: "tuple",
        items: returning.map((column) => ({ expressions: [column] })),
      }
      : undefined;
    if (isBulk) {
      const lastKey = (column: Column<unknown>) =>
        dialect.writes.keyAfterLast?.(column, 0);
      const columns = [...first].map(([column, value]): BulkColumn => ({
        column,
        lastKey: this.#isRef(value) ? lastKey(value.column) : undefined,
      }));
      // Platforms limit a parameter's bytes; each chunk counts keys anew.
      for (let from = 0; from < rows.length;) {
        const cells: string[] = [];
        let length = 0;
        for (const values of rows.slice(from)) {
          const row = JSON.stringify(columns.map(({ column }) => {
            const value = values.get(column);
            return this.#isRef(value)
              ? this.#offset(value)
              : toDriver(this.#known(value), column.spec.type, dialect);
          }));
          length += row.length;
          if (length > BULK_CHARS && cells.length > 0) break;
          cells.push(row);
        }
        const chunk = states.slice(from, from += cells.length);
        this.emissions.push({
          statement: new JsonInsert(
            table,
            numbered && {
              column: numbered,
              lastKey: dialect.writes.keyAfterLast?.(numbered, 1),
            },
            columns,
            `[${cells}]`,
            shape,
          ),
          receive: (answers) =>
            this.#receive(
              chunk,
              returning,
              inKeyOrder(answers, returning, numbered),
            ),
        });
        this.#count(table, numbered, cells.length);
      }
      return;
    }
    rows.forEach((values, i) => {
      const row = [...values].map((
        [column, value],
      ): [Column<unknown>, Expression<unknown>] => [
        column,
        this.#expression(value, column),
      ]);
      const statement = new Insert(table, [row], undefined, undefined, shape);
      const state = states[i];
      this.emissions.push({
        statement: row.length > 0 || shape ? statement : insert(table),
        receive: (answers) =>
          this.#receive(state ? [state] : [], returning, answers),
      });
      this.#count(table, numbered, 1);
    });
  }

  #count(
    table: Table,
    numbered: Column<unknown> | undefined,
    rows: number,
  ): void {
    if (numbered) {
      this.#numbered.set(table, (this.#numbered.get(table) ?? 0) + rows);
    }
  }

  #update(run: readonly RowWork[]): void {
    for (const { state, values } of run) {
      const set = [...values].map((
        [column, value],
      ): [Column<unknown>, Expression<unknown>] => [
        column,
        this.#expression(value, column),
      ]);
      this.#guard(
        new Update(state.mapper.table, set).where(...this.#identify(state)),
        state,
      );
    }
  }

  #unlink(table: Table, values: Values): void {
    this.emissions.push({
      statement: deleteFrom(table).where(
        ...[...values].map(([column, value]) => column.eq(value)),
      ),
    });
  }

  #guard(write: Statement<unknown>, state: InstanceState): void {
    const label = `stale:${this.guarded.length}`;
    this.guarded.push(state);
    const { writes } = this.engine.dialect;
    for (const statement of writes.expectRows(write, 1, label)) {
      this.emissions.push({ statement });
    }
  }

  /** The row of an object as it was last seen: its key, and its version if it has one. */
  #identify(state: InstanceState): Expression<boolean>[] {
    const { mapper, committed } = state;
    const key = state.primaryKey;
    const { versionColumn } = mapper;
    return [
      ...mapper.primaryKey.map((column, i) => column.eq(key[i])),
      ...(versionColumn
        ? [versionColumn.eq(committed?.[mapper.columns.indexOf(versionColumn)])]
        : []),
    ];
  }

  #receive(
    states: readonly InstanceState[],
    returning: readonly Column<unknown>[],
    answers: readonly unknown[],
  ): void {
    if (returning.length === 0) return;
    states.forEach((state, i) => {
      const answer = answers[i] as readonly unknown[];
      this.generated.set(
        state,
        new Map(returning.map((column, at) => [column, answer[at]])),
      );
    });
  }

  /** How many rows after the last one of its table an object's row comes. */
  #offset(ref: KeyRef): number {
    const place = this.#places.get(ref.state) ?? 0;
    return place - (this.#numbered.get(ref.state.mapper.table) ?? 0) + 1;
  }

  /** A reference whose key was reserved is that key. */
  #known(value: unknown): unknown {
    return value instanceof KeyRef ? this.#reserved.get(value.state) : value;
  }

  #expression(value: unknown, column: Column<unknown>): Expression<unknown> {
    if (this.#isRef(value)) {
      const key = this.engine.dialect.writes.keyAfterLast?.(
        value.column,
        this.#offset(value),
      );
      if (key) return key;
    }
    const known = this.#known(value);
    return known instanceof Expression
      ? known
      : new Bind(known, column.spec.type);
  }
}

/** The column that the database numbers, where a row leaves it out. */
export function numberedColumn(
  table: Table,
  values: Values,
): Column<unknown> | undefined {
  const column = table.autoincrementColumn;
  return column && !values.has(column) ? column : undefined;
}

function isJsonSafe(value: unknown): boolean {
  return !(value instanceof Expression) && !(value instanceof Uint8Array) &&
    !(typeof value === "string" && value.includes("\0"));
}

// Answers may come in any order; keys were given in the order of the rows.
function inKeyOrder(
  answers: readonly unknown[],
  returning: readonly Column<unknown>[],
  numbered: Column<unknown> | undefined,
): readonly unknown[] {
  const at = numbered ? returning.indexOf(numbered) : -1;
  if (at < 0) return answers;
  return [...answers].sort((a, b) =>
    Number((a as readonly unknown[])[at]) -
    Number((b as readonly unknown[])[at])
  );
}

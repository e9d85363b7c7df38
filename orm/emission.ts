import {
  batchWrites,
  Bind,
  type Column,
  type Engine,
  Expression,
  generatedKey,
  quoteName,
  type Result,
  type Statement,
  type Table,
  toDriver,
} from "../sql/mod.ts";
import { Cell, listed, type Part, Write } from "./_write.ts";
import { StateError } from "./errors.ts";
import { guardLabel } from "./_guard.ts";
import type { InstanceState } from "./state.ts";
import { KeyRef, type Values, type Work } from "./work.ts";

/**
 * From how many rows on they go as one JSON parameter; fewer read better in a
 * log. Rows that are deleted may name each other, so two of them go together.
 */
const BULK = 5;

/** The most characters of such a parameter; each may be three bytes. */
const BULK_CHARS = 300_000;

/** A statement of a unit of work, and what its answer says of objects. */
export interface Emission {
  /** The statement. */
  readonly statement: Statement<unknown>;
  /** Takes its answer. */
  readonly receive: ((rows: Result<unknown>) => void) | undefined;
}

/** Rows of work as one parameter. */
interface Bulk {
  readonly json: Bind;
  readonly size: number;
}

/** Turns the work for one engine into statements, in order. */
export class Emitter {
  /** The statements so far. */
  readonly emissions: Emission[] = [];
  /** What their answers said. */
  readonly generated: Map<InstanceState, Values> = new Map();
  /** What each guard's label stands for. */
  readonly guarded: (readonly Work[])[] = [];
  /** Where they go. */
  readonly engine: Engine;
  readonly #warn: (message: string) => void;
  // How many rows each table has numbered so far, and each object's place.
  readonly #numbered = new Map<Table, number>();
  readonly #places = new Map<InstanceState, number>();

  /** Starts the statements for an engine. */
  constructor(engine: Engine, warn: (message: string) => void) {
    this.engine = engine;
    this.#warn = warn;
  }

  /** Adds one run of a plan. */
  write(works: readonly Work[]): void {
    const numbered = new Map(this.#numbered);
    for (const { kind, state, table, values } of works) {
      if (kind === "insert" && state && generatedKey(table, values)) {
        const place = numbered.get(table) ?? 0;
        numbered.set(table, place + 1);
        this.#places.set(state, place);
      }
    }
    for (const { items } of runs(works, shapeOf)) this.#writeAlike(items);
  }

  /** Writes rows of one shape: many as one parameter, others one by one. */
  #writeAlike(works: readonly Work[]): void {
    const [{ kind, table, values, state }] = works as [Work];
    const isInsert = kind === "insert";
    const numbered = isInsert ? generatedKey(table, values) : undefined;
    const answers = state && kind !== "delete"
      ? table.columns.filter((column) =>
        column === numbered || column.spec.computed ||
        (values.has(column)
          ? values.get(column) instanceof Expression
          : isInsert && column.spec.serverDefault !== undefined)
      )
      : [];
    const { keyAfterLast } = batchWrites(this.engine.dialect);
    const nextKey = numbered && numbered === table.autoincrementColumn
      ? keyAfterLast?.(numbered, 1)
      : undefined;
    // Where others write in between, nothing says which row an answer is about.
    const isMany = works.length >= (kind === "delete" ? 2 : BULK);
    const isBulk = isMany &&
      (numbered
        ? nextKey !== undefined
        : answers.length === 0 || isInsert && keyAfterLast !== undefined);
    for (let at = 0; at < works.length;) {
      const bulk = isBulk ? this.#bulk(works, at) : undefined;
      const chunk = works.slice(at, at += bulk?.size ?? 1);
      const parts = this.#parts(chunk[0] as Work, bulk, numbered, nextKey);
      if (isInsert) {
        if (numbered) {
          const before = this.#numbered.get(table) ?? 0;
          this.#numbered.set(table, before + chunk.length);
        }
        this.#push(table, parts, answers, (rows) => {
          // Answers may come in any order; keys grow in the order of the rows.
          const key = numbered ? answers.indexOf(numbered) : -1;
          const sorted = key < 0
            ? rows
            : ([...rows] as number[][]).sort((a, b) => a[key]! - b[key]!);
          this.#receive(chunk, answers, sorted);
        });
      } else this.#change(chunk, parts);
      if (!isInsert && answers.length > 0) this.#reread(chunk, answers);
    }
  }

  /** Writes an UPDATE or DELETE, which must find its rows where that is expected. */
  #change(works: readonly Work[], parts: Part): void {
    const [{ table, kind, state, mapper, isExpected }] = works as [Work];
    if (isExpected) {
      const label = guardLabel(this.guarded.push(works) - 1);
      const { expectRows } = batchWrites(this.engine.dialect);
      const write = new Write(table, parts);
      for (const statement of expectRows(write, works.length, label)) {
        this.emissions.push({ statement, receive: undefined });
      }
      return;
    }
    this.#push(table, parts, [], ({ rowCount }) => {
      if (kind === "delete" && state && rowCount < works.length) {
        this.#warn(
          `DELETE of ${works.length} ${mapper.name} matched ${rowCount} rows`,
        );
      }
    });
  }

  /** What the database worked out for a row is read in the same trip. */
  #reread(works: readonly Work[], answers: readonly Column<unknown>[]): void {
    const [{ table, values, where }] = works as [Work];
    const key = [...where].filter(([{ spec }]) => !spec.info?.version)
      .map(([column, value]): Part => {
        const now = this.#expression(values.get(column) ?? value, column);
        return [column, " = ", now];
      });
    this.#push(
      table,
      ["SELECT ", answers, " FROM ", table, " WHERE ", listed(key, " AND ")],
      answers,
      (rows) => this.#receive(works, answers, rows),
    );
  }

  /** The text of a row's statement, or of one for many rows. */
  #parts(
    { kind, table, values, where }: Work,
    bulk: Bulk | undefined,
    numbered?: Column<unknown>,
    nextKey?: Expression<unknown>,
  ): Part {
    const { dialect } = this.engine;
    const rows = bulk && batchWrites(dialect).eachRow(bulk.json);
    const name = (column: Column<unknown>): string =>
      quoteName(column.name, dialect);
    let place = 0;
    const slot = ([column, value]: Entry): Part =>
      rows
        ? this.#cell(value, new Cell(place++, column.type))
        : this.#expression(value, column);
    const names = [...values.keys()].map(name);
    const slots = [...values].map(slot);
    const found = [...where].filter(isKnown);
    const sought = found.map(slot);
    const empty = [...where.keys()].filter((column) =>
      where.get(column) === null
    ).map((column): Part => [column, " IS NULL"]);
    if (kind === "insert") {
      const into = ["INSERT INTO ", table];
      if (rows && numbered && nextKey) {
        names.unshift(name(numbered));
        slots.unshift([nextKey, " + key"]);
      }
      if (names.length === 0) return [into, " DEFAULT VALUES"];
      const row = listed(slots);
      return [
        ...[into, " (", listed(names), ") "],
        rows ? ["SELECT ", row, " FROM ", rows, " ORDER BY key"] : [
          ...["VALUES (", row, ")"],
        ],
      ];
    }
    if (kind === "delete" && rows) {
      const keys = listed(found.map(([column]) => name(column)));
      const among = ["SELECT ", listed(sought), " FROM ", rows];
      return [
        ...["DELETE FROM ", table, " WHERE "],
        listed([["(", keys, ") IN (", among, ")"], ...empty], " AND "),
      ];
    }
    const conditions = listed([
      ...found.map(([column], i): Part => [column, " = ", sought[i] as Part]),
      ...empty,
    ], " AND ");
    if (kind === "delete") {
      return ["DELETE FROM ", table, " WHERE ", conditions];
    }
    const set = names.map((name, i): Part => [name, " = ", slots[i] as Part]);
    return [
      ...["UPDATE ", table, " SET ", listed(set)],
      ...[rows ? [" FROM ", rows] : "", " WHERE ", conditions],
    ];
  }

  #push(
    table: Table,
    parts: Part,
    answers: readonly Column<unknown>[],
    receive: Emission["receive"],
  ): void {
    this.emissions.push({
      statement: new Write(table, parts, answers),
      receive,
    });
  }

  #receive(
    works: readonly Work[],
    columns: readonly Column<unknown>[],
    rows: readonly unknown[],
  ): void {
    works.forEach(({ state }, i) => {
      const row = rows[i] as readonly unknown[] | undefined;
      if (!state || !row) return;
      const known: Values = this.generated.get(state) ?? new Map();
      columns.forEach((column, at) => known.set(column, row[at]));
      this.generated.set(state, known);
    });
  }

  /** As many rows as fit one parameter; none where the next is not for JSON. */
  #bulk(works: readonly Work[], from: number): Bulk | undefined {
    const rows: string[] = [];
    let length = 0;
    for (let at = from; at < works.length; at++) {
      const { values, where } = works[at] as Work;
      const cells = [...values, ...[...where].filter(isKnown)].map((entry) =>
        this.#plain(entry)
      );
      if (cells.includes(undefined)) break;
      const row = JSON.stringify(cells);
      length += row.length;
      if (rows.length > 0 && length > BULK_CHARS) break;
      rows.push(row);
    }
    const { length: size } = rows;
    return size > 0
      ? { json: new Bind(`[${rows}]`, undefined), size }
      : undefined;
  }

  /** A value as JSON has it, of a key to come its distance; else nothing. */
  #plain([column, value]: Entry): unknown {
    const { dialect } = this.engine;
    if (value instanceof Expression) return undefined;
    if (value instanceof KeyRef && value.known === undefined) {
      const { state, table, column: key } = value;
      // Only numbers can be counted from the last one, and only those made here.
      return batchWrites(dialect).keyAfterLast && this.#places.has(state) &&
          key === table.autoincrementColumn
        ? this.#offset(value)
        : undefined;
    }
    const plain = toDriver(knownOf(value), column.type, dialect);
    return plain instanceof Uint8Array || `${plain}`.includes("\0")
      ? undefined
      : plain;
  }

  /** A cell of a row, which counts from the last key where that is to come. */
  #cell(value: unknown, cell: Cell): Part {
    const { keyAfterLast } = batchWrites(this.engine.dialect);
    const last = value instanceof KeyRef && value.known === undefined &&
      keyAfterLast?.(value.column, 0);
    return last ? [last, " + ", cell] : cell;
  }

  /** How many rows after the last one of its table an object's row comes. */
  #offset({ state, table }: KeyRef): number {
    const place = this.#places.get(state) as number;
    return place - (this.#numbered.get(table) ?? 0) + 1;
  }

  #expression(given: unknown, column: Column<unknown>): Expression<unknown> {
    const value = knownOf(given);
    if (value instanceof KeyRef) {
      const { state, column: key } = value;
      const { keyAfterLast } = batchWrites(this.engine.dialect);
      if (keyAfterLast && this.#places.has(state)) {
        return keyAfterLast(key, this.#offset(value));
      }
      throw new StateError(
        `Cannot refer to ${state.mapper.name}: the database makes its key "${key.key}" in a way that is not foreseen; give the column a default()`,
      );
    }
    return value instanceof Expression ? value : new Bind(value, column.type);
  }
}

type Entry = readonly [Column<unknown>, unknown];

function isKnown([, value]: Entry): boolean {
  return value !== null;
}

/** A value, of a key that was to come the key where it has come. */
function knownOf(value: unknown): unknown {
  return value instanceof KeyRef ? value.known ?? value : value;
}

/** Equal for rows that fit one statement: same columns, same references. */
function shapeOf({ kind, table, values, where, isExpected }: Work): string {
  const shape = (one: Values): string =>
    [...one].map(([{ name }, value]) =>
      name +
      (value === null && one === where
        ? " null"
        : value instanceof KeyRef
        ? `#${value.column.table.labelPrefix}`
        : value instanceof Expression
        ? "?"
        : "")
    ).join("\0");
  return [kind, table.fullName, shape(values), shape(where), isExpected]
    .join("\n");
}

/** Splits items where their key changes. */
function runs<T, K>(
  items: readonly T[],
  keyOf: (item: T) => K,
): { readonly key: K; readonly items: T[] }[] {
  const found: { key: K; items: T[] }[] = [];
  for (const item of items) {
    const key = keyOf(item);
    const last = found.at(-1);
    if (last?.key === key) last.items.push(item);
    else found.push({ key, items: [item] });
  }
  return found;
}

import {
  type BatchWrites,
  batchWrites,
  Bind,
  type Column,
  type Engine,
  Expression,
  generatedKey,
  Phrase,
  type Statement,
  type Table,
  toDriver,
} from "../sql/mod.ts";
import { type Slots, Write } from "./_write.ts";
import { StateError } from "./errors.ts";
import { guardLabel } from "./_guard.ts";
import type { Read } from "./loading/loader.ts";
import type { SessionCore } from "./session_unit.ts";
import type { InstanceState } from "./state.ts";
import { type Entry, KeyRef, type Values, type Work } from "./work.ts";

/**
 * From how many rows on they go as one JSON parameter; fewer read better in a
 * log. Rows that are deleted may name each other, so two of them go together.
 */
const BULK = 5;

/** The most characters of such a parameter; each may be three bytes. */
const BULK_CHARS = 300_000;

/** Rows of work as one parameter. */
interface Bulk {
  readonly json: Bind;
  readonly size: number;
}

/** Turns the work for one engine into statements, in order. */
export class Emitter {
  /** The statements so far, with what takes their answers. */
  readonly writes: Read[] = [];
  /** What each guard's label stands for. */
  readonly guarded: (readonly Work[])[] = [];
  /** Where they go. */
  readonly engine: Engine;
  readonly #rules: BatchWrites;
  readonly #core: SessionCore;
  readonly #generated: Map<InstanceState, Values>;
  // How many rows each table has numbered so far, and each object's place.
  readonly #numbered = new Map<Table, number>();
  readonly #places = new Map<InstanceState, number>();

  /** Turns work into statements; what their answers say of objects goes to `generated`. */
  constructor(
    engine: Engine,
    core: SessionCore,
    works: readonly Work[],
    generated: Map<InstanceState, Values>,
  ) {
    this.engine = engine;
    this.#rules = batchWrites(engine.dialect);
    this.#core = core;
    this.#generated = generated;
    for (const alike of runs(works, shapeOf)) this.#writeAlike(alike);
  }

  /** Writes rows of one shape: many as one parameter, others one by one. */
  #writeAlike(works: readonly Work[]): void {
    const [{ kind, table, values, where, state }] = works as [Work];
    const { keyAfterLast, eachRow, counts } = this.#rules;
    const isInsert = kind === "insert";
    const told = isInsert || counts?.(table, this.#core.unit.objects);
    const numbered = isInsert ? generatedKey(table, values) : undefined;
    const answers = state && kind !== "delete"
      ? table.columns.filter((column) =>
        column === numbered || column.spec.computed ||
        (values.has(column)
          ? values.get(column) instanceof Expression
          : isInsert && column.spec.serverDefault !== undefined)
      )
      : [];
    const nextKey = numbered && numbered === table.autoincrementColumn
      ? keyAfterLast?.(numbered, 1)
      : undefined;
    // Where others write in between, nothing says which row an answer is about.
    const isMany = told !== "single" &&
      (kind === "delete"
        ? works.length > 1 && ![...where.values()].includes(null)
        : works.length >= BULK);
    const isBulk = isMany &&
      (numbered ? nextKey : answers.length === 0 || isInsert && keyAfterLast);
    let place = this.#numbered.get(table) ?? 0;
    if (numbered) {
      works.forEach(({ state }, i) => {
        if (state) this.#places.set(state, place + i);
      });
    }
    for (let at = 0; at < works.length;) {
      const bulk = isBulk ? this.#bulk(works, at) : undefined;
      const chunk = works.slice(at, at += bulk?.size ?? 1);
      const [work] = chunk as [Work];
      const rows = bulk && eachRow(bulk.json);
      const slots = this.#slots(!!bulk);
      if (!isInsert) {
        const write = new Write(work, slots, [], rows);
        this.#change(chunk, write, told !== "none");
        if (answers.length > 0) this.#reread(work, answers);
        continue;
      }
      const counted: Values = bulk && numbered && nextKey
        ? new Map([[
          numbered,
          new Phrase("key", [nextKey, " + key"], nextKey.type),
        ], ...values])
        : work.values;
      this.#push(
        new Write({ ...work, values: counted }, slots, answers, rows),
        (rows) => this.#receive(chunk, answers, rows, numbered),
      );
      if (numbered) this.#numbered.set(table, place += chunk.length);
    }
  }

  /** Sends an UPDATE or DELETE, which must find its rows where that is expected and can be told. */
  #change(works: readonly Work[], write: Write, isCounted: boolean): void {
    const [{ kind, state, mapper, isExpected }] = works as [Work];
    const { length } = works;
    if (isExpected && isCounted) {
      const label = guardLabel(this.guarded.push(works) - 1);
      const all = this.#rules.expectRows(write, length, label);
      for (const one of all) this.#push(one);
      return;
    }
    this.#push(write, ({ rowCount }) => {
      if (kind === "delete" && state && isCounted && rowCount < length) {
        this.#core.unit.objects.warn(
          `DELETE of ${length} ${mapper.name} matched ${rowCount} rows`,
        );
      }
    });
  }

  /** What the database worked out for a row is read in the same trip. */
  #reread(work: Work, answers: readonly Column<unknown>[]): void {
    const { table, values, where } = work;
    const key = [...where].filter(([{ spec }]) => !spec.info?.version)
      .map(([column, value]): Entry => [column, values.get(column) ?? value]);
    this.#push(
      new Write(
        { kind: "select", table, values, where: new Map(key) },
        this.#slots(false),
        answers,
      ),
      (rows) => this.#receive([work], answers, rows),
    );
  }

  #push(statement: Statement<unknown>, receive?: Read["receive"]): void {
    const { engine } = this;
    const reader = this.#core.session;
    const prepared = engine.prepare(statement);
    engine.echo(prepared);
    this.writes.push({
      ...{ reader, statement, engine, prepared },
      ...{ receive, rows: [] },
    });
  }

  /** Notes what the database made of rows; their keys grow in the order of the rows, answers may come in any. */
  #receive(
    works: readonly Work[],
    columns: readonly Column<unknown>[],
    answers: readonly unknown[],
    numbered?: Column<unknown>,
  ): void {
    const rows = [...answers] as (readonly unknown[])[];
    if (numbered) {
      const key = columns.indexOf(numbered);
      rows.sort((a, b) => (a[key] as number) < (b[key] as number) ? -1 : 1);
    }
    works.forEach(({ state }, i) => {
      const row = rows[i];
      if (!state || !row) return;
      const known: Values = this.#generated.get(state) ?? new Map();
      columns.forEach((column, at) => known.set(column, row[at]));
      this.#generated.set(state, known);
    });
  }

  /** As many rows as fit one parameter; none where the next is not for JSON. */
  #bulk(works: readonly Work[], from: number): Bulk | undefined {
    const rows: string[] = [];
    let length = 0;
    for (let at = from; at < works.length; at++) {
      const { values, where } = works[at] as Work;
      const known = [...where].filter(([, value]) => value !== null);
      const cells = [...values, ...known].map((entry) => this.#plain(entry));
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
  #plain([column, given]: Entry): unknown {
    const value = knownOf(given);
    if (value instanceof Expression) return undefined;
    if (value instanceof KeyRef) {
      const { state, table, column: key } = value;
      // Only numbers can be counted from the last one, and only those made here.
      return this.#rules.keyAfterLast && this.#places.has(state) &&
          key === table.autoincrementColumn
        ? this.#offset(value)
        : undefined;
    }
    const plain = toDriver(value, column.type, this.engine.dialect);
    return plain instanceof Uint8Array || `${plain}`.includes("\0")
      ? undefined
      : plain;
  }

  /** Writes values: as cells of a row in JSON, or each by itself. */
  #slots(isBulk: boolean): Slots {
    return (compiler) => {
      let place = 0;
      return ([column, given]) => {
        const value = knownOf(given);
        if (!isBulk || value instanceof Expression) {
          return compiler.visit(this.#expression(value, column));
        }
        // What counts from the last key holds its distance.
        if (value instanceof KeyRef) {
          compiler.write(this.#rules.keyAfterLast!(value.column, 0), " + ");
        }
        const cell = `(aludel_rows.value ->> ${place++})`;
        compiler.write(compiler.cell(cell, column.type));
      };
    };
  }

  /** How many rows after the last one of its table an object's row comes. */
  #offset({ state, table }: KeyRef): number {
    const place = this.#places.get(state) as number;
    return place - (this.#numbered.get(table) ?? 0) + 1;
  }

  #expression(value: unknown, column: Column<unknown>): Expression<unknown> {
    if (!(value instanceof KeyRef)) {
      return value instanceof Expression ? value : new Bind(value, column.type);
    }
    const { state, column: key } = value;
    const { keyAfterLast } = this.#rules;
    if (keyAfterLast && this.#places.has(state)) {
      return keyAfterLast(key, this.#offset(value));
    }
    throw new StateError(
      `Cannot refer to ${state.mapper.name}: the database makes its key "${key.key}" in a way that is not foreseen; give the column a default()`,
    );
  }
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
        ? `#${value.table.labelPrefix}`
        : value instanceof Expression
        ? "?"
        : "")
    ).join("\0");
  return [kind, table.fullName, shape(values), shape(where), isExpected]
    .join("\n");
}

/** Splits items where their key changes. */
function runs<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const found: T[][] = [];
  let last: string | undefined;
  for (const item of items) {
    const key = keyOf(item);
    if (key === last) found.at(-1)?.push(item);
    else found.push([item]);
    last = key;
  }
  return found;
}

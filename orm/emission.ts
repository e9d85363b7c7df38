import {
  batchWrites,
  Bind,
  type Column,
  type Engine,
  Expression,
  type Result,
  select,
  type Statement,
  type Table,
  toDriver,
} from "../sql/mod.ts";
import { Cell, type Part, Write } from "./_write.ts";
import { StateError } from "./errors.ts";
import type { InstanceState } from "./state.ts";
import { KeyRef, type Values, type Work } from "./unit_of_work.ts";

/** From how many rows on they go as one JSON parameter; fewer read better in a log. */
const BULK = 5;

/** The most characters of such a parameter; each may be three bytes. */
const BULK_CHARS = 300_000;

/** The most rows of an INSERT with a list of values. */
const BULK_ROWS = 500;

/** A statement of a unit of work, and what its answer says of objects. */
export interface Emission {
  /** The statement. */
  readonly statement: Statement<unknown>;
  /** Takes its answer. */
  readonly receive?: (rows: Result<unknown>) => void;
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
  readonly #reserved: ReadonlyMap<InstanceState, unknown>;
  readonly #warn: (message: string) => void;
  // How many rows each table has numbered so far, and each object's place.
  readonly #numbered = new Map<Table, number>();
  readonly #places = new Map<InstanceState, number>();

  /** Starts the statements for an engine; some keys may be reserved. */
  constructor(
    engine: Engine,
    reserved: ReadonlyMap<InstanceState, unknown>,
    warn: (message: string) => void,
  ) {
    this.engine = engine;
    this.#reserved = reserved;
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
    const groups = runs(
      works,
      ({ kind, table, values, where, isExpected }) =>
        [
          kind,
          table.fullName,
          this.#mask(values),
          this.#mask(where),
          isExpected,
        ].join("\n"),
    );
    for (const { items } of groups) {
      const [{ kind, table }] = items as [Work];
      if (kind === "insert") this.#insert(table, items);
      else if (kind === "update") this.#update(table, items);
      else this.#delete(table, items);
    }
  }

  /** Rows with equal masks fit one statement: same columns, same references. */
  #mask(values: Values): string {
    return [...values].map(([{ name }, value]) =>
      name +
      (value instanceof KeyRef
        ? `#${value.column.table.labelPrefix}`
        : value instanceof Expression
        ? "?"
        : "")
    ).join("\0");
  }

  #insert(table: Table, works: readonly Work[]): void {
    const { dialect, capabilities: { limits } } = this.engine;
    const [{ values: first, state }] = works as [Work];
    const numbered = generatedKey(table, first);
    const columns = [...first.keys()];
    const returning = state
      ? table.columns.filter((column) =>
        column === numbered || column.spec.computed ||
        (first.has(column)
          ? first.get(column) instanceof Expression
          : column.spec.serverDefault !== undefined)
      )
      : [];
    const into: Part[] = ["INSERT INTO ", table];
    const add = (parts: readonly Part[], chunk: readonly Work[]): void => {
      if (numbered) {
        const before = this.#numbered.get(table) ?? 0;
        this.#numbered.set(table, before + chunk.length);
      }
      this.#push(new Write(table, parts, returning), (rows) => {
        // Answers may come in any order; keys grow in the order of the rows.
        const at = numbered ? returning.indexOf(numbered) : -1;
        const sorted = at < 0
          ? rows
          : ([...rows] as number[][]).sort((a, b) => a[at]! - b[at]!);
        this.#receive(chunk, returning, sorted);
      });
    };
    const { keyAfterLast } = batchWrites(dialect);
    const lastKey = numbered && numbered === table.autoincrementColumn &&
      keyAfterLast?.(numbered, 1);
    if (
      works.length >= BULK && this.#fitsJson(works) &&
      (!numbered || lastKey)
    ) {
      for (let from = 0; from < works.length;) {
        const [json, size] = this.#json(
          works,
          from,
          ({ values }) =>
            columns.map((column) => this.#cell(values.get(column), column)),
        );
        const cells = columns.map((column, i): Part[] => {
          const cell = new Cell(`${i}`, column);
          const value = first.get(column);
          const last = value instanceof KeyRef &&
            keyAfterLast?.(value.column, 0);
          return last ? [last, " + ", new Cell(`${i}`, column)] : [cell];
        });
        if (lastKey) cells.unshift([lastKey, " + key"]);
        add([
          ...into,
          " (",
          numbered ? [numbered, ...columns] : columns,
          ") SELECT ",
          ...separated(cells),
          " FROM json_each(",
          json,
          ") ORDER BY key",
        ], works.slice(from, from += size));
      }
      return;
    }
    // A list of values cannot say which row an answer is about.
    const most = returning.length > 0 || columns.length === 0 ? 1 : Math.min(
      BULK_ROWS,
      Math.floor((limits.params ?? Infinity) / columns.length),
    );
    const size = works.length < BULK ? 1 : most;
    for (let from = 0; from < works.length; from += size) {
      const chunk = works.slice(from, from + size);
      const rows = chunk.map(({ values }): Part[] => [
        "(",
        ...separated(
          columns.map((
            column,
          ) => [this.#expression(values.get(column), column)]),
        ),
        ")",
      ]);
      add(
        columns.length === 0
          ? [...into, " DEFAULT VALUES"]
          : [...into, " (", columns, ") VALUES ", ...separated(rows)],
        chunk,
      );
    }
  }

  #update(table: Table, works: readonly Work[]): void {
    const [{ values: first, where, isExpected }] = works as [Work];
    const columns = [...first.keys()];
    const keys = [...where.keys()];
    if (
      works.length >= BULK && isExpected && this.#fitsJson(works) &&
      !works.some(({ values, where }) =>
        [...where.values()].includes(null) ||
        [...values.values(), ...where.values()].some((value) =>
          value instanceof KeyRef
        )
      )
    ) {
      for (let from = 0; from < works.length;) {
        const [json, size] = this.#json(
          works,
          from,
          ({ values, where }) =>
            [...where, ...values].map(([column, value]) =>
              this.#cell(value, column)
            ),
        );
        this.#guard(
          new Write(table, [
            "UPDATE ",
            table,
            " SET ",
            ...separated(
              columns.map((
                column,
                i,
              ) => [[column], " = ", new Cell(`${keys.length + i}`, column)]),
            ),
            " FROM json_each(",
            json,
            ") WHERE ",
            ...separated(
              keys.map((
                column,
                i,
              ) => [column, " = ", new Cell(`${i}`, column)]),
              " AND ",
            ),
          ]),
          works.slice(from, from += size),
        );
      }
      return;
    }
    for (const work of works) {
      const write = new Write(table, [
        "UPDATE ",
        table,
        " SET ",
        ...separated(
          [...work.values].map((
            [column, value],
          ) => [[column], " = ", this.#expression(value, column)]),
        ),
        ...this.#where(work.where),
      ]);
      if (isExpected) this.#guard(write, [work]);
      else this.#push(write);
      // What the database worked out is read in the same trip.
      const { state } = work;
      const made = state
        ? table.columns.filter((column) =>
          column.spec.computed ||
          work.values.get(column) instanceof Expression
        )
        : [];
      if (made.length > 0) {
        const query = select(...made).where(
          ...[...work.where].filter(([column]) => column.spec.primaryKey).map((
            [column, value],
          ) =>
            column.eq(
              this.#expression(work.values.get(column) ?? value, column),
            )
          ),
        );
        this.#push(query, (rows) => {
          const answers = made.length > 1 ? rows : rows.map((one) => [one]);
          this.#receive([work], made, answers);
        });
      }
    }
  }

  #delete(table: Table, works: readonly Work[]): void {
    const [{ where, isExpected }] = works as [Work];
    const keys = [...where.keys()];
    const from: Part[] = ["DELETE FROM ", table];
    const { jsonEach } = this.engine.dialect.features;
    const [key] = keys;
    const isOne = keys.length === 1;
    if (works.length > 1 && key && (isOne || jsonEach)) {
      for (let at = 0; at < works.length;) {
        let size = works.length;
        let list: Part[];
        if (works.length < BULK && isOne || !jsonEach) {
          list = separated(
            works.map(({ where }) => [this.#expression(where.get(key), key)]),
          );
        } else {
          const [json, taken] = this.#json(
            works,
            at,
            ({ where }) =>
              [...where].map(([column, value]) => this.#cell(value, column)),
          );
          size = taken;
          list = [
            "SELECT ",
            ...separated(keys.map((column, i) => [new Cell(`${i}`, column)])),
            " FROM json_each(",
            json,
            ")",
          ];
        }
        const found: Part[] = isOne
          ? [key]
          : ["(", ...separated(keys.map((column) => [column])), ")"];
        const write = new Write(table, [
          ...from,
          " WHERE ",
          ...found,
          " IN (",
          ...list,
          ")",
        ]);
        const chunk = works.slice(at, at += size);
        if (isExpected) this.#guard(write, chunk);
        else this.#pushDelete(write, chunk);
      }
      return;
    }
    for (const work of works) {
      const write = new Write(table, [...from, ...this.#where(work.where)]);
      if (isExpected) this.#guard(write, [work]);
      else this.#pushDelete(write, [work]);
    }
  }

  #pushDelete(write: Write, works: readonly Work[]): void {
    this.#push(write, ({ rowCount }) => {
      const [{ state, mapper }] = works as [Work];
      if (state && rowCount < works.length) {
        this.#warn(
          `DELETE of ${works.length} ${mapper.name} matched ${rowCount} rows`,
        );
      }
    });
  }

  #push(statement: Statement<unknown>, receive?: Emission["receive"]): void {
    this.emissions.push(receive ? { statement, receive } : { statement });
  }

  #guard(write: Write, works: readonly Work[]): void {
    const label = `stale:${this.guarded.push(works) - 1}`;
    const writes = batchWrites(this.engine.dialect);
    for (const one of writes.expectRows(write, works.length, label)) {
      this.#push(one);
    }
  }

  #where(where: Values): Part[] {
    return [
      " WHERE ",
      ...separated(
        [...where].map((
          [column, value],
        ) =>
          value === null
            ? [column, " IS NULL"]
            : [column, " = ", this.#expression(value, column)]
        ),
        " AND ",
      ),
    ];
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

  #fitsJson(works: readonly Work[]): boolean {
    return this.engine.dialect.features.jsonEach === true &&
      works.every(({ values }) =>
        [...values.values()].every((value) =>
          !(value instanceof Expression) && !(value instanceof Uint8Array) &&
          // Only numbers can be counted from the last one.
          !(value instanceof KeyRef &&
            value.column !== value.state.mapper.table.autoincrementColumn) &&
          !(typeof value === "string" && value.includes("\0"))
        )
      );
  }

  /** As many rows as fit one parameter, and how many those are. */
  #json(
    works: readonly Work[],
    from: number,
    cells: (work: Work) => unknown[],
  ): [json: Bind, size: number] {
    const rows: string[] = [];
    let length = 0;
    for (const work of works.slice(from)) {
      const row = JSON.stringify(cells(work));
      length += row.length;
      if (rows.length > 0 && length > BULK_CHARS) break;
      rows.push(row);
    }
    return [new Bind(`[${rows}]`, undefined), rows.length];
  }

  #cell(value: unknown, column: Column<unknown>): unknown {
    return value instanceof KeyRef
      ? this.#offset(value)
      : toDriver(value, column.type, this.engine.dialect);
  }

  /** How many rows after the last one of its table an object's row comes. */
  #offset({ state }: KeyRef): number {
    const place = this.#places.get(state) ?? 0;
    return place - (this.#numbered.get(state.mapper.table) ?? 0) + 1;
  }

  #expression(value: unknown, column: Column<unknown>): Expression<unknown> {
    if (value instanceof KeyRef) {
      const { state, column: key } = value;
      const reserved = this.#reserved.get(state);
      if (reserved !== undefined) return new Bind(reserved, column.type);
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

/** The key that the database makes, where a row leaves it out. */
export function generatedKey(
  table: Table,
  values: Values,
): Column<unknown> | undefined {
  const [only, ...more] = table.primaryKey;
  const column = table.autoincrementColumn ??
    (only?.spec.serverDefault !== undefined && more.length === 0
      ? only
      : undefined);
  return column && !values.has(column) ? column : undefined;
}

/** Splits items where their key changes. */
export function runs<T, K>(
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

function separated(parts: readonly (readonly Part[])[], by = ", "): Part[] {
  return parts.flatMap((part, i) => i > 0 ? [by, ...part] : part);
}

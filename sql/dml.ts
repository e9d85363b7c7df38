import type { Compiler } from "./compiler.ts";
import { CompileError } from "./errors.ts";
import { and, type Bind, Expression, operand } from "./expression.ts";
import { type Column, FromClause } from "./from.ts";
import type { Node } from "./node.ts";
import type { ColumnsOf, NewRow, RowOf, Table } from "./schema.ts";
import {
  fromOf,
  itemOf,
  type Select,
  type SelectedRow,
  type SelectItem,
  type SelectRecord,
} from "./select.ts";
import {
  type RowShape,
  rowSource,
  type Selectable,
  Statement,
} from "./statement.ts";

/** What rows are written to: a table or a mapped class. */
export type Target = Selectable;

/** A new row: values or expressions for columns, by key. */
export type Values<T> = T extends Table<infer S>
  ? { [K in keyof NewRow<S>]: NewRow<S>[K] | Expression<unknown> }
  : T extends { readonly prototype: infer P }
    ? { [K in keyof P]?: P[K] | Expression<unknown> }
  : Readonly<Record<string, unknown>>;

/** Changes of a row: values or expressions for columns, by key. */
export type Changes<T> = Partial<
  T extends Table<infer S>
    ? { [K in keyof RowOf<S>]: RowOf<S>[K] | Expression<unknown> }
    : Values<T>
>;

/** What stands in the way of an insert, and what is done about it. */
export interface ConflictClause {
  /** The columns, or nothing for any conflict. */
  readonly columns: readonly Column<unknown>[];
  /** Which of a partial index's rows. */
  readonly indexWhere: Expression<unknown> | undefined;
  /** The changes to the row that is there; nothing leaves it. */
  readonly set: readonly Assignment[] | undefined;
  /** Which rows are changed. */
  readonly where: Expression<unknown> | undefined;
}

/** A column and its new value. */
export type Assignment = readonly [Column<unknown>, Expression<unknown>];

/** The table of a target, seen through an alias or class. */
export function tableOf(target: Target): FromClause {
  return target instanceof FromClause ? target : fromOf(target);
}

function assignments(
  target: Target,
  values: Readonly<Record<string, unknown>>,
): Assignment[] {
  const { columns } = target[rowSource];
  return Object.entries(values).filter(([, value]) => value !== undefined).map(
    ([key, value]) => {
      const column = columns.find((c) => c.key === key);
      if (!column) {
        throw new CompileError(
          `Cannot write column "${key}": "${tableOf(target).labelPrefix}" has ${
            columns.map((c) => `"${c.key}"`).join(", ")
          }`,
        );
      }
      return [column, operand(value, column.type)];
    },
  );
}

function shapeOf(
  things: readonly (SelectItem | SelectRecord)[],
): RowShape {
  const [first] = things;
  const isRecord = things.length === 1 && first !== undefined &&
    !(first instanceof Expression) && !(rowSource in first);
  return {
    kind: isRecord ? "record" : things.length === 1 ? "single" : "tuple",
    items: isRecord
      ? Object.entries(first as SelectRecord).map(([k, e]) => itemOf(e, k))
      : things.map((thing) => itemOf(thing as SelectItem)),
  };
}

abstract class Dml<Row> extends Statement<Row> {
  override readonly shape: RowShape | undefined;
  readonly target: Target;
  constructor(target: Target, shape: RowShape | undefined) {
    super();
    this.target = target;
    this.shape = shape;
  }
  override get isRead(): boolean {
    return false;
  }
  protected writeReturning(compiler: Compiler, outermost: boolean): void {
    if (!this.shape) return;
    compiler.write(" RETURNING ");
    compiler.results(
      this.shape.items.flatMap((item) => item.expressions),
      outermost,
    );
  }
}

/** INSERT. Immutable: every method returns a new one. */
export class Insert<T extends Target, Row = never> extends Dml<Row> {
  /** The rows, or a query that gives them. */
  readonly rows: readonly (readonly Assignment[])[];
  /** A query that gives the rows, and the columns they fill. */
  readonly source:
    | { readonly columns: readonly Column<unknown>[]; readonly query: Node }
    | undefined;
  /** What is done about rows that are there already. */
  readonly conflict: ConflictClause | undefined;

  /** Use {@linkcode insert}. */
  constructor(
    target: T,
    rows: readonly (readonly Assignment[])[],
    source: Insert<T>["source"] = undefined,
    conflict: ConflictClause | undefined = undefined,
    shape: RowShape | undefined = undefined,
  ) {
    super(target, shape);
    this.rows = rows;
    this.source = source;
    this.conflict = conflict;
  }
  override get kind(): string {
    return "insert";
  }

  /** Adds a row, or several; client defaults fill what they leave out. */
  values(rows: Values<T> | readonly Values<T>[]): Insert<T, Row> {
    const added = (Array.isArray(rows) ? rows : [rows]).map((row) =>
      assignments(this.target, withDefaults(this.target, row))
    );
    return new Insert(
      this.target as T,
      [...this.rows, ...added],
      this.source,
      this.conflict,
      this.shape,
    );
  }
  /** Inserts what a query gives. */
  fromSelect(keys: readonly string[], query: Select<unknown>): Insert<T, Row> {
    const columns = keys.map((key) =>
      assignments(this.target, { [key]: null })[0]?.[0]
    )
      .filter((column) => column !== undefined);
    return new Insert(
      this.target as T,
      [],
      { columns, query },
      this.conflict,
      this.shape,
    );
  }
  /** Leaves rows that are there as they are. */
  onConflictDoNothing(keys: readonly string[] = []): Insert<T, Row> {
    return this.#onConflict({
      columns: this.#columns(keys),
      indexWhere: undefined,
      set: undefined,
      where: undefined,
    });
  }
  /** Changes rows that are there; {@linkcode excluded} names the new values. */
  onConflictDoUpdate(options: {
    /** The unique columns, by key. */
    readonly target: readonly string[];
    /** The changes. */
    readonly set: Changes<T>;
    /** Which rows are changed. */
    readonly where?: Expression<unknown>;
    /** The condition of a partial unique index. */
    readonly indexWhere?: Expression<unknown>;
  }): Insert<T, Row> {
    return this.#onConflict({
      columns: this.#columns(options.target),
      indexWhere: options.indexWhere,
      set: assignments(this.target, options.set as Record<string, unknown>),
      where: options.where,
    });
  }
  /** Gives back columns, or whole rows, of what was written. */
  returning<const A extends readonly (SelectItem | SelectRecord)[]>(
    ...things: A
  ): Insert<T, SelectedRow<A>> {
    return new Insert(
      this.target as T,
      this.rows,
      this.source,
      this.conflict,
      shapeOf(things),
    );
  }

  #columns(keys: readonly string[]): Column<unknown>[] {
    return keys.flatMap((key) => assignments(this.target, { [key]: null }))
      .map(([column]) => column);
  }
  #onConflict(conflict: ConflictClause): Insert<T, Row> {
    return new Insert(
      this.target as T,
      this.rows,
      this.source,
      conflict,
      this.shape,
    );
  }

  override structure(): readonly unknown[] {
    return [
      this.target[rowSource].from,
      this.rows,
      this.source && Object.values(this.source),
      this.conflict && Object.values(this.conflict),
      this.shape?.items.map((item) => item.expressions),
    ];
  }

  override compile(compiler: Compiler): void {
    const table = tableOf(this.target);
    compiler.nested([table], (outermost) => {
      compiler.write("INSERT INTO ");
      compiler.visit(table);
      // A row that leaves a column out gets its DEFAULT, so rows share one list.
      const columns = this.source?.columns ??
        [...new Set(this.rows.flatMap((row) => row.map(([column]) => column)))];
      if (columns.length === 0) compiler.write(" DEFAULT VALUES");
      else {
        compiler.write(" (");
        compiler.each(columns, ", ", (column) => compiler.name(column.name));
        compiler.write(")");
        if (this.source) {
          compiler.write(" ");
          compiler.visit(this.source.query);
        } else {
          compiler.write(" VALUES ");
          compiler.each(this.rows, ", ", (row) => {
            const values = new Map(row);
            compiler.write("(");
            compiler.each(columns, ", ", (column) => {
              const value = values.get(column);
              if (value) compiler.visit(value);
              else compiler.missingValue(column);
            });
            compiler.write(")");
          });
        }
      }
      if (this.conflict) writeConflict(this.conflict, compiler);
      this.writeReturning(compiler, outermost);
    });
  }
}

function withDefaults(
  target: Target,
  row: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const filled: Record<string, unknown> = { ...row };
  for (const { key, spec } of target[rowSource].columns) {
    if (filled[key] === undefined && spec.default !== undefined) {
      filled[key] = typeof spec.default === "function"
        ? spec.default()
        : spec.default;
    }
  }
  return filled;
}

function writeConflict(conflict: ConflictClause, compiler: Compiler): void {
  compiler.write(" ON CONFLICT");
  if (conflict.columns.length > 0) {
    compiler.write(" (");
    compiler.each(
      conflict.columns,
      ", ",
      (column) => compiler.name(column.name),
    );
    compiler.write(")");
    if (conflict.indexWhere) compiler.clause(" WHERE ", [conflict.indexWhere]);
  }
  if (!conflict.set) return compiler.write(" DO NOTHING");
  compiler.write(" DO UPDATE SET ");
  writeAssignments(conflict.set, compiler);
  if (conflict.where) compiler.clause(" WHERE ", [conflict.where]);
}

function writeAssignments(
  set: readonly Assignment[],
  compiler: Compiler,
): void {
  compiler.each(set, ", ", ([column, value]) => {
    compiler.name(column.name);
    compiler.write(" = ");
    compiler.visit(value);
  });
}

/** The value that an insert wanted to write, inside `onConflictDoUpdate`. */
export function excluded<T>(column: Column<T>): Expression<T> {
  return new Excluded<T>(column);
}

class Excluded<T> extends Expression<T> {
  readonly column: Column<T>;
  constructor(column: Column<T>) {
    super(column.type);
    this.column = column;
  }
  override get kind(): string {
    return "excluded";
  }
  override compile(compiler: Compiler): void {
    compiler.write("excluded.");
    compiler.name(this.column.name);
  }
}

/** UPDATE. Immutable: every method returns a new one. */
export class Update<T extends Target, Row = never> extends Dml<Row> {
  /** The changes. */
  readonly set_: readonly Assignment[];
  /** Which rows. */
  readonly condition: Expression<unknown> | undefined;
  /** Further tables that the condition and values see. */
  readonly others: readonly FromClause[];

  /** Use {@linkcode update}. */
  constructor(
    target: T,
    set: readonly Assignment[] = [],
    condition: Expression<unknown> | undefined = undefined,
    others: readonly FromClause[] = [],
    shape: RowShape | undefined = undefined,
  ) {
    super(target, shape);
    this.set_ = set;
    this.condition = condition;
    this.others = others;
  }
  override get kind(): string {
    return "update";
  }
  /** Sets columns. */
  set(values: Changes<T>): Update<T, Row> {
    const added = assignments(this.target, values as Record<string, unknown>);
    return new Update(
      this.target as T,
      [...this.set_, ...added],
      this.condition,
      this.others,
      this.shape,
    );
  }
  /** Only rows that meet all conditions. */
  where(...conditions: Expression<unknown>[]): Update<T, Row> {
    return new Update(
      this.target as T,
      this.set_,
      and(...(this.condition ? [this.condition] : []), ...conditions),
      this.others,
      this.shape,
    );
  }
  /** Lets conditions and values see further tables. */
  from(...others: (FromClause | Selectable)[]): Update<T, Row> {
    return new Update(
      this.target as T,
      this.set_,
      this.condition,
      [...this.others, ...others.map(fromOf)],
      this.shape,
    );
  }
  /** Gives back columns, or whole rows, of what was changed. */
  returning<const A extends readonly (SelectItem | SelectRecord)[]>(
    ...things: A
  ): Update<T, SelectedRow<A>> {
    return new Update(
      this.target as T,
      this.set_,
      this.condition,
      this.others,
      shapeOf(things),
    );
  }
  override structure(): readonly unknown[] {
    return [
      this.target[rowSource].from,
      this.set_,
      this.condition,
      this.others,
      this.shape?.items.map((item) => item.expressions),
    ];
  }
  override compile(compiler: Compiler): void {
    const table = tableOf(this.target);
    compiler.nested([table, ...this.others], (outermost) => {
      compiler.write("UPDATE ");
      compiler.visit(table);
      compiler.write(" SET ");
      writeAssignments(this.set_, compiler);
      compiler.clause(" FROM ", this.others);
      if (this.condition) compiler.clause(" WHERE ", [this.condition]);
      this.writeReturning(compiler, outermost);
    });
  }
}

/** DELETE. Immutable: every method returns a new one. */
export class Delete<T extends Target, Row = never> extends Dml<Row> {
  /** Which rows. */
  readonly condition: Expression<unknown> | undefined;

  /** Use {@linkcode deleteFrom}. */
  constructor(
    target: T,
    condition: Expression<unknown> | undefined = undefined,
    shape: RowShape | undefined = undefined,
  ) {
    super(target, shape);
    this.condition = condition;
  }
  override get kind(): string {
    return "delete";
  }
  /** Only rows that meet all conditions. */
  where(...conditions: Expression<unknown>[]): Delete<T, Row> {
    return new Delete(
      this.target as T,
      and(...(this.condition ? [this.condition] : []), ...conditions),
      this.shape,
    );
  }
  /** Gives back columns, or whole rows, of what was deleted. */
  returning<const A extends readonly (SelectItem | SelectRecord)[]>(
    ...things: A
  ): Delete<T, SelectedRow<A>> {
    return new Delete(this.target as T, this.condition, shapeOf(things));
  }
  override structure(): readonly unknown[] {
    return [
      this.target[rowSource].from,
      this.condition,
      this.shape?.items.map((item) => item.expressions),
    ];
  }
  override compile(compiler: Compiler): void {
    const table = tableOf(this.target);
    compiler.nested([table], (outermost) => {
      compiler.write("DELETE FROM ");
      compiler.visit(table);
      if (this.condition) compiler.clause(" WHERE ", [this.condition]);
      this.writeReturning(compiler, outermost);
    });
  }
}

/** Starts an INSERT into a table or mapped class. */
export function insert<T extends Target>(
  target: T,
): Insert<T> {
  return new Insert(target, []);
}

/** Starts an UPDATE of a table or mapped class. */
export function update<T extends Target>(target: T): Update<T> {
  return new Update(target);
}

/** Starts a DELETE from a table or mapped class. */
export function deleteFrom<T extends Target>(target: T): Delete<T> {
  return new Delete(target);
}

/** The columns of a target's rows, for other rooms. */
export type { Bind, ColumnsOf };

import type { Compiler } from "./compiler.ts";
import { type Expression, operand } from "./expression.ts";
import { type Column, columnOf, type FromClause } from "./from.ts";
import type { NewRow, RowOf, Table } from "./schema.ts";
import {
  type RowShape,
  rowSource,
  type Selectable,
  Statement,
} from "./statement.ts";

/** What rows are written to: a table or a mapped class. */
export type Target = Selectable;

/** What a column takes: a value, or an expression of its type. */
export type Written<V> = V | Expression<V | null>;

/** A new row: values or expressions for columns, by key. */
export type Values<T> = T extends Table<infer S, string>
  ? { [K in keyof NewRow<S>]: Written<NewRow<S>[K]> }
  : T extends { readonly prototype: infer P }
    ? { [K in keyof P]?: Written<P[K]> }
  : Readonly<Record<string, unknown>>;

/** Changes of a row: values or expressions for columns, by key. */
export type Changes<T> = T extends Table<infer S, string>
  ? { [K in keyof RowOf<S>]?: Written<RowOf<S>[K]> }
  : Partial<Values<T>>;

/** The keys of a target's columns. */
export type KeyOf<T> = T extends Table<infer S, string>
  ? keyof RowOf<S> & string
  : string;

/** A column and its new value. */
export type Assignment = readonly [Column<unknown>, Expression<unknown>];

/** A statement that writes. */
export abstract class Dml<T extends Target, Row> extends Statement<Row> {
  /** What is written to. */
  readonly target: T;
  /** What is written to, as it stands in a statement. */
  readonly table: FromClause;
  /** What its rows become. */
  override readonly shape: RowShape | undefined;
  /** Writes to a target. */
  constructor(target: T) {
    super();
    this.target = target;
    this.table = target[rowSource].from.writable;
  }
  /** Whether it only reads. */
  override get isRead(): boolean {
    return false;
  }
  /** @ignore */
  override structure(): readonly unknown[] {
    return [...Object.values(this), this.expressions];
  }
  /** Writes RETURNING, where something is to be given back. */
  protected writeReturning(compiler: Compiler, outermost: boolean): void {
    if (!this.shape) return;
    compiler.write(" RETURNING ");
    compiler.results(this.expressions, outermost);
  }
}

/** Columns of a target, by their keys. */
export function columnsOf(
  target: Target,
  keys: readonly string[],
): Column<unknown>[] {
  return keys.map((key) => columnOf(target[rowSource], key));
}

/**
 * Columns of a target and their new values: those that are given, and what the
 * program fills in `by` itself where they leave something out.
 */
export function assignments(
  target: Target,
  given: object,
  by?: "default" | "onUpdate",
): Assignment[] {
  const source = target[rowSource];
  const values: Record<string, unknown> = { ...given };
  for (const { key, spec } of source.columns) {
    const fill = by && spec[by];
    if (values[key] === undefined) {
      values[key] = typeof fill === "function" ? fill() : fill;
    }
  }
  return Object.entries(values).filter(([, value]) => value !== undefined).map(
    ([key, value]) => {
      const column = columnOf(source, key);
      return [column, operand(value, column.type)];
    },
  );
}

/** Writes `column = value, …`. */
export function writeAssignments(
  set: readonly Assignment[],
  compiler: Compiler,
): void {
  compiler.each(set, ", ", ([column, value]) => {
    compiler.name(column.name);
    compiler.write(" = ");
    compiler.visit(value);
  });
}

/** Writes the names of columns, in brackets. */
export function writeNames(
  columns: readonly Column<unknown>[],
  compiler: Compiler,
): void {
  compiler.write("(");
  compiler.each(columns, ", ", (column) => compiler.name(column.name));
  compiler.write(")");
}

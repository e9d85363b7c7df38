import type { Expression } from "./expression.ts";
import type { Column, FromClause } from "./from.ts";
import { Node } from "./node.ts";

/** Where a class or table keeps what `select()` needs to know of it. */
export const rowSource = "~source" as const;

/** Where a relation keeps the way to its other side. */
export const joinPath = "~joinPath" as const;

/** Rows that belong together: those of a table, or of a mapped class. */
export interface RowSource {
  /** The table or alias they come from. */
  readonly from: FromClause;
  /** The columns of a row, in order. */
  readonly columns: readonly Column<unknown>[];
  /** What every such row meets (single-table inheritance). */
  readonly where?: Expression<unknown> | undefined;
  /** The mapper, where rows become objects. */
  readonly owner?: unknown;
}

/** Something whose rows can be selected. */
export interface Selectable {
  /** What its rows are. */
  readonly [rowSource]: RowSource;
}

/** One step of a join: what is joined, and on what condition. */
export interface JoinStep {
  /** What is joined. */
  readonly from: FromClause;
  /** When two rows belong together. */
  readonly on: Expression<unknown>;
}

/** Something that knows the way from one side to another, such as a relation. */
export interface JoinPath {
  /** The steps, starting at `left` where it is given (an alias, say). */
  readonly [joinPath]: (left?: FromClause) => readonly JoinStep[];
}

/** One part of a row: an expression's value, or a whole object. */
export interface RowItem {
  /** Its key, in rows that are records. */
  readonly key?: string | undefined;
  /** Whose row it is, where it is a whole row. */
  readonly source?: RowSource;
  /** The expressions that make it up; they stand side by side in the result. */
  readonly expressions: readonly Expression<unknown>[];
}

/** What a row of a result becomes. */
export interface RowShape {
  /** The thing itself, an array of things, or an object of them. */
  readonly kind: "single" | "tuple" | "record";
  /** Its parts, in the order of the result's columns. */
  readonly items: readonly RowItem[];
}

/**
 * Something that can be executed.
 *
 * @typeParam Row What a row of its result becomes.
 */
export abstract class Statement<Row> extends Node {
  /** Never present: carries the row's type. */
  declare readonly "~row": Row;
  /** What its rows become; nothing where it gives none. */
  abstract readonly shape: RowShape | undefined;
  /** Whether it only reads. */
  abstract readonly isRead: boolean;
  /** Settings of this one execution, for the layers above. */
  readonly optionList: readonly unknown[] = [];
  /** The expressions of a result's row. */
  get expressions(): readonly Expression<unknown>[] {
    return this.shape?.items.flatMap((item) => item.expressions) ?? [];
  }
}

/** The row type of a statement. */
export type RowOfStatement<S> = S extends Statement<infer Row> ? Row : never;

/** A copy of a statement with some of its parts changed. */
export function copyOf<S extends object>(statement: S, patch: Partial<S>): S {
  return Object.assign(
    Object.create(Object.getPrototypeOf(statement)),
    statement,
    patch,
    // What is changed is written anew.
    { "~text": undefined },
  );
}

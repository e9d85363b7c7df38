import type { Expression } from "./expression.ts";
import type { Column, FromClause, JoinKind } from "./from.ts";
import type { Selectable } from "./statement.ts";

/** A class whose instances are rows. */
export type EntityLike = Selectable & { readonly prototype: unknown };

/** One thing that can be selected. */
export type SelectItem = Expression<unknown> | Selectable;

/** Named expressions or entities. */
export type SelectRecord = Readonly<Record<string, SelectItem>>;

/** What one selected thing becomes in a row. */
export type ItemValue<I> = I extends Expression<infer T> ? T
  : I extends FromClause<infer _C, infer Row> ? Row
  : I extends { readonly prototype: infer P } ? P
  : unknown;

/** What a row of selected things becomes. */
export type SelectedRow<A extends readonly unknown[]> = A extends
  readonly [infer One] ? One extends SelectItem ? ItemValue<One>
  : { -readonly [K in keyof One]: ItemValue<One[K]> }
  : { -readonly [K in keyof A]: ItemValue<A[K]> };

/** What a selected thing belongs to: a table's name, or a class's instances. */
export type SourceOf<I> = I extends Column<unknown, infer Of> ? Of
  : I extends FromClause<infer _C, infer _Row, infer Name> ? Name
  : I extends { readonly prototype: infer P } ? P
  : unknown;

/** What the parts of a row belong to, so that outer joins can make them nullable. */
export type SourcesOf<A extends readonly unknown[]> = A extends
  readonly [infer One] ? One extends SelectItem ? readonly [SourceOf<One>]
  : { readonly [K in keyof One]: SourceOf<One[K]> }
  : { readonly [K in keyof A]: SourceOf<A[K]> };

/** Whether a part belongs to a source: one that types do not know is left alone. */
export type IsOf<Source, Name> = unknown extends Source ? false
  : [Source] extends [Name]
    ? string extends Name ? string extends Source ? true : false : true
  : false;

/** A value that may be `null` where something holds. */
export type NullIf<Test extends boolean, V> = Test extends true ? V | null : V;

/** The opposite. */
export type Flip<Test extends boolean> = Test extends true ? false : true;

/** Whether a part of a row belongs to a side of a join. */
export type Belongs<Source, Name, Right extends boolean> = unknown extends
  Source ? false
  : Right extends true ? IsOf<Source, Name>
  : Flip<IsOf<Source, Name>>;

/** A row whose parts of one side of a join may be `null`. */
export type Nulled<Row, Sources, Name, Right extends boolean> = Sources extends
  readonly [infer One] ? NullIf<Belongs<One, Name, Right>, Row>
  : {
    [K in keyof Row]: K extends keyof Sources
      ? NullIf<Belongs<Sources[K], Name, Right>, Row[K]>
      : Row[K];
  };

/**
 * A row after an outer join of `Target`: what belongs to the side that may be
 * missing may be `null`.
 */
export type JoinedRow<Row, Sources, Target, Kind extends JoinKind> =
  unknown extends Sources ? Row
    : Kind extends "LEFT JOIN" ? Nulled<Row, Sources, SourceOf<Target>, true>
    : Kind extends "RIGHT JOIN" ? Nulled<Row, Sources, SourceOf<Target>, false>
    : Kind extends "FULL JOIN" ? Nulled<
        Nulled<Row, Sources, SourceOf<Target>, true>,
        Sources,
        SourceOf<Target>,
        false
      >
    : Row;

/** Under which an option says what it does to a row; never present. */
export declare const rowFunction: unique symbol;

/**
 * What an option does to a row's type: `Result` computed from `this["row"]`.
 * Options extend it, so that this room need not know them.
 */
export interface RowFunction {
  /** The row before. */
  readonly row: unknown;
  /** The row after. */
  readonly result: unknown;
}

/** A setting of a select for the layers above, and what it does to the row's type. */
export interface SelectOption<F extends RowFunction = RowFunction> {
  /** Never present: carries the effect on the row's type. */
  readonly [rowFunction]?: F;
}

/** The row's type after some options. */
export type WithOptions<Row, L extends readonly unknown[]> = L extends
  readonly [SelectOption<infer F>, ...infer Rest]
  ? WithOptions<(F & { readonly row: Row })["result"], Rest>
  : Row;

import type { Compiler } from "./compiler.ts";
import { CompileError } from "./errors.ts";
import {
  and,
  Expression,
  type InOperand,
  Labeled,
  operand,
  TYPES,
} from "./expression.ts";
import { FromClause, Join, type JoinKind } from "./from.ts";
import { joinCondition } from "./_join_condition.ts";
import { fromsOf } from "./_froms.ts";
import type { RowOf, Table } from "./schema.ts";
import {
  type JoinPath,
  joinPath,
  type RowItem,
  type RowShape,
  rowSource,
  type Selectable,
  Statement,
} from "./statement.ts";

/** A class whose instances are rows. */
export type EntityLike = Selectable & { readonly prototype: unknown };

/** One thing that can be selected. */
export type SelectItem =
  | EntityLike
  | Table<never>
  | Expression<unknown>
  | Selectable;

/** Named expressions or entities. */
export type SelectRecord = Readonly<
  Record<string, Expression<unknown> | EntityLike>
>;

/** What one selected thing becomes in a row. */
export type ItemValue<I> = I extends Expression<infer T> ? T
  : I extends Table<infer S> ? RowOf<S>
  : I extends { readonly prototype: infer P } ? P
  : unknown;

/** What a row of selected things becomes. */
export type SelectedRow<A extends readonly unknown[]> = A extends
  readonly [infer One] ? One extends SelectItem ? ItemValue<One>
  : { -readonly [K in keyof One]: ItemValue<One[K]> }
  : { -readonly [K in keyof A]: ItemValue<A[K]> };

declare const rowFunction: unique symbol;

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

/** What can be joined: a table, an alias, a mapped class, a relation. */
export type JoinTarget = FromClause | Selectable | JoinPath;

/** How rows are locked. */
export interface LockOptions {
  /** Shared instead of exclusive. @default {false} */
  readonly read?: boolean;
  /** Fail instead of waiting. @default {false} */
  readonly nowait?: boolean;
  /** Leave out locked rows. @default {false} */
  readonly skipLocked?: boolean;
}

interface SelectState {
  readonly items: readonly RowItem[];
  readonly from: readonly FromClause[];
  readonly joins: readonly Join[];
  readonly where: Expression<unknown> | undefined;
  readonly groupBy: readonly Expression<unknown>[];
  readonly having: Expression<unknown> | undefined;
  readonly orderBy: readonly Expression<unknown>[];
  readonly limit: Expression<unknown> | undefined;
  readonly offset: Expression<unknown> | undefined;
  readonly distinct: boolean;
  readonly lock: LockOptions | undefined;
}

/**
 * A query: Fowler's Query Object. Immutable: every method returns a new one.
 *
 * @typeParam Row What a row becomes.
 */
export class Select<Row> extends Statement<Row> {
  override readonly shape: RowShape;
  /** The clauses. */
  readonly state: SelectState;
  override readonly optionList: readonly unknown[];

  /** Use {@linkcode select}. */
  constructor(
    shape: RowShape,
    state: SelectState,
    optionList: readonly unknown[] = [],
  ) {
    super();
    this.shape = shape;
    this.state = state;
    this.optionList = optionList;
  }

  override get kind(): string {
    return "select";
  }
  override get isRead(): boolean {
    return true;
  }
  /** It can stand behind IN. */
  get isQuery(): true {
    return true;
  }
  override structure(): readonly unknown[] {
    const { items, lock, ...rest } = this.state;
    return [
      items.map(({ expressions }) => expressions),
      lock && Object.entries(lock).flat(),
      ...Object.values(rest),
    ];
  }

  /** The expressions of a result's row. */
  get expressions(): readonly Expression<unknown>[] {
    return this.state.items.flatMap((item) => item.expressions);
  }

  #with(patch: Partial<SelectState>): Select<Row> {
    return new Select(this.shape, { ...this.state, ...patch }, this.optionList);
  }

  /** Only rows that meet all conditions. */
  where(...conditions: Expression<unknown>[]): Select<Row> {
    const { where } = this.state;
    return this.#with({ where: and(...(where ? [where] : []), ...conditions) });
  }
  /** Takes rows from here, where the columns do not say it. */
  from(...sources: (FromClause | Selectable)[]): Select<Row> {
    return this.#with({
      from: [...this.state.from, ...sources.map(fromOf)],
    });
  }
  /** Joins rows: along a relation, by the foreign key, or on a condition. */
  join(target: JoinTarget, on?: Expression<unknown>): Select<Row> {
    return this.#join("JOIN", target, on);
  }
  /** Joins rows where there are any, else NULLs. */
  leftJoin(target: JoinTarget, on?: Expression<unknown>): Select<Row> {
    return this.#join("LEFT JOIN", target, on);
  }
  /** Joins in another way: RIGHT, FULL, CROSS. */
  joinAs(
    kind: JoinKind,
    target: JoinTarget,
    on?: Expression<unknown>,
  ): Select<Row> {
    return this.#join(kind, target, on);
  }
  /** One row for each group. */
  groupBy(...expressions: Expression<unknown>[]): Select<Row> {
    return this.#with({ groupBy: [...this.state.groupBy, ...expressions] });
  }
  /** Only groups that meet all conditions. */
  having(...conditions: Expression<unknown>[]): Select<Row> {
    const { having } = this.state;
    return this.#with({
      having: and(...(having ? [having] : []), ...conditions),
    });
  }
  /** Sorts; a later call sorts within the earlier order. */
  orderBy(...expressions: Expression<unknown>[]): Select<Row> {
    return this.#with({ orderBy: [...this.state.orderBy, ...expressions] });
  }
  /** At most so many rows. */
  limit(count: number | Expression<number>): Select<Row> {
    return this.#with({ limit: operand(count, TYPES.integer) });
  }
  /** Leaves out the first rows. */
  offset(count: number | Expression<number>): Select<Row> {
    return this.#with({ offset: operand(count, TYPES.integer) });
  }
  /** Each row once. */
  distinct(): Select<Row> {
    return this.#with({ distinct: true });
  }
  /** The same rows with other columns; their order only stays where it decides which they are. */
  withOnlyColumns<const A extends readonly (SelectItem | SelectRecord)[]>(
    ...things: A
  ): Select<SelectedRow<A>> {
    const { from, limit, offset, orderBy } = this.state;
    const { shape, state } = select(...things);
    return new Select(shape, {
      ...this.state,
      items: state.items,
      from: from.length > 0 ? from : fromsOf(this, new Set()),
      orderBy: limit || offset ? orderBy : [],
    });
  }
  /** Locks the rows, on databases that lock rows. */
  withForUpdate(options: LockOptions = {}): Select<Row> {
    return this.#with({ lock: options });
  }
  /** Adds settings for the layers above, such as how relations are loaded. */
  options<const L extends readonly SelectOption[]>(
    ...options: L
  ): Select<WithOptions<Row, L>> {
    return new Select(this.shape, this.state, [
      ...this.optionList,
      ...options,
    ]);
  }

  #join(
    kind: JoinKind,
    target: JoinTarget,
    on?: Expression<unknown>,
  ): Select<Row> {
    const { joins } = this.state;
    if (joinPath in target) {
      const steps = target[joinPath]();
      return this.#with({
        joins: [
          ...joins,
          ...steps.map((step, i) =>
            new Join(
              kind,
              step.from,
              on && i === steps.length - 1 ? and(step.on, on) : step.on,
            )
          ),
        ],
      });
    }
    const right = fromOf(target);
    const left = fromsOf(this, new Set([right]));
    const condition = kind === "CROSS JOIN" ? undefined : on ??
      joinCondition([...left, ...joins.map((join) => join.right)], right);
    return this.#with({ joins: [...joins, new Join(kind, right, condition)] });
  }

  override compile(compiler: Compiler): void {
    const s = this.state;
    const froms = fromsOf(this, compiler.enclosing);
    const visible = [...froms, ...s.joins.map((join) => join.right)];
    compiler.nested(visible, (outermost) => {
      compiler.write(s.distinct ? "SELECT DISTINCT " : "SELECT ");
      compiler.results(this.expressions, outermost);
      compiler.clause(" FROM ", froms);
      for (const join of s.joins) compiler.visit(join);
      const where = [
        ...(s.where ? [s.where] : []),
        ...s.items.flatMap(({ source }) => source?.where ? [source.where] : []),
      ];
      if (where.length > 0) compiler.clause(" WHERE ", [and(...where)]);
      compiler.clause(" GROUP BY ", s.groupBy);
      if (s.having) compiler.clause(" HAVING ", [s.having]);
      compiler.clause(" ORDER BY ", s.orderBy);
      compiler.limit(s.limit, s.offset);
      if (s.lock && compiler.dialect.features.forUpdate) {
        writeLock(s.lock, compiler);
      }
    });
  }
}

function writeLock(lock: LockOptions, compiler: Compiler): void {
  compiler.write(lock.read ? " FOR SHARE" : " FOR UPDATE");
  if (lock.nowait) compiler.write(" NOWAIT");
  if (lock.skipLocked) compiler.write(" SKIP LOCKED");
}

/** What a selectable's rows come from. */
export function fromOf(target: FromClause | Selectable): FromClause {
  return target instanceof FromClause ? target : target[rowSource].from;
}

/**
 * Starts a query of a mapped class, a table, expressions, or an object of them.
 *
 * @example
 * ```ts
 * import { integer, MetaData, select, table, text } from "@aludel/aludel/sql";
 *
 * const users = table("users", new MetaData(), {
 *   id: integer().primaryKey(),
 *   name: text(),
 * });
 * select(users).where(users.c.name.like("e%")).orderBy(users.c.id);
 * select({ name: users.c.name });
 * ```
 */
export function select<const A extends readonly (SelectItem | SelectRecord)[]>(
  ...things: A
): Select<SelectedRow<A>> {
  const [first] = things;
  const isRecord = things.length === 1 && first !== undefined &&
    !(first instanceof Expression) && !(rowSource in first);
  const items = isRecord
    ? Object.entries(first as SelectRecord).map(([key, thing]) =>
      itemOf(thing, key)
    )
    : things.map((thing) => itemOf(thing as SelectItem));
  if (items.length === 0) {
    throw new CompileError(
      "Cannot select nothing; name a class, table or column",
    );
  }
  const shape: RowShape = {
    kind: isRecord ? "record" : items.length === 1 ? "single" : "tuple",
    items,
  };
  return new Select(shape, {
    items,
    from: [],
    joins: items.flatMap(({ source }) => source?.joins ?? []),
    where: undefined,
    groupBy: [],
    having: undefined,
    orderBy: [],
    limit: undefined,
    offset: undefined,
    distinct: false,
    lock: undefined,
  });
}

/** What one selected thing adds to a row. */
export function itemOf(thing: SelectItem, key?: string): RowItem {
  const named = key === undefined ? {} : { key };
  if (thing instanceof Expression) {
    return {
      ...named,
      expressions: [key === undefined ? thing : new Labeled(thing, key)],
    };
  }
  const source = (thing as Selectable)[rowSource];
  return { ...named, source, expressions: source.columns };
}

/** What can stand behind IN, for other rooms. */
export type { InOperand };

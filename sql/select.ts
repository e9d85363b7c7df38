import type { Compiler } from "./compiler.ts";
import { CompileError } from "./errors.ts";
import { and, Expression, operand, Raw } from "./expression.ts";
import { type FromClause, Join, type JoinKind } from "./from.ts";
import { joinCondition } from "./_join_condition.ts";
import { fromsOf } from "./_froms.ts";
import type { Node } from "./node.ts";
import type {
  JoinedRow,
  SelectedRow,
  SelectItem,
  SelectOption,
  SelectRecord,
  SourcesOf,
  WithOptions,
} from "./row_types.ts";
import {
  copyOf,
  type JoinPath,
  joinPath,
  type RowItem,
  type RowShape,
  rowSource,
  type Selectable,
  Statement,
} from "./statement.ts";
import { INTEGER } from "./standard_types.ts";

/** What can be joined: a table, an alias, a mapped class, a relation. */
export type JoinTarget = FromClause | Selectable | JoinPath;

/** The clauses of a query, as they were said. */
export interface SelectState {
  /** What rows are said to come from. */
  readonly from: readonly FromClause[];
  /** What was joined. */
  readonly joins: readonly Join[];
  /** Which rows. */
  readonly where?: Expression<unknown> | undefined;
  /** What makes a group. */
  readonly groupBy: readonly Expression<unknown>[];
  /** Which groups. */
  readonly having?: Expression<unknown> | undefined;
  /** The order. */
  readonly orderBy: readonly Expression<unknown>[];
  /** How many rows at most. */
  readonly limit?: Expression<unknown> | undefined;
  /** How many rows are left out. */
  readonly offset?: Expression<unknown> | undefined;
  /** The words that make each row come once. */
  readonly distinct?: Node | undefined;
  /** How rows are locked. */
  readonly lock?: Node | undefined;
  /** What belongs to the query around this one, if it was said. */
  readonly correlate?: readonly FromClause[];
}

/**
 * A query: Fowler's Query Object. Immutable: every method returns a new one.
 *
 * @typeParam Row What a row becomes.
 * @typeParam Sources What the parts of a row belong to.
 */
export class Select<Row, Sources = unknown> extends Statement<Row> {
  /** Never present: carries what the parts of a row belong to. */
  declare readonly "~sources": Sources;
  /** What its rows become. */
  override readonly shape: RowShape;
  /** The clauses. */
  readonly state: SelectState;

  /** Use {@linkcode select}. */
  constructor(shape: RowShape, state: SelectState) {
    super();
    this.shape = shape;
    this.state = state;
  }

  /** @ignore */
  override get kind(): string {
    return "select";
  }
  /** Whether it only reads. */
  override get isRead(): boolean {
    return true;
  }
  /** It can stand behind IN. */
  declare readonly isQuery: true;
  /** @ignore */
  override structure(): readonly unknown[] {
    const own = this.shape.items.map(({ source }) => source?.where);
    return [...Object.values(this.state), this.expressions, own];
  }

  /** Only rows that meet all conditions. */
  where(...conditions: Expression<unknown>[]): Select<Row, Sources> {
    return changed(this, { where: allOf(this.state.where, ...conditions) });
  }
  /** Takes rows from here, where the columns do not say it. */
  from(...sources: Selectable[]): Select<Row, Sources> {
    return changed(this, {
      from: [...this.state.from, ...sources.map(fromOf)],
      where: allOf(
        this.state.where,
        ...sources.map((source) => source[rowSource].where),
      ),
    });
  }
  /** Joins rows: along a relation, by the foreign key, or on a condition. */
  join(target: JoinTarget, on?: Expression<unknown>): Select<Row, Sources> {
    return this.joinAs("JOIN", target, on) as Select<never, Sources>;
  }
  /** Joins rows where there are any, else NULLs. */
  leftJoin<J extends JoinTarget>(
    target: J,
    on?: Expression<unknown>,
  ): Select<JoinedRow<Row, Sources, J, "LEFT JOIN">, Sources> {
    return this.joinAs("LEFT JOIN", target, on);
  }
  /** Joins in another way: RIGHT, FULL, CROSS. */
  joinAs<K extends JoinKind, J extends JoinTarget>(
    kind: K,
    target: J,
    on?: Expression<unknown>,
  ): Select<JoinedRow<Row, Sources, J, K>, Sources> {
    const { joins } = this.state;
    const [steps, also] = joinPath in target
      ? [target[joinPath](), on]
      : stepTo(this, kind, target, on);
    return changed(this, {
      joins: [
        ...joins,
        ...steps.map((step, i) =>
          new Join(
            kind,
            step.from,
            allOf(step.on, i + 1 === steps.length ? also : undefined),
          )
        ),
      ],
    }) as Select<never, Sources>;
  }
  /** One row for each group. */
  groupBy(...expressions: Expression<unknown>[]): Select<Row, Sources> {
    return changed(this, { groupBy: [...this.state.groupBy, ...expressions] });
  }
  /** Only groups that meet all conditions. */
  having(...conditions: Expression<unknown>[]): Select<Row, Sources> {
    return changed(this, { having: allOf(this.state.having, ...conditions) });
  }
  /** Sorts; a later call sorts within the earlier order. */
  orderBy(...expressions: Expression<unknown>[]): Select<Row, Sources> {
    return changed(this, { orderBy: [...this.state.orderBy, ...expressions] });
  }
  /**
   * At most so many rows.
   *
   * @throws {CompileError} If that is no whole number from 0 on.
   */
  limit(count: number | Expression<number>): Select<Row, Sources> {
    return changed(this, { limit: countOf(count) });
  }
  /**
   * Leaves out the first rows.
   *
   * @throws {CompileError} If that is no whole number from 0 on.
   */
  offset(count: number | Expression<number>): Select<Row, Sources> {
    return changed(this, { offset: countOf(count) });
  }
  /** Each row once. */
  distinct(): Select<Row, Sources> {
    return changed(this, { distinct: new Raw("DISTINCT ") });
  }
  /** Adds settings for the layers above, such as how relations are loaded. */
  options<const L extends readonly SelectOption[]>(
    ...options: L
  ): Select<WithOptions<Row, L>, Sources> {
    return copyOf<Select<Row, Sources>>(this, {
      optionList: [...this.optionList, ...options],
    }) as Select<never, Sources>;
  }

  /** @ignore */
  override compile(compiler: Compiler): void {
    const s = this.state;
    const froms = fromsOf(this, compiler.enclosing);
    const visible = [...froms, ...s.joins.map((join) => join.right)];
    compiler.nested(visible, (outermost) => {
      compiler.write("SELECT ", s.distinct ?? "");
      compiler.results(this.expressions, outermost);
      compiler.clause(" FROM ", froms);
      compiler.write(...s.joins);
      const own = this.shape.items.map(({ source }) => source?.where);
      compiler.clause(" WHERE ", allOf(s.where, ...own));
      compiler.clause(" GROUP BY ", s.groupBy);
      compiler.clause(" HAVING ", s.having);
      compiler.clause(" ORDER BY ", s.orderBy);
      compiler.clause(" LIMIT ", s.limit);
      if (s.offset && !s.limit && compiler.dialect.features.offsetNeedsLimit) {
        compiler.write(" LIMIT -1");
      }
      compiler.clause(" OFFSET ", s.offset);
      compiler.write(s.lock ?? "");
    });
  }
}

// SQLite takes a negative limit for none at all, which no pager means.
function countOf(count: number | Expression<number>): Expression<unknown> {
  if (typeof count !== "number" || Number.isInteger(count) && count >= 0) {
    return operand(count, INTEGER);
  }
  throw new CompileError("Cannot count rows: give a whole number from 0 on");
}

/** A query with some of its clauses changed. */
export function changed<Row, Sources>(
  query: Select<Row, Sources>,
  patch: Partial<SelectState>,
): Select<Row, Sources> {
  return copyOf(query, { state: { ...query.state, ...patch } });
}

/** The way to what knows none itself, and what must hold of its rows. */
function stepTo(
  query: Select<unknown>,
  kind: JoinKind,
  target: Selectable,
  given: Expression<unknown> | undefined,
): [
  { from: FromClause; on: Expression<unknown> | undefined }[],
  Expression<unknown> | undefined,
] {
  const { from, where } = target[rowSource];
  const lefts = () => [
    ...fromsOf(query, [from]),
    ...query.state.joins.map((join) => join.right),
  ];
  const on = kind === "CROSS JOIN"
    ? undefined
    : given ?? joinCondition(lefts(), from);
  return [[{ from, on }], on && where];
}

/** All of several conditions; nothing where there are none. */
export function allOf(
  ...conditions: readonly (Expression<unknown> | undefined)[]
): Expression<unknown> | undefined {
  const met = conditions.filter((one) => one !== undefined);
  return met.length > 1 ? and(...met) : met[0];
}

/** What a selectable's rows come from. */
export function fromOf(target: Selectable): FromClause {
  return target[rowSource].from;
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
): Select<SelectedRow<A>, SourcesOf<A>> {
  const shape = shapeOf(things);
  if (shape.items.length === 0) {
    throw new CompileError(
      "Cannot select nothing; name a class, table or column",
    );
  }
  return new Select(shape, EMPTY);
}

/** The clauses of a query that says nothing yet. */
export const EMPTY: SelectState = {
  from: [],
  joins: [],
  groupBy: [],
  orderBy: [],
};

/** What rows of selected things become. */
export function shapeOf(
  things: readonly (SelectItem | SelectRecord)[],
): RowShape {
  const [first] = things;
  const isRecord = things.length === 1 && first !== undefined &&
    !(first instanceof Expression) && !(rowSource in first);
  return {
    kind: isRecord ? "record" : things.length === 1 ? "single" : "tuple",
    items: isRecord
      ? Object.entries(first as SelectRecord).map(([key, thing]) =>
        itemOf(thing, key)
      )
      : things.map((thing) => itemOf(thing as SelectItem)),
  };
}

/** What one selected thing adds to a row. */
export function itemOf(thing: SelectItem, key?: string): RowItem {
  if (thing instanceof Expression) {
    return { key, expressions: [key === undefined ? thing : thing.as(key)] };
  }
  const source = (thing as Selectable)[rowSource];
  return { key, source, expressions: source.columns };
}

import {
  Alias,
  and,
  type Column,
  type Expression,
  type FromClause,
  joinPath,
  type JoinStep,
  type RowSource,
  rowSource,
  type Selectable,
} from "../sql/mod.ts";
import type { Mapper } from "./mapper.ts";
import { overlap, type Relation } from "./relation.ts";
import { column } from "./relations/base.ts";

/** The columns of the class on the other side of a relation, by attribute. */
export type TargetColumns<C> = C extends { readonly c: infer Columns } ? Columns
  : never;

/** A condition, or how it is made of the columns that it is about. */
export type Criterion<C> =
  | Expression<unknown>
  | ((columns: TargetColumns<C>) => Expression<unknown>);

/**
 * A relation seen in one query's way: from or to an alias, or narrowed. It can
 * be joined and loaded as the relation itself.
 */
export interface RelationView<Key extends string = string, C = unknown>
  extends Relation<Key, C> {
  /** The relation itself. */
  readonly of: Relation<Key, C>;
  /** What it leads from, where that is an alias. */
  readonly from?: FromClause | undefined;
  /** What it leads to, where that is an alias. */
  readonly to?: FromClause | undefined;
  /** What else holds of the other side. */
  readonly criterion?: Criterion<C> | undefined;
  /** What its objects are made of, where they are to be of a subclass. */
  readonly source?: RowSource | undefined;
}

/** The view that a relation is; of a relation itself, the plain one. */
export function viewOf<Key extends string, C>(
  relation: Relation<Key, C> | RelationView<Key, C>,
): RelationView<Key, C> {
  return "of" in relation ? relation : makeView(relation, {});
}

/** The same relation, seen in another way as well. */
export function makeView<Key extends string, C>(
  relation: Relation<Key, C>,
  patch: Partial<
    Pick<RelationView<Key, C>, "from" | "to" | "criterion" | "source">
  >,
): RelationView<Key, C> {
  const former = "of" in relation ? relation as RelationView<Key, C> : {
    of: relation,
  };
  const { of } = former;
  const view: RelationView<Key, C> = Object.assign(
    Object.create(of) as Relation<Key, C>,
    former,
    patch,
    {
      [joinPath]: (left?: FromClause): readonly JoinStep[] =>
        stepsOf(view, left),
    },
  );
  return view;
}

function stepsOf(view: RelationView, left = view.from): readonly JoinStep[] {
  const { of, to = of.target.from } = view;
  const steps = of.steps(left, to);
  const last = steps.length - 1;
  const more = conditionOf(view.criterion, of.target, to);
  return more
    ? steps.map(({ from, on }, i) => ({
      from,
      on: i === last ? and(on, more) : on,
    }))
    : steps;
}

/** A criterion as it holds of a class's rows where they come from. */
export function conditionOf(
  criterion: Criterion<unknown> | undefined,
  mapper: Mapper,
  from: FromClause,
): Expression<unknown> | undefined {
  return typeof criterion === "function"
    ? (criterion as (columns: unknown) => Expression<unknown>)(
      columnsAt(mapper, from),
    )
    : criterion;
}

/** The columns of a class by attribute, where its rows come from an alias. */
export function columnsAt(
  mapper: Mapper,
  from: FromClause,
): Readonly<Record<string, unknown>> {
  return from === mapper.from ? mapper.c : mapper.columnsAt(from);
}

/** Another name for what a class's rows come from, so that they can stand twice in a query. */
export function aliasOf({ from }: Mapper, name?: string): FromClause {
  return "aliased" in from
    ? (from as Renamable).aliased(name)
    : new Alias(from, name);
}

/** What several tables are joined to, which no alias of one table can name. */
export interface Renamable extends FromClause {
  /** The same under other names. */
  aliased(name?: string): FromClause;
}

/** A column that the database computes. */
export interface Computed {
  /** The same over an alias. */
  at(from: FromClause): Column<unknown>;
}

/** A class's rows where they come from an alias. */
export function sourceAt(mapper: Mapper, from: FromClause): RowSource {
  const { source } = mapper;
  return from === mapper.from ? source : {
    ...source,
    from,
    where: mapper.parts.criterion?.(from),
    columns: source.columns.map((one) => columnAt(mapper, one, from)),
  };
}

/** A class's column where its rows come from an alias. */
export function columnAt(
  mapper: Mapper,
  one: Column<unknown> & Partial<Computed>,
  from: FromClause,
): Column<unknown> {
  if (from === mapper.from) return one;
  // What the database computes is computed over the alias.
  return (one.at?.(from) ?? column(from, one.key)) as Column<unknown>;
}

/**
 * A relation to those of its objects that meet a condition: for one join, or
 * one loader option. SQLAlchemy's `User.addresses.and_(…)`.
 *
 * @example
 * ```ts ignore
 * select(User).options(
 *   selectinload(filtered(User.r.addresses, (a) => a.email.ne("old@example.com"))),
 * );
 * ```
 */
export function filtered<Key extends string, C>(
  relation: Relation<Key, C>,
  criterion: Criterion<C>,
): RelationView<Key, C> {
  return makeView(relation, { criterion });
}

/**
 * A relation that leads to an alias, so that its class can stand twice in a
 * query, or to those of its objects that are of a subclass, or that
 * `withPolymorphic()` names.
 */
export function ofType<Key extends string, C>(
  relation: Relation<Key, C>,
  target: Selectable,
): RelationView<Key, C> {
  const { where, ...source } = target[rowSource];
  const { from } = source;
  // An alias names no rows of the relation's own table.
  const isSubclass = overlap(from, relation.target.from);
  return makeView(relation, {
    to: from,
    ...where && { criterion: where },
    ...isSubclass && { source },
  });
}

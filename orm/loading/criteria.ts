import {
  type Alias,
  and,
  copyOf,
  type Expression,
  type FromClause,
  fromsOf,
  Join,
  rowSource,
  Select,
  type Selectable,
  type SelectOption,
  type Statement,
} from "../../sql/mod.ts";
import { type AnyClass, type Mapper, mapperOfTable } from "../mapper.ts";
import { conditionOf, type Criterion } from "../relation_view.ts";
import type { LoadOption } from "./loader.ts";
import { planOptions } from "./options.ts";

/**
 * A condition on every row of a class that a statement reads or writes: its
 * own rows, those it joins, and those that its relations load, now or later.
 * For tenants and soft deletion. A class stands for those that extend it.
 * Subqueries that the program writes, and `refresh()`, are left alone.
 *
 * @example
 * ```ts
 * import {
 *   Entity,
 *   integer,
 *   oneToMany,
 *   selectinload,
 *   Session,
 *   text,
 *   withLoaderCriteria,
 * } from "@aludel/aludel/orm";
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createEngine, MetaData, select } from "@aludel/aludel/sql";
 * import { strictEqual } from "node:assert/strict";
 *
 * abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
 *   static override metadata = new MetaData();
 * }
 * class User extends Base.table("users", {
 *   name: text(),
 *   addresses: () => oneToMany(Address),
 * }) {}
 * class Address extends Base.table("addresses", {
 *   email: text(),
 *   userId: integer().references("users.id"),
 * }) {}
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * await Base.metadata.createAll(engine);
 * await using session = new Session({ bind: engine });
 * session.add(new User({ name: "ed", addresses: [new Address({ email: "ed@example.com" })] }));
 * await session.commit();
 * session.expungeAll();
 *
 * const [ed] = await session.scalars(
 *   select(User).options(
 *     selectinload(User.r.addresses),
 *     withLoaderCriteria(Address, (address) => address.email.ne("ed@example.com")),
 *   ),
 * );
 * strictEqual(ed?.addresses.length, 0);
 * ```
 *
 * @param cls The class, or a base of several.
 * @param criterion The condition, made of the columns of whatever the rows come from.
 */
export function withLoaderCriteria<C extends AnyClass>(
  cls: C,
  criterion: Criterion<C>,
): LoadOption {
  const criterionOf = (
    mapper: Mapper | undefined,
    from: FromClause,
  ): Expression<unknown> | undefined =>
    mapper?.isSubclassOf(cls)
      ? conditionOf(criterion as Criterion<unknown>, mapper, from)
      : undefined;
  const of: Narrowing = (from, owner) =>
    criterionOf(owner as Mapper | undefined ?? mapperAt(from), from);
  return {
    kind: "loader",
    plan: planOptions,
    criterionOf,
    narrow(statement) {
      if (statement instanceof Select) return narrowed(statement, of);
      if (!isFilterable(statement)) return statement;
      const { from, owner } = statement.target[rowSource];
      const more = of(from, owner);
      return more ? statement.where(more) : statement;
    },
  };
}

/** Gives a statement that has no `options()` of its own settings for the layers above. */
export function withOptions<S extends Statement<unknown>>(
  statement: S,
  ...options: readonly SelectOption[]
): S {
  return Object.assign(
    Object.create(Object.getPrototypeOf(statement)),
    statement,
    { optionList: [...statement.optionList, ...options] },
  );
}

type Filterable = Statement<unknown> & {
  readonly target: Selectable;
  where(condition: Expression<unknown>): Statement<unknown>;
};

// UPDATE and DELETE; asked by what they can do, so that neither is bundled.
function isFilterable(statement: Statement<unknown>): statement is Filterable {
  return "target" in statement && "where" in statement;
}

/** What must hold of rows where they come from, of whatever class they are. */
type Narrowing = (
  from: FromClause,
  owner?: unknown,
) => Expression<unknown> | undefined;

/** The class whose rows come from somewhere. */
function mapperAt(from: FromClause): Mapper | undefined {
  const named = "of" in from ? (from as Alias).of : from;
  const [, first = named] = named.members;
  const last = mapperOfTable(named.members.at(-1) as FromClause);
  // Tables that are joined are those of a subclass, or of a base with several.
  return last?.from === named ? last : mapperOfTable(first);
}

function narrowed(query: Select<unknown>, of: Narrowing): Select<unknown> {
  const { state, shape } = query;
  const joins = state.joins.map((join) => {
    const more = of(join.right);
    return more
      ? new Join(join.join, join.right, join.on ? and(join.on, more) : more)
      : join;
  });
  const where = fromsOf(query).flatMap((from) => {
    const item = shape.items.find(({ source }) => source?.from === from);
    return of(from, item?.source?.owner) ?? [];
  });
  const conditions = [...state.where ? [state.where] : [], ...where];
  return copyOf(query, {
    state: {
      ...state,
      joins,
      where: conditions.length > 0 ? and(...conditions) : undefined,
    },
  });
}

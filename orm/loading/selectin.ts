import {
  type Column,
  copyOf,
  type RowSource,
  rowSource,
  type Select,
  select,
  type SelectOption,
  withOnlyColumns,
} from "../../sql/mod.ts";
import type { Relation } from "../relation.ts";
import { conditionOf, type RelationView, viewOf } from "../relation_view.ts";
import { populateExisting } from "../session_options.ts";
import { columnsOfRows } from "./_derived.ts";
import {
  type Level,
  type LoaderOption,
  type LoadOption,
  planReads,
  type Read,
  type Request,
} from "./loader.ts";
import { planOptions, tableIn } from "./options.ts";
import { among, attach, ownerColumns, relatedQuery } from "./related.ts";

/**
 * Loads a relation along with a query: one more statement in the same trip,
 * whatever the depth, since it finds the owners by the query itself.
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
 *   select(User).options(selectinload(User.r.addresses)),
 * );
 * strictEqual(ed?.addresses.at(0)?.email, "ed@example.com");
 * ```
 *
 * @param relation The relation, as `User.r.addresses`.
 * @param then What is loaded below it.
 */
export function selectinload<
  Key extends string,
  C,
  const Sub extends readonly SelectOption[] = [],
>(relation: Relation<Key, C>, ...then: Sub): LoaderOption<Key, Sub> {
  const view = viewOf(relation);
  const { of, from } = view;
  return {
    kind: "loader",
    plan: planOptions,
    key: relation.key,
    relation: of,
    from,
    then,
    load(this: LoadOption, one, level, request) {
      return selectRelated(one, level, request, this.then ?? [], view);
    },
  };
}

/**
 * Loads a relation by the query that gives the owners. It finds them by a
 * subquery, as {@linkcode selectinload} does here; on databases that are a
 * network away the two are one strategy.
 */
export function subqueryload<
  Key extends string,
  C,
  const Sub extends readonly SelectOption[] = [],
>(relation: Relation<Key, C>, ...then: Sub): LoaderOption<Key, Sub> {
  return selectinload(relation, ...then);
}

/**
 * Loads a relation right away instead of lazily. It goes in the query's own
 * trip, not in one for each object.
 */
export function immediateload<
  Key extends string,
  C,
  const Sub extends readonly SelectOption[] = [],
>(relation: Relation<Key, C>, ...then: Sub): LoaderOption<Key, Sub> {
  return selectinload(relation, ...then);
}

/**
 * Loads a relation of a class to itself down to a depth, in one trip.
 *
 * @param depth How many levels; 1 is the objects right below.
 */
export function selectinTree<Key extends string, C>(
  relation: Relation<Key, C>,
  depth: number,
): LoaderOption<Key, []> {
  if (!Number.isInteger(depth) || depth < 1) {
    throw new RangeError(
      `Cannot load ${relation.parent.name}.${relation.key} to depth ${depth}; give a whole number from 1`,
    );
  }
  const top = selectinload(relation);
  return depth === 1
    ? top
    : { ...top, then: [selectinTree(relation, depth - 1)] };
}

/** The reads of a relation of a query's objects. */
export function selectRelated(
  relation: Relation,
  level: Level,
  request: Request,
  then: readonly SelectOption[],
  { criterion, source }: Pick<RelationView, "criterion" | "source">,
): readonly Read[] {
  const overwrite = request.asked.optionList.includes(populateExisting);
  const owners = ownerKeys(relation, level);
  const query = relatedQuery(relation, owners);
  const related = source ? madeOf(query, source) : query;
  const condition = conditionOf(
    criterion,
    relation.target,
    relation.target.from,
  );
  return planReads(
    request.reader,
    (condition ? related.where(condition) : related).options(
      ...then,
      ...request.spread,
      ...(overwrite ? [populateExisting] : []),
    ),
    (rows) => attach(relation, ownersOf(relation, level), rows, overwrite),
  );
}

/** A query of related objects whose rows are made of something else. */
function madeOf(query: Select<unknown>, source: RowSource): Select<unknown> {
  const { shape } = query;
  const items = shape.items.map((item) =>
    item.source ? { ...item, source, expressions: source.columns } : item
  );
  return copyOf(query, { shape: { ...shape, items } });
}

/** Those of a query's objects that have a relation: it may be one of a subclass. */
function ownersOf({ parent }: Relation, level: Level): readonly object[] {
  return level.objects().filter((one) => one instanceof parent.cls);
}

/** Whether a query's rows hold the keys by which a relation's objects are found. */
export function holdsKeys(relation: Relation, { from }: Level): boolean {
  return ownerColumns(relation, tableIn(relation.parent, from))
    .every(({ table }) => from.members.includes(table));
}

/** A query of the keys by which a query's objects refer, or are referred to. */
export function ownerKeys(relation: Relation, level: Level): Select<unknown> {
  const { parent } = relation;
  const { query, from } = level;
  if (holdsKeys(relation, level)) {
    return keysAmong(query, ownerColumns(relation, tableIn(parent, from)));
  }
  // Of a subclass of the class asked for: its rows of the same identities.
  const key = parent.primaryKey.map((one) => from.c[one.key]);
  return select(...ownerColumns(relation)).from({ [rowSource]: parent.source })
    .where(among(parent.primaryKey, keysAmong(query, key)));
}

/** A query of the keys by which a query's objects refer or are referred to. */
export function keysAmong(
  query: Select<unknown>,
  columns: readonly Column<unknown>[],
): Select<unknown> {
  const { distinct, limit, offset } = query.state;
  const own = query.shape.items.flatMap(({ source }) => source?.where ?? []);
  const whole = own.length > 0 ? query.where(...own) : query;
  return distinct && (limit || offset)
    ? columnsOfRows(whole, columns)
    : withOnlyColumns(whole, ...columns);
}

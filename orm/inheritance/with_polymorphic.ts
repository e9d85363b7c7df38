import {
  and,
  type Column,
  Join,
  rowSource,
  type Selectable,
} from "../../sql/mod.ts";
import type { AliasedClass } from "../aliased.ts";
import { type AnyClass, type Mapper, mapperOf } from "../mapper.ts";
import type { Relation } from "../relation.ts";
import { columnsAt, makeView } from "../relation_view.ts";
import type { InstanceOf } from "../types.ts";
import { memberOf } from "./hierarchy.ts";
import { JoinedTables } from "./joined_tables.ts";

/** A mapped class with its columns and relations. */
export type ClassWithColumns = AnyClass & Selectable & {
  readonly c: unknown;
  readonly r: unknown;
};

/** Settings of {@linkcode withPolymorphic}. */
export interface WithPolymorphicOptions {
  /** Gives the tables other names, so that they can stand in the query once more; a string names the first. @default {false} */
  readonly aliased?: boolean | string;
  /** Whether only rows that are in every table are wanted. @default {false} */
  readonly innerJoin?: boolean;
}

/** A class together with what subclasses add, for one query. */
export interface PolymorphicClass<C extends ClassWithColumns>
  extends AliasedClass<InstanceOf<C>, C["c"], C["r"]> {
  /** The columns and relations of a subclass, under the names that they have here. */
  of<S extends ClassWithColumns>(
    subclass: S,
  ): { readonly c: S["c"]; readonly r: S["r"] };
}

/**
 * A class together with what subclasses add, in one query of all their tables:
 * the base's rows, left joined by those of the subclasses. Conditions may name
 * the columns of every one.
 *
 * @example
 * ```ts
 * import { Entity, integer, joined, Session, text, withPolymorphic } from "@aludel/aludel/orm";
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createEngine, MetaData, select } from "@aludel/aludel/sql";
 * import { ok, strictEqual } from "node:assert/strict";
 *
 * abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
 *   static override metadata = new MetaData();
 * }
 * class User extends Base.table("users", { name: text() }) {}
 * class Manager extends joined(User, "managers", { level: integer() }, {
 *   identity: "manager",
 * }) {}
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * await Base.metadata.createAll(engine);
 * await using session = new Session({ bind: engine });
 * session.addAll([new User({ name: "ed" }), new Manager({ name: "wendy", level: 3 })]);
 * await session.commit();
 * session.expungeAll();
 *
 * const anyone = withPolymorphic(User, [Manager]);
 * const [wendy] = await session.scalars(
 *   select(anyone).where(anyone.of(Manager).c.level.gt(2)),
 * );
 * ok(wendy instanceof Manager);
 * strictEqual(wendy.level, 3);
 * ```
 *
 * @param base The class of the objects.
 * @param subclasses The classes below it; `"*"` is every one that something has named.
 */
export function withPolymorphic<C extends ClassWithColumns>(
  base: C,
  subclasses: readonly AnyClass[] | "*",
  { aliased = false, innerJoin = false }: WithPolymorphicOptions = {},
): PolymorphicClass<C> {
  const mapper = mapperOf(base);
  const mappers = subclasses === "*"
    ? (memberOf(mapper)?.descendants ?? []).flatMap((one) => one.mapper ?? [])
    : subclasses.map((cls) => mapperOf(cls));
  const plain = joinAll(mapper, mappers, innerJoin ? "JOIN" : "LEFT JOIN");
  const from = aliased
    ? plain.aliased(aliased === true ? undefined : aliased)
    : plain;
  const columns = new Set(
    [mapper, ...mappers].flatMap(({ source }) => source.columns),
  );
  const source = {
    from,
    columns: [...columns].map((column) => from.columnOf(column)),
    where: mapper.parts.criterion?.(from),
    owner: mapper,
  };
  const relationsOf = ({ relations }: Mapper): Record<string, Relation> =>
    Object.fromEntries(
      [...relations].map((
        [key, relation],
      ) => [key, makeView(relation, { from })]),
    );
  return {
    prototype: base.prototype as InstanceOf<C>,
    from,
    c: columnsAt(mapper, from) as C["c"],
    get r(): C["r"] {
      return relationsOf(mapper);
    },
    of(subclass) {
      const one = mapperOf(subclass);
      return {
        c: Object.fromEntries(
          one.allColumns.map((
            column,
          ) => [one.keyOf(column), from.columnOf(column)]),
        ),
        get r() {
          return relationsOf(one);
        },
      };
    },
    [rowSource]: source,
  };
}

/** The base's tables, joined by those that subclasses add. */
function joinAll(
  base: Mapper,
  mappers: readonly Mapper[],
  kind: "JOIN" | "LEFT JOIN",
): JoinedTables {
  const { from } = base;
  const [first, joins] = from instanceof JoinedTables
    ? [from.first, [...from.joins]]
    : [from, []];
  let c: Record<string, Column<unknown>> = { ...from.c };
  const seen = new Set(base.tables.map(({ table }) => table));
  for (const mapper of mappers) {
    for (const { table, key } of mapper.tables) {
      if (seen.has(table)) continue;
      seen.add(table);
      const on = key.map((column, i) =>
        column.eq(base.primaryKey[i] as Column<unknown>)
      );
      joins.push(new Join(kind, table, and(...on)));
    }
    c = { ...mapper.from.c, ...c };
  }
  return new JoinedTables(first, joins, c);
}

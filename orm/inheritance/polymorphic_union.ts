import {
  cast,
  type Column,
  literal,
  rowSource,
  select,
  type SelectRecord,
  subquery,
  text,
  unionAll,
} from "../../sql/mod.ts";
import type { AliasedClass } from "../aliased.ts";
import { MappingError } from "../errors.ts";
import { type AnyClass, type Mapper, mapperOf } from "../mapper.ts";
import { columnsAt } from "../relation_view.ts";
import type { InstanceOf } from "../types.ts";
import { familyOf, WHICH } from "./family.ts";
import type { ClassWithColumns } from "./with_polymorphic.ts";

/**
 * The rows of a class and of those that inherit from it by `concrete()`, in
 * one query: a UNION of their tables. Each row becomes an object of its class.
 *
 * @example
 * ```ts
 * import { concrete, Entity, integer, polymorphicUnion, Session, text } from "@aludel/aludel/orm";
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createEngine, MetaData, select } from "@aludel/aludel/sql";
 * import { ok, strictEqual } from "node:assert/strict";
 *
 * abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
 *   static override metadata = new MetaData();
 * }
 * class User extends Base.table("users", { name: text() }) {}
 * class Guest extends concrete(User, "guests", { room: integer() }, {
 *   identity: "guest",
 * }) {}
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * await Base.metadata.createAll(engine);
 * await using session = new Session({ bind: engine });
 * session.addAll([new User({ name: "ed" }), new Guest({ name: "wendy", room: 7 })]);
 * await session.commit();
 *
 * const anyone = polymorphicUnion(User, [Guest]);
 * const [ed, wendy] = await session.scalars(select(anyone).orderBy(anyone.c.name));
 * strictEqual(ed?.name, "ed");
 * ok(wendy instanceof Guest);
 * strictEqual(wendy.room, 7);
 * ```
 *
 * @param base The class.
 * @param subclasses The classes that inherit from it.
 * @throws {MappingError} If one does not inherit so.
 */
export function polymorphicUnion<C extends ClassWithColumns>(
  base: C,
  subclasses: readonly AnyClass[],
): AliasedClass<InstanceOf<C>, C["c"], Record<never, never>> {
  const mapper = mapperOf(base);
  const mappers = [mapper, ...subclasses.map((cls) => mapperOf(cls))];
  const family = familyOf(mapper);
  const { members } = family;
  if (mapper.polymorphism !== family) {
    throw new MappingError(
      `Cannot unite ${mapper.name} with others: classes share its rows by joined() or single(), and a union tells none of them; query them by themselves`,
    );
  }
  const identities = new Map([...members].map(([name, one]) => [one, name]));
  const columns = new Map<string, Column<unknown>>();
  for (const one of mappers) {
    if (!identities.has(one)) {
      throw new MappingError(
        `Cannot unite ${mapper.name} with ${one.name}: it inherits by no concrete() of its own table; use withPolymorphic()`,
      );
    }
    for (const column of one.columns) {
      const known = columns.get(column.key);
      if (!known) columns.set(column.key, column);
    }
  }
  const queries = mappers.map((one) =>
    select({
      ...rowOf(one, columns),
      [WHICH]: cast(literal(identities.get(one)), text()),
    })
  );
  const [first, ...others] = queries as [typeof queries[0], ...typeof queries];
  const from = subquery(unionAll(first, ...others));
  return {
    prototype: base.prototype as InstanceOf<C>,
    from,
    c: columnsAt(mapper, from) as C["c"],
    r: {},
    [rowSource]: { from, columns: from.columns, owner: mapper },
  };
}

/** A class's columns by key, and NULL for those of others. */
function rowOf(
  mapper: Mapper,
  columns: ReadonlyMap<string, Column<unknown>>,
): SelectRecord {
  return Object.fromEntries(
    [...columns].map(([key, { spec }]) => [
      key,
      mapper.columns.find((one) => one.key === key) ??
        cast(literal(null), spec.type),
    ]),
  );
}

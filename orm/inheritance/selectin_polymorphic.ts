import type { Select } from "../../sql/mod.ts";
import { columnsQuery } from "../_columns_query.ts";
import type { ClassLevel, LoadOption, Read } from "../loading/loader.ts";
import { planOptions } from "../loading/options.ts";
import { among } from "../loading/related.ts";
import { keysAmong } from "../loading/selectin.ts";
import { type AnyClass, type Mapper, mapperOf } from "../mapper.ts";
import { populateExisting } from "../session_options.ts";

/**
 * Loads what subclasses add along with a query of their base: one more
 * statement for each table, in the same trip. Without it, these columns are
 * not there until `loadColumns()` brings them.
 *
 * @example
 * ```ts
 * import { Entity, integer, joined, selectinPolymorphic, Session, text } from "@aludel/aludel/orm";
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
 * session.add(new Manager({ name: "ed", level: 3 }));
 * await session.commit();
 * session.expungeAll();
 *
 * const [ed] = await session.scalars(
 *   select(User).options(selectinPolymorphic(User, [Manager])),
 * );
 * ok(ed instanceof Manager);
 * strictEqual(ed.level, 3);
 * ```
 *
 * @param base The class of the query.
 * @param subclasses The classes below it.
 */
export function selectinPolymorphic(
  base: AnyClass,
  subclasses: readonly AnyClass[],
): LoadOption {
  const mappers = subclasses.map((cls) => mapperOf(cls));
  return {
    kind: "loader",
    plan: planOptions,
    extend(level, request) {
      if (!level.mapper.isSubclassOf(base)) return [];
      const overwrite = request.asked.optionList.includes(populateExisting);
      const options = overwrite ? [populateExisting] : [];
      const seen = new Set(level.mapper.source.columns);
      const reads: Read[] = [];
      for (const mapper of mappers) {
        for (const one of mapper.tables) {
          const columns = mapper.source.columns.filter((column) =>
            column.table === one.table && !seen.has(column)
          );
          if (columns.length === 0) continue;
          for (const column of columns) seen.add(column);
          const query = columnsQuery(mapper, one, columns)
            .where(among(one.key, keysOf(mapper, level)));
          reads.push(request.reader.read(query.options(...options)));
        }
      }
      return reads;
    },
  };
}

/** A query of the identities of a level's objects that may be of a class. */
function keysOf(
  { parts, primaryKey }: Mapper,
  { query, from }: ClassLevel,
): Select<unknown> {
  const key = primaryKey.map((column) => from.c[column.key]);
  const criterion = parts.criterion?.(from);
  return keysAmong(criterion ? query.where(criterion) : query, key);
}

import { columnsOf, type KeyOf, type Target } from "./dml.ts";
import { and } from "./expression.ts";
import type { Insert } from "./insert.ts";
import type { Select } from "./select.ts";
import { copyOf } from "./statement.ts";

/**
 * Inserts what a query gives, its columns in the order of the keys.
 *
 * @example
 * ```ts
 * import { insert, insertFromSelect, integer, MetaData, select, table } from "@aludel/aludel/sql";
 *
 * const metadata = new MetaData();
 * const live = table("live", metadata, { id: integer().primaryKey() });
 * const kept = table("kept", metadata, { id: integer().primaryKey() });
 * insertFromSelect(insert(kept), ["id"], select(live.c.id));
 * ```
 */
export function insertFromSelect<T extends Target, Row>(
  statement: Insert<T, Row>,
  keys: readonly KeyOf<T>[],
  query: Select<unknown>,
): Insert<T, Row> {
  return copyOf(statement, {
    into: columnsOf(statement.target, keys),
    // SQLite takes an ON CONFLICT behind it for a join's ON, unless a WHERE
    // stands between.
    query: query.state.where ? query : query.where(and()),
  });
}

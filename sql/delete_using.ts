import type { Delete, WriteUsing } from "./delete.ts";
import type { Target } from "./dml.ts";
import { fromOf } from "./select.ts";
import { copyOf, type Selectable } from "./statement.ts";

/**
 * Lets the conditions of a DELETE see further tables.
 *
 * @example
 * ```ts
 * import { deleteFrom, integer, MetaData, table, using } from "@aludel/aludel/sql";
 *
 * const metadata = new MetaData();
 * const users = table("users", metadata, { id: integer().primaryKey() });
 * const visits = table("visits", metadata, { userId: integer() });
 * using(deleteFrom(visits), users).where(visits.c.userId.eq(users.c.id));
 * ```
 */
export function using<T extends Target, Row>(
  statement: Delete<T, Row>,
  ...others: readonly Selectable[]
): Delete<T, Row> {
  return copyOf<Delete<T, Row>>(statement, {
    others: [...statement.others, ...others.map(fromOf)],
    writeUsing,
  });
}

const writeUsing: WriteUsing = (others, condition, compiler) => {
  // Without USING, whether there is such a row says the same.
  const asks = !compiler.dialect.features.deleteUsing;
  compiler.write(asks ? " WHERE EXISTS (SELECT 1 FROM " : " USING ", others);
  compiler.clause(" WHERE ", condition);
  if (asks) compiler.write(")");
};

import { type Column, type Select, select, subquery } from "../../sql/mod.ts";

/**
 * Columns of a query's rows, as they are after DISTINCT and LIMIT: these look
 * at whole rows, so the columns cannot be chosen before them.
 */
export function columnsOfRows(
  query: Select<unknown>,
  columns: readonly Column<unknown>[],
): Select<unknown> {
  const { expressions } = query;
  const all = [
    ...expressions,
    ...columns.filter((column) => !expressions.includes(column)),
  ];
  const derived = subquery(
    query.withOnlyColumns(...all.map((one, i) => one.as(`c${i}`))),
  );
  return select(
    ...columns.map((column) =>
      derived.columns[all.indexOf(column)] as Column<unknown>
    ),
  );
}

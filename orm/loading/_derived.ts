import {
  type Column,
  type FromClause,
  over,
  type RowItem,
  rowNumber,
  Select,
  select,
  type SelectOption,
  subquery,
  withOnlyColumns,
} from "../../sql/mod.ts";

/** A query's rows as a subquery, so that a join does not count against its LIMIT. */
export interface WrappedQuery {
  /** The query around it, of the same parts in the same order. */
  readonly query: Select<unknown>;
  /** For each part of a row, its columns there, by the keys that they had. */
  readonly parts: readonly FromClause[];
}

/** Wraps a query that LIMIT or OFFSET cuts. */
export function wrapQuery(query: Select<unknown>): WrappedQuery {
  const { orderBy } = query.state;
  const { expressions } = query;
  const inner = [
    ...expressions,
    ...orderBy.length > 0 ? [over(rowNumber(), { orderBy })] : [],
  ];
  const derived = subquery(
    withOnlyColumns(query, ...inner.map((one, i) => one.as(`c${i}`))),
  );
  const { columns } = derived;
  const wrapped: RowItem[] = [];
  const parts: FromClause[] = [];
  let at = 0;
  for (const item of query.shape.items) {
    const own = columns.slice(at, at += item.expressions.length);
    const { source } = item;
    const rest = source && { columns: source.columns, owner: source.owner };
    wrapped.push({
      ...item,
      ...rest && { source: { ...rest, from: derived } },
      expressions: own,
    });
    // The same subquery, asked by the keys of one part.
    parts.push(Object.create(derived, {
      c: {
        value: Object.fromEntries(
          own.map((column, i) => [source?.columns[i]?.key ?? i, column]),
        ),
      },
    }));
  }
  const { state } = select(...columns);
  return {
    parts,
    query: new Select({ ...query.shape, items: wrapped }, {
      ...state,
      orderBy: columns.slice(expressions.length),
    }).options(...query.optionList as SelectOption[]),
  };
}

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
    withOnlyColumns(query, ...all.map((one, i) => one.as(`c${i}`))),
  );
  return select(
    ...columns.map((column) =>
      derived.columns[all.indexOf(column)] as Column<unknown>
    ),
  );
}

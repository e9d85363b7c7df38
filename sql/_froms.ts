import { Statement } from "./statement.ts";
import { Column, FromClause } from "./from.ts";
import { Node } from "./node.ts";
import type { Select } from "./select.ts";

/** Visits the columns of an expression, but not those of queries inside it. */
export function columnsIn(
  part: unknown,
  visit: (column: Column<unknown>) => unknown,
): void {
  if (part instanceof Column) visit(part);
  else if (Array.isArray(part)) {
    for (const item of part) columnsIn(item, visit);
  } else if (
    part instanceof Node && !(part instanceof FromClause) &&
    !(part instanceof Statement)
  ) {
    for (const field of part.structure()) columnsIn(field, visit);
  }
}

/**
 * What a query takes rows from: what it names, else what its columns and
 * conditions belong to, save what is joined or lies in the query around it.
 */
export function fromsOf(
  query: Select<unknown>,
  enclosing: readonly FromClause[] = [],
): readonly FromClause[] {
  const { from, joins, where, correlate = [] } = query.state;
  const hidden = new Set([
    ...correlate,
    ...joins.flatMap(({ right }) => right.members),
  ]);
  const found = new Set(from);
  const see = ({ table }: Column<unknown>) => found.add(table);
  for (const { source, expressions } of query.shape.items) {
    if (source) found.add(source.from);
    columnsIn(expressions, see);
  }
  columnsIn(where, see);
  for (const one of found) {
    for (const member of one.members) if (member !== one) hidden.add(member);
  }
  const all = [...found].filter((one) => !hidden.has(one));
  const own = all.filter((one) =>
    from.includes(one) || !enclosing.includes(one)
  );
  // A query that would be left with nothing is not correlated.
  return own.length > 0 || joins.length > 0 ? own : all;
}

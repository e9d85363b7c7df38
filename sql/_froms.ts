import { Column, FromClause } from "./from.ts";
import { Node } from "./node.ts";
import type { Select } from "./select.ts";

/** Visits the columns of an expression, but not those of queries inside it. */
export function columnsIn(
  part: unknown,
  visit: (column: Column<unknown>) => void,
): void {
  if (part instanceof Column) visit(part);
  else if (Array.isArray(part)) {
    for (const item of part) columnsIn(item, visit);
  } else if (
    part instanceof Node && !(part instanceof FromClause) &&
    !("isQuery" in part)
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
  enclosing: ReadonlySet<FromClause>,
): readonly FromClause[] {
  const { items, from, joins, where, correlate } = query.state;
  const joined = new Set(joins.flatMap(({ right }) => right.members));
  const found = new Set<FromClause>(from);
  for (const { source } of items) if (source) found.add(source.from);
  columnsIn([items.map((item) => item.expressions), where], ({ table }) => {
    found.add(table);
  });
  for (const { members } of found) {
    for (const member of members.slice(1)) joined.add(member);
  }
  const all = [...found].filter((one) =>
    !joined.has(one) && !correlate.includes(one)
  );
  const own = all.filter((one) => from.includes(one) || !enclosing.has(one));
  // A query that would be left with nothing is not correlated.
  return own.length > 0 || joins.length > 0 ? own : all;
}

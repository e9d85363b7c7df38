import { CompileError } from "./errors.ts";
import type { Expression } from "./expression.ts";
import type { Column, FromClause } from "./from.ts";
import { columnsIn, fromsOf } from "./_froms.ts";
import type { Select } from "./select.ts";

/**
 * Only rows whose columns have these values: `filterBy(query, { name: "ed" })`.
 * Looks in everything that the query takes rows from.
 *
 * @throws {CompileError} If nothing, or more than one thing, has such a column.
 */
export function filterBy<Row, Sources>(
  query: Select<Row, Sources>,
  values: Readonly<Record<string, unknown>>,
): Select<Row, Sources> {
  const froms = sourcesOf(query);
  return query.where(
    ...Object.entries(values).map(([key, value]) => {
      const found = froms.flatMap((from) =>
        from.columns.filter((column) => column.key === key)
      );
      const [column] = found;
      if (column && found.length === 1) return column.eq(value);
      throw new CompileError(
        `Cannot filter by "${key}": ${
          found.length === 0 ? "none" : "more than one"
        } of ${
          froms.map((from) => `"${from.labelPrefix}"`).join(", ")
        } has it; use where()`,
      );
    }),
  );
}

/**
 * What of a query is tied to the rest by no condition, so that every row meets
 * every other: most often a forgotten join. Empty where all is well.
 */
export function cartesianProduct(query: Select<unknown>): string[] {
  const { joins, where } = query.state;
  const froms = sourcesOf(query);
  const ties = new Map(froms.map((from) => [from, new Set([from])]));
  const tie = (together: ReadonlySet<FromClause>) => {
    for (const one of together) {
      for (const other of together) ties.get(one)?.add(other);
    }
  };
  const conditions = joins.flatMap(({ on }) => on ?? []);
  // Terms of an AND tie apart from each other.
  for (const term of [...conditions, where].flatMap(termsOf)) {
    const together = new Set<FromClause>();
    columnsIn(term, ({ table }: Column<unknown>) => together.add(table));
    tie(together);
  }
  const reached = new Set<FromClause>();
  const reach = (from: FromClause) => {
    if (reached.has(from)) return;
    reached.add(from);
    for (const next of ties.get(from) ?? []) reach(next);
  };
  if (froms[0]) reach(froms[0]);
  return froms.filter((from) => !reached.has(from)).map((from) =>
    from.labelPrefix
  );
}

function termsOf(
  condition: Expression<unknown> | undefined,
): readonly unknown[] {
  if (!condition) return [];
  return "terms" in condition && "operator" in condition &&
      condition.operator === "AND" && Array.isArray(condition.terms)
    ? condition.terms
    : [condition];
}

function sourcesOf(query: Select<unknown>): FromClause[] {
  return [
    ...fromsOf(query),
    ...query.state.joins.map((join) => join.right),
  ];
}

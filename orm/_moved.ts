import {
  Bind,
  Column,
  copyOf,
  Expression,
  type FromClause,
  Operation,
  Phrase,
} from "../sql/mod.ts";

/** The same expression over other names of its tables; a query inside it stays as it is. */
export function moved<T>(
  term: Expression<T>,
  to: ReadonlyMap<FromClause, FromClause>,
): Expression<T> {
  return move(term, to) as Expression<T>;
}

function move(part: unknown, to: ReadonlyMap<FromClause, FromClause>): unknown {
  if (Array.isArray(part)) return part.map((one) => move(one, to));
  if (part instanceof Column) {
    return to.get(part.table)?.c[part.key] ?? part;
  }
  if (!(part instanceof Expression) || part instanceof Bind) return part;
  const { kind, type, precedence } = part;
  // A phrase does not tell what it was made with; brackets too many do no harm.
  const copy = part instanceof Phrase
    ? new Phrase(kind, [], type, precedence, 9)
    : copyOf(part, {});
  const fields = Object.entries(part).map(([key, one]) => [key, move(one, to)]);
  return Object.assign(copy, Object.fromEntries(fields));
}

/** The conditions that all hold where one does. */
export function termsOf(
  condition: Expression<unknown>,
): readonly Expression<unknown>[] {
  return condition instanceof Operation && condition.operator === "AND"
    ? condition.terms
    : [condition];
}

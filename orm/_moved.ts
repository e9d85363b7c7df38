import {
  Column,
  copyOf,
  Expression,
  type FromClause,
  Node,
  Operation,
  Phrase,
} from "../sql/mod.ts";

type Part = Phrase<unknown>["parts"][number];

/** The same expression over other names of its tables. */
export function moved<T>(
  term: Expression<T>,
  to: ReadonlyMap<FromClause, FromClause>,
): Expression<T> {
  return move(term, to) as Expression<T>;
}

function move(
  term: Expression<unknown>,
  to: ReadonlyMap<FromClause, FromClause>,
): Expression<unknown> {
  if (term instanceof Column) {
    return to.get(term.table)?.c[term.key] ?? term;
  }
  if (term instanceof Operation) {
    return copyOf(term, { terms: term.terms.map((one) => move(one, to)) });
  }
  if (term instanceof Phrase) {
    const { kind, parts, type, precedence } = term;
    // Brackets too many do no harm: what it was made with is not told.
    return new Phrase(
      kind,
      parts.map((part) => movePart(part, to)),
      type,
      precedence,
      9,
    );
  }
  return term;
}

function movePart(part: Part, to: ReadonlyMap<FromClause, FromClause>): Part {
  const node = (one: Node): Node =>
    one instanceof Expression ? move(one, to) : one;
  return typeof part === "string"
    ? part
    : part instanceof Node
    ? node(part)
    : part.map(node);
}

/** The conditions that all hold where one does. */
export function termsOf(
  condition: Expression<unknown>,
): readonly Expression<unknown>[] {
  return condition instanceof Operation && condition.operator === "AND"
    ? condition.terms
    : [condition];
}

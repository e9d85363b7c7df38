import {
  and,
  Binary,
  Column,
  Expression,
  type FromClause,
  Node,
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
  if (term instanceof Binary) {
    const { operator, left, right, type, precedence } = term;
    return new Binary(
      operator,
      move(left, to),
      move(right, to),
      type,
      precedence,
    );
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
  const terms = termsOf(term);
  return terms.length > 1 ? and(...terms.map((one) => move(one, to))) : term;
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
  return condition.kind === "logical" && "operator" in condition &&
      condition.operator === "AND" && "terms" in condition
    ? condition.terms as Expression<unknown>[]
    : [condition];
}

/** Every operator inside every other gives what it gives with brackets around each of its operands. */
import fc from "fast-check";
import { deepStrictEqual } from "node:assert/strict";
import { sqlite } from "../../backends/sqlite.ts";
import {
  and,
  between,
  boolean,
  caseWhen,
  cast,
  coalesce,
  collate,
  concat,
  createAll,
  createEngine,
  dividedBy,
  type Expression,
  fragment,
  ilike,
  insert,
  integer,
  isDistinctFrom,
  isNotDistinctFrom,
  length,
  literal,
  lower,
  MetaData,
  minus,
  not,
  or,
  Phrase,
  plus,
  select,
  startsWith,
  table,
  text,
  times,
} from "../../sql/mod.ts";

const metadata = new MetaData();
const rows = table("rows", metadata, {
  id: integer().primaryKey(),
  a: integer().nullable(),
  b: integer().nullable(),
  s: text().nullable(),
  p: boolean().nullable(),
});
const { a, b, s, p } = rows.c;

// Operands are of any type here, as they are to whoever writes SQL by hand.
type Operand = Expression<never>;
type Sort = "number" | "text" | "truth";
type Operator = [
  gives: Sort,
  takes: Sort[],
  make: (x: Operand, y: Operand, z: Operand) => Expression<unknown>,
];

const n: Sort = "number";
const t: Sort = "text";
const q: Sort = "truth";
const OPERATORS: Operator[] = [
  [n, [n, n], (x, y) => plus(x, y)],
  [n, [n, n], (x, y) => minus(x, y)],
  [n, [n, n], (x, y) => times(x, y)],
  [n, [n, n], (x, y) => dividedBy(x, y)],
  [n, [n, n], (x, y) => x.op("%", y, a.type)],
  [n, [n, n], (x, y) => x.op("&", y, a.type)],
  [n, [n, n], (x, y) => x.op("<<", y, a.type)],
  [n, [n, n], (x, y) => x.op("+", y, a.type)],
  [n, [n, n], (x, y) => coalesce(x, y)],
  [n, [q, n, n], (x, y, z) => caseWhen(x, y).else(z)],
  [n, [t], (x) => length(x)],
  [n, [q], (x) => cast(x, integer())],
  [n, [n], (x) => fragment`${x} + 1`],
  [t, [t, t], (x, y) => concat(x, y)],
  [t, [t, t], (x, y) => x.op("||", y, s.type)],
  [t, [n], (x) => cast(x, text())],
  [t, [t], (x) => collate(x, "NOCASE")],
  [t, [t], (x) => lower(x)],
  [q, [n, n], (x, y) => x.eq(y)],
  [q, [q, q], (x, y) => x.eq(y)],
  [q, [q, q], (x, y) => x.ne(y)],
  [q, [t, t], (x, y) => x.lt(y)],
  [q, [n, n], (x, y) => x.gte(y)],
  [q, [q], (x) => x.isNull()],
  [q, [t], (x) => x.isNotNull()],
  [q, [t, t], (x, y) => x.like(y)],
  [q, [t], (x) => x.like("x%", "!")],
  [q, [t, t], (x, y) => ilike(x, y)],
  [q, [t], (x) => startsWith(x, "a")],
  [q, [n, n, n], (x, y, z) => between(x, y, z)],
  [q, [q, q], (x, y) => and(x, y)],
  [q, [q, q], (x, y) => or(x, y)],
  [q, [q], (x) => not(x)],
  [q, [n, n], (x, y) => x.in([y, literal(2) as never])],
  [q, [n], (x) => x.in([1, 2] as never[])],
  [q, [n], (x) => x.notIn([1, 2] as never[])],
  [q, [n], (x) => x.in(select(a))],
  [q, [n, n], (x, y) => isDistinctFrom(x, y)],
  [q, [q, q], (x, y) => isNotDistinctFrom(x, y)],
  [q, [q, q], (x, y) => fragment`${x} OR ${y}`],
];

/** An expression, and the same with brackets around all that is in it. */
interface Both {
  readonly own: Operand;
  readonly bracketed: Operand;
}

function inBrackets(one: Expression<unknown>): Operand {
  return new Phrase("brackets", ["(", one, ")"], one.type);
}

function leaf(...some: Expression<unknown>[]): fc.Arbitrary<Both> {
  return fc.constantFrom(...some).map((one) => {
    const own = one as Operand;
    return { own, bracketed: own };
  });
}

const LEAVES: Record<Sort, fc.Arbitrary<Both>> = {
  number: leaf(a, b, inBrackets(literal(2)), inBrackets(literal(0))),
  text: leaf(s, literal("a"), literal("%B")),
  truth: leaf(p, inBrackets(literal(true)), inBrackets(literal(false))),
};

function tree(sort: Sort, depth: number): fc.Arbitrary<Both> {
  if (depth === 0) return LEAVES[sort];
  const made = OPERATORS.filter(([gives]) => gives === sort).map((
    [, takes, make],
  ) =>
    fc.tuple(...takes.map((one) => tree(one, depth - 1))).map((operands) => {
      const of = (which: keyof Both) =>
        make(
          ...operands.map((one) => one[which]) as [Operand, Operand, Operand],
        ) as Operand;
      return { own: of("own"), bracketed: inBrackets(of("bracketed")) };
    })
  );
  return fc.oneof(LEAVES[sort], ...made);
}

Deno.test("an operator inside another one gives what it gives in brackets", async () => {
  await using engine = createEngine(sqlite(":memory:"));
  await createAll(metadata, engine);
  await engine.execute(
    insert(rows).values([
      { id: 1, a: 1, b: 2, s: "a", p: true },
      { id: 2, a: 5, b: 3, s: "ab", p: false },
      { id: 3, a: null, b: 7, s: "%b", p: null },
      { id: 4, a: 0, b: null, s: null, p: true },
    ]),
  );
  const values = async (one: Expression<unknown>) => [
    ...await engine.execute(select(rows.c.id, one).orderBy(rows.c.id)),
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(n, t, q).chain((sort) => tree(sort, 3)),
      async ({ own, bracketed }) =>
        deepStrictEqual(await values(inBrackets(own)), await values(bracketed)),
    ),
    { numRuns: 1000 },
  );
});

import { notStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  alias,
  and,
  type Expression,
  insert,
  integer,
  json,
  literal,
  MetaData,
  not,
  or,
  postgres,
  type prepare,
  select,
  sqlite,
  table,
  text,
  timestamp,
  typeCoerce,
  withForUpdate,
} from "../../sql/mod.ts";
import { fingerprint } from "../../sql/_fingerprint.ts";
import { Compiler } from "../../sql/compiler.ts";

const metadata = new MetaData();
const users = table("users", metadata, {
  id: integer().primaryKey(),
  name: text(50),
  nick: text().nullable(),
});
const other = table("other", metadata, {
  id: integer().primaryKey(),
  name: text(50),
});
const self = alias(users);

/** Conditions as data, so that one shape can be built with two sets of values. */
type Shape = { readonly [K: string]: unknown };
const condition: fc.Arbitrary<Shape> = fc.letrec((tie) => ({
  all: fc.oneof(
    { maxDepth: 4 },
    fc.record({
      op: fc.constantFrom("eq", "gt", "in", "like", "null", "between", "same"),
      of: fc.nat(4),
    }),
    fc.record({
      op: fc.constantFrom("and", "or"),
      terms: fc.array(tie("all"), { maxLength: 3 }),
    }),
    fc.record({ op: fc.constant("not"), terms: fc.tuple(tie("all")) }),
  ),
})).all as fc.Arbitrary<Shape>;

function build(shape: Shape, n: number): Expression<boolean> {
  const terms =
    (shape["terms"] as Shape[] | undefined)?.map((one, i) =>
      build(one, n + i + 1)
    ) ?? [];
  const column = [
    users.c.name,
    users.c.nick,
    other.c.name,
    self.c.name,
    users.c.nick,
  ][shape["of"] as number ?? 0]!;
  switch (shape["op"]) {
    case "and":
      return and(...terms);
    case "or":
      return or(...terms);
    case "not":
      return not(terms[0]!);
    case "gt":
      return column.gt(`v${n}`);
    case "in":
      return column.in([`v${n}`, ...Array.from({ length: n % 3 }, String)]);
    case "like":
      return column.like(`${n}%`);
    case "null":
      return column.isNull();
    case "between":
      return column.between(`${n}`, `${n + 1}`);
    case "same": {
      const one = literal(`${n}`);
      return column.eq(one).and(column.ne(one));
    }
  }
  return column.eq(`v${n}`);
}

const compiled = (
  statement: Parameters<typeof prepare>[0],
  dialect: typeof sqlite,
) => {
  const print = fingerprint(statement);
  const compiler = new Compiler(dialect, print.binds);
  compiler.visit(statement);
  return JSON.stringify(compiler.finish());
};

Deno.test("orm 206: equal shapes share a key whatever their values, and different texts never do", () => {
  const texts = new Map<string, string>();
  fc.assert(
    fc.property(
      condition,
      fc.nat(1000),
      fc.nat(1000),
      fc.boolean(),
      (shape, a, b, wide) => {
        const query = (n: number) => {
          const found = select(users.c.id, ...(wide ? [self.c.id] : [])).where(
            build(shape, n),
          );
          return found.orderBy(users.c.id).limit(n);
        };
        const key = fingerprint(query(a)).key;
        strictEqual(fingerprint(query(b)).key, key);
        for (const dialect of [sqlite, postgres]) {
          const full = `${dialect.name}${key}`;
          const now = compiled(query(a), dialect);
          strictEqual(texts.get(full) ?? now, now);
          texts.set(full, now);
        }
      },
    ),
    { numRuns: 600 },
  );
  // And the other way round: two keys that differ only by chance of spelling.
  ok(texts.size > 100);
});

Deno.test("texts that look alike to a careless key are told apart", () => {
  const key = (statement: Parameters<typeof fingerprint>[0]) =>
    fingerprint(statement).key;
  const a = table("t", new MetaData(), { id: integer(), b: text() });
  const b = table("t", new MetaData(), { id: integer(), b: text() });
  notStrictEqual(key(select(a)), key(select(b)));
  notStrictEqual(
    key(select(a.c.id.as("x','y"))),
    key(select(a.c.id.as("x"), a.c.b.as("y"))),
  );
  notStrictEqual(
    key(insert(a).values({ id: 1, b: "" })),
    key(insert(a).values([{ id: 1 } as never, { b: "" } as never])),
  );
  notStrictEqual(
    key(select(a).where(a.c.id.eq(1), a.c.b.eq("1"))),
    key(select(a).where(a.c.id.eq(1).or(a.c.b.eq("1")))),
  );
  notStrictEqual(key(select(a).limit(1)), key(select(a).offset(1)));
  // The texts are one, but their values are read in two ways.
  notStrictEqual(
    key(select(typeCoerce(a.c.b, json()))),
    key(select(typeCoerce(a.c.b, timestamp()))),
  );
  notStrictEqual(
    key(withForUpdate(select(a))),
    key(withForUpdate(select(a), { nowait: true })),
  );
  const one = literal(1);
  notStrictEqual(key(select(one, one)), key(select(literal(1), literal(1))));
});

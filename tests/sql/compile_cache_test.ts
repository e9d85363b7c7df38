import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  alias,
  and,
  between,
  type ColumnBuilder,
  type Expression,
  integer,
  json,
  literal,
  MetaData,
  not,
  or,
  postgres,
  prepare,
  select,
  type Slot,
  sqlite,
  table,
  text,
  timestamp,
  typeCoerce,
} from "../../sql/mod.ts";

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
      return between(column, `${n}`, `${n + 1}`);
    case "same": {
      const one = literal(`${n}`);
      return column.eq(one).and(column.ne(one));
    }
  }
  return column.eq(`v${n}`);
}

Deno.test("orm 206: equal shapes have one text whatever their values, which stand beside it", () => {
  const texts = new Set<string>();
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
        for (const dialect of [sqlite, postgres]) {
          const [one, other] = [a, b].map((n) => prepare(query(n), dialect));
          strictEqual(one?.sql, other?.sql);
          strictEqual(one?.params.length, other?.params.length);
          strictEqual(String(one?.params.at(-1)), `${a}`);
          texts.add(one?.sql ?? "");
        }
      },
    ),
    { numRuns: 600 },
  );
  ok(texts.size > 100);
});

Deno.test("orm 206: a statement is compiled once for a dialect; what is made of it, and other dialects, anew", () => {
  const counting = () => {
    const dialect = {
      ...sqlite,
      marks: 0,
      placeholder: (slots: Slot[], slot: Slot) => {
        dialect.marks++;
        slots.push(slot);
        return "?";
      },
    };
    return dialect;
  };
  const [one, other] = [counting(), counting()];
  const statement = select(users).where(users.c.id.eq(1));

  const first = prepare(statement, one);
  strictEqual(prepare(statement, one).sql, first.sql);
  strictEqual(one.marks, 1);
  const narrower = statement.where(users.c.name.eq("ed"));
  strictEqual(
    prepare(narrower, one).sql,
    `${first.sql} AND "users"."name" = ?`,
  );
  deepStrictEqual(prepare(narrower, one).params, [1, "ed"]);
  strictEqual(one.marks, 3);
  prepare(statement, other);
  strictEqual(other.marks, 1);
  strictEqual(prepare(statement, one).sql, first.sql);
});

Deno.test("a value is read as its own statement says, where another of the same text says otherwise", () => {
  const read = (type: ColumnBuilder<unknown>) =>
    prepare(select(typeCoerce(users.c.name, type)), sqlite).columns[0]?.read;

  deepStrictEqual(read(json())?.("[1]"), [1]);
  deepStrictEqual(
    read(timestamp())?.("2026-11-23T09:30:00Z"),
    new Date("2026-11-23T09:30:00Z"),
  );
});

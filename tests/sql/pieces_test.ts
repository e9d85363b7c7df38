import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { d1 } from "../../backends/d1.ts";
import {
  and,
  caseWhen,
  createEngine,
  deleteFrom,
  type Driver,
  exists,
  type Expression,
  insert,
  integer,
  LimitError,
  literal,
  MetaData,
  or,
  plus,
  scalarSubquery,
  select,
  sql,
  sqlite as plainDialect,
  type Statement,
  table,
  text,
  tuple,
  update,
} from "../../sql/mod.ts";
import { startWorkerd } from "../services/workerd.ts";
import { countingDriver } from "./counting_driver.ts";

const workerd = await startWorkerd({ d1: ["DB"] });
Deno.test.afterAll(() => workerd.dispose());

const driver = countingDriver(d1(workerd.d1("DB")));
const engine = createEngine(driver);
/** The same database with nothing written around its limits. */
const naive = createEngine({ ...driver, dialect: plainDialect } as Driver);

const metadata = new MetaData();
const words = table("words", metadata, {
  id: integer().primaryKey(),
  group: integer(),
  word: text(),
});
await metadata.createAll(engine);

/** Empties the table and fills it with so many rows. */
async function refill(count: number): Promise<void> {
  await engine.execute(deleteFrom(words));
  if (count > 0) {
    await engine.execute(
      insert(words).values(
        range(count).map((id) => ({ id, group: id % 3, word: `w${id}` })),
      ),
    );
  }
  driver.trips.length = 0;
}

const idsLeft =
  async () => [...await engine.execute(select(words.c.id).orderBy(words.c.id))];
const range = (count: number) => Array.from({ length: count }, (_, i) => i);
/** A condition of about 40 bytes a term. */
const anyOf = (ids: readonly number[]): Expression<boolean> =>
  or(...ids.map((id) => and(words.c.id.eq(id), words.c.word.ne("none"))));

Deno.test("an insert of three million bytes is several statements of one batch, in any alphabet", async () => {
  await refill(0);
  const rows = range(300).map((id) => ({
    id,
    group: 0,
    word: '"é本\u0001'.repeat(1_500),
  }));
  await rejects(naive.execute(insert(words).values(rows)));
  driver.trips.length = 0;

  const made = await engine.execute(
    insert(words).values(rows).returning(words.c.id),
  );

  deepStrictEqual([...made], rows.map(({ id }) => id));
  strictEqual(made.rowCount, 300);
  strictEqual(driver.trips.length, 1);
  ok((driver.trips[0] ?? []).length > 1);
  deepStrictEqual(
    [...await engine.execute(select(words).orderBy(words.c.id))],
    rows,
  );
});

Deno.test("a batch gives one result for each statement, however many texts it takes", async () => {
  await refill(2);
  const rows = range(300).map((i) => ({
    id: 10 + i,
    group: 7,
    word: "x".repeat(10_000),
  }));

  const [before, made, after, changed] = await engine.batch([
    select(words.c.id),
    insert(words).values(rows).returning({ id: words.c.id }),
    select(words.c.id),
    update(words).set({ group: 8 }).where(words.c.group.eq(7)),
  ]);

  deepStrictEqual([...before], [0, 1]);
  deepStrictEqual([...made], rows.map(({ id }) => ({ id })));
  strictEqual(made.rowCount, 300);
  strictEqual(after.length, 302);
  strictEqual(changed.rowCount, 300);
  strictEqual(driver.trips.length, 1);
  strictEqual((driver.trips[0] ?? []).length, 5);
});

Deno.test("what is sent in pieces takes effect whole or not at all", async () => {
  await refill(1);
  const rows = range(300).map((i) => ({
    id: 299 - i,
    group: 0,
    word: "x".repeat(10_000),
  }));

  await rejects(engine.execute(insert(words).values(rows)), {
    code: "sql/unique-violation",
  });

  deepStrictEqual(await idsLeft(), [0]);
});

Deno.test("a DELETE of 3000 conditions is sent in pieces", async () => {
  await refill(3100);
  const query = deleteFrom(words).where(
    words.c.group.ne(2),
    anyOf(range(3000)),
  ).returning(words.c.id);
  ok(naive.prepare(query).sql.length > 100_000);

  const gone = await engine.execute(query);

  const expected = range(3000).filter((id) => id % 3 !== 2);
  deepStrictEqual([...gone].toSorted((a, b) => a - b), expected);
  strictEqual(gone.rowCount, expected.length);
  strictEqual(driver.trips.length, 1);
  ok((driver.trips[0] ?? []).length > 1);
  deepStrictEqual(
    await idsLeft(),
    range(3100).filter((id) => id >= 3000 || id % 3 === 2),
  );
});

Deno.test("a DELETE whose list of keys is over two million bytes is sent in pieces", async () => {
  await refill(10);
  const keys = range(210_000).map((i) => `${i}-padded`);

  const gone = await engine.execute(
    deleteFrom(words).where(words.c.word.in([...keys, "w3", "w9"])),
  );

  strictEqual(gone.rowCount, 2);
  ok((driver.trips[0] ?? []).length > 1);
  deepStrictEqual(await idsLeft(), [0, 1, 2, 4, 5, 6, 7, 8]);
});

Deno.test("a list of 5000 tuples is one parameter", async () => {
  await refill(300);
  const pairs = range(5000).map((i) => [i * 2, i % 3]);
  const query = select(words.c.id).where(
    tuple(words.c.id, words.c.group).in(pairs),
  ).orderBy(words.c.id);
  await rejects(naive.execute(query), { code: "sql/limit" });

  strictEqual(engine.prepare(query).params.length, 1);
  deepStrictEqual(
    [...await engine.execute(query)],
    range(150).map((i) => i * 2).filter((id) => id % 3 === (id / 2) % 3),
  );
});

Deno.test("what cannot be sent in pieces is refused before anything is sent", async () => {
  await refill(3);
  const ids = range(3000);
  const other = words.c.id;
  const cases = ids.reduce(
    (so, id) => so.when(other.eq(id), `renamed ${id}`),
    caseWhen<string>(other.eq(-1), "x"),
  ).else("y");
  const count = scalarSubquery(select(words.c.id).limit(1));
  const refused: Readonly<Record<string, Statement<unknown>>> = {
    "a query": select(words).where(anyOf(ids)),
    // A row may meet two parts, and would be changed twice.
    "an UPDATE": update(words).set({ group: plus(words.c.group, 1) })
      .where(anyOf(ids)),
    "many WHENs": update(words).set({ word: cases }),
    // What the first part deletes, the second would no longer see.
    "a DELETE that looks at other rows": deleteFrom(words).where(
      anyOf(ids),
      exists(select(literal(1)).from(words)),
    ),
    "a DELETE whose text may look at other rows": deleteFrom(words).where(
      anyOf(ids),
      text("EXISTS (SELECT 1 FROM words)"),
    ),
    // What is not among the first half may be among the second.
    "a DELETE of what is not among expressions": deleteFrom(words).where(
      other.notIn(ids.map((id) => plus(other, id))),
    ),
    "an INSERT that looks at other rows": insert(words).values(
      ids.map((id) => ({ id, group: count, word: literal("") })),
    ),
    "NOT IN": deleteFrom(words).where(
      words.c.word.notIn(ids.map((id) => `${id}`.padStart(800))),
    ),
    "hand-written SQL": sql`SELECT ${"x"} AS x -- ${
      sql([" ".repeat(100_000)] as unknown as TemplateStringsArray)
    }`,
    "one long value": insert(words).values({
      id: 9,
      group: 0,
      word: "é".repeat(1_100_000),
    }),
  };

  for (const [what, statement] of Object.entries(refused)) {
    for (
      const send of [
        () => engine.execute(statement),
        () => engine.batch([deleteFrom(words), statement]),
      ]
    ) {
      await rejects(async () => await send(), (error) => {
        ok(error instanceof LimitError, `${what}: ${error}`);
        ok(
          /^Cannot send the statement: (its text|a value in it) has \d+ bytes, and the database takes (100000|2000000); /
            .test(error.message),
          error.message,
        );
        return true;
      }, what);
    }
  }

  deepStrictEqual(driver.trips, []);
});

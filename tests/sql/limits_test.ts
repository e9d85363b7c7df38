import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { d1 } from "../../backends/d1.ts";
import {
  and,
  bigint,
  blob,
  type ColumnBuilder,
  createEngine,
  type Driver,
  insert,
  integer,
  literal,
  MetaData,
  not,
  or,
  real,
  select,
  sqlite as plainDialect,
  table,
  text,
  union,
  unionAll,
} from "../../sql/mod.ts";
import { except } from "../../sql/compound.ts";
import { startWorkerd } from "../services/workerd.ts";

const workerd = await startWorkerd({ d1: ["DB"] });
Deno.test.afterAll(() => workerd.dispose());

const driver = d1(workerd.d1("DB"));
const engine = createEngine(driver);
/** The same database with nothing written around its limits. */
const naive = createEngine({ ...driver, dialect: plainDialect } as Driver);

const metadata = new MetaData();
const words = table("words", metadata, {
  id: integer().primaryKey(),
  word: text().nullable(),
  weight: real(),
  bytes: blob().nullable(),
  big: bigint().nullable(),
});
const wide = table(
  "wide",
  metadata,
  Object.fromEntries(
    [
      ["id", integer().primaryKey()],
      ...Array.from({ length: 59 }, (_, i) => [`c${i}`, integer()] as const),
    ] as [string, ColumnBuilder<number, boolean>][],
  ),
);
await metadata.createAll(engine);

const LONG = `begin${"-lorem_ipsum".repeat(6)}-END`;

Deno.test("an insert of 1000 rows is one statement on D1, NULL, bytes and all", async () => {
  const rows = Array.from({ length: 1000 }, (_, i) => ({
    id: i + 1,
    word: i % 7 === 0 ? null : i === 500 ? LONG : `w${i} 'x' "y" é😀`,
    weight: i / 3,
    bytes: i % 2 ? new Uint8Array([0, i % 256, 255]) : null,
    big: 9007199254740993n + BigInt(i),
  }));
  await rejects(naive.execute(insert(words).values(rows)), {
    code: "sql/limit",
  });

  await engine.execute(insert(words).values(rows));

  deepStrictEqual(
    [...await engine.execute(select(words).orderBy(words.c.id))],
    rows,
  );
});

Deno.test("orm 197: an IN list of 1000 is one parameter", async () => {
  const ids = Array.from({ length: 1000 }, (_, i) => i * 2);
  const query = select(words.c.id).where(words.c.id.in(ids));

  strictEqual(engine.prepare(query).params.length, 1);
  strictEqual((await engine.execute(query)).length, 500);
  const without = select(words.c.id).where(words.c.id.notIn(ids));
  strictEqual((await engine.execute(without)).length, 500);
});

Deno.test("more than 100 parameters of any kind are one on D1", async () => {
  const query = select(words.c.id).where(
    and(
      words.c.weight.lt(100.5),
      or(...Array.from({ length: 150 }, (_, i) => words.c.id.eq(i * 3))),
    ),
  ).orderBy(words.c.id);
  await rejects(naive.execute(query), { code: "sql/limit" });

  const ids = await engine.execute(query);

  deepStrictEqual(
    [...ids],
    Array.from({ length: 100 }, (_, i) => (i + 1) * 3),
  );
});

Deno.test("OR over 400 terms is a tree, not a chain, on D1", async () => {
  const any = or(
    ...Array.from(
      { length: 400 },
      (_, i) => words.c.id.plus(1).eq(words.c.id.plus(i)),
    ),
  );
  const chain = select(words.c.id).where(
    or(...Array.from({ length: 120 }, () => words.c.id.lt(words.c.weight))),
  );
  await rejects(naive.execute(chain), { code: "sql/limit" });

  strictEqual((await engine.execute(chain)).length, 0);
  strictEqual(
    (await engine.execute(select(words.c.id).where(any))).length,
    1000,
  );
});

Deno.test("orm 193: set operations of 40 queries run on D1", async () => {
  const one = (i: number) => select({ id: words.c.id }).where(words.c.id.eq(i));
  const many = Array.from({ length: 39 }, (_, i) => one(i + 2));
  await rejects(naive.execute(union(one(1), ...many)), { code: "sql/limit" });

  strictEqual((await engine.execute(union(one(1), ...many))).length, 40);
  strictEqual(
    (await engine.execute(unionAll(one(1), ...many, one(1)))).length,
    41,
  );
  const all = select({ id: words.c.id }).where(words.c.id.lte(45));
  const left = except(all, one(1), ...many);
  deepStrictEqual(
    (await engine.execute(left.orderBy(left.c["id" as never]))).map(({ id }) =>
      id
    ),
    [41, 42, 43, 44, 45],
  );
});

Deno.test("orm 199: a LIKE pattern over 50 bytes finds what a shorter one would", async () => {
  const matches = async (pattern: string, escape?: string) =>
    (await engine.execute(
      select(words.c.id).where(words.c.word.like(pattern, escape)),
    )).length;
  await rejects(
    naive.execute(select(words.c.id).where(words.c.word.like(LONG))),
    { code: "sql/limit" },
  );

  strictEqual(await matches(LONG), 1);
  strictEqual(await matches(LONG.toUpperCase()), 1);
  strictEqual(await matches(`%${LONG.slice(5, -3)}%`), 1);
  strictEqual(await matches(`${LONG.slice(0, -1)}_`), 1);
  strictEqual(await matches(`${LONG}_`), 0);
  strictEqual(await matches(`${LONG}%`), 1);
  strictEqual(await matches(`%lorem%ipsum%${"lorem_ipsum-".repeat(4)}%END`), 1);
  strictEqual(await matches(`%${"lorem/_ipsum-".repeat(5)}%`, "/"), 1);
  strictEqual(await matches(`%${"lorem/_ipsumX".repeat(5)}%`, "/"), 0);
  const nots = await engine.execute(
    select(words.c.id).where(not(words.c.word.like(LONG))),
  );
  strictEqual(nots.length, 1000 - 1 - 143);
});

Deno.test("more than 100 result columns arrive whole on D1", async () => {
  const row = Object.fromEntries(
    wide.columns.map((column, i) => [column.key, i + 1]),
  );
  await engine.execute(insert(wide).values(row));
  const both = select(wide, words, wide, literal(1.1)).where(words.c.id.eq(2));
  await rejects(naive.execute(both), { code: "sql/limit" });

  const [answer] = await engine.execute(both);

  deepStrictEqual(answer, [
    row,
    {
      id: 2,
      word: "w1 'x' \"y\" é😀",
      weight: 1 / 3,
      bytes: new Uint8Array([0, 1, 255]),
      big: 9007199254740994n,
    },
    row,
    1.1,
  ]);
});

Deno.test("an insert of three million bytes is several statements of one batch", async () => {
  const blobs = table("blobs", new MetaData(), {
    id: integer().primaryKey(),
    word: text(),
  });
  await blobs.metadata.createAll(engine);
  const rows = Array.from(
    { length: 300 },
    (_, i) => ({ id: i + 1, word: "x".repeat(10_000) }),
  );
  await rejects(naive.execute(insert(blobs).values(rows)));

  const made = await engine.execute(
    insert(blobs).values(rows).returning(blobs.c.id),
  );

  deepStrictEqual([...made], rows.map(({ id }) => id));
});

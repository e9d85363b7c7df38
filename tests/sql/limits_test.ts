import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { d1 } from "../../backends/d1.ts";
import { sqlite as sqliteFile } from "../../backends/sqlite.ts";
import {
  abs,
  alias,
  and,
  bigint,
  blob,
  coalesce,
  type Column,
  type ColumnBuilder,
  concat,
  contains,
  count,
  createAll,
  createEngine,
  deleteFrom,
  dividedBy,
  type Driver,
  endsWith,
  except,
  excluded,
  type Expression,
  func,
  ilike,
  insert,
  integer,
  length,
  literal,
  lower,
  MetaData,
  minus,
  not,
  nullif,
  onConflictDoUpdate,
  or,
  plus,
  real,
  select,
  sqlite as plainDialect,
  startsWith,
  type Statement,
  subquery,
  table,
  text,
  times,
  translateSchemas,
  union,
  unionAll,
  update,
} from "../../sql/mod.ts";
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

type NewRow = { id: number; word: string | null; weight: number };

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

Deno.test("a statement of more than 100 parameters keeps the schema that it was given", async () => {
  const main = createEngine(translateSchemas(driver, { "": "main" }));
  const query = select(words.c.id).where(
    or(...Array.from({ length: 150 }, (_, i) => words.c.id.eq(i))),
  );

  const { sql, params } = main.prepare(query);

  strictEqual(params.length, 1);
  strictEqual(sql.includes('FROM "main"."words"'), true);
  await main.execute(query);
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
      (_, i) => plus(words.c.id, 1).eq(plus(words.c.id, i)),
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

Deno.test("chains of + and * over whole numbers, and of ||, are trees on D1", async () => {
  const chain = <T>(
    one: Expression<T>,
    step: (so: Expression<T>, one: Expression<T>) => Expression<T>,
  ) => Array.from({ length: 200 }, () => one).reduce(step, one);
  const { id, big, word } = words.c;
  const less = minus(id, 1);
  const text = (one: Expression<string>) =>
    chain(one, (so, one) => concat(so, one));
  const chains = {
    sum: chain<number>(id, (so, one) => plus(so, one)),
    bigSum: chain(big, (so, one) => plus(so, one)),
    product: chain(less, (so, one) => times(so, one)),
    text: text(concat(word, "")),
    // Inside other expressions, and others inside them.
    inside: times(
      length(text(concat(lower(word), "-"))),
      chain(times(less, 2), (so, one) => plus(so, one)),
    ),
  };
  for (const one of Object.values(chains)) {
    await rejects(naive.execute(select(one as Expression<unknown>)), {
      code: "sql/limit",
    });
  }

  const [row] = await engine.execute(select(chains).where(id.eq(2)));

  deepStrictEqual(row, {
    sum: 402,
    bigSum: 201n * 9007199254740994n,
    product: 1,
    text: `w1 'x' "y" é😀`.repeat(201),
    inside: [...`w1 'x' "y" é😀-`].length * 201 * 201 * 2,
  });
});

Deno.test("reals keep their order, so a long chain of them is refused, in words", async () => {
  const { weight } = words.c;
  const sum = (count: number) =>
    Array.from({ length: count - 1 }).reduce<Expression<number>>(
      (so) => plus(so, weight),
      weight,
    );
  const ones = await engine.execute(
    select(sum(99)).where(words.c.id.eq(2)),
  );

  strictEqual(ones[0], Array(99).fill(1 / 3).reduce((so, one) => so + one));
  await rejects(engine.execute(select(sum(101))), {
    name: "LimitError",
    message:
      "Cannot run the statement: Expression tree is too large (maximum depth 100)",
  });
});

Deno.test("conditions inside conditions are not too deep: 4 levels of 32 terms", async () => {
  const level = (depth: number): Expression<boolean> => {
    const inner = depth === 0
      ? words.c.id.gt(0)
      : (depth % 2 ? and : or)(level(depth - 1), words.c.id.gt(depth));
    return (depth % 2 ? or : and)(
      ...Array.from({ length: 31 }, (_, i) => words.c.id.gt(i - 50)),
      inner,
    );
  };
  const query = select(words.c.id).where(level(4));
  await rejects(naive.execute(query), { code: "sql/limit" });

  strictEqual((await engine.execute(query)).length, 1000);
});

Deno.test("orm 199: what looks for long texts takes % and _ for what they are, also on D1", async () => {
  const { id, word } = words.c;
  const tricky = `50%_off/${"a_b%c/".repeat(12)}ÀÉ'"\\`;
  await engine.execute(
    insert(words).values([
      { id: 5001, word: `<${tricky}>`, weight: 0 },
      { id: 5002, word: tricky, weight: 0 },
      { id: 5003, word: tricky.replaceAll("_", "x"), weight: 0 },
      { id: 5004, word: tricky.replaceAll("%", "xyz"), weight: 0 },
      { id: 5005, word: tricky.toUpperCase(), weight: 0 },
    ]),
  );
  const found = async (condition: Expression<boolean>) => [
    ...await engine.execute(
      select(id).where(id.gt(5000), condition).orderBy(id),
    ),
  ];
  const escaped = tricky.replace(/[%_!]/g, "!$&");
  for (
    const long of [
      contains(word, tricky),
      ilike(word, `%${escaped}%`, "!"),
    ]
  ) {
    await rejects(naive.execute(select(id).where(long)), { code: "sql/limit" });
  }

  deepStrictEqual(await found(contains(word, tricky)), [5001, 5002, 5005]);
  deepStrictEqual(await found(startsWith(word, tricky)), [5002, 5005]);
  deepStrictEqual(await found(endsWith(word, tricky)), [5002, 5005]);
  deepStrictEqual(await found(not(contains(word, tricky))), [5003, 5004]);
  deepStrictEqual(await found(ilike(word, escaped, "!")), [5002, 5005]);
  deepStrictEqual(await found(ilike(word, `%${tricky}`)), [
    5002,
    5003,
    5004,
    5005,
  ]);
  await engine.execute(deleteFrom(words).where(id.gt(5000)));
});

Deno.test("120 long patterns, 120 lists, 120 reals and as many bytes stand in one statement", async () => {
  const { id, word, weight } = words.c;
  const each = <T>(make: (i: number) => T) =>
    Array.from({ length: 120 }, (_, i) => make(i));
  const count = async (condition: Expression<boolean>) =>
    (await engine.execute(select(id).where(condition))).length;

  strictEqual(
    await count(or(...each((i) => word.like(`${LONG}${"%".repeat(i)}`)))),
    1,
  );
  strictEqual(await count(or(...each((i) => id.in([i, i + 1])))), 120);
  strictEqual(await count(or(...each((i) => weight.eq(i / 3)))), 120);
  const { type } = real().spec;
  strictEqual(
    await count(
      and(...each((i) => dividedBy(literal(i, type), 2).eq(i / 2))),
    ),
    1000,
  );
  const bytes = (i: number) => new Uint8Array([0, i]);
  strictEqual(
    await count(
      and(...each((i) => literal(bytes(i)).eq(bytes(i)))),
    ),
    1000,
  );
});

Deno.test("an upsert of many rows is one statement on D1", async () => {
  const { id, word, weight } = words.c;
  const rows = Array.from({ length: 300 }, (_, i) => ({
    id: 6000 + i,
    word: `first ${i}`,
    weight: i / 7,
  }));
  const write = (rows: readonly NewRow[]) =>
    onConflictDoUpdate(insert(words).values(rows), {
      target: ["id"],
      set: { word: excluded(word), weight: plus(words.c.weight, 1) },
      where: id.lt(6200),
    });
  await rejects(naive.execute(write(rows)), { code: "sql/limit" });

  strictEqual((await engine.execute(write(rows))).rowCount, 300);
  const again = rows.map((row) => ({ ...row, word: `second${row.id}` }));
  strictEqual((await engine.execute(write(again))).rowCount, 200);
  const there = await engine.execute(
    select({ id, word, weight }).where(id.gte(6000)).orderBy(id),
  );

  deepStrictEqual(
    [...there],
    rows.map((row, i) =>
      i < 200
        ? { id: row.id, word: `second${row.id}`, weight: row.weight + 1 }
        : row
    ),
  );
  await engine.execute(deleteFrom(words).where(id.gte(6000)));
});

Deno.test("an update of 100 columns and its condition are one statement on D1", async () => {
  const full = table(
    "full",
    new MetaData(),
    Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`c${i}`, integer()]),
    ),
  );
  await createAll(full.metadata, engine);
  const values = (add: number) =>
    Object.fromEntries(
      full.columns.map((column, i) => [column.key, i + add]),
    );
  await engine.execute(insert(full).values(values(0)));
  const change = update(full).set(values(1)).where(
    (full.c as Record<string, Column<number>>)["c5"]!.eq(5),
  );
  await rejects(naive.execute(change), { code: "sql/limit" });

  strictEqual((await engine.execute(change)).rowCount, 1);
  deepStrictEqual([...await engine.execute(select(full))], [values(1)]);
});

Deno.test("coalesce of 300 is as many calls as it takes, and other functions say what is too much", async () => {
  const { id, word } = words.c;
  const many = Array.from({ length: 300 }, (_, i) => i === 299 ? "last" : null);
  const query = select(
    coalesce(nullif(word, word), ...many as [string, string]),
  ).where(id.eq(2));

  deepStrictEqual([...await engine.execute(query)], ["last"]);
  await rejects(
    engine.execute(select(func("max", Array.from({ length: 300 }, () => id)))),
    {
      name: "LimitError",
      message: "Cannot run the statement: too many arguments on function max",
    },
  );
});

Deno.test("what is too much by its nature is refused in the platform's words", async () => {
  const { id, word } = words.c;
  const said = (statement: Statement<unknown>, words: string) =>
    rejects(engine.execute(statement), {
      name: "LimitError",
      message: `Cannot run the statement: ${words}`,
    });
  const terms = Array.from({ length: 101 }, (_, i) => plus(id, i));

  // A program of more than 25 000 steps: some twenty for each list.
  await said(
    select(id).where(or(...Array.from({ length: 1300 }, () => id.in([1])))),
    "out of memory",
  );
  await said(
    select(word.op("GLOB", "x".repeat(51))),
    "LIKE or GLOB pattern too complex",
  );
  await said(
    select(id).where(word.like(concat(word, "x".repeat(51)))),
    "LIKE or GLOB pattern too complex",
  );
  await said(
    select(count()).from(words).groupBy(...terms),
    "too many terms in GROUP BY clause",
  );
  await said(select(id).orderBy(...terms), "too many terms in ORDER BY clause");
  await said(
    Array.from({ length: 65 }, (_, i) => alias(words, `w${i}`)).reduce(
      (query, one) => query.join(one, one.c.id.eq(id)),
      select(id),
    ),
    "at most 64 tables in a join",
  );
  await said(
    select(
      Array.from({ length: 120 }).reduce<Expression<unknown>>(
        (so) => abs(so),
        id,
      ),
    ),
    "Expression tree is too large (maximum depth 100)",
  );
});

Deno.test("orm 193: terms with orders and limits, unions of unions, and all of them inside others, run on D1", async () => {
  const { id } = words.c;
  const top = (i: number) =>
    select({ id }).where(id.gt(i)).orderBy(id.desc()).limit(2).offset(i);
  const twelve = unionAll(
    top(0),
    ...Array.from({ length: 11 }, (_, i) => top(i + 1)),
  );
  const nested = union(
    twelve,
    ...Array.from({ length: 7 }, (_, i) =>
      union(
        top(100 + i),
        ...Array.from({ length: 6 }, (_, j) => top(200 + i * 6 + j)),
      ).orderBy(literal(1)).limit(9)),
  );
  await rejects(naive.execute(nested), { code: "sql/limit" });
  const plain = createEngine(sqliteFile(":memory:"));
  await metadata.createAll(plain);
  await plain.execute(
    insert(words).values([...await engine.execute(select(words))] as NewRow[]),
  );

  for (
    const query of [
      twelve.orderBy(twelve.c.id).limit(5).offset(3),
      nested.orderBy(nested.c.id),
      select(count()).from(subquery(nested)),
      select(id).where(id.in(nested)).orderBy(id),
    ]
  ) {
    deepStrictEqual(
      [...await engine.execute(query as Statement<unknown>)],
      [...await plain.execute(query as Statement<unknown>)],
    );
  }
});

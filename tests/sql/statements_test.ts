import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { PGlite } from "@electric-sql/pglite";
import { pglite } from "../../backends/pglite.ts";
import { sqlite } from "../../backends/sqlite.ts";
import {
  addCte,
  alias,
  and,
  boolean,
  cartesianProduct,
  caseWhen,
  cast,
  coalesce,
  column,
  CompileError,
  concat,
  contains,
  correlate,
  count,
  createAll,
  createEngine,
  cte,
  deleteFrom,
  distinctOn,
  dividedBy,
  endsWith,
  type Engine,
  except,
  excluded,
  exists,
  type Expression,
  extract,
  filter,
  filterBy,
  fragment,
  func,
  identifier,
  ilike,
  insert,
  insertFromSelect,
  integer,
  intersect,
  isDistinctFrom,
  isNotDistinctFrom,
  json,
  jsonNull,
  jsonPath,
  lateral,
  literal,
  type LockOptions,
  lower,
  MetaData,
  minus,
  not,
  nullsFirst,
  nullsLast,
  numeric,
  onConflictDoNothing,
  onConflictDoUpdate,
  or,
  over,
  plus,
  postgres,
  prepare,
  rank,
  recursiveCte,
  rowNumber,
  scalarSubquery,
  select,
  sql,
  sqlite as sqliteDialect,
  startsWith,
  subquery,
  sum,
  table,
  text,
  times,
  timestamp,
  translateSchemas,
  tuple,
  typeCoerce,
  typeDecorator,
  union,
  unionAll,
  update,
  using,
  withForUpdate,
  withinGroup,
} from "../../sql/mod.ts";

const metadata = new MetaData();
const users = table("users", metadata, {
  id: integer().primaryKey(),
  name: text(50),
  nick: text().nullable(),
  managerId: integer().references("users.id").nullable(),
});
const orders = table("orders", metadata, {
  id: integer().primaryKey(),
  userId: integer().references("users.id"),
  amount: numeric(10, 2),
  at: timestamp(),
  open: boolean(),
  meta: json<unknown>().nullable(),
});

async function filled(engine: Engine): Promise<Engine> {
  await metadata.createAll(engine);
  await engine.execute(
    insert(users).values([
      { id: 1, name: "ed", nick: null, managerId: null },
      { id: 2, name: "wendy", nick: "50% off", managerId: 1 },
      { id: 3, name: "Mary", nick: "m_x", managerId: 1 },
      { id: 4, name: "fred", nick: null, managerId: 2 },
    ]),
  );
  const at = new Date("1969-12-31T23:59:58.500Z");
  await engine.execute(
    insert(orders).values([
      {
        id: 1,
        userId: 1,
        amount: "9.5",
        at,
        open: true,
        meta: { a: { b: [7] } },
      },
      { id: 2, userId: 1, amount: "10.25", at, open: false, meta: null },
      { id: 3, userId: 2, amount: "100", at, open: true, meta: jsonNull() },
      { id: 4, userId: 3, amount: "0.05", at, open: true, meta: { s: "x" } },
    ]),
  );
  return engine;
}

const lite = await filled(createEngine(sqlite(":memory:")));
const pg = await filled(createEngine(pglite(await PGlite.create())));
Deno.test.afterAll(async () => {
  await lite.close();
  await pg.close();
});

/** The same answer on both databases. */
async function both<Row>(
  statement: Parameters<typeof lite.execute<Row>>[0],
): Promise<Row[]> {
  const [a, b] = [
    [...await lite.execute(statement)],
    [...await pg.execute(statement)],
  ];
  deepStrictEqual(a, b);
  return a;
}

const textOf = (statement: Parameters<typeof prepare>[0]) =>
  prepare(statement, sqliteDialect).sql;

Deno.test("orm 186: every method returns a new select and leaves the old one as it was", async () => {
  const all = select(users.c.id);
  const before = textOf(all);
  const isEd = users.c.name.eq("ed");

  for (
    const other of [
      all.where(isEd),
      all.orderBy(users.c.id),
      all.limit(1),
      all.offset(1),
      all.distinct(),
      all.join(orders),
      all.groupBy(users.c.id),
      all.having(isEd),
    ]
  ) ok(textOf(other) !== before);

  strictEqual(textOf(all), before);
  deepStrictEqual(await both(all.where(isEd)), [1]);
  deepStrictEqual(await both(select(users.c.name).where(isEd)), ["ed"]);
});

Deno.test("orm 187: rows are entities, values, tuples or records", async () => {
  const one = users.c.id.eq(1);
  const ed = { id: 1, name: "ed", nick: null, managerId: null };
  deepStrictEqual(await both(select(users).where(one)), [ed]);
  deepStrictEqual(await both(select(users.c.id, users.c.name).where(one)), [[
    1,
    "ed",
  ]]);
  deepStrictEqual(await both(select(users, users.c.id).where(one)), [[ed, 1]]);
  deepStrictEqual(
    await both(select({ u: users, n: users.c.name }).where(one)),
    [{ u: ed, n: "ed" }],
  );
});

Deno.test("orm 188: joins follow the only foreign key, and say so where there is none or more", async () => {
  const query = select({ name: users.c.name, n: count(orders.c.id) })
    .leftJoin(orders).groupBy(users.c.id, users.c.name).orderBy(users.c.id);
  deepStrictEqual((await both(query)).map(({ n }) => n), [2, 1, 1, 0]);
  throws(() => select(users).join(users), { code: "sql/compile" });
  const lone = table("lone", new MetaData(), { id: integer() });
  throws(() => select(users).join(lone), /no foreign keys tie/);
  strictEqual(
    (await both(
      select(users, orders).join(
        orders,
        orders.c.userId.eq(users.c.id).and(orders.c.open.eq(true)),
      ),
    )).length,
    3,
  );
  const missing = await both(
    select(users, orders).leftJoin(orders).where(orders.c.id.isNull()),
  );
  deepStrictEqual(missing[0]?.[1], null);
});

Deno.test("orm 189: a table stands twice under aliases, and no two labels are alike", async () => {
  const boss = alias(users);
  const query = select(users, boss, users.c.id).join(
    boss,
    users.c.managerId.eq(boss.c.id),
  ).orderBy(users.c.id);
  strictEqual((await both(query)).length, 3);
  const labels = prepare(query, sqliteDialect).columns.map(({ label }) =>
    label
  );
  strictEqual(new Set(labels).size, labels.length);
  const named = alias(users, "b");
  ok(textOf(select(named.c.id)).includes('"users" AS "b"'));
});

Deno.test("orm 190: filterBy() looks in all that is joined and refuses what is ambiguous", async () => {
  const query = select(users.c.name).join(orders);
  deepStrictEqual(await both(filterBy(query, { amount: "100" })), ["wendy"]);
  throws(() => filterBy(query, { id: 1 }), /more than one/);
  throws(() => filterBy(query, { nope: 1 }), /none of/);
});

Deno.test("orm 191: exists and scalar subqueries correlate by themselves, and as told", async () => {
  const own = select(orders.c.id).where(orders.c.userId.eq(users.c.id));
  deepStrictEqual(
    await both(select(users.c.id).where(exists(own)).orderBy(users.c.id)),
    [1, 2, 3],
  );
  deepStrictEqual(await both(select(users.c.id).where(not(exists(own)))), [4]);
  const n = scalarSubquery(
    select(count()).from(orders).where(orders.c.userId.eq(users.c.id)),
  );
  deepStrictEqual(
    (await both(select({ id: users.c.id, n }).orderBy(users.c.id))).map((row) =>
      row.n
    ),
    [2, 1, 1, 0],
  );
  const told = correlate(
    select(orders.c.id).where(orders.c.userId.eq(users.c.id)),
    users,
  );
  ok(
    !textOf(select(users.c.id).where(exists(told))).includes(
      'FROM "orders", "users"',
    ),
  );
  const last = lateral(
    select({ amount: orders.c.amount }).where(orders.c.userId.eq(users.c.id))
      .orderBy(orders.c.id.desc()).limit(1),
    "last",
  );
  const query = select({ name: users.c.name, amount: last.c.amount }).joinAs(
    "JOIN",
    last,
    and(),
  );
  strictEqual((await pg.execute(query)).length, 3);
  throws(() => prepare(query, sqliteDialect), { code: "sql/unsupported" });
});

Deno.test("orm 193: set operations are queries again: sorted, limited, joined, of entities too", async () => {
  const a = select({ id: users.c.id }).where(users.c.id.lte(3));
  const b = select({ id: users.c.id }).where(users.c.id.gte(3)).orderBy(
    users.c.id,
  ).limit(1);
  const u = union(a, b);
  deepStrictEqual(
    (await both(u.orderBy(u.c.id.desc()).limit(2))).map(({ id }) => id),
    [3, 2],
  );
  strictEqual((await both(unionAll(a, b))).length, 4);
  deepStrictEqual(await both(intersect(a, b)), [{ id: 3 }]);
  const e = except(a, b);
  deepStrictEqual(await both(e.orderBy(e.c.id)), [{ id: 1 }, { id: 2 }]);
  const entities = union(
    select(users).where(users.c.id.eq(1)),
    select(users).where(users.c.id.eq(2)),
  );
  deepStrictEqual(
    (await both(entities.orderBy(entities.c.id))).map(({ name }) => name),
    ["ed", "wendy"],
  );
});

Deno.test("orm 194: CTEs, recursive ones, hints, and writes inside them on Postgres alone", async () => {
  const tree = recursiveCte(
    select({ id: users.c.id, depth: literal(0) }).where(users.c.id.eq(1)),
    "tree",
    (self) =>
      select({ id: users.c.id, depth: plus(self.c.depth, 1) }).join(
        self,
        users.c.managerId.eq(self.c.id),
      ),
  );
  deepStrictEqual(
    (await both(select(tree).orderBy(tree.c.id))).map(({ depth }) => depth),
    [0, 1, 1, 2],
  );
  const kept = cte(select({ id: users.c.id }), "kept", { materialized: true });
  const nested = cte(
    select({ id: kept.c.id }).where(kept.c.id.gt(2)),
    "nested",
    { materialized: false },
  );
  const query = select(nested).orderBy(nested.c.id);
  deepStrictEqual((await both(query)).map(({ id }) => id), [3, 4]);
  ok(
    textOf(query).includes('"kept" ("id") AS MATERIALIZED') &&
      textOf(query).includes("NOT MATERIALIZED"),
  );
  const gone = cte(
    deleteFrom(orders).where(orders.c.id.eq(99)).returning({ id: orders.c.id }),
    "gone",
  );
  strictEqual((await pg.execute(select(gone))).length, 0);
  strictEqual((await pg.execute(addCte(select(users.c.id), gone))).length, 4);
  throws(() => prepare(select(gone), sqliteDialect), {
    code: "sql/unsupported",
    message: /"gone"/,
  });
});

Deno.test("orm 195: windows, filters, CASE, casts and any function, typed", async () => {
  const running = over(sum(orders.c.id), {
    partitionBy: [orders.c.userId],
    orderBy: [orders.c.id],
    rows: [null, 0],
  });
  const place = over(rank(), { orderBy: [orders.c.open.desc()] });
  const rows = await both(
    select({
      id: orders.c.id,
      running,
      place,
      n: over(rowNumber(), { orderBy: [orders.c.id], range: [null, null] }),
    }).orderBy(orders.c.id),
  );
  deepStrictEqual(rows.map((row) => row.running), [1, 3, 3, 4]);
  deepStrictEqual(rows.map((row) => row.place), [1, 4, 1, 1]);
  deepStrictEqual(
    await both(select(filter(count(), orders.c.open.eq(true))).from(orders)),
    [3],
  );
  const kind = caseWhen(users.c.id.lt(2), "first").when(
    users.c.id.lt(4),
    "middle",
  ).else("last");
  deepStrictEqual(await both(select(kind).from(users).orderBy(users.c.id)), [
    "first",
    "middle",
    "middle",
    "last",
  ]);
  deepStrictEqual(
    await both(
      select(
        cast(users.c.id, text()),
        typeCoerce(users.c.id, integer()),
        coalesce(users.c.nick, "-"),
        func<number>("length", [users.c.name], integer()),
      ).where(users.c.id.eq(1)),
    ),
    [["1", 1, "-", 2]],
  );
  deepStrictEqual(
    await both(
      select(
        extract("year", orders.c.at),
        extract("second", orders.c.at),
        extract("dow", orders.c.at),
      ).where(orders.c.id.eq(1)),
    ),
    [[1969, 58, 3]],
  );
  deepStrictEqual([
    ...await pg.execute(
      select(withinGroup(func("mode"), orders.c.open)).from(orders),
    ),
  ], [true]);
  throws(() => over(count(), { rows: ["1; DROP TABLE users" as never, 0] }), {
    code: "sql/compile",
  });
});

Deno.test("orm 196: groups, and counts over subqueries with distinct and limit", async () => {
  const busy = select({ user: orders.c.userId, n: count() }).groupBy(
    orders.c.userId,
  ).having(count().gt(1));
  deepStrictEqual(await both(busy), [{ user: 1, n: 2 }]);
  const few = subquery(select(orders.c.userId).distinct().limit(2), "few");
  deepStrictEqual(await both(select(count()).from(few)), [2]);
});

Deno.test("orm 197: IN of nothing, of NULL, and of tuples; lists of all lengths share a text", async () => {
  const ids = (condition: ReturnType<typeof and>) =>
    both(select(users.c.id).where(condition).orderBy(users.c.id));
  deepStrictEqual(await ids(users.c.nick.in([])), []);
  deepStrictEqual(await ids(users.c.nick.notIn([])), [1, 2, 3, 4]);
  deepStrictEqual(await ids(not(users.c.nick.in([]))), [1, 2, 3, 4]);
  deepStrictEqual(await ids(users.c.nick.in(["m_x", null])), [3]);
  deepStrictEqual(await ids(users.c.nick.notIn(["m_x", null])), []);
  const pair = tuple(users.c.id, users.c.name);
  deepStrictEqual(await ids(pair.in([[1, "ed"], [2, "ed"], [4, "fred"]])), [
    1,
    4,
  ]);
  deepStrictEqual(
    await ids(
      pair.in(select(users.c.id, users.c.name).where(users.c.id.gt(3))),
    ),
    [4],
  );
  strictEqual(
    textOf(select(users).where(users.c.id.in([1]))),
    textOf(select(users).where(users.c.id.in([1, 2, 3]))),
  );
  deepStrictEqual(
    await both(
      select(orders.c.id).where(orders.c.amount.in(["9.50", "100"])).orderBy(
        orders.c.id,
      ),
    ),
    [1, 3],
  );
});

Deno.test("orm 198: null is asked with IS, not() negates, and nothing is true of all", async () => {
  const ids = (condition: ReturnType<typeof and>) =>
    both(select(users.c.id).where(condition).orderBy(users.c.id));
  deepStrictEqual(await ids(users.c.nick.eq(null)), [1, 4]);
  deepStrictEqual(await ids(users.c.nick.ne(null)), [2, 3]);
  deepStrictEqual(await ids(isDistinctFrom(users.c.nick, "m_x")), [1, 2, 4]);
  deepStrictEqual(await ids(isNotDistinctFrom(users.c.nick, null)), [1, 4]);
  deepStrictEqual(await ids(not(or(users.c.id.eq(1), users.c.id.eq(2)))), [
    3,
    4,
  ]);
  deepStrictEqual(await ids(and()), [1, 2, 3, 4]);
  deepStrictEqual(await ids(or()), []);
  deepStrictEqual(await ids(text("id = 1 OR id = 2").and(users.c.id.gt(1))), [
    2,
  ]);
  deepStrictEqual(
    await ids(fragment`lower(${users.c.name}) = ${"mary"}`.and(and())),
    [3],
  );
  deepStrictEqual(
    await both(
      select(users.c.id).orderBy(nullsFirst(users.c.nick.desc()), users.c.id),
    ),
    [1, 4, 3, 2],
  );
  deepStrictEqual(
    await both(
      select(users.c.id).orderBy(nullsLast(users.c.nick.asc()), users.c.id),
    ),
    [2, 3, 1, 4],
  );
});

Deno.test("orm 199: like, and its kin that take % and _ for what they are", async () => {
  const ids = (condition: ReturnType<typeof and>) =>
    both(select(users.c.id).where(condition).orderBy(users.c.id));
  deepStrictEqual(await ids(users.c.name.like("%ed")), [1, 4]);
  deepStrictEqual(await ids(ilike(users.c.name, "m%")), [3]);
  deepStrictEqual(await ids(contains(users.c.nick, "%")), [2]);
  deepStrictEqual(await ids(contains(users.c.nick, "_")), [3]);
  deepStrictEqual(await ids(startsWith(users.c.nick, "50%")), [2]);
  deepStrictEqual(await ids(endsWith(users.c.nick, "_x")), [3]);
  deepStrictEqual(await ids(lower(users.c.name).eq("mary")), [3]);
});

Deno.test("orm 201: a query of things that no condition ties is told", () => {
  deepStrictEqual(cartesianProduct(select(users, orders)), ["orders"]);
  deepStrictEqual(
    cartesianProduct(
      select(users, orders).where(
        users.c.id.eq(1),
        orders.c.userId.eq(users.c.id),
      ),
    ),
    [],
  );
  deepStrictEqual(cartesianProduct(select(users).join(orders)), []);
});

Deno.test("orm 202: inserts of lists, of queries and with conflicts, and what they give back", async () => {
  for (const engine of [lite, pg]) {
    const tags = table("tags", new MetaData(), {
      id: integer().primaryKey(),
      name: text().unique(),
      n: integer().default(1),
    });
    await createAll(tags.metadata, engine);
    const made = await engine.execute(
      insert(tags).values([{ name: "a" }, { name: "b", n: 5 }]).returning(
        tags.c.n,
      ),
    );
    deepStrictEqual([...made], [1, 5]);
    await engine.execute(
      onConflictDoNothing(insert(tags).values({ name: "a" }), ["name"]),
    );
    const upsert = (n: number) =>
      onConflictDoUpdate(insert(tags).values({ name: "a", n }), {
        target: ["name"],
        set: { n: plus(excluded(tags.c.n), tags.c.n) },
        where: tags.c.n.lt(100),
      }).returning({ n: tags.c.n });
    deepStrictEqual([...await engine.execute(upsert(9))], [{ n: 10 }]);
    const copies = onConflictDoNothing(insertFromSelect(
      insert(tags),
      ["name", "n"],
      select(concat(tags.c.name, "2"), tags.c.n).from(tags),
    ));
    strictEqual((await engine.execute(copies.returning(tags))).length, 2);
    await engine.execute(
      update(tags).set({ n: users.c.id }).from(users).where(
        users.c.name.eq(tags.c.name).or(
          users.c.id.eq(1).and(tags.c.name.eq("b")),
        ),
      ),
    );
    await engine.execute(
      using(deleteFrom(tags), users).where(
        users.c.id.eq(1),
        tags.c.id.gt(plus(users.c.id, 1)),
      ),
    );
    deepStrictEqual([
      ...await engine.execute(select(tags.c.name, tags.c.n).orderBy(tags.c.id)),
    ], [["a", 10], ["b", 1]]);
  }
});

Deno.test("a row of several that leaves a column out gets what the database fills in", async () => {
  for (const engine of [lite, pg]) {
    const filled = table("filled", new MetaData(), {
      id: integer().primaryKey(),
      word: text().serverDefault("new"),
      n: integer().nullable(),
    });
    await createAll(filled.metadata, engine);
    await engine.execute(
      insert(filled).values([{ word: "old", n: 1 }, { n: 2 }, { id: 7 }]),
    );
    deepStrictEqual(
      [...await engine.execute(select(filled).orderBy(filled.c.id))],
      [
        { id: 1, word: "old", n: 1 },
        { id: 2, word: "new", n: 2 },
        { id: 7, word: "new", n: null },
      ],
    );
  }
});

Deno.test("orm 205: rows are locked in all ways where rows can be, and not a word elsewhere", async () => {
  const query = select(users);
  const words = (options: LockOptions) =>
    prepare(withForUpdate(query, options), postgres).sql.split(" FOR ")[1];
  strictEqual(words({}), "UPDATE");
  strictEqual(words({ read: true }), "SHARE");
  strictEqual(words({ keyShare: true }), "NO KEY UPDATE");
  strictEqual(words({ read: true, keyShare: true }), "KEY SHARE");
  strictEqual(words({ of: [users], nowait: true }), 'UPDATE OF "users" NOWAIT');
  strictEqual(words({ skipLocked: true }), "UPDATE SKIP LOCKED");
  strictEqual(textOf(withForUpdate(query)), textOf(query));
  strictEqual(
    (await pg.execute(withForUpdate(query, { of: [users], skipLocked: true })))
      .length,
    4,
  );
});

Deno.test("distinctOn() keeps the first row of each value where a database has DISTINCT ON, and says so elsewhere", async () => {
  const first = distinctOn(
    select(orders.c.userId, orders.c.id).orderBy(orders.c.userId, orders.c.id),
    orders.c.userId,
  );
  const rows = await pg.execute(first);
  const users = rows.map(([userId]) => userId);
  deepStrictEqual(users, [...new Set(users)]);
  ok(users.length > 1);
  throws(() => prepare(first, sqliteDialect), { code: "sql/unsupported" });
});

Deno.test("orm 206: statements of one shape share one text, and no value stands in it", () => {
  const shape = (id: number, name: string) =>
    prepare(
      select(users).where(users.c.id.gt(id), users.c.name.eq(name)).limit(id),
      sqliteDialect,
    );
  ok(Object.is(shape(1, "a").sql, shape(2, "b").sql));
  deepStrictEqual(shape(7, "x").params, [7, "x", 7]);
  const shared = literal(1);
  const twice = prepare(
    select(plus(users.c.id, shared)).groupBy(plus(users.c.id, shared)),
    postgres,
  );
  strictEqual(twice.params.length, 1);
  strictEqual(
    prepare(select(plus(users.c.id, 1)).groupBy(plus(users.c.id, 1)), postgres)
      .params.length,
    2,
  );
});

Deno.test("orm 207: hand-written SQL gives typed rows, its values bound", async () => {
  const rows = await both(
    sql`SELECT at, amount, open, id FROM orders WHERE id = ${1}`.columns({
      id: integer(),
      at: timestamp(),
      open: boolean(),
      amount: numeric(10, 2),
    }),
  );
  deepStrictEqual(rows, [{
    at: new Date("1969-12-31T23:59:58.500Z"),
    amount: "9.50",
    open: true,
    id: 1,
  }]);
  const parts = await both(
    sql<{ n: number }>`SELECT ${users.c.id} AS n FROM ${users} WHERE ${
      users.c.name.eq("ed")
    } ORDER BY ${identifier("n")}`.columns({ n: integer() }),
  );
  deepStrictEqual(parts, [{ n: 1 }]);
});

Deno.test("orm 160: JSON null is not SQL NULL, and paths are typed", async () => {
  deepStrictEqual(
    await both(select(orders.c.id).where(orders.c.meta.isNull())),
    [2],
  );
  deepStrictEqual(
    await both(select(orders.c.id).where(orders.c.meta.eq(jsonNull()))),
    [3],
  );
  deepStrictEqual(await both(select(orders.c.meta).orderBy(orders.c.id)), [
    { a: { b: [7] } },
    null,
    null,
    { s: "x" },
  ]);
  const seven = jsonPath(orders.c.meta, "a", "b", 0);
  deepStrictEqual(
    await both(
      select(
        seven.asInteger(),
        seven.asString(),
        seven.asReal(),
        jsonPath(orders.c.meta, "a"),
      ).where(orders.c.id.eq(1)),
    ),
    [[7, "7", 7, { b: [7] }]],
  );
  deepStrictEqual(
    await both(select(orders.c.id).where(seven.asInteger().gt(6))),
    [1],
  );
  deepStrictEqual(
    await both(
      select(orders.c.id).where(
        jsonPath(orders.c.meta, 'a"b', "'; --").asString().eq("x"),
      ),
    ),
    [],
  );
});

Deno.test("orm 161: a type of one's own converts both ways, in comparisons and lists too", async () => {
  class Cents {
    constructor(readonly cents: number) {}
  }
  const cents = typeDecorator(integer(), {
    processBindParam: (value: Cents) => value.cents,
    processResultValue: (value) => new Cents(value),
  });
  for (const engine of [lite, pg]) {
    const prices = table("prices", new MetaData(), {
      id: integer().primaryKey(),
      price: column(cents),
      old: column(cents).nullable(),
    });
    await createAll(prices.metadata, engine);
    await engine.execute(
      insert(prices).values([{ price: new Cents(5) }, { price: new Cents(7) }]),
    );
    deepStrictEqual([
      ...await engine.execute(
        select(prices.c.price, prices.c.old).where(
          prices.c.price.in([new Cents(7)]),
        ),
      ),
    ], [[new Cents(7), null]]);
    deepStrictEqual([
      ...await engine.execute(
        select(prices.c.id).where(prices.c.price.gt(new Cents(5))),
      ),
    ], [2]);
  }
  strictEqual(times(users.c.id, 1.5).type?.name, "real");
  strictEqual(plus(users.c.id, orders.c.amount as never).type?.name, "numeric");
  deepStrictEqual(
    await both(select(times(users.c.id, 1.5)).where(users.c.id.eq(3))),
    [4.5],
  );
  deepStrictEqual(await both(select(dividedBy(literal(7), 2))), [3]);
});

Deno.test("arithmetic keeps its brackets where it stands twice and where it is made a text", async () => {
  const less = minus(users.c.id, 1);
  const more = plus(users.c.id, 1);
  const one = <T>(expression: Expression<T>) =>
    both(select(expression).where(users.c.id.eq(3)));

  deepStrictEqual(await one(minus(less, less)), [0]);
  deepStrictEqual(await one(minus(minus(less, 1), 1)), [0]);
  deepStrictEqual(await one(dividedBy(less, less)), [1]);
  deepStrictEqual(await one(concat(cast(more, text()), "!")), ["4!"]);
  deepStrictEqual(
    lite.prepare(select(concat(more, "!"))).sql,
    'SELECT ("users"."id" + CAST(? AS INTEGER)) || ? AS "anon" FROM "users"',
  );
});

Deno.test("decimals compare and sort as numbers on every database", async () => {
  deepStrictEqual(
    await both(
      select(orders.c.amount).where(orders.c.amount.gt("9.6")).orderBy(
        orders.c.amount.desc(),
      ),
    ),
    ["100.00", "10.25"],
  );
  deepStrictEqual(await both(select(sum(orders.c.amount)).from(orders)), [
    "119.80",
  ]);
});

Deno.test("orm 218: one description serves many schemas", async () => {
  const tenants = createEngine(
    translateSchemas(lite.driver, { "": "tenant_7" }),
  );
  strictEqual(
    tenants.prepare(select(users.c.id)).sql.includes('FROM "tenant_7"."users"'),
    true,
  );
  await pg.execute(sql`CREATE SCHEMA tenant_7`);
  const own = createEngine(translateSchemas(pg.driver, { "": "tenant_7" }));
  const notes = table(
    "notes",
    new MetaData({ naming: { unique: "uq_{table}_{columns}" } }),
    { id: integer().primaryKey(), word: text().unique() },
  );
  await createAll(notes.metadata, own);
  await own.execute(insert(notes).values({ word: "x" }));
  deepStrictEqual([
    ...await pg.execute(
      sql<
        { n: unknown }
      >`SELECT conname AS n FROM pg_constraint WHERE conname LIKE 'uq_%'`,
    ),
  ], [{ n: "uq_notes_word" }]);
  deepStrictEqual([...await own.execute(select(notes.c.word))], ["x"]);
});

Deno.test("insert().values() refuses an empty list, which would insert a row of defaults", () => {
  throws(() => insert(users).values([]), CompileError);
});

Deno.test("a condition that turns out to be no expression is never left out", () => {
  for (const no of [false, null, 0, ""]) {
    const condition = no as never;
    for (
      const statement of [
        deleteFrom(users).where(condition),
        update(users).set({ name: "x" }).where(condition),
        select(users).where(condition),
      ]
    ) throws(() => prepare(statement, sqliteDialect));
  }
});

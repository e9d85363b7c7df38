import fc from "fast-check";
import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { sqlite } from "../../backends/sqlite.ts";
import {
  createEngine,
  type EngineEvent,
  type EngineOptions,
  insert,
  integer,
  MetaData,
  OverloadedError,
  select,
  sql,
  StatementError,
  table,
  text,
  transaction,
  UniqueViolationError,
  UnsupportedError,
} from "../../sql/mod.ts";
import { countingDriver } from "./counting_driver.ts";

const metadata = new MetaData();
const users = table("users", metadata, {
  id: integer().primaryKey(),
  name: text().unique(),
});

async function setUp(options: EngineOptions = {}) {
  const driver = countingDriver(sqlite(":memory:"));
  const engine = createEngine(driver, options);
  await metadata.createAll(engine);
  await engine.execute(insert(users).values([{ name: "ed" }, { name: "w" }]));
  driver.trips.length = 0;
  return { engine, driver };
}

Deno.test("reads of one tick are one trip; a lone read is a plain statement", async () => {
  const { engine, driver } = await setUp();
  const byId = (id: number) =>
    engine.execute(select(users.c.name).where(users.c.id.eq(id)));

  const names = await Promise.all([byId(1), byId(2), byId(3)]);
  await byId(1);

  deepStrictEqual(names.map((rows) => [...rows]), [["ed"], ["w"], []]);
  deepStrictEqual(driver.trips.map((trip) => trip.length), [3, 1]);
  await engine.close();
});

Deno.test("reads after an await in sibling tasks still share a trip", async () => {
  const { engine, driver } = await setUp();

  await Promise.all([1, 2, 3, 4].map(async (id) => {
    await Promise.resolve();
    return engine.execute(select(users).where(users.c.id.eq(id)));
  }));

  deepStrictEqual(driver.trips.map((trip) => trip.length), [4]);
  await engine.close();
});

Deno.test("a read that fails does not fail its neighbours", async () => {
  const { engine, driver } = await setUp();

  const [good, bad, also] = await Promise.allSettled([
    engine.execute(select(users.c.name).where(users.c.id.eq(1))),
    engine.execute(sql`SELECT * FROM nowhere`),
    engine.execute(select(users.c.name).where(users.c.id.eq(2))),
  ]);

  deepStrictEqual(good.status === "fulfilled" && [...good.value], ["ed"]);
  deepStrictEqual(also.status === "fulfilled" && [...also.value], ["w"]);
  strictEqual(
    bad.status === "rejected" && bad.reason instanceof StatementError,
    true,
  );
  strictEqual(
    bad.status === "rejected" && bad.reason.sql,
    "SELECT * FROM nowhere",
  );
  deepStrictEqual(driver.trips.map((trip) => trip.length), [3, 1, 1, 1]);
  await engine.close();
});

Deno.test("reads that fail on their way are not sent one by one", async () => {
  const { engine, driver } = await setUp({ retries: 0 });
  driver.failure = () => new Error("D1 DB is overloaded. Too many requests");

  const results = await Promise.allSettled([
    engine.execute(select(users)),
    engine.execute(select(users.c.id)),
  ]);

  strictEqual(driver.trips.length, 1);
  for (const result of results) {
    strictEqual(
      result.status === "rejected" && result.reason instanceof OverloadedError,
      true,
    );
  }
  await engine.close();
});

Deno.test("reads go before a write that the program sends after them", async () => {
  const { engine, driver } = await setUp();

  const before = engine.execute(select(users.c.name));
  const write = engine.execute(insert(users).values({ name: "new" }));
  const after = engine.execute(select(users.c.name));

  strictEqual((await before).length, 2);
  strictEqual((await write).rowCount, 1);
  strictEqual((await after).length, 3);
  deepStrictEqual(driver.trips.map(([first]) => first?.slice(0, 6)), [
    "SELECT",
    "INSERT",
    "SELECT",
  ]);
  await engine.close();
});

Deno.test("a batch is one trip and takes effect whole or not at all", async () => {
  const { engine, driver } = await setUp();

  const [, all] = await engine.batch([
    insert(users).values({ name: "fred" }),
    select(users.c.name).orderBy(users.c.id),
  ]);
  const failed = engine.batch([
    insert(users).values({ name: "jack" }),
    insert(users).values({ name: "ed" }),
  ]);

  deepStrictEqual([...all], ["ed", "w", "fred"]);
  await rejects(failed, (error) =>
    error instanceof UniqueViolationError &&
    error.sql === 'INSERT INTO "users" ("name") VALUES (?)');
  strictEqual(driver.trips.length, 2);
  strictEqual((await engine.execute(select(users))).length, 3);
  deepStrictEqual(await engine.batch([]), []);
  strictEqual(driver.trips.length, 3);
  await engine.close();
});

Deno.test("a read is sent again, a bounded number of times and with jitter; a write never", async () => {
  const waits: number[] = [];
  const { engine, driver } = await setUp({
    retries: 3,
    retryDelay: 100,
    random: () => 0.5,
    sleep: (milliseconds) => Promise.resolve(waits.push(milliseconds)),
  });
  const lost = () => new Error("D1_ERROR: Network connection lost.");
  driver.failure = () => driver.trips.length < 3 ? lost() : undefined;

  strictEqual((await engine.execute(select(users))).length, 2);
  deepStrictEqual([driver.trips.length, waits], [3, [50, 100]]);

  driver.failure = lost;
  driver.trips.length = 0;
  await rejects(engine.execute(select(users)), { code: "sql/connection" });
  strictEqual(driver.trips.length, 4);

  driver.trips.length = 0;
  await rejects(engine.execute(insert(users).values({ name: "x" })), {
    code: "sql/connection",
    isRetryable: true,
  });
  await rejects(engine.batch([insert(users).values({ name: "x" })]));
  strictEqual(driver.trips.length, 2);

  driver.trips.length = 0;
  driver.failure = () => new Error("no such table: nope");
  await rejects(engine.execute(select(users)), StatementError);
  strictEqual(driver.trips.length, 1);
  await engine.close();
});

Deno.test("a batch of reads is sent again, a batch with a write is not", async () => {
  const { engine, driver } = await setUp({ sleep: () => Promise.resolve() });
  const lost = new Error("Network connection lost");
  driver.failure = () => driver.trips.length < 2 ? lost : undefined;

  await engine.batch([select(users), select(users.c.id)]);
  strictEqual(driver.trips.length, 2);

  driver.trips.length = 0;
  await rejects(
    engine.batch([select(users), insert(users).values({ name: "x" })]),
  );
  strictEqual(driver.trips.length, 1);
  await engine.close();
});

Deno.test("a transaction commits what it did, and undoes all of it when it throws", async () => {
  const { engine } = await setUp();

  const seen = await transaction(engine, async (tx) => {
    await tx.execute(insert(users).values({ name: "in" }));
    return [...await tx.execute(select(users.c.name).orderBy(users.c.id))];
  });
  await rejects(
    transaction(engine, async (tx) => {
      await tx.execute(insert(users).values({ name: "out" }));
      throw new RangeError("no");
    }),
    RangeError,
  );
  await rejects(
    transaction(
      engine,
      (tx) => tx.execute(insert(users).values({ name: "ed" })),
    ),
    UniqueViolationError,
  );

  deepStrictEqual(seen, ["ed", "w", "in"]);
  strictEqual((await engine.execute(select(users))).length, 3);
  await engine.close();
});

Deno.test("a transaction and its savepoints may be ended before their functions do, once", async () => {
  const { engine } = await setUp();
  const add = (name: string) => insert(users).values({ name });

  await transaction(engine, async (tx) => {
    await tx.execute(add("a"));
    await tx.savepoint(async () => {
      await tx.execute(add("b"));
      await tx.rollback();
      strictEqual(tx.depth, 0);
    });
    await tx.commit();
    strictEqual(tx.isOver, true);
    for (const late of [() => tx.execute(add("c")), () => tx.rollback()]) {
      await rejects(late(), { code: "sql/transaction-over" });
    }
  });
  await rejects(
    transaction(engine, async (tx) => {
      await tx.execute(add("d"));
      await tx.rollback();
      throw new RangeError("no");
    }),
    RangeError,
  );

  deepStrictEqual(
    [...await engine.execute(select(users.c.name).orderBy(users.c.id))],
    ["ed", "w", "a"],
  );
  await engine.close();
});

Deno.test("a transaction whose commit fails is undone, and the database is free for the next", async () => {
  const { engine } = await setUp();
  await engine.execute(
    sql`CREATE TABLE posts (user_id REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED)`,
  );

  await rejects(
    transaction(
      engine,
      (tx) => tx.execute(sql`INSERT INTO posts VALUES (${99})`),
    ),
    { code: "sql/foreign-key-violation" },
  );
  strictEqual((await engine.execute(sql`SELECT * FROM posts`)).length, 0);
  await engine.close();
});

Deno.test("savepoints nest, and undo what they hold alone", async () => {
  const { engine } = await setUp();
  const add = (name: string) => insert(users).values({ name });

  await transaction(engine, async (tx) => {
    await tx.savepoint(async () => {
      await tx.execute(add("a"));
      await rejects(tx.savepoint(async () => {
        await tx.execute(add("b"));
        throw new Error("undo b");
      }));
      await tx.execute(add("c"));
    });
    await rejects(tx.savepoint(() => tx.execute(add("ed"))));
    await tx.execute(add("d"));
  });

  deepStrictEqual(
    [...await engine.execute(select(users.c.name).orderBy(users.c.id))],
    ["ed", "w", "a", "c", "d"],
  );
  await engine.close();
});

Deno.test("an engine that cannot hold a transaction open says so, and sends nothing", async () => {
  const driver = countingDriver(sqlite(":memory:"));
  delete driver.begin;
  const engine = createEngine(driver, { name: "edge" });

  await rejects(
    transaction(engine, () => Promise.resolve()),
    (error) =>
      error instanceof UnsupportedError && /"edge"; send .*batch/.test(
        error.message,
      ),
  );
  strictEqual(driver.trips.length, 0);
  await engine.close();
});

Deno.test("every trip is traced, with its texts, rows, time and error", async () => {
  const events: EngineEvent[] = [];
  let time = 0;
  const { engine } = await setUp({
    name: "leader",
    now: () => time += 5,
    trace: (event) => events.push(event),
  });
  events.length = 0;

  await engine.execute(select(users.c.id).where(users.c.name.eq("secret")));
  await engine.batch([select(users.c.id), select(users.c.id)]);
  await transaction(engine, (tx) => tx.execute(select(users.c.id)));
  await rejects(engine.execute(sql`SELECT nothing`));

  deepStrictEqual(
    events.map((event) => [event.type, event.rows, event.sql.length]),
    [
      ["statement", 0, 1],
      ["batch", 4, 2],
      ["begin", 0, 0],
      ["statement", 2, 1],
      ["commit", 0, 0],
      ["statement", 0, 1],
    ],
  );
  strictEqual(events.every((event) => event.milliseconds === 5), true);
  strictEqual(events.every((event) => event.engine === "leader"), true);
  strictEqual(events.at(-1)?.error instanceof StatementError, true);
  strictEqual(JSON.stringify(events).includes("secret"), false);
  await engine.close();
});

Deno.test("whatever is sent in one tick, each read sees the writes before it and none after", async () => {
  const { engine, driver } = await setUp();
  const count = sql<{ n: number }>`SELECT count(*) AS n FROM users`;

  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom("read", "write", "batch", "broken"), {
        maxLength: 12,
      }),
      async (steps) => {
        await engine.execute(sql`DELETE FROM users`);
        driver.trips.length = 0;
        let written = 0;

        const work = steps.map(async (step, i) => {
          const add = insert(users).values({ name: `n${i}` });
          if (step === "broken") {
            return await engine.execute(sql`SELECT nothing`).then(
              () => [],
              (error) => [error.code],
            );
          }
          if (step === "write") {
            await engine.execute(add);
            return [];
          }
          if (step === "batch") {
            const [, rows] = await engine.batch([add, count]);
            return [rows[0]?.n];
          }
          return [(await engine.execute(count))[0]?.n];
        });
        const expected = steps.map((step) => {
          if (step === "broken") return ["sql/statement"];
          if (step === "read") return [written];
          written++;
          return step === "write" ? [] : [written];
        });

        const seen = await Promise.all(work);
        if (steps.includes("broken")) {
          // Neighbours of one that fails are sent anew, after what came next.
          for (const [i, [n]] of seen.entries()) {
            if (steps[i] === "read") strictEqual(n >= expected[i]?.[0]!, true);
            else deepStrictEqual([n], [expected[i]?.[0]]);
          }
        } else {
          deepStrictEqual(seen, expected);
          // Neighbouring reads are one trip.
          const runs = steps.filter((step, i) =>
            step !== "read" || steps[i - 1] !== "read"
          );
          strictEqual(driver.trips.length, runs.length);
        }
      },
    ),
    { numRuns: 200 },
  );
  await engine.close();
});

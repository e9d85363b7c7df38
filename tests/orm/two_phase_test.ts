import { PGlite } from "@electric-sql/pglite";
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { neon } from "../../backends/neon.ts";
import { pglite } from "../../backends/pglite.ts";
import { sqlite } from "../../backends/sqlite.ts";
import {
  bindsOf,
  commitPrepared,
  Entity,
  InDoubtError,
  integer,
  preparedTransactions,
  rollbackPrepared,
  Session,
  type SessionError,
  StaleDataError,
  stateOf,
  text,
  TwoPhaseSession,
  versionId,
} from "../../orm/mod.ts";
import {
  createEngine,
  deleteFrom,
  type Engine,
  type EngineOptions,
  MetaData,
  select,
  sql,
} from "../../sql/mod.ts";
import { startNeonServer, startPostgres } from "../services/mod.ts";
import { d1Database, workerdWith } from "./databases.ts";

abstract class Base extends Entity.with({ id: integer().primaryKey() }) {}
abstract class OneBase extends Base {
  static override metadata = new MetaData();
}
abstract class TwoBase extends Base {
  static override metadata = new MetaData();
}
class Order extends OneBase.table("orders", { what: text() }) {}
class Payment extends TwoBase.table("payments", {
  amount: integer().unique(),
  version: versionId(),
}) {}

// Two databases of one server, spoken to over HTTP, and one in process.
const postgres = await startPostgres({ kind: "server" });
await postgres.createDatabase("two");
const server = startNeonServer(postgres);
const client = new PGlite({
  startParams: [
    ...PGlite.defaultStartParams,
    ...["-c", "max_prepared_transactions=9"],
  ],
});
Deno.test.afterAll(async () => {
  await client.close();
  await server.dispose();
  await postgres[Symbol.asyncDispose]();
});

const log: string[] = [];
const echo = (name: string): EngineOptions => ({
  name,
  echo: true,
  log: (line) =>
    log.push(
      line.replace("INFO aludel.engine.", "").replace(/aludel_[-\w]+/, "ID"),
    ),
});
const { endpoint } = server;
const one = createEngine(
  neon(server.connectionString(), { endpoint }),
  echo("one"),
);
const overHttp = createEngine(
  neon(server.connectionString("two"), { endpoint }),
  echo("two"),
);
const inProcess = createEngine(
  pglite(client, { keepOpen: true }),
  echo("two"),
);
for (const two of [overHttp, inProcess]) await TwoBase.metadata.createAll(two);
await OneBase.metadata.createAll(one);

class Shop extends TwoPhaseSession {
  constructor(two: Engine, warnings: string[] = []) {
    super({
      binds: bindsOf(new Map([[OneBase, one], [TwoBase, two]])),
      warn: (message) => warnings.push(message),
    });
  }
}

const count = async (
  two: Engine,
): Promise<[orders: number, payments: number]> => [
  (await one.execute(select(Order.table))).length,
  (await two.execute(select(Payment.table))).length,
];
const left = async (two: Engine): Promise<string[]> => [
  ...await preparedTransactions(one),
  ...await preparedTransactions(two),
];
const isOf = (code: string) => (error: unknown) => {
  strictEqual((error as SessionError).code, code, String(error));
  return true;
};

for (
  const [name, two] of [
    ["over HTTP", overHttp],
    ["over HTTP and in process", inProcess],
  ] as const
) {
  const test = (what: string, work: () => Promise<void>) =>
    Deno.test(`orm 140: ${what}, on Postgres ${name}`, async () => {
      await one.execute(sql`DELETE FROM orders`);
      await two.execute(sql`DELETE FROM payments`);
      log.length = 0;
      await work();
      deepStrictEqual(await left(two), []);
    });

  test("every engine prepares before any commits", async () => {
    await using session = new Shop(two);
    session.addAll([
      new Order({ what: "tea" }),
      new Payment({ amount: 1 }),
    ]);
    await session.commit();
    const said = log.filter((line) => /PREPARE|COMMIT|ROLLBACK/.test(line));
    deepStrictEqual([said.slice(0, 2).sort(), said.slice(2).sort()], [
      ["one PREPARE TRANSACTION 'ID'", "two PREPARE TRANSACTION 'ID'"],
      ["one COMMIT PREPARED 'ID'", "two COMMIT PREPARED 'ID'"],
    ]);
    deepStrictEqual(await count(two), [1, 1]);
    deepStrictEqual([session.new, session.dirty], [[], []]);

    // The next unit of work has names of its own.
    session.addAll([new Order({ what: "milk" }), new Payment({ amount: 2 })]);
    await session.commit();
    deepStrictEqual(await count(two), [2, 2]);
  });

  test("where one cannot prepare, all is undone, also what was prepared", async () => {
    await using setup = new Session({ bind: two });
    const taken = new Payment({ amount: 7 });
    setup.add(taken);
    await setup.commit();
    await using session = new Shop(two);
    for (const how of ["commit", "prepare"] as const) {
      // Whichever of both goes first, one order is wrong.
      for (const [order, amount] of [[null, 8], ["tea", 7]] as const) {
        const added = [
          new Order({ what: order as string }),
          new Payment({ amount }),
        ];
        session.addAll(added);
        await rejects(session[how](), /Cannot write the row/);
        deepStrictEqual(await count(two), [0, 1]);
        deepStrictEqual(await left(two), []);
        await session.rollback();
        deepStrictEqual(added.map((object) => stateOf(object).status), [
          "transient",
          "transient",
        ]);
      }
    }
    // A row that somebody else has changed is a failure like others.
    const mine = (await session.get(Payment, taken.id))!;
    await two.execute(sql`UPDATE payments SET version = 5`);
    mine.amount = 9;
    session.add(new Order({ what: "tea" }));
    await rejects(session.commit(), StaleDataError);
    deepStrictEqual(await count(two), [0, 1]);
    await session.rollback();

    session.addAll([new Order({ what: "tea" }), new Payment({ amount: 8 })]);
    await session.commit();
    deepStrictEqual(await count(two), [1, 2]);
  });

  test("what is prepared is seen by nobody, takes no more SQL, and is committed or rolled back", async () => {
    await using session = new Shop(two);
    const order = new Order({ what: "tea" });
    session.addAll([order, new Payment({ amount: 1 })]);
    await session.prepare();
    strictEqual(stateOf(order).status, "persistent");
    deepStrictEqual(await count(two), [0, 0]);
    strictEqual((await left(two)).length, 2);
    for (
      const more of [
        () => session.scalars(select(Order)),
        () => session.get(Payment, 99),
        () => session.execute(deleteFrom(Order)),
        () => session.flush(),
        () => session.beginNested(),
        () => session.prepare(),
      ]
    ) await rejects(more(), isOf("orm/prepared"));
    await session.rollback();
    strictEqual(stateOf(order).status, "transient");
    deepStrictEqual(await left(two), []);
    deepStrictEqual(await count(two), [0, 0]);

    session.addAll([order, new Payment({ amount: 1 })]);
    await session.prepare();
    await session.commit();
    deepStrictEqual(await count(two), [1, 1]);
    strictEqual((await session.scalars(select(Order))).length, 1);
  });

  test("once it is decided, what can commit does, and the rest is named and can be repaired", async () => {
    const { driver } = two;
    let isBroken = true;
    const breaking = createEngine({
      ...driver,
      classify: (error, text) => driver.classify(error, text),
      execute: async (statement) => {
        if (isBroken && statement.sql.startsWith("COMMIT PREPARED")) {
          throw new TypeError("the line is cut");
        }
        return await driver.execute(statement);
      },
    }, { name: "two" });
    await using session = new Shop(breaking);
    session.addAll([new Order({ what: "tea" }), new Payment({ amount: 1 })]);
    const error = await session.commit().catch((error) => error);
    ok(error instanceof InDoubtError, String(error));
    deepStrictEqual(error.committed, ["one"]);
    deepStrictEqual([...error.prepared.keys()], ["two"]);
    ok(/line is cut/.test(String(error.cause)));
    deepStrictEqual(await count(two), [1, 0]);
    await rejects(session.commit(), isOf("orm/pending-rollback"));

    isBroken = false;
    const [id] = await preparedTransactions(two);
    strictEqual(id, error.prepared.get("two"));
    await commitPrepared(two, id!);
    deepStrictEqual(await count(two), [1, 1]);
    await session.rollback();
    strictEqual((await session.scalars(select(Payment))).length, 1);
  });

  test("a rollback that an engine does not answer is told of", async () => {
    const { driver } = two;
    const breaking = createEngine({
      ...driver,
      classify: (error, text) => driver.classify(error, text),
      execute: async (statement) => {
        if (statement.sql.startsWith("ROLLBACK PREPARED")) {
          throw new TypeError("the line is cut");
        }
        return await driver.execute(statement);
      },
    }, { name: "two" });
    const warnings: string[] = [];
    await using session = new Shop(breaking, warnings);
    session.addAll([new Order({ what: "tea" }), new Payment({ amount: 1 })]);
    await session.prepare();
    await session.rollback();
    const [id, ...others] = await left(two);
    deepStrictEqual(others, []);
    strictEqual(warnings.length, 1);
    ok(warnings[0]!.includes(id!) && /"two"/.test(warnings[0]!));
    await rollbackPrepared(two, id!);
  });
}

Deno.test("orm 140: what is flushed and nested before is prepared as well, where a transaction is held open", async () => {
  await inProcess.execute(sql`DELETE FROM payments`);
  await using session = new TwoPhaseSession({ bind: inProcess });
  session.add(new Payment({ amount: 1 }));
  await session.flush();
  const nested = await session.beginNested();
  session.add(new Payment({ amount: 2 }));
  await session.flush();
  await nested.rollback();
  await session.beginNested();
  session.add(new Payment({ amount: 3 }));
  await session.flush();
  session.add(new Payment({ amount: 4 }));
  await session.prepare();
  await session.commit();
  const rows = await inProcess.execute(
    select(Payment.table.c.amount).orderBy(Payment.table.c.amount),
  );
  deepStrictEqual([...rows], [1, 3, 4]);
});

Deno.test("orm 140: engines that cannot prepare say so, on D1 and sqlite, and nothing is written anywhere", async () => {
  await using workerd = await workerdWith("DB");
  await using d1 = d1Database(workerd, "DB");
  await using file = createEngine(sqlite(":memory:"), { name: "file" });
  await one.execute(sql`DELETE FROM orders`);
  for (const two of [d1.engine, file]) {
    await TwoBase.metadata.createAll(two);
    await using session = new Shop(two);
    session.addAll([new Order({ what: "tea" }), new Payment({ amount: 1 })]);
    for (const how of ["prepare", "commit"] as const) {
      await rejects(session[how](), isOf("orm/unsupported"));
      deepStrictEqual(await count(two), [0, 0]);
      deepStrictEqual(await preparedTransactions(one), []);
      await session.rollback();
      session.addAll([new Order({ what: "tea" }), new Payment({ amount: 1 })]);
    }
    await rejects(preparedTransactions(two), isOf("orm/unsupported"));
  }
});

Deno.test("orm 140: a session that commits in one phase has nothing to prepare", async () => {
  await using session = new Session({ bind: one });
  // @ts-expect-error -- it is no TwoPhaseSession
  await rejects(async () => await session.prepare(), TypeError);
});

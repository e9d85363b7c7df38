import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { sqlite } from "../../backends/sqlite.ts";
import {
  bindsOf,
  Entity,
  integer,
  listenToSession,
  manyToOne,
  oneToMany,
  PartialCommitError,
  Session,
  type SessionError,
  text,
  warnOfDiscarded,
} from "../../orm/mod.ts";
import {
  createAll,
  createEngine,
  type Engine,
  insert,
  MetaData,
  select,
  sql,
  transaction,
} from "../../sql/mod.ts";
import {
  created,
  d1Database,
  pgliteDatabase,
  sqliteDatabase,
  type TestDatabase,
  workerdWith,
} from "./databases.ts";

const metadata = new MetaData();
abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = metadata;
}
class User extends Base.table("users", {
  name: text(),
  notes: () => oneToMany(Note, { backPopulates: "user" }),
}) {}
class Note extends Base.table("notes", {
  words: text(),
  userId: integer().references("users.id").nullable(),
  user: () => manyToOne(User, { backPopulates: "notes" }),
}) {}

const workerd = await workerdWith("DB");
Deno.test.afterAll(() => workerd.dispose());

const databases: [string, () => TestDatabase][] = [
  ["sqlite", sqliteDatabase],
  ["PGlite", pgliteDatabase],
  ["D1", () => d1Database(workerd, "DB")],
];

const isBusy = (error: unknown) => {
  strictEqual((error as SessionError).code, "orm/busy");
  return true;
};

for (const [name, open] of databases) {
  Deno.test(`orm 137: who hears of an end asks nothing of the database, and still sees the objects, on ${name}`, async () => {
    await using database = await created(open(), metadata);
    const { engine } = database;
    await using session = new Session({ bind: engine, expireOnCommit: true });
    const asked: Promise<unknown>[] = [];
    const seen: string[] = [];
    const ends = (["afterCommit", "afterRollback"] as const).map((event) =>
      listenToSession(session, event, () => {
        seen.push(`${event} ${ed.id} ${ed.name}`);
        asked.push(
          session.execute(select(Note)),
          session.execute(sql`DELETE FROM notes`),
          session.get(User, 7),
          ed.notes.load(),
          session.commit(),
        );
      })
    );
    const allRefused = async () => {
      strictEqual(asked.length, 5);
      for (const one of asked.splice(0)) await rejects(one, isBusy);
    };
    const ed = new User({ name: "ed" });
    session.addAll([ed, new Note({ words: "kept" })]);

    await session.commit();
    await allRefused();
    ed.name = "changed";
    await session.rollback();
    await allRefused();
    strictEqual(seen.join(), "afterCommit 1 ed,afterRollback 1 ed");

    // What is asked for when the step is over is answered.
    strictEqual((await session.scalars(select(Note))).length, 1);
    strictEqual((await ed.notes.load()).length, 0);
    ed.name = "edward";
    ends.forEach((end) => end());
    await session.commit();
    const [row] = await engine.execute(select(User.table));
    ok(row?.name === "edward");
  });
}

for (const [name, open] of databases.slice(0, 2)) {
  Deno.test(`orm 142: what is done after a failure is warned of when the rollback discards it, on ${name}`, async () => {
    await using database = await created(open(), metadata);
    const warnings: string[] = [];
    await using session = warnOfDiscarded(
      new Session({
        bind: database.engine,
        warn: (message) => warnings.push(message),
      }),
    );
    const ed = new User({ id: 1, name: "ed" });
    const note = new Note({ words: "kept" });
    session.addAll([ed, note]);
    await session.commit();
    const late = new Note({ words: "late" });
    const twin = () => new User({ id: 1, name: "twin" });
    const changes: [why: string | undefined, change: () => void][] = [
      ["Note", () => session.add(late)],
      ["User", () => ed.name = "late"],
      ["User", () => ed.name = "later"],
      ["Note", () => session.delete(note)],
      ["Note, User", () => [session.add(late), ed.name = "late"]],
      [undefined, () => {}],
    ];

    for (const [why, change] of changes) {
      // What is pending when the write fails is no surprise.
      ed.name = "later";
      session.addAll([twin(), new Note({ words: "known" })]);
      await rejects(session.flush(), { code: "sql/unique-violation" });
      await rejects(session.flush(), { code: "orm/pending-rollback" });
      change();
      strictEqual(warnings.length, 0);
      await session.rollback();

      const isChanged = why && !change.toString().includes('"later"');
      strictEqual(warnings.length, isChanged ? 1 : 0, String(change));
      if (isChanged) ok(warnings[0]!.includes(`to ${why} after`), warnings[0]!);
      warnings.length = 0;
      deepStrictEqual([session.new, session.dirty, session.deleted], [
        [],
        [],
        [],
      ]);
      deepStrictEqual([ed.name, session.has(late), session.has(note)], [
        "ed",
        false,
        true,
      ]);
    }
    session.add(late);
    await session.rollback();
    strictEqual(warnings.length, 0);
  });

  Deno.test(`orm 142: of a failure inside a savepoint, its rollback warns, on ${name}`, async () => {
    await using database = await created(open(), metadata);
    const warnings: string[] = [];
    await using session = warnOfDiscarded(
      new Session({
        bind: database.engine,
        warn: (message) => warnings.push(message),
      }),
    );
    const ed = new User({ id: 1, name: "ed" });
    session.add(ed);
    const nested = await session.beginNested();
    session.add(new User({ id: 1, name: "twin" }));
    await rejects(session.flush(), { code: "sql/unique-violation" });
    session.add(new Note({ words: "late" }));
    await nested.rollback();
    strictEqual(warnings.length, 1);
    await session.commit();
    strictEqual(warnings.length, 1);
    strictEqual((await session.scalars(select(User))).length, 1);
  });
}

Deno.test("orm 142: where a commit is one batch, a failure takes nothing away and the session goes on, on D1", async () => {
  await using database = await created(d1Database(workerd, "DB"), metadata);
  const warnings: string[] = [];
  await using session = warnOfDiscarded(
    new Session({
      bind: database.engine,
      warn: (message) => warnings.push(message),
    }),
  );
  const ed = new User({ id: 1, name: "ed" });
  session.add(ed);
  await session.commit();
  const twin = new User({ id: 1, name: "twin" });
  session.add(twin);
  await rejects(session.commit(), { code: "sql/unique-violation" });
  session.expunge(twin);
  session.add(new Note({ words: "later" }));
  await session.commit();
  strictEqual((await session.scalars(select(Note))).length, 1);
  deepStrictEqual(warnings, []);
});

class Ledger extends Base.table("ledgers", { name: text() }) {}

/** An engine whose COMMIT fails while it should. */
function unwilling(): { engine: Engine; isUnwilling: boolean } {
  const driver = sqlite(":memory:");
  const one = {
    isUnwilling: false,
    engine: createEngine({
      ...driver,
      classify: (error, text) => driver.classify(error, text),
      async begin() {
        const held = await driver.begin!();
        return {
          ...held,
          async commit() {
            await new Promise((resolve) => setTimeout(resolve, 5));
            if (one.isUnwilling) throw new Error("not now");
            await held.commit();
          },
        };
      },
    }, { name: "unwilling" }),
  };
  return one;
}

for (const [name, open] of databases.slice(0, 2)) {
  Deno.test(`where one COMMIT fails, what had committed is told, and no later transaction of that engine is undone, on ${name}`, async () => {
    await using first = await created(open(), metadata);
    const second = unwilling();
    await using engine = second.engine;
    await createAll(metadata, engine);
    await using session = new Session({
      bind: engine,
      binds: bindsOf(new Map([[User, first.engine]])),
    });
    session.addAll([new User({ name: "ed" }), new Ledger({ name: "one" })]);
    await session.flush();
    // Somebody else waits for the first engine, and gets it when that has committed.
    const other = transaction(first.engine, async (held) => {
      await held.execute(insert(User).values({ name: "wendy" }));
      await new Promise((resolve) => setTimeout(resolve, 20));
    });
    second.isUnwilling = true;
    await rejects(session.commit(), (error) => {
      ok(error instanceof PartialCommitError);
      deepStrictEqual(error.committed, [first.engine.name]);
      strictEqual((error.cause as Error).message, "not now");
      return true;
    });
    await other;
    await session.rollback();
    deepStrictEqual(
      [...await first.engine.execute(select(User.c.name).orderBy(User.c.id))],
      ["ed", "wendy"],
    );
    deepStrictEqual([...await engine.execute(select(Ledger))], []);
  });
}

for (const [name, open] of databases.slice(0, 2)) {
  Deno.test(`after a statement that breaks a transaction, a savepoint or a COMMIT that fails can be rolled back, on ${name}`, async () => {
    await using database = await created(open(), metadata);
    await using session = new Session({ bind: database.engine });
    const broken = async () => {
      session.add(new User({ name: "ed" }));
      await session.flush();
      await rejects(session.execute(sql`SELECT * FROM nowhere`));
    };
    const names = async () => [
      ...await database.engine.execute(select(User.c.name)),
    ];
    await broken();
    // Postgres takes nothing more in it; SQLite goes on.
    const inner = await session.beginNested().catch(() => undefined);
    await inner?.rollback();
    await session.rollback();
    deepStrictEqual(await names(), []);

    session.add(new User({ name: "wendy" }));
    await session.flush();
    await session.beginNested();
    await broken();
    await session.commit().catch(() => session.rollback());
    const isKept = (await names()).length > 0;
    strictEqual(isKept, name === "sqlite");
    session.add(new User({ name: "mary" }));
    await session.commit();
    strictEqual((await names()).at(-1), "mary");
  });
}

for (const [name, open] of databases) {
  Deno.test(`where a row is refused, nothing is committed on the other engines, though ${name} is among them`, async () => {
    await using first = await created(open(), metadata);
    for (const isFirst of [true, false]) {
      await using engine = createEngine(sqlite(":memory:"));
      await createAll(metadata, engine);
      await engine.execute(sql`CREATE UNIQUE INDEX one_name ON ledgers (name)`);
      await engine.execute(insert(Ledger).values({ name: "taken" }));
      await using session = new Session({
        bind: engine,
        binds: bindsOf(new Map([[User, first.engine]])),
      });
      const both = [new User({ name: "ed" }), new Ledger({ name: "taken" })];
      session.addAll(isFirst ? both : both.reverse());
      await rejects(session.commit(), { code: "sql/unique-violation" });
      deepStrictEqual([...await first.engine.execute(select(User))], []);
      await session.rollback();

      session.addAll([
        new User({ name: "wendy" }),
        new Ledger({ name: "new" }),
      ]);
      await session.commit();
      strictEqual((await first.engine.execute(select(User))).length, 1);
      strictEqual((await engine.execute(select(Ledger))).length, 2);
      await first.engine.execute(sql`DELETE FROM users`);
    }
  });
}

Deno.test("a rollback that fails on one engine ends the others, and gives objects back what they were", async () => {
  await using first = await created(sqliteDatabase(), metadata);
  const { driver } = first.engine;
  const lost = createEngine({
    ...driver,
    classify: (error, text) => driver.classify(error, text),
    async begin() {
      const held = await driver.begin!();
      return {
        ...held,
        async rollback() {
          await held.rollback();
          throw new Error("the connection is lost");
        },
      };
    },
  });
  await using second = await created(sqliteDatabase(), metadata);
  const session = new Session({
    bind: second.engine,
    binds: bindsOf(new Map([[User, lost]])),
  });
  const ed = new User({ name: "ed" });
  session.addAll([ed, new Ledger({ name: "one" })]);
  await session.flush();
  await rejects(session.rollback(), /the connection is lost/);
  strictEqual(ed.id, undefined);
  strictEqual(session.has(ed), false);
  // It would wait for ever, were the other transaction open yet.
  deepStrictEqual([...await second.engine.execute(select(Ledger))], []);
  await session.close();
});

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import {
  Entity,
  getForUpdate,
  integer,
  joined,
  polymorphicOn,
  refresh,
  Session,
  StaleDataError,
  text,
  versionId,
} from "../../orm/mod.ts";
import { type Engine, MetaData, select, sql } from "../../sql/mod.ts";
import {
  created,
  d1Database,
  emptied,
  pgliteDatabase,
  sqliteDatabase,
  type TestDatabase,
  workerdWith,
} from "./databases.ts";

const metadata = new MetaData();
abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = metadata;
}
class Account extends Base.table("accounts", {
  balance: integer(),
  kind: polymorphicOn(text(), { identity: "account" }),
  version: versionId(),
}) {}
class Savings extends joined(Account, "savings", { rate: integer() }, {
  identity: "savings",
}) {}
class Note extends Base.table("notes", { words: text() }) {}

const workerd = await workerdWith("DB");
const postgres = await created(pgliteDatabase(), metadata);
Deno.test.afterAll(async () => {
  await workerd.dispose();
  await postgres[Symbol.asyncDispose]();
});
const databases: [string, () => Promise<TestDatabase>][] = [
  ["sqlite", () => created(sqliteDatabase(), metadata)],
  ["D1", () => created(d1Database(workerd, "DB"), metadata)],
  ["PGlite", () => emptied(postgres, metadata)],
];
const somebody = (engine: Engine) =>
  engine.execute(
    sql`UPDATE accounts SET balance = balance + 1, version = version + 1`,
  );
const isStale = (entity: string) => (error: unknown) => {
  ok(error instanceof StaleDataError, String(error));
  deepStrictEqual([error.entity, error.primaryKey], [entity, [1]]);
  return true;
};

for (const [name, open] of databases) {
  for (
    const [cls, make] of [
      [Account, () => new Account({ balance: 10 })],
      [Savings, () => new Savings({ balance: 10, rate: 2 })],
    ] as [typeof Account, () => Account][]
  ) {
    const entity = cls === Account ? "Account" : "Savings";
    Deno.test(`orm 152: to lock a loaded ${entity} that is stale is an error, and a refresh resolves it, on ${name}`, async () => {
      await using database = await open();
      const { engine } = database;
      await using session = new Session({ bind: engine });
      const one = make();
      session.add(one);
      await session.commit();
      strictEqual(await getForUpdate(session, cls, 1), one);
      await session.commit();

      await somebody(engine);
      // A query that only reads is none the wiser.
      strictEqual((await session.scalars(select(cls)))[0]!.balance, 10);
      await rejects(getForUpdate(session, cls, 1), isStale(entity));
      await rejects(
        getForUpdate(session, cls, [1], { read: true }),
        isStale(entity),
      );
      strictEqual(one.balance, 10);
      await refresh(session, one, undefined, { lock: { read: true } });
      deepStrictEqual([one.balance, one.version], [11, 2]);
      strictEqual(await getForUpdate(session, cls, { id: 1 }), one);
      one.balance = 20;
      await session.commit();

      // What the session did not have, or knows to be old, is simply loaded.
      await somebody(engine);
      await session.rollback();
      strictEqual((await getForUpdate(session, cls, 1))?.balance, 21);
      await session.close();
      strictEqual((await getForUpdate(session, cls, 1))?.balance, 21);
      strictEqual(await getForUpdate(session, cls, 2), null);
      await session.rollback();
      const [row] = await engine.execute(
        select(Account.table.c.balance, Account.table.c.version),
      );
      deepStrictEqual(row, [21, 4]);
    });
  }

  Deno.test(`orm 152: a lock lasts until the end of the transaction, where one can be held, on ${name}`, async () => {
    await using database = await open();
    const { engine } = database;
    await using session = new Session({ bind: engine });
    session.addAll([new Account({ balance: 10 }), new Note({ words: "a" })]);
    await session.commit();
    database.reset();
    const account = (await getForUpdate(session, Account, 1))!;
    const locked = database.log.flat().filter((text) => /FOR /.test(text));
    strictEqual(locked.length, engine.dialect.features.forUpdate ? 1 : 0);
    let isOver = false;
    const other = somebody(database.other()).then(() => isOver = true);
    account.balance += 5;
    await session.flush().catch(() => {});
    const { interactiveTransactions } = engine.capabilities;
    if (!interactiveTransactions) {
      // Nothing is locked there, but the commit asks for the version again.
      await other;
      await rejects(session.commit(), isStale("Account"));
      return;
    }
    strictEqual(isOver, false);
    await session.commit();
    await other;
    const [row] = await engine.execute(select(Account.table.c.balance));
    strictEqual(row, 16);
    // A class that counts no versions is locked as well.
    strictEqual((await getForUpdate(session, Note, 1))?.words, "a");
    await session.rollback();
  });
}

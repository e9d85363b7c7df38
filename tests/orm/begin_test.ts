import {
  deepStrictEqual,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import {
  begin,
  Entity,
  ExplicitSession,
  hasBegun,
  integer,
  Session,
  type SessionError,
  text,
  versionId,
} from "../../orm/mod.ts";
import { MetaData, select, sql } from "../../sql/mod.ts";
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
class Tag extends Base.table("tags", {
  label: text().unique(),
  version: versionId(),
}) {}
const tag = (label: string) => new Tag({ label });

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
const isOf = (code: string) => (error: unknown) => {
  strictEqual((error as SessionError).code, code, String(error));
  return true;
};
const isBegun = isOf("orm/begun");
const isNotBegun = isOf("orm/not-begun");

for (const [name, open] of databases) {
  const test = (
    what: string,
    work: (database: TestDatabase) => Promise<void>,
  ) =>
    Deno.test(`orm 129: ${what}, on ${name}`, async () => {
      await using database = await open();
      await work(database);
    });
  const labels = async ({ engine }: TestDatabase) => [
    ...await engine.execute(
      select(Tag.table.c.label).orderBy(Tag.table.c.label),
    ),
  ];

  test("what has begun cannot be begun again, whatever began it", async (database) => {
    await using session = new Session({ bind: database.engine });
    strictEqual(hasBegun(session), false);
    const first = await begin(session);
    strictEqual(hasBegun(session), true);
    await rejects(begin(session), isBegun);
    session.add(tag("a"));
    await first.commit();
    strictEqual(hasBegun(session), false);

    const one = await session.get(Tag, 1);
    const changes: (() => void)[] = [
      () => session.add(tag("b")),
      () => one!.label = "changed",
      () => session.delete(one!),
    ];
    for (const change of changes) {
      await (await begin(session)).rollback();
      await session.get(Tag, 1);
      change();
      await rejects(begin(session), isBegun);
      await session.rollback();
    }
    deepStrictEqual(await labels(database), ["a"]);
  });

  test("a transaction is undone at the end of its block unless it was committed, and ends no other", async (database) => {
    await using session = new Session({ bind: database.engine });
    {
      await using _ = await begin(session);
      session.add(tag("gone"));
    }
    deepStrictEqual(session.new, []);
    {
      await using transaction = await begin(session);
      session.add(tag("kept"));
      await transaction.commit();
    }
    {
      await using _ = await begin(session);
      await session.commit();
      session.add(tag("of the next"));
    }
    strictEqual(session.new.length, 1);
    await session.commit();
    deepStrictEqual(await labels(database), ["kept", "of the next"]);
  });

  test("a session that begins nothing by itself asks for begin() before it reads or writes", async (database) => {
    await using session = new ExplicitSession({ bind: database.engine });
    const all = () => session.scalars(select(Tag));
    const one = tag("a");
    const untold = async () => {
      throws(() => session.add(one), isNotBegun);
      throws(() => session.addAll([one]), isNotBegun);
      throws(() => session.delete(one), isNotBegun);
      for (
        const step of [
          all,
          () => session.get(Tag, 99),
          () => session.flush(),
          () => session.commit(),
          () => session.beginNested(),
        ]
      ) await rejects(step(), isNotBegun);
      strictEqual(database.trips, 0);
      await session.rollback();
    };
    await untold();

    await begin(session);
    session.add(one);
    await session.commit();
    database.reset();
    await untold();

    // Attributes are free; it is the next step that asks.
    one.label = "b";
    await rejects(session.commit(), isNotBegun);
    await using transaction = await begin(session);
    strictEqual((await all()).length, 1);
    await transaction.commit();
    deepStrictEqual(await labels(database), ["b"]);

    database.reset();
    await session.optimistic(async (own) => {
      (await own.get(Tag, one.id))!.label = "c";
    });
    deepStrictEqual(await labels(database), ["c"]);
  });

  test("what is read after begin() is read inside, where a transaction can be held open; elsewhere nothing is sent", async (database) => {
    await using session = new Session({ bind: database.engine });
    const transaction = await begin(session);
    const { interactiveTransactions } = database.engine.capabilities;
    strictEqual(database.trips, interactiveTransactions ? 1 : 0);
    const read = async () => (await session.scalars(select(Tag))).length;
    strictEqual(await read(), 0);
    const seen: string[] = [];
    const other = database.other();
    const writing = other.execute(
      sql`INSERT INTO tags (label, version) VALUES ('other', 1)`,
    ).then(() => seen.push("other"));
    strictEqual(await read(), await read());
    if (!interactiveTransactions) await writing;
    deepStrictEqual(seen, interactiveTransactions ? [] : ["other"]);
    await transaction.commit();
    await writing;
    strictEqual(await read(), 1);
  });
}

import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import {
  bulkUpdate,
  Entity,
  integer,
  refresh,
  Session,
  StaleDataError,
  text,
  uncounted,
  type UncountedOptions,
  versionId,
} from "../../orm/mod.ts";
import {
  createEngine,
  type Engine,
  type EngineOptions,
  MetaData,
  Raw,
  select,
  sql,
} from "../../sql/mod.ts";
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
abstract class Base extends Entity.with({
  id: integer().primaryKey(),
  title: text(),
}) {
  static override metadata = metadata;
}
class Page extends Base.table("pages", { version: versionId() }) {}
class Plain extends Base.table("plains", {}) {}

/** Views that triggers write through: no database counts their rows as its own. */
const views = new MetaData();
abstract class Seen extends Entity.with({
  id: integer().primaryKey(),
  title: text(),
}) {
  static override metadata = views;
}
class SeenPage extends Seen.table("seen_pages", { version: versionId() }) {}
class SeenPlain extends Seen.table("seen_plains", {}) {}

const WRITES: [operation: string, values: (columns: string[]) => string][] = [
  [
    "INSERT",
    (columns) =>
      `INSERT INTO TABLE_ (${columns}) VALUES (${
        columns.map((one) => `NEW.${one}`)
      })`,
  ],
  [
    "UPDATE",
    (columns) =>
      `UPDATE TABLE_ SET ${
        columns.map((one) => `${one} = NEW.${one}`)
      } WHERE id = OLD.id`,
  ],
  ["DELETE", () => "DELETE FROM TABLE_ WHERE id = OLD.id"],
];

async function createViews(engine: Engine): Promise<void> {
  const say = (text: string) => engine.execute(sql`${new Raw(text)}`);
  const isPostgres = engine.dialect.features.forUpdate;
  for (
    const [table, columns] of [
      ["pages", ["id", "title", "version"]],
      ["plains", ["id", "title"]],
    ] as [string, string[]][]
  ) {
    await say(`CREATE VIEW seen_${table} AS SELECT * FROM ${table}`);
    for (const [operation, write] of WRITES) {
      const name = `write_${table}_${operation}`;
      const on =
        `CREATE TRIGGER ${name} INSTEAD OF ${operation} ON seen_${table}`;
      const body = write(columns).replace("TABLE_", table);
      if (isPostgres) {
        await say(
          `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body}; RETURN NULL; END $$`,
        );
        await say(`${on} FOR EACH ROW EXECUTE FUNCTION ${name}()`);
      } else await say(`${on} BEGIN ${body}; END`);
    }
  }
}

const workerd = await workerdWith("DB");
const postgres = await created(pgliteDatabase(), metadata);
await createViews(postgres.engine);
Deno.test.afterAll(async () => {
  await workerd.dispose();
  await postgres[Symbol.asyncDispose]();
});

const withViews = async (database: TestDatabase) => {
  await created(database, metadata);
  await createViews(database.engine);
  return database;
};
const databases: [string, () => Promise<TestDatabase>][] = [
  ["sqlite", () => withViews(sqliteDatabase())],
  ["D1", async () => {
    const database = d1Database(workerd, "DB");
    for (const name of ["seen_pages", "seen_plains"]) {
      await database.engine.execute(
        sql`${new Raw(`DROP VIEW IF EXISTS ${name}`)}`,
      );
    }
    return await withViews(database);
  }],
  ["PGlite", () => emptied(postgres, metadata)],
];

for (const [name, open] of databases) {
  const test = (
    what: string,
    work: (
      database: TestDatabase,
      start: (options?: UncountedOptions, more?: EngineOptions) => Session,
      warnings: string[],
    ) => Promise<void>,
  ) =>
    Deno.test(`orm 153: ${what}, on ${name}`, async () => {
      await using database = await open();
      const warnings: string[] = [];
      await work(database, (options, more) => {
        const { driver } = database.engine;
        const bind = createEngine(
          options ? uncounted(driver, options) : driver,
          more,
        );
        return new Session({ bind, warn: (one) => warnings.push(one) });
      }, warnings);
    });
  const titles = async (engine: Engine, of: typeof Page | typeof Plain) => [
    ...await engine.execute(select(of.table.c.title).orderBy(of.table.c.id)),
  ];

  test(
    "where writes are not counted, versions are written unchecked, and the session warns of each",
    async ({ engine }, start, warnings) => {
      await using counting = start();
      counting.add(new SeenPage({ id: 1, title: "a" }));
      await counting.commit();
      const one = (await counting.get(SeenPage, 1))!;
      one.title = "b";
      await rejects(counting.commit(), StaleDataError);
      await counting.rollback();

      await using session = start({});
      const page = (await session.get(SeenPage, 1))!;
      page.title = "b";
      await session.commit();
      deepStrictEqual([page.version, warnings.length], [2, 1]);
      match(warnings[0]!, /version of "seen_pages" is not checked/);
      await bulkUpdate(session, SeenPage, [{ id: 1, title: "c", version: 2 }]);
      strictEqual(warnings.length, 2);
      deepStrictEqual(await titles(engine, Page), ["c"]);
      await refresh(session, page);
      session.delete(page);
      await session.commit();
      strictEqual(warnings.length, 3);
      deepStrictEqual(await titles(engine, Page), []);

      // Who counts no versions expects nothing else.
      const plain = new SeenPlain({ id: 1, title: "a" });
      session.add(plain);
      await session.commit();
      plain.title = "b";
      await session.commit();
      deepStrictEqual(await titles(engine, Plain), ["b"]);
      session.delete(plain);
      await session.commit();
      deepStrictEqual(await titles(engine, Plain), []);
      strictEqual(warnings.length, 3);
    },
  );

  test(
    "many rows that are not counted go in one statement, and only the tables that are meant are left unchecked",
    async ({ engine }, start, warnings) => {
      await using session = start({ tables: [SeenPage.table] });
      const pages = Array.from(
        { length: 6 },
        (_, i) => new SeenPage({ id: i + 1, title: "a" }),
      );
      session.addAll(pages);
      await session.commit();
      for (const page of pages) page.title = "b";
      await session.commit();
      strictEqual(warnings.length, 1);
      deepStrictEqual(await titles(engine, Page), Array(6).fill("b"));

      const checked = (await session.get(Page, 1))!;
      await engine.execute(sql`UPDATE pages SET version = 9`);
      checked.title = "c";
      await rejects(session.commit(), StaleDataError);
      strictEqual(warnings.length, 1);
    },
  );

  test(
    "where only single rows are counted, versioned ones are written one by one, and checked",
    async ({ engine }, start, warnings) => {
      const sent: string[] = [];
      await using session = start({ counts: "single" }, {
        trace: (event) => sent.push(...event.sql),
      });
      const all = Array.from({ length: 6 }, (_, i) => [
        new Page({ id: i + 1, title: "a" }),
        new Plain({ id: i + 1, title: "a" }),
      ]).flat();
      session.addAll(all);
      await session.commit();
      const count = (words: string) =>
        sent.filter((text) => text.includes(words)).length;
      deepStrictEqual([
        count('INSERT INTO "pages"'),
        count('INSERT INTO "plains"'),
      ], [1, 1]);
      for (const one of all) one.title = "b";
      await session.commit();
      deepStrictEqual([count('UPDATE "pages"'), count('UPDATE "plains"')], [
        6,
        1,
      ]);
      deepStrictEqual(await titles(engine, Page), Array(6).fill("b"));

      await engine.execute(sql`UPDATE pages SET version = 9 WHERE id = 4`);
      for (const one of all) one.title = "c";
      await rejects(session.commit(), (error) => {
        ok(error instanceof StaleDataError, String(error));
        deepStrictEqual(error.primaryKey, [4]);
        return true;
      });
      await session.rollback();
      for (const one of all) session.delete(one);
      await rejects(session.commit(), StaleDataError);
      deepStrictEqual(await titles(engine, Page), Array(6).fill("b"));
      strictEqual(warnings.length, 0);
    },
  );
}

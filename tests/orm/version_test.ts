import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import {
  bulkInsert,
  bulkUpdate,
  Entity,
  integer,
  manyToOne,
  MappingError,
  oneToMany,
  refresh,
  Session,
  StaleDataError,
  StateError,
  text,
  versionId,
} from "../../orm/mod.ts";
import { type Engine, MetaData, Raw, select, sql } from "../../sql/mod.ts";
import {
  created,
  d1Database,
  emptied,
  neonDatabase,
  sqliteDatabase,
  type TestDatabase,
  workerdWith,
} from "./databases.ts";

const workerd = await workerdWith("DB");
Deno.test.afterAll(() => workerd.dispose());

const metadata = new MetaData();
abstract class Base extends Entity.with({
  id: integer().primaryKey(),
  name: text(),
}) {
  static override metadata = metadata;
}
let made = 0;
const asked: unknown[] = [];
class Page extends Base.table("pages", {
  version: versionId(),
  notes: () => oneToMany(Note, { backPopulates: "page" }),
  cover: () => manyToOne(Note, { postUpdate: true, foreignKeys: ["coverId"] }),
  coverId: integer().references("notes.id").nullable(),
}) {}
class Note extends Base.table("notes", {
  pageId: integer().references("pages.id").nullable(),
  page: () =>
    manyToOne(Page, { backPopulates: "notes", foreignKeys: ["pageId"] }),
}) {}
class File extends Base.table("files", {
  etag: versionId(text(), (before) => {
    asked.push(before);
    return `etag ${++made}`;
  }),
}) {}
class Draft extends Base.table("drafts", {
  edition: versionId(integer(), false),
}) {}
class Row extends Base.table("made_rows", {
  stamp: versionId(
    text(),
    () => new Raw<string>("'s' || CAST(abs(12) AS TEXT) || 'x'"),
  ),
}) {}

// One Postgres for all tests, emptied for each.
const postgres = await created(await neonDatabase(), metadata);
Deno.test.afterAll(async () => await postgres[Symbol.asyncDispose]());

const engines: [string, () => TestDatabase | Promise<TestDatabase>][] = [
  ["sqlite", () => created(sqliteDatabase(), metadata)],
  ["D1", () => created(d1Database(workerd, "DB"), metadata)],
  ["Postgres", () => emptied(postgres, metadata)],
];
type Work = (
  session: Session,
  engine: Engine,
  database: TestDatabase,
) => Promise<void>;
function test(name: string, work: Work): void {
  for (const [platform, open] of engines) {
    Deno.test(`${name}, on ${platform}`, async () => {
      await using database = await open();
      await using session = new Session({ bind: database.engine });
      await work(session, database.engine, database);
    });
  }
}
const isStale = (entity: string, id: number) => (error: unknown) => {
  ok(error instanceof StaleDataError, String(error));
  deepStrictEqual([error.entity, error.primaryKey], [entity, [id]]);
  return true;
};
const outside = (engine: Engine) =>
  engine.execute(sql`UPDATE pages SET version = version + 1`);

test(
  "orm 144: versions count from 1, and every write asks for the one that was read",
  async (session, engine, { log }) => {
    const page = new Page({ name: "a" });
    session.add(page);
    await session.commit();
    strictEqual(page.version, 1);
    page.name = "b";
    await session.commit();
    strictEqual(page.version, 2);
    const [row] = await engine.execute(select(Page.table));
    strictEqual(row?.version, 2);
    session.delete(page);
    await session.commit();
    const texts = log.flat();
    ok(texts.some((text) => /UPDATE "pages".*WHERE.*"version" = /s.test(text)));
    ok(texts.some((text) => /DELETE FROM "pages".*"version"/s.test(text)));
  },
);

test(
  "orm 145: who writes or deletes what somebody else has changed is told so, and writes nothing",
  async (session, engine) => {
    const pages = ["a", "b", "c"].map((name) => new Page({ name }));
    session.addAll(pages);
    await session.commit();
    await engine.execute(
      sql`UPDATE pages SET version = 7 WHERE name = 'b'`,
    );

    for (const page of pages) page.name += "!";
    await rejects(session.commit(), isStale("Page", 2));
    await session.rollback();
    for (const page of pages) await refresh(session, page);
    await outside(engine);
    session.delete(pages[0]!);
    await rejects(session.commit(), isStale("Page", 1));
    await session.rollback();

    const rows = await engine.execute(select(Page.table).orderBy(Page.c.id));
    deepStrictEqual(
      rows.map(({ name, version }) => [name, version]),
      [["a", 2], ["b", 8], ["c", 2]],
    );
  },
);

test(
  "orm 146: a generator is called with the old version; one set by hand stands, and what was read is asked for",
  async (session, engine) => {
    made = asked.length = 0;
    const file = new File({ name: "a" });
    session.add(file);
    await session.commit();
    file.name = "b";
    await session.commit();
    deepStrictEqual(asked, [undefined, "etag 1"]);
    strictEqual(file.etag, "etag 2");

    file.etag = "mine";
    await session.commit();
    deepStrictEqual(asked.length, 2);
    const [row] = await engine.execute(select(File.table));
    strictEqual(row?.etag, "mine");

    await engine.execute(sql`UPDATE files SET etag = 'theirs'`);
    file.etag = "mine again";
    await rejects(session.commit(), isStale("File", 1));
  },
);

test(
  "orm 147: without a generator the program sets it, always for what is new; unset it stays, and is asked for",
  async (session, engine) => {
    session.add(new Draft({ name: "a" } as never));
    await rejects(session.commit(), (error) => {
      ok(error instanceof StateError, String(error));
      ok(/drafts.*"edition" is not set/.test(error.message), error.message);
      return true;
    });
    await session.rollback();
    const draft = new Draft({ name: "a", edition: 1 });
    session.add(draft);
    await session.commit();
    draft.name = "b";
    await session.commit();
    strictEqual(draft.edition, 1);
    draft.edition = 2;
    await session.commit();
    await engine.execute(sql`UPDATE drafts SET edition = 3`);
    draft.name = "c";
    await rejects(session.commit(), isStale("Draft", 1));
  },
);

test(
  "orm 148: a version that the database makes comes back in the trip that writes it, so that the next write asks for it",
  async (session, engine, database) => {
    const row = new Row({ name: "a" });
    session.add(row);
    await session.commit();
    strictEqual(row.stamp, "s12x");
    database.reset();
    row.name = "b";
    await session.commit();
    strictEqual(row.stamp, "s12x");
    if (!engine.capabilities.interactiveTransactions) {
      strictEqual(database.trips, 1);
    }
    await engine.execute(sql`UPDATE made_rows SET stamp = 'other'`);
    row.name = "c";
    await rejects(session.commit(), isStale("Row", 1));
  },
);

test("orm 150: another side's change of a relation is none of the owner's version", async (session) => {
  const page = new Page({ name: "a" });
  session.add(page);
  await session.commit();
  page.notes.add(new Note({ name: "n" }));
  await session.commit();
  strictEqual(page.version, 1);
});

test(
  "orm 151: a row that changes hands counts on, and so does a key that is written later",
  async (session, engine) => {
    const page = new Page({ id: 5, name: "a" });
    session.add(page);
    await session.commit();
    session.delete(page);
    const heir = new Page({ id: 5, name: "heir" });
    session.add(heir);
    await session.commit();
    strictEqual(heir.version, 2);

    heir.cover.set(new Note({ name: "cover" }));
    await session.commit();
    strictEqual(heir.version, 3);
    await outside(engine);
    heir.cover.set(null);
    await rejects(session.commit(), isStale("Page", 5));
  },
);

test(
  "orm 154: rows that are written without a unit of work have versions as well",
  async (session, engine) => {
    const [a, b] = await bulkInsert(session, Page, [{ name: "a" }, {
      name: "b",
    }]);
    deepStrictEqual([a!.version, b!.version], [1, 1]);
    await bulkUpdate(session, Page, [
      { id: 1, version: 1, name: "x" },
      { id: 2, version: 1, name: "y" },
    ]);
    await rejects(
      bulkUpdate(session, Page, [
        { id: 1, version: 2, name: "no" },
        { id: 2, version: 1, name: "no" },
      ]),
      isStale("Page", 2),
    );
    await rejects(
      bulkUpdate(session, Page, [{ id: 1, name: "no" }]),
      MappingError,
    );
    const rows = await engine.execute(select(Page.table).orderBy(Page.c.id));
    deepStrictEqual(
      rows.map(({ name, version }) => [name, version]),
      [["x", 2], ["y", 2]],
    );
  },
);

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  Entity,
  integer,
  Session,
  StaleDataError,
  stateOf,
  versionId,
} from "../../orm/mod.ts";
import {
  createEngine,
  type Driver,
  type Engine,
  MetaData,
  one,
  select,
  SqlError,
} from "../../sql/mod.ts";
import {
  created,
  d1Database,
  neonDatabase,
  sqliteDatabase,
  type TestDatabase,
  workerdWith,
} from "./databases.ts";
import { Author, Book, library, Tag } from "./library.ts";

const workerd = await workerdWith("DB", "LOCK");
Deno.test.afterAll(() => workerd.dispose());

/** An engine that breaks at one statement of its batches, counted from when it is armed. */
function breaking(engine: Engine): {
  engine: Engine;
  arm(at: number): void;
} {
  const { driver } = engine;
  let left = -1;
  return {
    arm(at: number) {
      left = at;
    },
    engine: createEngine(
      {
        ...driver,
        classify: (error, text) => driver.classify(error, text),
        batch: (statements, options) => {
          const broken = statements.map((statement) =>
            left-- === 0
              ? { sql: "SELECT * FROM no_such_table", params: [] }
              : statement
          );
          return driver.batch(broken, options);
        },
      } satisfies Driver,
    ),
  };
}

const TABLES = ["authors", "books", "tags", "book_tags"] as const;

async function everything(engine: Engine): Promise<unknown> {
  return Object.fromEntries(
    await Promise.all(TABLES.map(async (name) => [
      name,
      [...await engine.execute(select(library.tables.get(name)!))].map((row) =>
        JSON.stringify(row)
      ).sort(),
    ])),
  );
}

/** A session with every kind of change in it. */
async function changed(engine: Engine) {
  const session = new Session({ bind: engine });
  const authors = await session.scalars(select(Author).orderBy(Author.c.id));
  const [boss, one, two] = authors as unknown as [Author, Author, Author];
  const [books] = await Promise.all([one.books.load(), two.books.load()]);
  const [first, second] = books;
  const tags = await first!.tags.load();
  one.name = "renamed";
  books.remove(second!);
  two.books.add(first!);
  tags.remove(tags.at(0)!);
  tags.add(new Tag({ label: "fresh" }));
  const hired = new Author({
    name: "hired",
    manager: boss,
    books: [new Book({ title: "new" })],
  });
  session.add(hired);
  const objects = () =>
    [boss, one, two, first!, second!, hired, ...hired.books as never as Book[]]
      .map((object) => ({
        ...object,
        status: stateOf(object).status,
        changes: stateOf(object).changes().map(({ key }) => key),
      }));
  return { session, objects };
}

for (
  const [name, open] of [
    ["D1", () => d1Database(workerd, "DB")],
    ["Neon", () => neonDatabase()],
    ["sqlite", () => sqliteDatabase()],
  ] as [string, () => TestDatabase | Promise<TestDatabase>][]
) {
  Deno.test(`orm 72, 132: a failure at any statement of a commit leaves ${name} and memory as they were, and the session usable`, async () => {
    await using database = await created(await open(), library);
    await using setup = new Session({ bind: database.engine });
    const boss = new Author({ name: "boss" });
    setup.add(boss);
    for (const n of [1, 2]) {
      setup.add(
        new Author({
          name: `author ${n}`,
          manager: boss,
          books: [1, 2].map((m) =>
            new Book({ title: `${n}/${m}`, tags: [new Tag({ label: `${m}` })] })
          ),
        }),
      );
    }
    await setup.commit();
    const before = await everything(database.engine);
    const control = breaking(database.engine);

    for (let at = 0;; at++) {
      const { session, objects } = await changed(control.engine);
      const memory = objects();
      control.arm(at);
      const error = await session.commit().catch((error) => error);
      if (error === undefined) {
        // Beyond the last statement nothing breaks.
        ok(at >= 8, `${at} statements`);
        break;
      }
      ok(error instanceof SqlError, String(error));
      deepStrictEqual(await everything(database.engine), before);
      deepStrictEqual(objects(), memory);
      strictEqual(session.new.length, 3);

      await session.rollback();
      strictEqual(session.new.length, 0);
      strictEqual(session.dirty.length, 0);
      const author = one(
        await session.scalars(
          select(Author).where(Author.c.name.eq("author 1")),
        ),
      );
      author.name = "usable";
      await session.commit();
      author.name = "author 1";
      await session.commit();
      deepStrictEqual(await everything(database.engine), before);
    }
  });
}

const locks = new MetaData();
abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = locks;
}
class Account extends Base.table("accounts", {
  balance: integer(),
  version: versionId(),
}) {}
class Entry extends Base.table("entries", { amount: integer() }) {}

for (
  const [name, open] of [
    ["D1", () => d1Database(workerd, "LOCK")],
    ["Postgres", () => neonDatabase("server")],
  ] as [string, () => TestDatabase | Promise<TestDatabase>][]
) {
  Deno.test(`orm 144, 145: of ten writers of one version, one wins on ${name} and nine leave nothing`, async () => {
    await using database = await created(await open(), locks);
    await using setup = new Session({ bind: database.engine });
    setup.add(new Account({ balance: 0 }));
    await setup.commit();
    const sessions = await Promise.all(
      Array.from({ length: 10 }, async (_, i) => {
        const session = new Session({ bind: database.other() });
        const account = one(await session.scalars(select(Account)));
        account.balance += i + 1;
        session.add(new Entry({ amount: i + 1 }));
        return { session, account };
      }),
    );

    const results = await Promise.allSettled(
      sessions.map(({ session }) => session.commit()),
    );
    const won = results.findIndex(({ status }) => status === "fulfilled");
    const errors = results.flatMap((one) =>
      one.status === "rejected" ? [one.reason] : []
    );
    strictEqual(errors.length, 9);
    for (const error of errors) {
      ok(error instanceof StaleDataError, String(error));
      strictEqual(error.entity, "Account");
      deepStrictEqual(error.primaryKey, [1]);
    }
    const [account] = await database.engine.execute(select(Account.table));
    deepStrictEqual(account, { id: 1, balance: won + 1, version: 2 });
    const entries = await database.engine.execute(select(Entry.table));
    deepStrictEqual(entries.map(({ amount }) => amount), [won + 1]);

    const loser = sessions[(won + 1) % 10]!;
    await loser.session.rollback();
    await loser.session.get(Account, 1);
    strictEqual(loser.account.balance, won + 1);
    loser.account.balance += 100;
    await loser.session.commit();
    strictEqual(loser.account.version, 3);
  });
}

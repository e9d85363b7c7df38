import {
  deepStrictEqual,
  notStrictEqual,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import {
  isModified,
  makeTransient,
  makeTransientToDetached,
  MappingError,
  noAutoflush,
  selectinload,
  Session,
  SessionError,
  StateError,
  stateOf,
} from "../../orm/mod.ts";
import { select } from "../../sql/mod.ts";
import { created, sqliteDatabase, type TestDatabase } from "./databases.ts";
import { Author, Book, Tag, world } from "./world.ts";

type Work = (session: Session, database: TestDatabase) => Promise<void> | void;

function test(name: string, work: Work): void {
  Deno.test(name, async () => {
    await using database = await created(sqliteDatabase(), world);
    await using session = new Session({ bind: database.engine });
    await work(session, database);
  });
}

const tag = (uid = "t") => new Tag({ uid, label: "tag" });
const status = (object: object) => stateOf(object).status;
async function saved<T extends object>(session: Session, object: T) {
  session.add(object);
  await session.commit();
  return object;
}

test(
  "orm 1, 2: a new object is transient, an added one pending, and nothing is sent",
  (session, database) => {
    const one = tag();
    strictEqual(status(one), "transient");
    strictEqual(session.has(one), false);
    session.add(one);
    strictEqual(status(one), "pending");
    deepStrictEqual(session.new, [one]);
    strictEqual(session.has(one), true);
    strictEqual(stateOf(one).key, undefined);
    strictEqual(database.trips, 0);
  },
);

test("orm 3: a flush makes a pending object persistent", async (session) => {
  const one = tag();
  session.add(one);
  await session.flush();
  strictEqual(status(one), "persistent");
  deepStrictEqual(session.new, []);
  deepStrictEqual([...session.identityMap.values()], [one]);
});

test("orm 4, 5, 6: a deleted object is persistent until the flush, deleted until the commit, then detached", async (session) => {
  const one = await saved(session, tag());
  session.delete(one);
  deepStrictEqual(session.deleted, [one]);
  strictEqual(status(one), "persistent");
  await session.flush();
  strictEqual(status(one), "deleted");
  strictEqual(session.has(one), false);
  await session.commit();
  strictEqual(status(one), "detached");
});

test("orm 7: a rollback brings a flushed deletion back", async (session) => {
  const one = await saved(session, tag());
  session.delete(one);
  await session.flush();
  await session.rollback();
  strictEqual(status(one), "persistent");
  strictEqual(await session.get(Tag, one.id), one);
});

test("orm 8: an object without a row cannot be deleted", (session) => {
  throws(() => session.delete(tag()), StateError);
});

test(
  "orm 9: deleting a detached object takes it in, and what it cascades to goes with it",
  async (session, database) => {
    const author = await saved(
      session,
      new Author({
        uid: "a",
        label: "",
        books: [new Book({ uid: "b", label: "" })],
      }),
    );
    session.expungeAll();
    strictEqual(status(author), "detached");
    session.delete(author);
    strictEqual(status(author), "persistent");
    await session.commit();
    strictEqual((await database.engine.execute(select(Book.table))).length, 0);
  },
);

test("orm 10: an object whose row was deleted is not added again before it is made transient", async (session) => {
  const one = await saved(session, tag());
  session.delete(one);
  await session.flush();
  throws(() => session.add(one), /makeTransient/);
  makeTransient(one);
  session.add(one);
  await session.commit();
  strictEqual(status(one), "persistent");
  strictEqual((await session.scalars(select(Tag))).length, 1);
});

Deno.test("orm 11, 61: deleting again what is deleted warns that no row matched, and does not fail", async () => {
  await using database = await created(sqliteDatabase(), world);
  const warnings: string[] = [];
  await using session = new Session({
    bind: database.engine,
    warn: (message) => warnings.push(message),
  });
  const one = await saved(session, tag());
  session.delete(one);
  await session.flush();
  session.delete(one);
  await session.commit();
  deepStrictEqual(warnings, ["DELETE of 1 Tag matched 0 rows"]);
});

test(
  "orm 12: an object of another session is refused, and stays there",
  (session, database) => {
    const other = new Session({ bind: database.engine });
    const one = tag();
    other.add(one);
    throws(() => session.add(one), /another session/);
    strictEqual(other.has(one), true);
    strictEqual(session.has(one), false);
  },
);

test("orm 13: a detached object whose identity is taken is refused", async (session) => {
  const one = await saved(session, tag());
  session.expunge(one);
  const again = await session.get(Tag, one.id);
  notStrictEqual(again, one);
  throws(() => session.add(one), /same identity/);
  throws(() => session.delete(one), /same identity/);
});

test("orm 14: expunge() makes pending objects transient and others detached, and no rollback undoes it", async (session) => {
  const pending = tag("p");
  session.add(pending);
  session.expunge(pending);
  strictEqual(status(pending), "transient");
  const one = await saved(session, tag());
  session.delete(one);
  await session.flush();
  session.expunge(one);
  strictEqual(status(one), "detached");
  await session.rollback();
  strictEqual(session.has(one), false);
  throws(() => session.expunge(one), StateError);
});

test(
  "orm 15: what close() lets go of keeps what it was loaded with, so that a function may return it",
  async (session, database) => {
    await saved(
      session,
      new Author({
        uid: "a",
        label: "author",
        books: [new Book({ uid: "b", label: "book", tags: [tag()] })],
      }),
    );
    const load = async () => {
      await using own = new Session({ bind: database.engine });
      return await own.one(
        select(Author).options(
          selectinload(Author.r.books, selectinload(Book.r.tags)),
        ),
      );
    };
    const author = await load();
    strictEqual(status(author), "detached");
    deepStrictEqual(
      author.books.toArray().map(({ tags }) => tags.length),
      [1],
    );

    // What is not in the database stays as the program has it, flushed or not.
    const own = new Session({ bind: database.engine });
    const [again, fresh] = [(await own.get(Author, author.id))!, tag("u")];
    again.label = "flushed";
    own.add(fresh);
    await own.flush();
    const book = (await again.books.load()).at(0)!;
    book.label = "changed";
    await own.close();
    deepStrictEqual(
      [again.label, book.label, status(again), status(fresh), fresh.id],
      ["flushed", "changed", "detached", "transient", undefined],
    );
    deepStrictEqual([isModified(again), isModified(book)], [true, true]);
  },
);

test(
  "orm 15: close() lets go of everything and leaves the session usable, unless it is told not to",
  async (session, database) => {
    const one = await saved(session, tag());
    await session.close();
    strictEqual(status(one), "detached");
    strictEqual((await session.scalars(select(Tag))).length, 1);

    const once = new Session({ bind: database.engine, closeResetsOnly: false });
    await once.close();
    await rejects(once.scalars(select(Tag)), SessionError);
  },
);

test("orm 16: makeTransient() clears the key, also twice", async (session) => {
  const one = await saved(session, tag());
  makeTransient(one);
  makeTransient(one);
  strictEqual(status(one), "transient");
  strictEqual(stateOf(one).isExpired, false);
  strictEqual(one.label, "tag");
});

test("orm 17: makeTransientToDetached() takes its key from the primary key, and a query loads the rest", async (session) => {
  const { id } = await saved(session, tag());
  session.expungeAll();
  const one = new Tag({ id, uid: "?", label: "?" });
  makeTransientToDetached(one);
  strictEqual(status(one), "detached");
  throws(() => one.label, /not loaded/);
  session.add(one);
  strictEqual(await session.get(Tag, id), one);
  strictEqual(one.label, "tag");
  throws(() => makeTransientToDetached(one), StateError);
});

test(
  "orm 18: a detached object that was changed is dirty once it is added, another is not",
  async (session, database) => {
    const [one, two] = [tag("1"), tag("2")];
    session.addAll([one, two]);
    await session.commit();
    session.expungeAll();
    one.label = "changed";
    session.addAll([one, two]);
    deepStrictEqual(session.dirty, [one]);
    await session.commit();
    const labels = await database.engine.execute(
      select({ label: Tag.c.label }).orderBy(Tag.c.id),
    );
    deepStrictEqual(labels.map(({ label }) => label), ["changed", "tag"]);
  },
);

test(
  "orm 19, 20: dirty is what differs; setting the same value is no change and sends nothing",
  async (session, database) => {
    const one = await saved(session, tag());
    database.reset();
    one.label = "tag";
    strictEqual(isModified(one), false);
    await session.commit();
    strictEqual(database.trips, 0);
    one.label = "other";
    strictEqual(isModified(one), true);
    deepStrictEqual(session.dirty, [one]);
    one.label = "tag";
    deepStrictEqual(session.dirty, []);
    strictEqual(database.trips, 0);
  },
);

test(
  "orm 22: an object that is added twice is saved once",
  async (session, database) => {
    const one = tag();
    session.add(one);
    session.add(one);
    strictEqual(session.new.length, 1);
    await session.commit();
    strictEqual((await database.engine.execute(select(Tag.table))).length, 1);
  },
);

test("orm 23: an object of no mapped class is refused by its class's name", (session) => {
  class Stranger {}
  throws(() => session.add(new Stranger()), (error: unknown) => {
    strictEqual(error instanceof MappingError, true);
    return /Stranger/.test(String(error));
  });
});

test("orm 25: one row is one object, however it is loaded", async (session) => {
  const { id } = await saved(
    session,
    new Author({
      uid: "a",
      label: "",
      books: [new Book({ uid: "b", label: "" })],
    }),
  );
  session.expungeAll();
  const author = await session.get(Author, id);
  const [again] = await session.scalars(select(Author));
  strictEqual(again, author);
  const [book] = await author!.books.load();
  strictEqual(await book!.author.load(), author);
  strictEqual(await session.get(Book, book!.id), book);
});

test(
  "orm 26: get() asks nothing for what is here, once for what is expired, and flushes before it asks",
  async (session, database) => {
    const one = await saved(session, tag());
    database.reset();
    strictEqual(await session.get(Tag, one.id), one);
    strictEqual(database.trips, 0);
    await session.rollback();
    strictEqual(await session.get(Tag, one.id), one);
    strictEqual(database.trips, 1);
    session.add(tag("new"));
    strictEqual(await session.get(Tag, 99), null);
    deepStrictEqual(session.new, []);
  },
);

test("orm 27: get() of a pending object's key writes it first and gives that very object", async (session) => {
  const one = new Tag({ id: 7, uid: "7", label: "" });
  session.add(one);
  strictEqual(await session.get(Tag, 7), one);
  strictEqual(status(one), "persistent");
});

test(
  "orm 31: get() of an expired object whose row is gone gives null and lets go of it",
  async (session, database) => {
    const one = await saved(session, tag());
    await database.engine.execute(
      (await import("../../sql/mod.ts")).deleteFrom(Tag.table),
    );
    await session.rollback();
    strictEqual(await session.get(Tag, one.id), null);
    strictEqual(session.has(one), false);
  },
);

test("orm 7, 72, 132: after a flush that failed only a rollback helps, and then everything is as before", async (session) => {
  const one = await saved(session, tag());
  one.label = "changed";
  await session.flush();
  const twin = tag();
  session.add(twin);
  await rejects(session.flush(), /breaks UNIQUE/);
  await rejects(
    session.scalars(select(Tag)),
    (error: SessionError) =>
      error.code === "orm/pending-rollback" &&
      /breaks UNIQUE/.test(error.message),
  );
  await rejects(session.commit(), /rollback\(\) first/);
  await session.rollback();
  strictEqual(one.label, "tag");
  strictEqual(status(twin), "transient");
  strictEqual((await session.scalars(select(Tag))).length, 1);
});

test(
  "orm 133, 135: a savepoint that is rolled back undoes what was done inside it, and nothing else",
  async (session, database) => {
    const one = await saved(session, tag());
    one.label = "outside";
    const nested = await session.beginNested();
    const inner = tag("inner");
    session.add(inner);
    one.label = "inside";
    await session.flush();
    await nested.rollback();
    strictEqual(status(inner), "transient");
    strictEqual(one.label, "outside");

    const kept = await session.beginNested();
    session.add(tag("kept"));
    await kept.commit();
    await session.commit();
    const rows = await database.engine.execute(
      select({ uid: Tag.c.uid, label: Tag.c.label }).orderBy(Tag.c.id),
    );
    deepStrictEqual(rows.map((row) => Object.values(row)), [
      ["t", "outside"],
      ["kept", "tag"],
    ]);
  },
);

test(
  "orm 135: an outer rollback undoes what an inner savepoint kept",
  async (session, database) => {
    const nested = await session.beginNested();
    const one = tag();
    session.add(one);
    await nested.commit();
    strictEqual(status(one), "persistent");
    await session.rollback();
    strictEqual(status(one), "transient");
    strictEqual((await database.engine.execute(select(Tag.table))).length, 0);
  },
);

test("orm 136: where a flush fails inside a savepoint, only that is rolled back", async (session) => {
  session.add(tag());
  const nested = await session.beginNested();
  session.add(tag());
  await rejects(session.flush());
  await nested.rollback();
  session.add(tag("2"));
  await session.commit();
  strictEqual((await session.scalars(select(Tag))).length, 2);
});

test(
  "orm 141: overlapping commits are an error, not a race",
  async (session, database) => {
    session.add(tag());
    const [first, second] = await Promise.allSettled([
      session.commit(),
      session.commit(),
    ]);
    strictEqual(first.status, "fulfilled");
    strictEqual(second.status, "rejected");
    strictEqual((second.reason as SessionError).code, "orm/busy");
    strictEqual((await database.engine.execute(select(Tag.table))).length, 1);
  },
);

test("orm 143: noAutoflush() holds back the flush, also where it ends by an error", async (session) => {
  session.add(tag());
  await rejects(
    noAutoflush(session, async () => {
      strictEqual((await session.scalars(select(Tag))).length, 0);
      throw new Error("over");
    }),
    /over/,
  );
  strictEqual((await session.scalars(select(Tag))).length, 1);
});

Deno.test("flush() and beginNested() say so where no transaction is held open", async () => {
  await using database = await created(sqliteDatabase(), world);
  const { engine } = database;
  const { createEngine } = await import("../../sql/mod.ts");
  const batchOnly = createEngine({
    ...engine.driver,
    classify: (error, sql) => engine.driver.classify(error, sql),
    capabilities: {
      ...engine.driver.capabilities,
      interactiveTransactions: false,
    },
  });
  await using session = new Session({ bind: batchOnly });
  session.add(tag());
  for (const work of [() => session.flush(), () => session.beginNested()]) {
    await rejects(
      work(),
      (error: SessionError) =>
        error.code === "orm/unsupported" && /commit\(\)/.test(error.message),
    );
  }
  // Queries do not flush there; nothing is lost.
  strictEqual((await session.scalars(select(Tag))).length, 0);
  await session.commit();
  strictEqual((await session.scalars(select(Tag))).length, 1);
});

import {
  deepStrictEqual,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import {
  bindsOf,
  bulkInsert,
  bulkUpdate,
  Entity,
  type ExecuteContext,
  integer,
  populateExisting,
  selectinload,
  Session,
  type SessionOptions,
  stream,
  synchronize,
  text,
  withLoaderCriteria,
  withOptions,
} from "../../orm/mod.ts";
import {
  concat,
  count,
  cte,
  deleteFrom,
  type Engine,
  excluded,
  insert,
  literal,
  lower,
  MetaData,
  not,
  onConflictDoUpdate,
  one,
  oneOrNull,
  select,
  sql,
  subquery,
  unionAll,
  update,
} from "../../sql/mod.ts";
import {
  created,
  d1Database,
  sqliteDatabase,
  type TestDatabase,
  workerdWith,
} from "./databases.ts";
import { Author, Book, bookTags, library, shelf, Tag } from "./library.ts";

async function stocked(authors = 4): Promise<TestDatabase> {
  const database = await created(sqliteDatabase(), library);
  const session = new Session({ bind: database.engine });
  session.addAll(shelf("x", authors));
  await session.commit();
  database.reset();
  return database;
}

function open(database: TestDatabase, options: SessionOptions = {}): Session {
  return new Session({ bind: database.engine, ...options });
}

Deno.test("reads of one tick share a trip, whoever asks", async () => {
  await using database = await stocked();
  await using session = open(database);
  await using other = open(database);

  const [authors, books, tags] = await Promise.all([
    session.scalars(
      select(Author).options(selectinload(Author.r.manager)),
    ),
    session.scalars(select(Book)),
    other.scalars(select(Tag)),
  ]);

  strictEqual(database.trips, 1);
  deepStrictEqual([authors.length, books.length, tags.length], [4, 9, 3]);
});

Deno.test("orm 187: first, one and oneOrNull say what they promise", async () => {
  await using database = await stocked();
  await using session = open(database);
  const named = (name: string) => select(Author).where(Author.c.name.eq(name));

  strictEqual(one(await session.scalars(named("x 1"))).name, "x 1");
  strictEqual(oneOrNull(await session.scalars(named("nobody"))), null);
  strictEqual(await session.first(named("nobody")), undefined);
  strictEqual(
    (await session.first(select(Author).orderBy(Author.c.id)))?.name,
    "x boss",
  );
  const nobody = await session.scalars(named("nobody"));
  const all = await session.scalars(select(Author));
  throws(() => one(nobody), { code: "sql/no-result" });
  throws(() => one(all), { code: "sql/multiple-results" });
  throws(() => oneOrNull(all), { code: "sql/multiple-results" });
});

Deno.test("orm 178, 187: stream() gives rows some at a time, each with what the options load", async () => {
  await using database = await stocked(8);
  await using session = open(database);
  const query = select(Author).options(selectinload(Author.r.books));

  const names: string[] = [];
  const counts: number[] = [];
  for await (const author of stream(session, query, { size: 3 })) {
    names.push(author.name);
    counts.push(author.books.length);
  }
  strictEqual(database.trips, 3);
  deepStrictEqual(counts, [0, 3, 3, 3, 3, 3, 3, 3]);

  const sorted: string[] = [];
  const backwards = query.orderBy(Author.c.id.desc());
  for await (const one of stream(session, backwards, { size: 3 })) {
    sorted.push(one.name);
  }
  deepStrictEqual(sorted, names.toReversed());
  await rejects(
    async () => await stream(session, query, { size: 0 }).next(),
    RangeError,
  );
});

Deno.test("orm 202: an upsert leaves objects as they are, unless populateExisting", async () => {
  await using database = await stocked();
  await using session = open(database);
  const author = one(
    await session.scalars(
      select(Author).where(Author.c.name.eq("x 1")),
    ),
  );
  const boss = author.managerId;
  const upsert = onConflictDoUpdate(
    insert(Author).values({ name: "x 1", managerId: null }),
    { target: ["name"], set: { managerId: excluded(Author.c.managerId) } },
  ).returning(Author);

  const [stale] = await session.execute(upsert);
  strictEqual(stale, author);
  strictEqual(author.managerId, boss);
  await session.execute(withOptions(upsert, populateExisting));
  strictEqual(author.managerId, null);
});

for (const how of ["evaluate", "fetch", "auto"] as const) {
  Deno.test(`orm 203: objects follow an UPDATE and a DELETE that synchronize("${how}") watches`, async () => {
    await using database = await stocked();
    await using session = open(database);
    const books = await session.scalars(select(Book).orderBy(Book.c.id));
    const [first, second] = books as unknown as [Book, Book];
    database.reset();

    await session.execute(withOptions(
      update(Book).set({ title: "new" }).where(Book.c.id.eq(first.id)),
      synchronize(how),
    ));
    strictEqual(first.title, "new");
    strictEqual(second.title === "new", false);
    strictEqual(session.dirty.length, 0);
    strictEqual(database.trips, 1);

    await session.execute(deleteFrom(bookTags));
    await session.execute(withOptions(
      deleteFrom(Book).where(Book.c.id.in([first.id, second.id])),
      synchronize(how),
    ));
    strictEqual(session.has(first), false);
    strictEqual(session.has(books[2]!), true);
    strictEqual(await session.get(Book, first.id), null);
  });
}

Deno.test("orm 203: what cannot be worked out in memory is fetched, or refused; without synchronize() objects stay", async () => {
  await using database = await stocked();
  await using session = open(database);
  const [book] = await session.scalars(select(Book).orderBy(Book.c.id));
  const shout = update(Book).set({
    title: concat(concat(literal("<"), Book.c.title), ">"),
  }).where(lower(Book.c.title).eq(book!.title));

  await rejects(
    session.execute(withOptions(shout, synchronize("evaluate"))),
    { code: "orm/mapping", message: /Book.*fetch/ },
  );
  strictEqual(database.trips, 1);
  const result = await session.execute(withOptions(shout, synchronize()));
  strictEqual(book!.title, "<x 0/0>");
  strictEqual(result.length, 0);
  await session.execute(update(Book).set({ title: "unseen" }));
  strictEqual(book!.title, "<x 0/0>");
  await rejects(
    session.execute(
      withOptions(update(Book.table).set({ title: "t" }), synchronize()),
    ),
    { code: "orm/mapping" },
  );
});

Deno.test("orm 203: NULL in a condition is evaluated as the database does", async () => {
  await using database = await stocked();
  await using session = open(database);
  const authors = await session.scalars(select(Author).orderBy(Author.c.id));

  await session.execute(withOptions(
    update(Author).set({ managerId: null, name: Author.c.name }).where(
      Author.c.managerId.ne(99).and(not(Author.c.managerId.eq(98))),
    ),
    synchronize("evaluate"),
  ));

  deepStrictEqual(
    authors.map((author) => author.managerId),
    [null, null, null, null],
  );
  const rows = await database.engine.execute(
    select(Author.table.c.managerId).orderBy(Author.table.c.id),
  );
  deepStrictEqual([...rows], authors.map((author) => author.managerId));
});

Deno.test("orm 204: bulkInsert() takes rows of different keys in one trip, within D1's parameters; bulkUpdate() wants every key", async () => {
  const workerd = await workerdWith("BULK");
  try {
    await using database = await created(d1Database(workerd, "BULK"), library);
    await using session = open(database);
    const rows = Array.from(
      { length: 150 },
      (_, i) =>
        i % 7 === 0 ? { name: `n${i}`, id: 1000 + i } : { name: `n${i}` },
    );

    const authors = await bulkInsert(session, Author, rows);
    strictEqual(database.trips, 1);
    deepStrictEqual(
      authors.map((author) => author.name),
      rows.map((row) => row.name),
    );
    strictEqual(await session.get(Author, 1007), authors[7]);

    database.reset();
    await bulkUpdate(
      session,
      Author,
      authors.map(({ id }, i) => ({ id, name: `m${i}` })),
    );
    strictEqual(database.trips, 1);
    const [found] = await database.engine.execute(
      sql`SELECT count(*) AS n FROM authors WHERE name LIKE 'm%'`,
    );
    strictEqual(found?.["n"], 150);
    await rejects(bulkUpdate(session, Author, [{ name: "none" }]), {
      code: "orm/mapping",
      message: /row 0 has no id/,
    });
    deepStrictEqual(await bulkInsert(session, Author, []), []);
  } finally {
    await workerd.dispose();
  }
});

Deno.test("orm 208: onExecute sees every statement, changes it, adds options, sends it elsewhere, and answers from a cache", async () => {
  await using database = await stocked();
  await using empty = await created(sqliteDatabase(), library);
  const seen: string[] = [];
  const cache = new Map<string, readonly unknown[]>();
  let behave = (context: ExecuteContext): Promise<readonly unknown[]> =>
    context.invoke();
  await using session = open(database, {
    onExecute: (context) => {
      seen.push(
        `${context.statement.kind} ${context.mapper?.name} ${context.isRelationshipLoad}`,
      );
      return behave(context);
    },
  });

  const [author] = await session.scalars(
    select(Author).where(Author.c.name.eq("x 0")),
  );
  await author!.books.load();
  await session.execute(update(Book).set({ title: "same" }));
  deepStrictEqual(seen, [
    "select Author false",
    "select Book true",
    "update Book false",
  ]);

  behave = ({ statement, invoke }) =>
    invoke(withOptions(
      statement,
      withLoaderCriteria(Tag, (tag) => tag.label.eq("x-a")),
    ));
  strictEqual((await session.scalars(select(Tag))).length, 1);

  behave = ({ session, statement, isRelationshipLoad }) =>
    isRelationshipLoad
      ? Promise.resolve([])
      : new Session({ bind: empty.engine }).execute(statement).finally(() =>
        void session
      );
  strictEqual((await session.scalars(select(Tag))).length, 0);

  behave = async ({ statement, invoke }) => {
    const { sql } = database.engine.prepare(statement);
    const known = cache.get(sql) ?? await invoke();
    cache.set(sql, known);
    return known;
  };
  database.reset();
  const once = await session.scalars(select(Book));
  const twice = await session.scalars(select(Book));
  strictEqual(database.trips, 1);
  deepStrictEqual([...twice], [...once]);
});

const metadata = new MetaData();
abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = metadata;
}
class User extends Base.table("bound_users", { name: text() }) {}
class Address extends Base.table("bound_addresses", {
  email: text(),
  userId: integer().references("bound_users.id"),
}) {}

/** Where a session sends a statement, by the name of the engine. */
function routed(options: SessionOptions) {
  const session = new Session(options);
  return (statement: Parameters<Session["engineOf"]>[0]): string =>
    session.engineOf(statement).name;
}

function engines(...names: string[]): Engine[] {
  return names.map((name) => sqliteDatabase({ name }).engine);
}

Deno.test("orm 209, 210: the engine that is pinned, the most specific class, a table, the session's bind, or an error", () => {
  const [base, users, table, other, pinned] = engines(
    "base",
    "users",
    "table",
    "other",
    "pinned",
  ) as [Engine, Engine, Engine, Engine, Engine];
  const to = routed({
    bind: other,
    binds: bindsOf(
      new Map<never, Engine>([
        [Base as never, base],
        [User as never, users],
        [Book.table as never, table],
      ]),
    ),
  });

  strictEqual(to(select(User)), "users");
  strictEqual(to(select(Address)), "base");
  strictEqual(to(select(Book)), "table");
  strictEqual(to(select(Book.table)), "table");
  strictEqual(to(select(Tag)), "other");
  strictEqual(to(sql`SELECT 1`), "other");
  throws(() => routed({})(select(User)), { code: "orm/unbound" });
  const sibling = new Session({ bind: other }).usingBind(pinned);
  strictEqual(sibling.engineOf(select(User)).name, "pinned");
});

Deno.test("orm 211, 212: a statement's class is found in joins, conditions, CTEs, subqueries and unions, and in what is written", () => {
  const [users, other] = engines("users", "other") as [Engine, Engine];
  const to = routed({
    bind: other,
    binds: bindsOf(new Map<never, Engine>([[User as never, users]])),
  });
  const ids = select({ id: User.c.id });

  strictEqual(
    to(
      select(literal(1)).from(User.table).join(
        Address.table,
        Address.c.userId.eq(User.c.id),
      ),
    ),
    "users",
  );
  strictEqual(to(select({ n: count() }).where(User.c.id.eq(1))), "users");
  strictEqual(to(select(subquery(ids, "s").c.id)), "users");
  strictEqual(to(select(cte(ids, "c").c.id)), "users");
  strictEqual(to(unionAll(ids, ids)), "users");
  strictEqual(to(insert(User).values({ name: "ed" })), "users");
  strictEqual(to(update(User).set({ name: "ed" })), "users");
  strictEqual(to(deleteFrom(User.table)), "users");
  strictEqual(to(select(Address.c.id)), "other");
});

Deno.test("orm 193: rows of several queries put together are objects, each its own", async () => {
  await using database = await stocked();
  await using session = open(database);
  const both = unionAll(
    select(Author).where(Author.c.name.eq("x 1")),
    select(Author).where(Author.c.name.eq("x 0")),
  );
  const authors = await session.scalars(both.orderBy(both.c.name));
  deepStrictEqual(authors.map(({ name }) => name), ["x 0", "x 1"]);
  strictEqual(await session.get(Author, authors[0]!.id), authors[0]);
});

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  any,
  type Collection,
  containsEager,
  joinedload,
  type LoadedCollection,
  selectinload,
  selectinTree,
  Session,
  subqueryload,
} from "../../orm/mod.ts";
import { type Engine, type Select, select } from "../../sql/mod.ts";
import {
  created,
  d1Database,
  neonDatabase,
  pgliteDatabase,
  sqliteDatabase,
  type TestDatabase,
  workerdWith,
} from "./databases.ts";
import { Author, Book, library, shelf, Tag } from "./library.ts";

const workerd = await workerdWith("DB");
Deno.test.afterAll(() => workerd.dispose());

const databases: [
  name: string,
  open: () => TestDatabase | Promise<TestDatabase>,
][] = [
  ["SQLite", () => sqliteDatabase()],
  ["D1", () => d1Database(workerd, "DB")],
  ["Neon", () => neonDatabase()],
  ["PGlite", () => pgliteDatabase()],
];

/** What is in memory, as far as it is loaded. */
function graph(authors: readonly unknown[]): unknown {
  return authors.map((one) => {
    const author = one as Author;
    return {
      name: author.name,
      manager: author.manager.isLoaded
        ? (author.manager as unknown as { value: Author | null }).value?.name ??
          null
        : undefined,
      books: members(author.books).map((book) => ({
        title: book.title,
        tags: members(book.tags).map((tag) => tag.label).sort(),
      })).sort((a, b) => a.title < b.title ? -1 : 1),
    };
  });
}

function members<T>(collection: Collection<T>): T[] {
  return collection.isLoaded
    ? (collection as LoadedCollection<T>).toArray()
    : [];
}

/** The same graph, one statement for each object. */
async function naive(engine: Engine, query: Select<Author>): Promise<unknown> {
  await using session = new Session({ bind: engine });
  const authors = await session.scalars(query);
  for (const author of authors) {
    await author.manager.load();
    const books = await author.books.load();
    for (const book of books) await book.tags.load();
  }
  return graph(authors);
}

databases.forEach(([name, open]) => {
  Deno.test(`orm 174, 177, 178, 179: every eager strategy takes 1 trip on ${name}, at any depth`, async () => {
    await using database = await created(await open(), library);
    await using first = new Session({ bind: database.engine });
    first.addAll(shelf("x", 50));
    await first.commit();
    const expected = await naive(
      database.other(),
      select(Author).orderBy(Author.c.name),
    );

    for (const load of [selectinload, subqueryload, joinedload]) {
      await using session = new Session({ bind: database.other() });
      database.reset();
      const authors = await session.scalars(
        select(Author).orderBy(Author.c.name).options(
          load(Author.r.manager),
          load(Author.r.books, load(Book.r.tags, load(Tag.r.books))),
        ),
      );
      strictEqual(database.trips, 1);
      strictEqual(authors.length, 50);
      deepStrictEqual(graph(authors), expected);
      strictEqual(authors[0]!.books.at(0)!.tags.at(0)!.books.length, 98);
    }

    await using session = new Session({ bind: database.other() });
    database.reset();
    const found = await session.scalars(
      select(Author).join(Author.r.books).orderBy(Author.c.name).options(
        containsEager(Author.r.books, selectinload(Book.r.tags)),
        selectinTree(Author.r.reports, 2),
      ),
    );
    strictEqual(database.trips, 1);
    strictEqual(found.length, 49);
    strictEqual(found[0]!.books.at(0)!.tags.length, 2);
  });

  Deno.test(`orm 172, 177: lazy loads of one tick take 1 trip on ${name}, of several relations too`, async () => {
    await using database = await created(await open(), library);
    await using first = new Session({ bind: database.engine });
    first.addAll(shelf("x", 50));
    await first.commit();

    await using session = new Session({ bind: database.other() });
    const authors = await session.scalars(select(Author));
    database.reset();
    const books = await Promise.all(authors.map((one) => one.books.load()));
    strictEqual(database.trips, 1);
    strictEqual(books.flatMap((some) => some.toArray()).length, 147);

    database.reset();
    await Promise.all(authors.map((one) => one.manager.load()));
    strictEqual(database.trips, 0);

    await using other = new Session({ bind: database.other() });
    const again = await other.scalars(
      select(Author).where(any(Author.r.manager)),
    );
    database.reset();
    await Promise.all(again.flatMap((one) => [
      one.books.load(),
      one.manager.load(),
      one.reports.load(),
    ]));
    strictEqual(database.trips, 1);
    strictEqual(again[0]!.reports.isLoaded, true);
  });
});

Deno.test("an eager load under any filter, join, order, LIMIT and DISTINCT equals one load for each object, in 1 trip", async () => {
  await using database = await created(sqliteDatabase(), library);
  await using first = new Session({ bind: database.engine });
  first.addAll([...shelf("x", 9), ...shelf("y", 5)]);
  await first.commit();
  const strategies = { selectinload, subqueryload, joinedload };
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        books: fc.constantFrom(...Object.keys(strategies)),
        tags: fc.constantFrom(...Object.keys(strategies)),
        manager: fc.constantFrom(...Object.keys(strategies)),
        filter: fc.option(fc.constantFrom("x%", "%1", "%boss", "none")),
        join: fc.boolean(),
        isDistinct: fc.boolean(),
        isDescending: fc.boolean(),
        limit: fc.option(fc.integer({ min: 0, max: 8 })),
        offset: fc.option(fc.integer({ min: 0, max: 8 })),
      }),
      async (way) => {
        let query = select(Author) as Select<Author>;
        if (way.filter) query = query.where(Author.c.name.like(way.filter));
        if (way.join) query = query.join(Author.r.books);
        if (way.isDistinct) query = query.distinct();
        query = query.orderBy(
          way.isDescending ? Author.c.name.desc() : Author.c.name,
        );
        if (way.limit !== null) query = query.limit(way.limit);
        if (way.offset !== null) query = query.offset(way.offset);
        const by = (name: string) =>
          strategies[name as keyof typeof strategies];

        await using session = new Session({ bind: database.other() });
        database.reset();
        const loaded = await session.scalars(
          query.options(
            by(way.books)(Author.r.books, by(way.tags)(Book.r.tags)),
            by(way.manager)(Author.r.manager),
          ),
        );

        strictEqual(database.trips, 1);
        const expected = await naive(database.other(), query) as unknown[];
        deepStrictEqual(
          unrepeated(graph(loaded) as unknown[]),
          unrepeated(expected),
        );
      },
    ),
    { numRuns: 300 },
  );
});

// A joined collection gives each owner once, where the query's own join repeats it.
function unrepeated(rows: unknown[]): unknown[] {
  const seen = new Set<string>();
  return rows.filter((row) => {
    const text = JSON.stringify(row);
    return !seen.has(text) && seen.add(text);
  });
}

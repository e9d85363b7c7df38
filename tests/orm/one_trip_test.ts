import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { selectinload, Session } from "../../orm/mod.ts";
import { select, sql } from "../../sql/mod.ts";
import {
  created,
  d1Database,
  neonDatabase,
  pgliteDatabase,
  type TestDatabase,
  workerdWith,
} from "./databases.ts";
import { Author, Book, library, shelf } from "./library.ts";

const workerd = await workerdWith("DB");
Deno.test.afterAll(() => workerd.dispose());

const databases: [() => TestDatabase | Promise<TestDatabase>, number][] = [
  [() => d1Database(workerd, "DB"), 1],
  [() => neonDatabase(), 2],
  [() => pgliteDatabase(), 2],
];
const named = ["D1", "Neon", "PGlite"];

databases.forEach(([open, commitTrips], at) => {
  const name = named[at];

  Deno.test(`a graph of 50 authors is written in ${commitTrips} and read in 1 trip on ${name}`, async () => {
    await using database = await created(await open(), library);
    await using session = new Session({ bind: database.engine });
    session.addAll(shelf("x", 50));
    await session.commit();
    strictEqual(database.trips, commitTrips);

    database.reset();
    await using other = new Session({ bind: database.other() });
    const authors = await other.scalars(
      select(Author).orderBy(Author.c.name).options(
        selectinload(Author.r.manager),
        selectinload(Author.r.reports),
        selectinload(Author.r.books, selectinload(Book.r.tags)),
      ),
    );
    strictEqual(database.trips, 1);
    strictEqual(authors.length, 50);
    for (const author of authors) {
      const [, n] = author.name.split(" ");
      if (n === "boss") {
        strictEqual(author.manager.value, null);
        strictEqual(author.reports.length, 49);
        continue;
      }
      strictEqual(author.manager.value?.name, "x boss");
      const books = author.books.toArray().sort((a, b) =>
        a.title < b.title ? -1 : 1
      );
      deepStrictEqual(books.map((book) => book.title), [
        `x ${n}/0`,
        `x ${n}/1`,
        `x ${n}/2`,
      ]);
      deepStrictEqual(
        books.map((book) => book.tags.toArray().map((tag) => tag.label).sort()),
        [["x-a", "x-b"], ["x-b", "x-c"], ["x-a", "x-c"]],
      );
    }

    await using lazy = new Session({ bind: database.other() });
    const again = await lazy.scalars(select(Author));
    database.reset();
    const books = await Promise.all(again.map((one) => one.books.load()));
    strictEqual(database.trips, 1);
    strictEqual(books.flatMap((some) => some.toArray()).length, 147);
  });
});

Deno.test("40 commits at once on one D1 wire every foreign key rightly", async () => {
  await using database = await created(d1Database(workerd, "DB"), library);
  await Promise.all(
    Array.from({ length: 40 }, async (_, i) => {
      await using session = new Session({ bind: database.other() });
      session.addAll(shelf(`s${i}`, 3));
      await session.commit();
    }),
  );
  strictEqual(database.trips, 40);
  const [counts] = await database.engine.execute(sql`
    SELECT (SELECT count(*) FROM authors) AS authors,
      (SELECT count(*) FROM books) AS books,
      (SELECT count(*) FROM book_tags) AS links,
      (SELECT count(*) FROM books b JOIN authors a ON a.id = b."authorId"
        WHERE b.title NOT LIKE a.name || '/%') AS wrong_books,
      (SELECT count(*) FROM book_tags l JOIN books b ON b.id = l."bookId"
        JOIN tags t ON t.id = l."tagId"
        WHERE substr(b.title, 1, instr(b.title, ' ') - 1)
          <> substr(t.label, 1, instr(t.label, '-') - 1)) AS wrong_links,
      (SELECT count(*) FROM authors a JOIN authors m ON m.id = a."managerId"
        WHERE substr(a.name, 1, instr(a.name, ' '))
          <> substr(m.name, 1, instr(m.name, ' '))) AS wrong_managers`);
  deepStrictEqual(counts, {
    authors: 120,
    books: 240,
    links: 480,
    wrong_books: 0,
    wrong_links: 0,
    wrong_managers: 0,
  });
});

Deno.test("5 000 new objects go in one trip on D1, within its limits", async () => {
  await using database = await created(d1Database(workerd, "DB"), library);
  await using session = new Session({ bind: database.engine });
  const long = 'ä"\\\u2028'.repeat(120);
  for (let i = 0; i < 1000; i++) {
    session.add(
      new Author({
        name: `${i}${long}`,
        books: [0, 1, 2, 3].map((n) => new Book({ title: `${i}/${n}${long}` })),
      }),
    );
  }
  await session.commit();
  strictEqual(database.trips, 1);
  const [counts] = await database.engine.execute(sql`
    SELECT count(*) AS books,
      sum(b.title LIKE substr(a.name, 1, instr(a.name, 'ä') - 1) || '/%') AS good
    FROM books b JOIN authors a ON a.id = b."authorId"`);
  strictEqual(counts?.["books"], 4000);
  strictEqual(counts?.["good"], 4000);
});

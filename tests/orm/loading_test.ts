import {
  deepStrictEqual,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import {
  aliased,
  any,
  contains,
  containsEager,
  defaultload,
  detectNPlusOne,
  filtered,
  has,
  immediateload,
  innerJoinedload,
  isRelated,
  joinedload,
  lazyload,
  noload,
  ofType,
  populateExisting,
  raiseload,
  selectinload,
  selectinTree,
  Session,
  type SessionOptions,
  subqueryload,
  withLoaderCriteria,
  withOptions,
  withParent,
} from "../../orm/mod.ts";
import { count, deleteFrom, not, select, sql } from "../../sql/mod.ts";
import { created, sqliteDatabase, type TestDatabase } from "./databases.ts";
import { Author, Book, library, shelf, Tag } from "./library.ts";

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

const titles = (author: { readonly books: Iterable<Book> }): string[] =>
  [...author.books].map((book) => book.title).sort();

Deno.test("orm 172: a many-to-one whose object is in the session, or whose key is NULL, is loaded without a statement", async () => {
  await using database = await stocked();
  await using session = open(database);
  const [boss, one] = await session.scalars(
    select(Author).orderBy(Author.c.id),
  );
  database.reset();

  strictEqual(await one!.manager.load(), boss);
  strictEqual(await boss!.manager.load(), null);

  strictEqual(database.trips, 0);
});

Deno.test("orm 173: relations of objects without a row are empty and ask nothing", async () => {
  await using database = await stocked();
  await using session = open(database);
  const transient = new Author({ name: "t" });
  const pending = new Author({ name: "p", managerId: 1 });
  session.add(pending);

  strictEqual(await transient.manager.load(), null);
  strictEqual((await transient.books.load()).length, 0);
  strictEqual(await pending.manager.load(), null);
  strictEqual((await pending.books.load()).length, 0);

  strictEqual(database.trips, 0);
});

Deno.test("orm 174: joinedload() joins an alias that neither conditions nor sorting see", async () => {
  await using database = await stocked();
  await using session = open(database);

  const books = await session.scalars(
    select(Book).join(Book.r.author).where(Author.c.name.eq("x 1")).orderBy(
      Book.c.title,
    ).options(joinedload(Book.r.author, joinedload(Author.r.manager))),
  );

  strictEqual(database.log.length, 1);
  strictEqual(database.log[0]!.length, 1);
  deepStrictEqual(books.map((book) => book.title), ["x 1/0", "x 1/1", "x 1/2"]);
  strictEqual(books[0]!.author.value?.name, "x 1");
  strictEqual(books[0]!.author.value?.manager.value?.name, "x boss");
});

Deno.test("orm 174: joinedload() of a collection gives each owner once, also under LIMIT", async () => {
  await using database = await stocked();
  const query = select(Author).orderBy(Author.c.name).options(
    joinedload(Author.r.books, joinedload(Book.r.tags)),
  );

  const all = await open(database).scalars(query);
  const two = await open(database).scalars(query.limit(2).offset(1));

  strictEqual(database.trips, 2);
  deepStrictEqual(database.log.map((sent) => sent.length), [1, 1]);
  strictEqual(/FROM \(SELECT .* LIMIT /.test(database.log[1]![0]!), true);
  deepStrictEqual(all.map(titles), [
    ["x 0/0", "x 0/1", "x 0/2"],
    ["x 1/0", "x 1/1", "x 1/2"],
    ["x 2/0", "x 2/1", "x 2/2"],
    [],
  ]);
  deepStrictEqual(two.map((author) => author.name), ["x 1", "x 2"]);
  deepStrictEqual(two.map(titles), all.slice(1, 3).map(titles));
  deepStrictEqual([...two[0]!.books.at(0)!.tags].length, 2);
});

Deno.test("orm 174: a many-to-one is joined under LIMIT, and an inner join is one only where its owner is sure", async () => {
  await using database = await stocked();
  const books = await open(database).scalars(
    select(Book).orderBy(Book.c.id).limit(2).options(
      innerJoinedload(Book.r.author, innerJoinedload(Author.r.manager)),
    ),
  );
  const outer = await open(database).scalars(
    select(Author).options(
      joinedload(Author.r.manager, innerJoinedload(Author.r.manager)),
    ),
  );

  const [[inner], [left]] = database.log as [[string], [string]];
  strictEqual(inner.match(/ JOIN /g)?.length, 2);
  strictEqual(inner.includes("LEFT JOIN"), false);
  strictEqual(left.match(/ LEFT JOIN /g)?.length, 2);
  strictEqual(books[0]!.author.value?.manager.value?.name, "x boss");
  strictEqual(outer.length, 4);
});

Deno.test("orm 175: rows that only a joined collection repeats come once, other parts of a row beside them", async () => {
  await using database = await stocked();

  const rows = await open(database).execute(
    select(Author, Author.c.name).where(Author.c.name.ne("x boss")).orderBy(
      Author.c.id,
    ).options(joinedload(Author.r.books)),
  );

  deepStrictEqual(rows.map(([author, name]) => [author.id > 1, name]), [
    [true, "x 0"],
    [true, "x 1"],
    [true, "x 2"],
  ]);
  deepStrictEqual(rows[0]?.[0].books.length, 3);
});

Deno.test("orm 176: containsEager() takes the collection from the query's own join, of a class or an alias", async () => {
  await using database = await stocked();
  const own = await open(database).scalars(
    select(Author).join(Author.r.books).where(Book.c.title.like("%/1"))
      .orderBy(Author.c.id).options(containsEager(Author.r.books)),
  );
  const book = aliased(Book);
  const to = ofType(Author.r.books, book);
  await using session = open(database);
  const other = await session.scalars(
    select(Author).leftJoin(to, book.c.title.like("%/2")).orderBy(Author.c.id)
      .options(containsEager(to)),
  );

  deepStrictEqual(own.map(titles), [["x 0/1"], ["x 1/1"], ["x 2/1"]]);
  deepStrictEqual(other.map(titles), [[], ["x 0/2"], ["x 1/2"], ["x 2/2"]]);

  await session.scalars(
    select(Author).join(Author.r.books).where(Book.c.title.like("%/0"))
      .options(containsEager(Author.r.books)),
  );
  deepStrictEqual(titles(other[1]!), ["x 0/2"]);
  await session.scalars(
    select(Author).join(Author.r.books).where(Book.c.title.like("%/0"))
      .options(containsEager(Author.r.books), populateExisting),
  );
  deepStrictEqual(titles(other[1]!), ["x 0/0"]);
});

Deno.test("orm 178: selectinload() goes down a class's relation to itself to a depth", async () => {
  await using database = await created(sqliteDatabase(), library);
  const chain = Array.from(
    { length: 5 },
    (_, i) => new Author({ name: `${i}` }),
  );
  chain.forEach((one, i) => i > 0 && one.manager.set(chain[i - 1]!));
  const first = open(database);
  first.addAll(chain);
  await first.commit();
  database.reset();

  const [top] = await open(database).scalars(
    select(Author).where(Author.c.name.eq("0")).options(
      selectinTree(Author.r.reports, 3),
    ),
  );

  strictEqual(database.trips, 1);
  strictEqual(database.log[0]?.length, 4);
  let at: Author = top!;
  for (const name of ["1", "2", "3"]) {
    strictEqual(at.reports.isLoaded, true);
    [at] = await at.reports.load() as Iterable<Author> as [Author];
    strictEqual(at.name, name);
  }
  strictEqual(at.reports.isLoaded, false);
  strictEqual(database.trips, 1);
  throws(() => selectinTree(Author.r.reports, 0), RangeError);
});

Deno.test("orm 179: every eager strategy gives the same graph in one trip; defaultload() goes below, wildcards cover the rest", async () => {
  await using database = await stocked();
  for (
    const load of [selectinload, subqueryload, immediateload, joinedload]
  ) {
    database.reset();
    const authors = await open(database).scalars(
      select(Author).orderBy(Author.c.id).options(
        load(Author.r.books, load(Book.r.tags)),
        load(Author.r.manager),
      ),
    );
    strictEqual(database.trips, 1);
    deepStrictEqual(
      authors.map((author) =>
        [...author.books].map((book) =>
          [...book.tags].map((tag) => tag.label).sort().join()
        ).sort().join("|")
      ),
      ["", ...Array(3).fill("x-a,x-b|x-a,x-c|x-b,x-c")],
    );
  }
  database.reset();
  const [author] = await open(database).scalars(
    select(Author).where(Author.c.name.eq("x 0")).options(
      selectinload(Author.r.books),
      defaultload(Author.r.books, selectinload(Book.r.tags)),
      noload("*"),
    ),
  );
  strictEqual(database.trips, 1);
  const [book] = author!.books;
  strictEqual(book!.tags.isLoaded, true);
  strictEqual((await author!.reports.load()).length, 0);
  strictEqual(database.trips, 1);
});

Deno.test("orm 180: raiseload() names the attribute and itself; sqlOnly lets what is in memory pass", async () => {
  await using database = await stocked();
  await using session = open(database);
  const authors = await session.scalars(
    select(Author).orderBy(Author.c.id).options(
      raiseload("*", { sqlOnly: true }),
    ),
  );
  const [boss, one] = authors;
  strictEqual(await one!.manager.load(), boss);
  strictEqual(await boss!.manager.load(), null);
  await rejects(one!.books.load(), {
    code: "orm/not-loaded",
    entity: "Author",
    attribute: "books",
    message: /Author\.books.*raiseload/,
  });
  const strict = await open(database).scalars(
    select(Author).orderBy(Author.c.id).options(raiseload(Author.r.manager)),
  );
  await rejects(strict[1]!.manager.load(), { code: "orm/not-loaded" });
  strictEqual((await strict[1]!.books.load()).length, 3);
  strictEqual(strict[1]!.name, "x 0");
});

Deno.test("orm 181: the last option of a relation wins, one that leads nowhere is an error, and lazy loads follow the query's", async () => {
  await using database = await stocked();
  const [last] = await open(database).scalars(
    select(Author).where(Author.c.name.eq("x 0")).options(
      selectinload(Author.r.books),
      lazyload(Author.r.books, selectinload(Book.r.tags)),
    ),
  );
  database.reset();
  strictEqual((last as Author).books.isLoaded, false);
  const [book] = await (last as Author).books.load();
  strictEqual(book!.tags.isLoaded, true);
  strictEqual(database.trips, 1);

  await rejects(
    open(database).scalars(
      select(Author).options(selectinload(Book.r.tags) as never),
    ),
    { code: "orm/mapping", message: /Book\.tags.*gives Author/ },
  );
  await rejects(
    open(database).scalars(
      select(Author).options(
        selectinload(Author.r.books, selectinload(Author.r.books) as never),
      ),
    ),
    { code: "orm/mapping" },
  );
  strictEqual(database.trips, 1);
});

Deno.test("orm 182: withLoaderCriteria() holds for rows, joins, eager and lazy loads, updates and deletes", async () => {
  await using database = await stocked();
  const some = withLoaderCriteria(Book, (book) => book.title.like("%/1"));

  const books = await open(database).scalars(select(Book).options(some));
  deepStrictEqual(books.map((book) => book.title).sort(), [
    "x 0/1",
    "x 1/1",
    "x 2/1",
  ]);
  const joined = await open(database).execute(
    select({ n: count(Book.c.id) }).from(Author).join(Author.r.books)
      .options(some),
  );
  deepStrictEqual([...joined], [{ n: 3 }]);
  for (const load of [selectinload, joinedload]) {
    const [one] = await open(database).scalars(
      select(Author).where(Author.c.name.eq("x 0")).options(
        load(Author.r.books),
        some,
      ),
    );
    deepStrictEqual(titles(one!), ["x 0/1"]);
  }
  await using session = open(database);
  const [lazy] = await session.scalars(
    select(Author).where(Author.c.name.eq("x 0")).options(some),
  );
  const loaded = await lazy!.books.load();
  deepStrictEqual([...loaded].map((book) => book.title), ["x 0/1"]);
  const workers = await open(database).scalars(
    select(Author).orderBy(Author.c.id).options(
      withLoaderCriteria(Author, (author) => author.managerId.isNotNull()),
    ),
  );
  deepStrictEqual(workers.map((author) => author.name), ["x 0", "x 1", "x 2"]);
  strictEqual(await workers[0]!.manager.load(), null);
  await using known = open(database);
  const [boss] = await known.scalars(select(Author).orderBy(Author.c.id));
  const [kept] = await known.scalars(
    select(Author).where(Author.c.name.eq("x 0")).options(
      withLoaderCriteria(Author, (author) => author.name.ne("x boss")),
    ),
  );
  strictEqual(await kept!.manager.load(), null);
  strictEqual(await known.get(Author, boss!.id), boss);
  await database.engine.execute(sql`DELETE FROM book_tags`);
  await session.execute(withOptions(deleteFrom(Book), some));
  const [left] = await database.engine.execute(
    sql`SELECT count(*) AS n FROM books`,
  );
  strictEqual(left?.["n"], 6);
});

Deno.test("orm 183: filtered() narrows a relation for one join or one option", async () => {
  await using database = await stocked();
  const last = filtered(Author.r.books, (book) => book.title.like("%/2"));

  const joined = await open(database).execute(
    select({ name: Author.c.name, title: Book.c.title }).join(last).orderBy(
      Author.c.id,
    ),
  );
  for (const load of [selectinload, joinedload]) {
    const authors = await open(database).scalars(
      select(Author).orderBy(Author.c.id).options(load(last)),
    );
    deepStrictEqual(authors.map(titles), [[], ["x 0/2"], ["x 1/2"], ["x 2/2"]]);
  }
  deepStrictEqual(joined.map((row) => row.title), ["x 0/2", "x 1/2", "x 2/2"]);
});

Deno.test("orm 184: detectNPlusOne() names the attribute that is loaded one by one, and the remedy", async () => {
  await using database = await stocked(8);
  await using session = open(database, {
    onLazyLoad: detectNPlusOne({ threshold: 3 }),
  });
  const authors = await session.scalars(select(Author).orderBy(Author.c.id));
  for (const author of authors.slice(0, 3)) await author.books.load();
  await rejects(authors[3]!.books.load(), {
    code: "orm/n-plus-one",
    entity: "Author",
    attribute: "books",
    message: /selectinload\(Author\.r\.books\)/,
  });
  strictEqual((await session.scalars(select(Author))).length, 8);

  const found: unknown[] = [];
  await using told = open(database, {
    onLazyLoad: detectNPlusOne({
      threshold: 0,
      report: (error) => found.push(error.attribute),
    }),
  });
  const again = await told.scalars(select(Author));
  await Promise.all(again.map((author) => author.books.load()));
  deepStrictEqual(found, ["books"]);
});

Deno.test("orm 185: an eager load leaves a loaded collection as it is, unless populateExisting", async () => {
  await using database = await stocked();
  await using session = open(database);
  const query = select(Author).where(Author.c.name.eq("x 0"));
  const [author] = await session.scalars(
    query.options(selectinload(Author.r.books)),
  );
  await database.engine.execute(sql`DELETE FROM book_tags`);
  await database.engine.execute(sql`DELETE FROM books WHERE title = 'x 0/1'`);

  await session.scalars(query.options(selectinload(Author.r.books)));
  strictEqual(author!.books.length, 3);
  await session.scalars(
    query.options(selectinload(Author.r.books), populateExisting),
  );
  deepStrictEqual(titles(author!), ["x 0/0", "x 0/2"]);
});

Deno.test("orm 188: joins follow relations, also of a class to itself through an alias", async () => {
  await using database = await stocked();
  const boss = aliased(Author, "boss");
  const rows = await open(database).execute(
    select({ name: Author.c.name, boss: boss.c.name }).join(
      ofType(Author.r.manager, boss),
    ).orderBy(Author.c.id),
  );
  deepStrictEqual(rows.map((row) => `${row.name} < ${row.boss}`), [
    "x 0 < x boss",
    "x 1 < x boss",
    "x 2 < x boss",
  ]);
});

Deno.test("orm 189: aliased() lets a class stand twice in a query, with its relations", async () => {
  await using database = await stocked();
  const boss = aliased(Author);
  await using session = open(database);
  const rows = await session.execute(
    select(Author, boss).join(ofType(Author.r.manager, boss)).orderBy(
      Author.c.id,
    ).options(
      selectinload(Author.r.books),
      selectinload(boss.r.reports),
    ),
  );
  strictEqual(rows.length, 3);
  const [first, manager] = rows[0] as unknown as [Author, Author];
  strictEqual(first.books.isLoaded, true);
  strictEqual(first.reports.isLoaded, false);
  strictEqual(manager.reports.isLoaded, true);
  strictEqual(manager.name, "x boss");
  const [, two] = await session.scalars(
    select(boss).where(boss.c.name.ne("x boss")).orderBy(boss.c.id),
  );
  strictEqual(two, rows[1]![0]);
});

Deno.test("orm 192: relation comparators ask what a relation leads to", async () => {
  await using database = await stocked();
  await using session = open(database);
  const names = async (condition: ReturnType<typeof any>) =>
    (await session.scalars(
      select(Author).where(condition).orderBy(Author.c.id),
    )).map((author) => author.name);
  const all = await session.scalars(select(Author).orderBy(Author.c.id));
  const [boss, zero] = all as unknown as [Author, Author];
  const books = await session.scalars(select(Book).orderBy(Book.c.id));
  const [tag] = await session.scalars(
    select(Tag).where(Tag.c.label.eq("x-a")),
  );
  const three = ["x 0", "x 1", "x 2"];

  deepStrictEqual(await names(any(Author.r.books)), three);
  deepStrictEqual(await names(not(any(Author.r.books))), ["x boss"]);
  deepStrictEqual(
    await names(any(Author.r.books, Book.c.title.eq("x 1/0"))),
    ["x 1"],
  );
  deepStrictEqual(
    await names(any(Author.r.reports, (kid) => kid.name.eq("x 2"))),
    ["x boss"],
  );
  throws(() => any(Author.r.reports, Author.c.name.eq("x 2")), {
    code: "orm/mapping",
  });
  deepStrictEqual(
    await names(has(Author.r.manager, (one) => one.name.eq("x boss"))),
    three,
  );
  deepStrictEqual(await names(isRelated(Author.r.manager, boss)), three);
  deepStrictEqual(await names(isRelated(Author.r.manager, null)), ["x boss"]);
  deepStrictEqual(await names(contains(Author.r.books, books[4]!)), ["x 1"]);
  deepStrictEqual(await names(withParent(boss, Author.r.reports)), three);
  deepStrictEqual(await names(withParent(zero, Author.r.manager)), ["x boss"]);
  const tagged = await session.scalars(
    select(Book).where(
      contains(Book.r.tags, tag!),
      withParent(zero, Author.r.books),
    ),
  );
  const paired = await session.scalars(
    select(Book).where(withParent(tag!, Tag.r.books)),
  );
  strictEqual(tagged.length, 2);
  strictEqual(paired.length, 6);
  const nested = await names(
    any(Author.r.books, any(Book.r.tags, Tag.c.label.eq("x-a"))),
  );
  deepStrictEqual(nested, three);
  throws(() => contains(Author.r.books, new Book({ title: "new" })), {
    code: "orm/mapping",
  });
});

Deno.test("orm 186: a query with options is not changed by running it, and can be used again", async () => {
  await using database = await stocked();
  const query = select(Author).where(Author.c.name.ne("x 2")).orderBy(
    Author.c.id,
  ).limit(2).options(
    joinedload(Author.r.books, joinedload(Book.r.tags)),
    withLoaderCriteria(Book, (book) => book.title.ne("x 0/1")),
  );
  const { sql: before } = database.engine.prepare(query);
  const { length } = query.optionList;

  const once = await open(database).scalars(query);
  const twice = await open(database).scalars(query);

  deepStrictEqual(once.map(titles), [[], ["x 0/0", "x 0/2"]]);
  deepStrictEqual(twice.map(titles), once.map(titles));
  strictEqual(database.engine.prepare(query).sql, before);
  strictEqual(query.optionList.length, length);
  deepStrictEqual(database.log[0], database.log[1]);
});

Deno.test("orm 174, 178: strategies below each other, and containsEager() beside LIMIT, keep every graph whole", async () => {
  await using database = await stocked();
  const authors = await open(database).scalars(
    select(Author).where(any(Author.r.books)).orderBy(Author.c.id).limit(2)
      .options(
        joinedload(Author.r.manager, selectinload(Author.r.reports)),
        joinedload(
          Author.r.books,
          selectinload(Book.r.tags, joinedload(Tag.r.books)),
        ),
      ),
  );

  strictEqual(database.trips, 1);
  deepStrictEqual(authors.map(titles), [
    ["x 0/0", "x 0/1", "x 0/2"],
    ["x 1/0", "x 1/1", "x 1/2"],
  ]);
  const [author] = authors;
  strictEqual(author!.manager.value?.reports.length, 3);
  const [tag] = author!.books.at(0)!.tags;
  strictEqual(tag!.books.length, 6);
});

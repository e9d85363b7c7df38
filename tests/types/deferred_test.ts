/** Which attributes may be read, says the type. Everything here also runs. */
import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  aliased,
  columnProperty,
  deferred,
  Entity,
  integer,
  joined,
  loadColumns,
  manyToOne,
  NotLoadedError,
  oneToMany,
  selectinload,
  text,
  undefer,
  undeferGroup,
  type Unloaded,
} from "../../orm/mod.ts";
import { lower, MetaData, one, select, upper } from "../../sql/mod.ts";
import { type Memory, memory } from "../orm/memory.ts";

/** Compiles only where two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends
  (<T>() => T extends B ? 1 : 2) ? true : false;
function same<A, B>(_: Same<A, B>): void {}

abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = new MetaData();
}
class Author extends Base.table("authors", {
  name: text(),
  bio: deferred(text().nullable()),
  books: () => oneToMany(Book, { backPopulates: "author" }),
}) {}
class Book extends Base.table("books", {
  title: text(),
  summary: deferred(text(), { group: "long" }),
  body: deferred(text(), { group: "long" }),
  pages: deferred(integer()),
  authorId: integer().references("authors.id").nullable(),
  author: () => manyToOne(Author, { backPopulates: "books" }),
}, {
  attributes: (book) => ({
    label: columnProperty(() => upper(book.c.title), { deferred: true }),
    shout: columnProperty(() => lower(book.c.title)),
  }),
}) {}
class Comic extends joined(Book, "comics", {
  art: deferred(text()),
}, { identity: "comic" }) {}

async function library(): Promise<Memory> {
  const db = await memory(Base.metadata);
  await using session = db.session();
  session.add(
    new Author({
      name: "ann",
      bio: "born",
      books: [
        new Book({ title: "x", summary: "s", body: "long", pages: 7 }),
      ],
    }),
  );
  await session.commit();
  db.reset();
  return db;
}

Deno.test("orm 115: a deferred attribute may be written, but not read as what it would be", async () => {
  await using db = await library();
  await using session = db.session();
  const book = one(await session.scalars(select(Book)));
  same<typeof book.body, string | Unloaded>(true);
  same<typeof book.pages, number | Unloaded>(true);
  same<typeof book.label, string | Unloaded>(true);
  same<typeof book.title, string>(true);
  same<typeof book.shout, string>(true);
  // @ts-expect-error it is not loaded
  throws(() => book.body.length, NotLoadedError);
  // @ts-expect-error nor is it a number to reckon with
  throws(() => book.pages + 1, NotLoadedError);
  book.body = "other";
  await session.commit();
  // @ts-expect-error it takes what its column takes
  void (() => new Book({ title: "y", summary: 1, body: "b", pages: 1 }));
  // @ts-expect-error it is needed to make a new one
  void (() => new Book({ title: "y", summary: "s", pages: 1 }));
});

Deno.test("orm 115: undefer() and undeferGroup() give rows that have what they load", async () => {
  await using db = await library();
  await using session = db.session();
  const found = one(
    await session.scalars(
      select(Book).options(undefer(Book.c.body, Book.c.pages, Book.c.label)),
    ),
  );
  const body: string = found.body;
  const pages: number = found.pages;
  const label: string = found.label;
  deepStrictEqual([body, pages, label], ["long", 7, "X"]);
  // @ts-expect-error the rest of its group is not there
  throws(() => found.summary.length, NotLoadedError);
  session.expungeAll();

  const [other] = await session.scalars(
    select(Book).options(undeferGroup(Book, "long")),
  );
  const long: string | undefined = other?.summary.concat(other.body);
  strictEqual(long, "slong");
  // @ts-expect-error what is in no group is not loaded with one
  throws(() => other!.pages + 1, NotLoadedError);

  const [row] = await session.execute(
    select(Author, Book).join(Author.r.books).options(undefer(Author.c.bio)),
  );
  const bio: string | null = row![0].bio;
  strictEqual(bio, "born");
  const copy = aliased(Book);
  const [aliases] = await session.scalars(
    select(copy).options(undefer(copy.c.pages)),
  );
  strictEqual(aliases!.pages + 1, 8);
});

Deno.test("undefer() below a loader reaches the objects of the relation", async () => {
  await using db = await library();
  await using session = db.session();
  const author = one(
    await session.scalars(
      select(Author).options(
        selectinload(Author.r.books, undefer(Book.c.body)),
        undefer(Author.c.bio),
      ),
    ),
  );
  const bodies: string[] = author.books.toArray().map(({ body }) => body);
  const bio: string | null = author.bio;
  deepStrictEqual([bodies, bio], [["long"], "born"]);
});

Deno.test("loadColumns() gives back its objects as what they are then", async () => {
  await using db = await library();
  await using session = db.session();
  const books = await session.scalars(select(Book));
  db.reset();
  const [whole] = await loadColumns(session, [...books], Book.c.body);
  const one = await loadColumns(session, books[0]!, Book.c.pages);
  const found: [string, number] = [whole!.body, one.pages];
  deepStrictEqual(found, ["long", 7]);
  strictEqual(one, books[0]);
  strictEqual(db.statements.length, 2);
});

Deno.test("what a subclass defers is deferred, and what it inherits too", async () => {
  await using db = await library();
  await using session = db.session();
  session.add(
    new Comic({ title: "c", summary: "s", body: "b", pages: 1, art: "ink" }),
  );
  await session.commit();
  session.expungeAll();
  const comic = one(
    await session.scalars(
      select(Comic).options(undefer(Comic.c.art)),
    ),
  );
  const art: string = comic.art;
  strictEqual(art, "ink");
  // @ts-expect-error inherited, and not loaded
  throws(() => comic.body.length, NotLoadedError);
});

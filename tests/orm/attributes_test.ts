import {
  deepStrictEqual,
  match,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { D1_DIALECT } from "../../backends/_d1_limits.ts";
import {
  aliased,
  blob,
  columnProperty,
  composite,
  defer,
  deferred,
  Entity,
  historyOf,
  hybrid,
  integer,
  json,
  loadColumns,
  loadOnly,
  manyToOne,
  NotLoadedError,
  oneToMany,
  populateExisting,
  queryExpression,
  selectinload,
  Session,
  stateOf,
  synonym,
  text,
  timestamp,
  undefer,
  undeferGroup,
  unset,
  withExpression,
} from "../../orm/mod.ts";
import {
  caseWhen,
  collate,
  concat,
  createEngine,
  func,
  ilike,
  jsonPath,
  MetaData,
  minus,
  or,
  plus,
  select,
  times,
  update,
} from "../../sql/mod.ts";
import { pgliteDatabase } from "./databases.ts";
import { memory } from "./memory.ts";

// --- Synonyms, hybrids, computed properties --------------------------------

Deno.test("orm 106: synonyms and hybrids are read and set on objects, and stand in queries", async () => {
  class Interval extends Entity.table("intervals", {
    id: integer().primaryKey(),
    start: integer(),
    end: integer(),
  }, {
    attributes: (interval) => ({
      from: synonym(interval.c.start),
      length: hybrid(
        interval,
        (self) => self.end - self.start,
        (c) => minus(c.end, c.start),
        (self, length: number) => {
          self.end = self.start + length;
        },
      ),
      // A comparison of its own.
      middle: hybrid(
        interval,
        (self) => (self.start + self.end) / 2,
        (c) => ({ is: (at: number) => plus(c.start, c.end).eq(at * 2) }),
      ),
      isEmpty: hybrid(interval, (self) => self.start === self.end),
    }),
  }) {}
  await using db = await memory(Interval.table.metadata);
  await using session = db.session();
  const one = new Interval({ from: 5, end: 8 } as never);
  strictEqual(one.start, 5);
  strictEqual(one.length, 3);
  one.length = 10;
  one.from = 6;
  strictEqual(one.end, 15);
  strictEqual(one.middle, 10.5);
  strictEqual(one.isEmpty, false);
  session.addAll([one, new Interval({ start: 1, end: 2 })]);
  await session.commit();

  const long = await session.scalars(
    select(Interval).where(Interval.c.length.gt(3)).orderBy(Interval.c.from),
  );
  deepStrictEqual([...long], [one]);
  deepStrictEqual(
    [...await session.execute(select({ length: Interval.c.length }))],
    [{ length: 9 }, { length: 1 }],
  );
  strictEqual(
    (await session.scalars(select(Interval).where(Interval.c.middle.is(1.5))))
      .length,
    1,
  );
  throws(() => {
    (one as { middle: number }).middle = 5;
  }, TypeError);
});

Deno.test("orm 107: a computed property is loaded with its object, and unknown after a commit that wrote the row", async () => {
  abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
    static override metadata = new MetaData();
  }
  class User extends Base.table("users", {
    first: text(),
    last: text(),
    posts: () => oneToMany(Post),
  }, {
    attributes: (user) => ({
      fullName: columnProperty(() =>
        concat(concat(user.c.first, " "), user.c.last)
      ),
      kept: columnProperty(() => concat(user.c.first, "!"), {
        expireOnFlush: false,
      }),
      initials: columnProperty(
        () => func<string>("substr", [user.c.first, 1, 1]),
        { deferred: "short" },
      ),
    }),
  }) {}
  class Post extends Base.table("posts", {
    userId: integer().references("users.id"),
  }) {}
  await using db = await memory(Base.metadata);
  await using session = db.session();
  const ed = new User({ first: "ed", last: "jones", posts: [new Post({})] });
  session.add(ed);
  await session.commit();
  throws(() => ed.fullName, NotLoadedError);

  await using reader = db.session();
  const [found] = await reader.scalars(
    select(User).where(User.c.fullName.eq("ed jones")),
  );
  strictEqual(found!.fullName, "ed jones");
  strictEqual(found!.kept, "ed!");
  throws(() => found!.initials, { code: "orm/not-loaded" });
  found!.last = "smith";
  await reader.commit();
  throws(() => found!.fullName, {
    name: "NotLoadedError",
    message:
      /Cannot read User\.fullName: it is not loaded; await loadColumns\(session, object, User\.c\.fullName\)/,
  });
  strictEqual(found!.kept, "ed!");
  db.reset();
  await loadColumns(reader, found!, User.c.fullName, User.c.initials);
  strictEqual(db.sent.length, 1);
  strictEqual(found!.fullName, "ed smith");
  strictEqual(found!.initials, "e");
});

// --- Deferred columns ------------------------------------------------------

abstract class Library extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = new MetaData();
}
class Book extends Library.table("books", {
  title: text(),
  summary: deferred(text(), { group: "long" }),
  body: deferred(text(), { group: "long" }),
  cover: deferred(text().nullable()),
  authorId: integer().references("authors.id").nullable(),
}) {}
class Author extends Library.table("authors", {
  name: text(),
  bio: deferred(text()),
  books: () => oneToMany(Book),
}) {}
const book = (title: string) =>
  new Book({ title, summary: `s-${title}`, body: `b-${title}`, cover: "c" });

Deno.test("orm 115, 116: deferred columns are not selected, reading them is an error, and a group is loaded in one trip", async () => {
  await using db = await memory(Library.metadata);
  await using writer = db.session();
  writer.addAll([book("x"), book("y")]);
  await writer.commit();
  await using session = db.session();
  db.reset();
  const books = await session.scalars(select(Book).orderBy(Book.c.id));
  strictEqual(/summary|body|cover/.test(db.statements.join()), false);
  const [x, y] = books;
  throws(() => x!.body, {
    name: "NotLoadedError",
    code: "orm/not-loaded",
    message:
      "Cannot read Book.body: it is not loaded; await loadColumns(session, object, Book.c.body)",
  });
  // Neither copying, printing, nor comparing touches what is not there.
  deepStrictEqual({ ...x }, { id: 1, title: "x", authorId: null });
  strictEqual(stateOf(x!).changes().length, 0);

  db.reset();
  await loadColumns(session, [...books], Book.c.body);
  strictEqual(db.statements.length, 1);
  deepStrictEqual([x!.summary, y!.body], ["s-x", "b-y"]);
  throws(() => x!.cover, NotLoadedError);
  strictEqual(session.dirty.length, 0);

  // What is set though it was not loaded is written.
  x!.cover = null;
  await session.commit();
  deepStrictEqual(
    [...await db.engine.execute(select({ c: Book.c.cover }))].map((r) => r.c),
    [null, "c"],
  );
});

Deno.test("orm 115: undefer, undeferGroup, defer and loadOnly choose the columns of one query, also below a loader", async () => {
  await using db = await memory(Library.metadata);
  await using writer = db.session();
  writer.add(new Author({ name: "ann", bio: "long", books: [book("x")] }));
  await writer.commit();
  const load = async (...options: Parameters<typeof pick>) => {
    await using session = db.session();
    const [found] = await session.scalars(pick(...options));
    return { ...found };
  };
  const pick = (...options: ReturnType<typeof undefer>[]) =>
    select(Book).options(...options);

  deepStrictEqual(await load(undefer(Book.c.cover)), {
    id: 1,
    title: "x",
    cover: "c",
    authorId: 1,
  });
  deepStrictEqual(Object.keys(await load(undeferGroup(Book, "long"))), [
    "id",
    "title",
    "summary",
    "body",
    "authorId",
  ]);
  deepStrictEqual(await load(defer(Book.c.title, Book.c.authorId)), { id: 1 });
  deepStrictEqual(await load(loadOnly(Book.c.body)), { id: 1, body: "b-x" });

  await using session = db.session();
  const [author] = await session.scalars(
    select(Author).options(
      undefer(Author.c.bio),
      selectinload(Author.r.books, loadOnly(Book.c.summary, Book.c.authorId)),
    ),
  );
  strictEqual(author!.bio, "long");
  deepStrictEqual({ ...author!.books.at(0) }, {
    id: 1,
    summary: "s-x",
    authorId: 1,
  });
});

Deno.test("orm 117: a query expression is null unless a query gives it; what is there stays unless it is overwritten", async () => {
  class Offer extends Entity.table("offers", {
    id: integer().primaryKey(),
    price: integer(),
    discounted: queryExpression<number>(),
  }) {}
  await using db = await memory(Offer.table.metadata);
  await using session = db.session();
  session.add(new Offer({ price: 100 }));
  await session.commit();
  await using reader = db.session();
  const [plain] = await reader.scalars(select(Offer));
  strictEqual(plain!.discounted, null);
  const discount = (by: number) =>
    select(Offer).options(
      withExpression(Offer.c.discounted, minus(Offer.c.price, by)),
    );
  await reader.scalars(discount(5));
  strictEqual(plain!.discounted, null);
  await reader.scalars(discount(5).options(populateExisting));
  strictEqual(plain!.discounted, 95);
  await using other = db.session();
  const [given] = await other.scalars(discount(10));
  deepStrictEqual({ ...given }, { id: 1, price: 100, discounted: 90 });
  given!.price = 50;
  await other.commit();
  strictEqual(given!.discounted, 90);
});

// --- Embedded values and documents -----------------------------------------

class Point {
  constructor(public x: number, public y: number) {}
}
class Money {
  readonly #cents: number;
  constructor(cents: number, readonly currency: string) {
    this.#cents = cents;
  }
  get euros() {
    return this.#cents / 100;
  }
  compositeValues() {
    return [this.#cents, this.currency];
  }
}
class Vertex extends Entity.table("vertices", {
  id: integer().primaryKey(),
  x1: integer(),
  y1: integer(),
  x2: integer().nullable(),
  y2: integer().nullable(),
  cents: integer().default(0),
  currency: text().default("EUR"),
  start: composite(Point, "x1", "y1"),
  end: composite(Point, "x2", "y2").nullable(),
  price: composite(Money, "cents", "currency"),
}) {}

Deno.test("orm 155, 157, 158: a composite is read, replaced and compared as one value over its columns", async () => {
  await using db = await memory(Vertex.table.metadata);
  await using session = db.session();
  const vertex = new Vertex({
    start: new Point(1, 2),
    end: new Point(3, 4),
    price: new Money(250, "EUR"),
  });
  deepStrictEqual([vertex.x1, vertex.y1, vertex.cents], [1, 2, 250]);
  session.add(vertex);
  await session.commit();

  await using other = db.session();
  const [found] = await other.scalars(
    select(Vertex).where(Vertex.c.start.eq(new Point(1, 2))),
  );
  strictEqual(found!.start instanceof Point, true);
  strictEqual(found!.start, found!.start);
  strictEqual(found!.price.euros, 2.5);
  // In place, nothing is seen; replaced, its columns are written, no others.
  found!.start.x = 99;
  strictEqual(other.dirty.length, 0);
  found!.start = new Point(1, 7);
  found!.end = null;
  db.reset();
  await other.commit();
  match(
    db.statements[0] ?? "",
    /UPDATE "vertices" SET "y1" = \?, "x2" = \?, "y2" = \? WHERE/,
  );
  const at = (where: ReturnType<typeof Vertex.c.start.eq>) =>
    other.scalars(select(Vertex).where(where)).then((rows) => rows.length);
  strictEqual(await at(Vertex.c.start.eq(new Point(1, 7))), 1);
  strictEqual(await at(Vertex.c.start.ne(new Point(1, 7))), 0);
  strictEqual(await at(Vertex.c.start.ne(new Point(1, 2))), 1);
  strictEqual(await at(Vertex.c.end.eq(null)), 1);
  // A column set by itself makes another value.
  found!.y1 = 8;
  deepStrictEqual({ ...found!.start }, { x: 1, y: 8 });
});

Deno.test("orm 156: a composite stands in results, orderings and updates by its columns", async () => {
  await using db = await memory(Vertex.table.metadata);
  await using session = db.session();
  session.addAll(
    [new Point(2, 1), new Point(1, 5)].map((start) =>
      new Vertex({ start, price: new Money(1, "EUR") })
    ),
  );
  await session.commit();
  await session.execute(
    update(Vertex).set({ ...Vertex.c.end.values(new Point(0, 0)) }),
  );
  const rows = await session.execute(
    select(...Vertex.c.start.columns, Vertex.c.x2).orderBy(
      ...Vertex.c.start.columns,
    ),
  );
  deepStrictEqual([...rows], [[1, 5, 0], [2, 1, 0]]);
});

Deno.test("orm 93: a value that is set back is no change, for dates, bytes and documents by what they hold", async () => {
  class Note extends Entity.table("notes", {
    id: integer().primaryKey(),
    at: timestamp(),
    data: blob(),
    doc: json<{ tags: string[]; n?: number }>(),
    text: text(),
  }) {}
  await using db = await memory(Note.table.metadata);
  await using session = db.session();
  const at = new Date(1_700_000_000_000);
  session.add(
    new Note({
      at,
      data: Uint8Array.of(1, 2),
      doc: { tags: ["a"] },
      text: "t",
    }),
  );
  await session.commit();
  await using other = db.session();
  const note = (await other.get(Note, 1))!;
  note.at = new Date(+at);
  note.data = Uint8Array.of(1, 2);
  note.doc = { tags: ["a"] };
  note.text = "other";
  note.text = "t";
  strictEqual(other.dirty.length, 0);
  db.reset();
  await other.commit();
  strictEqual(db.sent.length, 0);

  note.doc.tags.push("b");
  deepStrictEqual(historyOf(note, "doc"), {
    added: [{ tags: ["a", "b"] }],
    unchanged: [],
    deleted: [{ tags: ["a"] }],
  });
  await other.commit();
  match(db.statements[0] ?? "", /UPDATE "notes" SET "doc" = [^,]* WHERE/);
});

Deno.test("attributes of every kind stand under an alias too", async () => {
  class Node extends Entity.table("nodes", {
    id: integer().primaryKey(),
    x: integer(),
    y: integer(),
    at: composite(Point, "x", "y"),
    note: deferred(text()),
  }, {
    attributes: (node) => ({
      sum: columnProperty(() => plus(node.c.x, node.c.y)),
      size: columnProperty(() => func<number>("abs", [node.c.x])),
      column: synonym(node.c.x),
      isFlat: hybrid(node, (self) => self.y === 0, (c) => c.y.eq(0)),
    }),
  }) {}
  await using db = await memory(Node.table.metadata);
  await using session = db.session();
  session.addAll([
    new Node({ at: new Point(-1, 2), note: "a" }),
    new Node({ at: new Point(-3, 0), note: "b" }),
  ]);
  await session.commit();
  await using reader = db.session();
  const other = aliased(Node, "other");
  const rows = await reader.execute(
    select(Node, other).join(other, other.c.sum.lt(Node.c.sum)).where(
      other.c.isFlat,
      other.c.at.eq(new Point(-3, 0)),
      other.c.column.eq(-3),
      other.c.size.eq(3),
    ),
  );
  const [one, two] = rows[0] as [Node, Node];
  deepStrictEqual([one.sum, two.sum, two.size, rows.length], [1, -3, 3, 1]);
  throws(() => two.note, { code: "orm/not-loaded" });
});

Deno.test("a computed attribute stands under an alias whatever it is made of", async () => {
  const long = `${"a%".repeat(30)}`;
  class Word extends Entity.table("words", {
    id: integer().primaryKey(),
    n: integer(),
    s: text(),
    doc: json<{ x: number }>(),
  }, {
    attributes: ({ c }) => ({
      among: columnProperty(() => c.n.in([1, 2])),
      amongThese: columnProperty(() => c.n.in([c.id, 5])),
      isEither: columnProperty(() => or(c.n.eq(1), c.s.eq("b"))),
      isLike: columnProperty(() => c.s.like(long)),
      isAlike: columnProperty(() => ilike(c.s, "A%")),
      collated: columnProperty(() => collate(c.s, "NOCASE")),
      inside: columnProperty(() => jsonPath(c.doc, "x").asInteger()),
      worded: columnProperty(() => caseWhen(c.n.eq(1), "one").else("more")),
    }),
  }) {}
  await using db = await memory(Word.table.metadata);
  await using session = db.session();
  session.addAll([
    new Word({ n: 1, s: "a", doc: { x: 1 } }),
    new Word({ n: 5, s: "b", doc: { x: 2 } }),
    new Word({ n: 3, s: "a".repeat(30), doc: { x: 3 } }),
  ]);
  await session.commit();
  // D1 has a long LIKE written in another way.
  const { driver } = db.engine;
  const limited = createEngine({
    ...driver,
    dialect: D1_DIALECT,
    classify: (error, text) => driver.classify(error, text),
  });
  const { sql } = limited.prepare(select(aliased(Word, "other")));
  match(sql, /WITH RECURSIVE t\(x, p\) AS \(SELECT "other"\."s"/);
  const other = aliased(Word, "other");
  for (const engine of [db.engine, limited]) {
    const read = async (of: typeof Word | typeof other) => {
      await using reader = new Session({ bind: engine });
      return (await reader.scalars(select(of).orderBy(of.c.id)))
        .map((one) => ({ ...one }));
    };
    const own = await read(Word);
    deepStrictEqual(await read(other), own);
    deepStrictEqual(own.map(({ among }) => among), [true, false, false]);
    deepStrictEqual(own.map(({ isLike }) => isLike), [false, false, true]);
  }
});

Deno.test("computed properties, composites, deferred columns and query expressions are the same on Postgres", async () => {
  abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
    static override metadata = new MetaData();
  }
  class Spot extends Base.table("spots", {
    x: integer(),
    y: integer(),
    at: composite(Point, "x", "y"),
    note: deferred(text()),
    far: queryExpression<number>(),
  }, {
    attributes: (spot) => ({
      sum: columnProperty(() => plus(spot.c.x, spot.c.y)),
      isFlat: hybrid(spot, (self) => self.y === 0, (c) => c.y.eq(0)),
    }),
  }) {}
  await using db = pgliteDatabase();
  await Base.metadata.createAll(db.engine);
  await using session = new Session({ bind: db.engine });
  session.addAll([
    new Spot({ at: new Point(1, 2), note: "a" }),
    new Spot({ at: new Point(3, 0), note: "b" }),
  ]);
  await session.commit();
  await using reader = new Session({ bind: db.engine });
  const [flat] = await reader.scalars(
    select(Spot).where(Spot.c.isFlat, Spot.c.at.eq(new Point(3, 0)))
      .orderBy(Spot.c.sum).options(
        withExpression(Spot.c.far, times(Spot.c.sum, 100)),
        undefer(Spot.c.note),
      ),
  );
  deepStrictEqual({ ...flat }, {
    id: 2,
    x: 3,
    y: 0,
    note: "b",
    far: 300,
    sum: 3,
  });
  const [other] = await reader.scalars(select(Spot).where(Spot.c.sum.gt(2)));
  strictEqual(other!.far, null);
  await loadColumns(reader, other!, Spot.c.note);
  strictEqual(other!.note, "a");
});

// --- History ---------------------------------------------------------------

Deno.test("orm 92: history says what was added, what stayed and what went", async () => {
  abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
    static override metadata = new MetaData();
  }
  class User extends Base.table("users", {
    name: text(),
    bio: deferred(text().nullable()),
    bossId: integer().references("users.id").nullable(),
    boss: () => manyToOne(User, { backPopulates: "staff" }),
    staff: () => oneToMany(User, { backPopulates: "boss" }),
  }) {}
  const none: unknown[] = [];
  const fresh = new User({ name: "ed" });
  deepStrictEqual(historyOf(fresh, "name"), {
    added: ["ed"],
    unchanged: none,
    deleted: none,
  });
  deepStrictEqual(historyOf(fresh, "id"), {
    added: none,
    unchanged: none,
    deleted: none,
  });
  throws(() => historyOf(fresh, "nome"), { name: "MappingError" });

  await using db = await memory(Base.metadata);
  await using session = db.session();
  const [a, b, c] = ["a", "b", "c"].map((name) => new User({ name }));
  fresh.staff.add(a!, b!);
  session.add(fresh);
  await session.commit();
  fresh.name = "edward";
  deepStrictEqual(historyOf(fresh, "name"), {
    added: ["edward"],
    unchanged: none,
    deleted: ["ed"],
  });
  fresh.staff.remove(a!);
  fresh.staff.add(c!);
  deepStrictEqual(historyOf(fresh, "staff"), {
    added: [c],
    unchanged: [b],
    deleted: [a],
  });
  deepStrictEqual(historyOf(a!, "boss"), {
    added: [null],
    unchanged: none,
    deleted: [fresh],
  });
  deepStrictEqual(historyOf(b!, "boss").unchanged, [fresh]);
  await session.commit();

  await using other = db.session();
  const again = (await other.get(User, fresh.id))!;
  again.bio = "set though it was not loaded";
  deepStrictEqual(historyOf(again, "bio"), {
    added: ["set though it was not loaded"],
    unchanged: none,
    deleted: none,
  });
});

Deno.test("orm 94: an attribute that is taken away is NULL; one that has no value cannot be", async () => {
  class User extends Entity.table("users", {
    id: integer().primaryKey(),
    name: text().nullable(),
    nick: text().nullable(),
  }) {}
  await using db = await memory(User.table.metadata);
  await using session = db.session();
  const user = new User({ name: "ed", nick: "e" });
  throws(() => unset(new User({}), "name"), {
    name: "StateError",
    message: "Cannot unset User.name: it has no value",
  });
  session.add(user);
  await session.commit();
  delete (user as { name?: unknown }).name;
  unset(user, "nick");
  deepStrictEqual(historyOf(user, "name"), {
    added: [null],
    unchanged: [],
    deleted: ["ed"],
  });
  await session.commit();
  deepStrictEqual(
    [...await session.execute(select({ n: User.c.name, k: User.c.nick }))],
    [{ n: null, k: null }],
  );
});

Deno.test("a default that is an object is not shared between objects", async () => {
  class Doc extends Entity.table("docs", {
    id: integer().primaryKey(),
    tags: json<string[]>().default(() => []),
  }) {}
  await using db = await memory(Doc.table.metadata);
  await using session = db.session();
  const [a, b] = [new Doc({}), new Doc({})];
  session.addAll([a, b]);
  await session.commit();
  a.tags.push("x");
  deepStrictEqual(b.tags, []);
  await rejects(
    async () => {
      session.add(new Doc({ tagz: [] } as never));
      await session.commit();
    },
    { message: /^Cannot find "tagz" of Doc: it has "id", "tags"$/ },
  );
});

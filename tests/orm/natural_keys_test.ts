import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import {
  blob,
  Entity,
  integer,
  manyToMany,
  manyToOne,
  oneToMany,
  Session,
  text,
  timestamp,
} from "../../orm/mod.ts";
import {
  MetaData,
  MultipleResultsError,
  NoResultError,
  select,
  table,
} from "../../sql/mod.ts";
import {
  created,
  d1Database,
  sqliteDatabase,
  type TestDatabase,
  workerdWith,
} from "./databases.ts";
import { Author, Book, library, shelf } from "./library.ts";

const workerd = await workerdWith("DB");
Deno.test.afterAll(() => workerd.dispose());

const metadata = new MetaData();
abstract class Base extends Entity.with({}) {
  static override metadata = metadata;
}
class Country extends Base.table("countries", {
  code: text().primaryKey(),
  cities: () => oneToMany(City, { backPopulates: "country" }),
  rivers: () => oneToMany(River, { passiveUpdates: false }),
}) {}
class City extends Base.table("cities", {
  id: integer().primaryKey(),
  code: text().references("countries.code", { onUpdate: "cascade" }).nullable(),
  country: () => manyToOne(Country, { backPopulates: "cities" }),
}) {}
class River extends Base.table("rivers", {
  id: integer().primaryKey(),
  code: text().references("countries.code", {
    deferrable: true,
    initiallyDeferred: true,
  }).nullable(),
}) {}
class Nest extends Base.table("nests", {
  id: integer().primaryKey(),
  mine: () =>
    oneToMany(Bird, { backPopulates: "mother", cascade: "all, delete-orphan" }),
}) {}
class Tree extends Base.table("trees", {
  id: integer().primaryKey(),
  birds: () =>
    oneToMany(Bird, { backPopulates: "tree", cascade: "all, delete-orphan" }),
}) {}
class Chunk extends Base.table("chunks", {
  hash: blob().primaryKey(),
  size: integer(),
}) {}
class Day extends Base.table("days", {
  day: timestamp().primaryKey(),
  name: text(),
}) {}
class Word extends Base.table("words", {
  word: text().primaryKey(),
  others: () => manyToMany(Word, { secondary: pairs }),
}) {}
const pairs = table("pairs", metadata, {
  left: text().primaryKey().references("words.word"),
  right: text().primaryKey().references("words.word"),
});
class Bird extends Base.table("birds", {
  id: integer().primaryKey(),
  nestId: integer().references("nests.id").nullable(),
  treeId: integer().references("trees.id").nullable(),
  mother: () => manyToOne(Nest, { backPopulates: "mine" }),
  tree: () => manyToOne(Tree, { backPopulates: "birds" }),
}) {}

const verbs = ({ log }: TestDatabase): string[] =>
  log.flat().map((sql) =>
    sql.replace(/^(\w+)(?: INTO| FROM)? "(\w+)".*$/s, "$1 $2")
  ).filter((sql) => /^(INSERT|UPDATE|DELETE)/.test(sql));

Deno.test("orm 75: a changed natural key is handed on by the database, or by loading and updating the members", async () => {
  await using database = await created(sqliteDatabase(), metadata);
  await using session = new Session({ bind: database.engine });
  const one = new Country({
    code: "a",
    cities: [new City({})],
    rivers: [new River({})],
  } as never);
  session.add(one);
  await session.commit();
  session.expungeAll();
  const again = (await session.get(Country, "a"))!;
  again.code = "b";
  database.reset();
  await session.commit();
  deepStrictEqual(verbs(database), ["UPDATE countries", "UPDATE rivers"]);
  for (const { table } of [City, River]) {
    const [row] = await database.engine.execute(
      select(table as typeof City.table),
    );
    strictEqual(row?.code, "b");
  }
  strictEqual(await session.get(Country, "b"), again);
});

Deno.test("orm 86: of two owners without whom it is not, the loss of either is enough", async () => {
  await using database = await created(sqliteDatabase(), metadata);
  await using session = new Session({ bind: database.engine });
  const bird = new Bird({} as never);
  const nest = new Nest({ mine: [bird] } as never);
  const tree = new Tree({ birds: [bird] } as never);
  session.addAll([nest, tree]);
  await session.commit();
  tree.birds.remove(bird);
  await session.commit();
  strictEqual((await session.scalars(select(Bird))).length, 0);
});

Deno.test("orm 33: one() wants one row, neither none nor several", async () => {
  await using database = await created(sqliteDatabase(), metadata);
  await using session = new Session({ bind: database.engine });
  const query = select(Nest).orderBy(Nest.c.id);
  await rejects(session.one(query), NoResultError);
  strictEqual(await session.oneOrNull(query), null);
  const nest = new Nest({} as never);
  session.add(nest);
  strictEqual(await session.one(query), nest);
  session.add(new Nest({} as never));
  await rejects(session.one(query), MultipleResultsError);
  await rejects(session.oneOrNull(query), MultipleResultsError);
  strictEqual(await session.first(query), nest);
});

Deno.test("more owners than D1 takes parameters are loaded lazily, and deleted, in a trip each", async () => {
  await using database = await created(d1Database(workerd, "DB"), library);
  await using setup = new Session({ bind: database.engine });
  setup.addAll(shelf("x", 150));
  await setup.commit();
  await using session = new Session({ bind: database.other() });
  const authors = await session.scalars(select(Author));
  database.reset();
  await Promise.all(authors.map((author) => author.books.load()));
  strictEqual(database.trips, 1);
  for (const author of authors) session.delete(author);
  database.reset();
  await session.commit();
  // What deletions must know first (reports), then all of it at once.
  strictEqual(database.trips, 2);
  strictEqual((await database.engine.execute(select(Book.table))).length, 0);
  strictEqual((await database.engine.execute(select(Author.table))).length, 0);
});

Deno.test("pairs of keys are told apart, whatever signs are in them", async () => {
  await using database = await created(sqliteDatabase(), metadata);
  await using session = new Session({ bind: database.engine });
  session.addAll([
    new Word({ word: "a,right=b", others: [new Word({ word: "c" })] }),
    new Word({ word: "a", others: [new Word({ word: "b,right=c" })] }),
  ]);
  await session.commit();
  strictEqual((await database.engine.execute(select(pairs))).length, 2);
});

Deno.test("bytes and dates are keys like others", async () => {
  await using database = await created(sqliteDatabase(), metadata);
  await using session = new Session({ bind: database.engine });
  const hash = new Uint8Array([1, 2]);
  const day = new Date(0);
  session.addAll([new Chunk({ hash, size: 2 }), new Day({ day, name: "a" })]);
  await session.commit();
  session.expungeAll();
  for (const key of [hash, [hash], { hash }]) {
    strictEqual((await session.get(Chunk, key))?.size, 2);
  }
  for (const key of [day, [day], { day }]) {
    strictEqual((await session.get(Day, key))?.name, "a");
  }
});

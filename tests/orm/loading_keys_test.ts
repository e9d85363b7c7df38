import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import {
  any,
  contains,
  Entity,
  integer,
  joinedload,
  manyToMany,
  manyToOne,
  oneToMany,
  selectinload,
  Session,
  text,
} from "../../orm/mod.ts";
import { foreignKey, MetaData, select, sql, table } from "../../sql/mod.ts";
import {
  created,
  d1Database,
  neonDatabase,
  sqliteDatabase,
  type TestDatabase,
  workerdWith,
} from "./databases.ts";
import { Author, library, shelf } from "./library.ts";

const workerd = await workerdWith("DB");
Deno.test.afterAll(() => workerd.dispose());

const metadata = new MetaData();
abstract class Base extends Entity {
  static override metadata = metadata;
}
class Plot extends Base.table("plots", {
  town: text().primaryKey(),
  number: integer().primaryKey(),
  houses: () => oneToMany(House, { backPopulates: "plot" }),
  owners: () => manyToMany(Owner, { secondary: deeds }),
}) {}
class House extends Base.table("houses", {
  id: integer().primaryKey(),
  town: text(),
  number: integer(),
  plot: () => manyToOne(Plot, { backPopulates: "houses" }),
}, {
  constraints: [
    foreignKey(["town", "number"], ["plots.town", "plots.number"]),
  ],
}) {}
class Owner extends Base.table("owners", {
  id: integer().primaryKey(),
  name: text(),
}) {}
const deeds = table("deeds", metadata, {
  town: text().primaryKey(),
  number: integer().primaryKey(),
  ownerId: integer().primaryKey().references("owners.id"),
}, [foreignKey(["town", "number"], ["plots.town", "plots.number"])]);

const databases: [string, () => TestDatabase | Promise<TestDatabase>][] = [
  ["SQLite", () => sqliteDatabase()],
  ["D1", () => d1Database(workerd, "DB")],
  ["Neon", () => neonDatabase()],
];

databases.forEach(([name, open]) => {
  Deno.test(`orm 177: relations by keys of two columns load eagerly and lazily in 1 trip on ${name}`, async () => {
    await using database = await created(await open(), metadata);
    await using first = new Session({ bind: database.engine });
    const owner = new Owner({ name: "ed" });
    for (const town of ["a", "b"]) {
      for (const number of [1, 2]) {
        first.add(
          new Plot({
            town,
            number,
            owners: [owner],
            houses: [new House({ town, number }), new House({ town, number })],
          }),
        );
      }
    }
    await first.commit();

    for (const load of [selectinload, joinedload]) {
      await using session = new Session({ bind: database.other() });
      database.reset();
      const plots = await session.scalars(
        select(Plot).orderBy(Plot.c.town, Plot.c.number).options(
          load(Plot.r.houses, load(House.r.plot)),
          load(Plot.r.owners),
        ),
      );
      strictEqual(database.trips, 1);
      strictEqual(plots.length, 4);
      for (const plot of plots) {
        deepStrictEqual(
          [...plot.houses].map((house) => [house.town, house.number]),
          [[plot.town, plot.number], [plot.town, plot.number]],
        );
        for (const house of plot.houses) strictEqual(house.plot.value, plot);
        deepStrictEqual([...plot.owners].map((one) => one.name), ["ed"]);
      }
    }

    await using lazy = new Session({ bind: database.other() });
    const houses = await lazy.scalars(select(House).orderBy(House.c.id));
    database.reset();
    const plots = await Promise.all(houses.map((one) => one.plot.load()));
    strictEqual(database.trips, 1);
    strictEqual(plots[0]?.town, "a");
    const found = await lazy.scalars(
      select(Plot).where(
        any(Plot.r.houses),
        contains(Plot.r.houses, houses[7]!),
      ),
    );
    deepStrictEqual([...found], [plots[7]]);
  });
});

const wide = Object.fromEntries(
  Array.from({ length: 60 }, (_, i) => [`c${i}`, integer().nullable()]),
);
class Left extends Base.table("lefts", {
  id: integer().primaryKey(),
  ...wide,
  rightId: integer().references("rights.id").nullable(),
  right: () => manyToOne(Right),
}) {}
class Right extends Base.table("rights", {
  id: integer().primaryKey(),
  ...wide,
}) {}

Deno.test("orm 174: joinedload() beyond D1's 100 columns goes in a statement of its own, in the same trip", async () => {
  await using database = await created(d1Database(workerd, "DB"), metadata);
  await using first = new Session({ bind: database.engine });
  first.add(new Left({ right: new Right({}) }));
  await first.commit();
  database.reset();

  await using session = new Session({ bind: database.other() });
  const [left] = await session.scalars(
    select(Left).options(joinedload(Left.r.right)),
  );

  strictEqual(database.trips, 1);
  strictEqual(database.log[0]?.length, 2);
  strictEqual(left!.right.value?.id, left!.rightId);
});

Deno.test("lazy loads of one tick share a trip, and one that fails fails its own callers only", async () => {
  await using database = await created(sqliteDatabase(), library);
  await using first = new Session({ bind: database.engine });
  first.addAll(shelf("x", 4));
  await first.commit();
  await using session = new Session({ bind: database.engine });
  const authors = await session.scalars(select(Author).orderBy(Author.c.id));
  const [boss, one, two] = authors as unknown as [Author, Author, Author];
  await database.engine.execute(sql`DROP TABLE book_tags`);
  await database.engine.execute(sql`DROP TABLE books`);

  const [reports, ...books] = await Promise.allSettled([
    boss.reports.load(),
    one.books.load(),
    two.books.load(),
  ]);

  strictEqual(reports.status, "fulfilled");
  strictEqual(boss.reports.isLoaded, true);
  deepStrictEqual(books.map((each) => each.status), ["rejected", "rejected"]);
  await rejects(one.books.load());
});

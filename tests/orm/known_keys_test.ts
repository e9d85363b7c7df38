/** New objects whose keys are there before the database is asked. */
import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  CircularDependencyError,
  Entity,
  integer,
  joined,
  manyToOne,
  oneToMany,
  Session,
  text,
} from "../../orm/mod.ts";
import { deleteFrom, MetaData, select, update } from "../../sql/mod.ts";
import {
  created,
  d1Database,
  sqliteDatabase,
  type TestDatabase,
  workerdWith,
} from "./databases.ts";

const workerd = await workerdWith("DB");
Deno.test.afterAll(() => workerd.dispose());

abstract class Base extends Entity.with({ id: text().primaryKey() }) {
  static override metadata = new MetaData();
}
class Folder extends Base.table("folders", {
  parentId: text().references("folders.id").nullable(),
  parent: () => manyToOne(Folder, { backPopulates: "children" }),
  children: () => oneToMany(Folder, { backPopulates: "parent" }),
}) {}
class Team extends Base.table("teams", {
  leadId: text().references("players.id").nullable(),
  lead: () => manyToOne(Player),
}) {}
class Player extends Base.table("players", {
  teamId: text().references("teams.id").nullable(),
  team: () => manyToOne(Team),
}) {}
class Country extends Base.table("countries", {
  capitalId: text().references("cities.id"),
  capital: () => manyToOne(City),
}) {}
class City extends Base.table("cities", {
  countryId: text().references("countries.id").nullable(),
  country: () => manyToOne(Country, { postUpdate: true }),
}) {}

type Opened = readonly [Session, TestDatabase];

function test(name: string, work: (...opened: Opened) => Promise<void>): void {
  for (const where of ["SQLite", "D1"]) {
    Deno.test(`${name} (${where})`, async () => {
      await using database = await created(
        where === "D1" ? d1Database(workerd, "DB") : sqliteDatabase(),
        Base.metadata,
      );
      await using session = new Session({ bind: database.engine });
      await work(session, database);
    });
  }
}

/** Who is in which folder, by the database. */
async function folders({ engine }: TestDatabase): Promise<object> {
  const rows = await engine.execute(
    select({ id: Folder.c.id, parentId: Folder.c.parentId })
      .orderBy(Folder.c.id),
  );
  return Object.fromEntries(rows.map(({ id, parentId }) => [id, parentId]));
}

test(
  "orm 55: a tree of known keys is written from its root, whatever was added first",
  async (session, database) => {
    const root = new Folder({ id: "root" });
    const middle = new Folder({ id: "middle", parent: root });
    const leaf = new Folder({ id: "leaf", parent: middle });
    session.addAll([leaf, middle, root]);
    await session.commit();
    deepStrictEqual(await folders(database), {
      leaf: "middle",
      middle: "root",
      root: null,
    });

    // What is there already moves below what is new.
    leaf.parent.set(new Folder({ id: "other", parent: root }));
    root.parent.set(new Folder({ id: "above" }));
    await session.commit();
    deepStrictEqual(await folders(database), {
      above: null,
      leaf: "other",
      middle: "root",
      other: "root",
      root: "above",
    });
  },
);

test(
  "orm 56: tables that name each other take known keys where no rows do",
  async (session, database) => {
    const red = new Team({ id: "red" });
    const ann = new Player({ id: "ann", team: red });
    const blue = new Team({ id: "blue", lead: ann });
    session.addAll([blue, ann, red]);
    await session.commit();
    deepStrictEqual(
      [
        ...await database.engine.execute(
          select({ team: Player.c.teamId, leads: Team.c.id })
            .join(Team, Team.c.leadId.eq(Player.c.id)),
        ),
      ],
      [{ team: "red", leads: "blue" }],
    );

    const green = new Team({ id: "green" });
    const bob = new Player({ id: "bob", team: green });
    green.lead.set(bob);
    session.addAll([green, bob]);
    await rejects(session.commit(), CircularDependencyError);
    await session.rollback();
  },
);

test(
  "orm 57: a known key that closes a circle is written after both rows",
  async (session, database) => {
    const rome = new City({ id: "rome" });
    const italy = new Country({ id: "italy", capital: rome });
    rome.country.set(italy);
    session.addAll([italy, rome]);
    await session.commit();
    deepStrictEqual(
      [
        ...await database.engine.execute(
          select({ city: City.c.countryId, country: Country.c.capitalId })
            .join(Country, Country.c.capitalId.eq(City.c.id)),
        ),
      ],
      [{ city: "italy", country: "rome" }],
    );
  },
);

test(
  "a new object that takes over a row of a known key may be named by new ones",
  async (session, database) => {
    const [old, other] = [new Folder({ id: "a" }), new Folder({ id: "b" })];
    session.addAll([old, other]);
    await session.commit();
    session.delete(old);
    const again = new Folder({ id: "a" });
    const child = new Folder({ id: "c", parent: again });
    again.parent.set(new Folder({ id: "d", parent: other }));
    session.addAll([child, again]);
    await session.commit();
    deepStrictEqual(await folders(database), {
      a: "d",
      b: null,
      c: "a",
      d: "b",
    });
  },
);

Deno.test("orm 55: random forests of known keys, added and moved in any order, are as they were drawn", async () => {
  await using database = await created(sqliteDatabase(), Base.metadata);
  const { engine } = database;
  const forest = fc.uniqueArray(fc.nat(30), { minLength: 1 }).chain((keys) =>
    fc.tuple(
      fc.constant(keys),
      // Each is below one that stands before it, or below none.
      fc.tuple(...keys.map((_, i) => fc.nat(i))),
      fc.shuffledSubarray(keys, { minLength: keys.length }),
      fc.nat(keys.length),
    )
  );
  await fc.assert(
    fc.asyncProperty(forest, async ([keys, above, added, first]) => {
      await engine.execute(update(Folder).set({ parentId: null }));
      await engine.execute(deleteFrom(Folder));
      await using session = new Session({ bind: engine });
      const made = new Map(
        keys.map((key) => [key, new Folder({ id: `${key}` })]),
      );
      // Some are there before the others come, and before any is below another.
      const early = added.slice(0, first).map((key) => made.get(key)!);
      session.addAll(early);
      await session.commit();
      const drawn: Record<string, string | null> = {};
      keys.forEach((key, i) => {
        const parent = above[i]! < i ? made.get(keys[above[i]!]!)! : null;
        made.get(key)!.parent.set(parent);
        drawn[key] = parent?.id ?? null;
      });
      session.addAll(added.map((key) => made.get(key)!));
      await session.commit();
      deepStrictEqual(await folders(database), drawn);
    }),
    { numRuns: 60 },
  );
});

for (const where of ["SQLite", "D1"]) {
  Deno.test(`orm 55: rows of a subclass name each other in its own table, whoever makes their keys (${where})`, async () => {
    abstract class Numbered
      extends Entity.with({ id: integer().primaryKey() }) {
      static override metadata = new MetaData();
    }
    class Item extends Numbered.table("items", { name: text() }) {}
    class Image extends joined(Item, "images", {
      thumbId: integer().references("images.id").nullable(),
      thumb: () => manyToOne(Image, { foreignKeys: ["thumbId"] }),
    }, { identity: "image" }) {}
    await using database = await created(
      where === "D1" ? d1Database(workerd, "DB") : sqliteDatabase(),
      Numbered.metadata,
    );
    await using session = new Session({ bind: database.engine });
    // Each names the one before it; every other one brings its key.
    const images: Image[] = [];
    for (let i = 0; i < 8; i++) {
      const key = i % 2 ? { id: 100 - i } : {};
      const thumb = images.at(-1) ?? null;
      images.push(new Image({ name: `${i}`, thumb, ...key }));
    }
    session.addAll(images.toReversed());
    await session.commit();
    strictEqual(database.trips, 1);
    const rows = await database.engine.execute(
      select({ name: Item.c.name, thumbId: Image.c.thumbId }).from(Image)
        .orderBy(Item.c.name),
    );
    deepStrictEqual(
      rows.map(({ thumbId }) => thumbId),
      [null, ...images.slice(0, -1).map(({ id }) => id)],
    );
    deepStrictEqual(
      images.map(({ thumbId }) => thumbId),
      rows.map(({ thumbId }) => thumbId),
    );
  });
}

import { PGlite } from "@electric-sql/pglite";
import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import {
  bigint,
  Entity,
  integer,
  manyToMany,
  manyToOne,
  oneToMany,
  Session,
  text,
} from "../../orm/mod.ts";
import {
  createEngine,
  deleteFrom,
  MetaData,
  Raw,
  select,
  table,
  translateSchemas,
} from "../../sql/mod.ts";
import { pglite } from "../../backends/pglite.ts";
import { sqlite } from "../../backends/sqlite.ts";
import {
  created,
  d1Database,
  neonDatabase,
  pgliteDatabase,
  sqliteDatabase,
  type TestDatabase,
  workerdWith,
} from "./databases.ts";

const workerd = await workerdWith("DB");
Deno.test.afterAll(() => workerd.dispose());

/** Classes whose keys are texts that the database makes. */
function model(makesKey: string) {
  const metadata = new MetaData();
  abstract class Base extends Entity.with({
    id: text().primaryKey().serverDefault(new Raw(makesKey)),
    name: text(),
  }) {
    static override metadata = metadata;
  }
  class Team extends Base.table("teams", {
    parentId: text().references("teams.id").nullable(),
    parent: () => manyToOne(Team),
    players: () => oneToMany(Player, { backPopulates: "team" }),
  }) {}
  const pairs = table("player_skills", metadata, {
    playerId: text().primaryKey().references("players.id"),
    skillId: text().primaryKey().references("skills.id"),
  });
  class Player extends Base.table("players", {
    teamId: text().references("teams.id"),
    team: () => manyToOne(Team, { backPopulates: "players" }),
    skills: () => manyToMany(Skill, { secondary: pairs }),
  }) {}
  class Skill extends Base.table("skills", {}) {}
  return { metadata, Team, Player, Skill, pairs };
}

for (
  const [name, open, makesKey, trips] of [
    ["D1", () => d1Database(workerd, "DB"), "(lower(hex(randomblob(8))))", 1],
    ["Postgres", () => neonDatabase(), "gen_random_uuid()::text", 2],
  ] as [string, () => TestDatabase | Promise<TestDatabase>, string, number][]
) {
  Deno.test(`keys that are no numbers, made by the database, go in ${trips} trips on ${name}`, async () => {
    const { metadata, Team, Player, Skill, pairs } = model(makesKey);
    await using database = await created(await open(), metadata);
    await using session = new Session({ bind: database.engine });
    const skills = ["x", "y"].map((name) => new Skill({ name }));
    const parent = new Team({ name: "parent" });
    for (let i = 0; i < 6; i++) {
      session.add(
        new Team({
          name: `team ${i}`,
          parent,
          players: [0, 1, 2].map((n) =>
            new Player({ name: `team ${i}/${n}`, skills } as never)
          ),
        }),
      );
    }
    await session.commit();
    strictEqual(database.trips, trips);
    const rows = await database.engine.execute(
      select({
        player: Player.c.name,
        team: Team.c.name,
        above: Team.c.parentId,
      })
        .join(Team, Team.c.id.eq(Player.c.teamId)),
    );
    strictEqual(rows.length, 18);
    for (const { player, team, above } of rows) {
      strictEqual(player.slice(0, -2), team);
      strictEqual(above, parent.id);
    }
    const links = await database.engine.execute(select(pairs));
    deepStrictEqual(
      new Set(links.map(({ skillId }) => skillId)),
      new Set(skills.map(({ id }) => id)),
    );
    strictEqual(links.length, 36);
  });
}

Deno.test("keys are reserved from the sequence of a table's own schema, also under another name, and the log says so", async () => {
  const metadata = new MetaData({ schema: "shop" });
  abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
    static override metadata = metadata;
  }
  class Order extends Base.table('it\'s "orders"', { note: text() }) {}
  const database = new PGlite();
  const driver = pglite(database);
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  await using shop = createEngine(driver, { echo: true, log });
  const tenant = createEngine(translateSchemas(driver, { shop: "tenant_7" }));
  for (const engine of [tenant, shop]) {
    const schema = engine === shop ? "shop" : "tenant_7";
    await database.exec(`CREATE SCHEMA ${schema}`);
    await metadata.createAll(engine);
    await using session = new Session({ bind: engine });
    const orders = ["a", "b"].map((note) => new Order({ note }));
    session.addAll(orders);
    await session.commit();
    deepStrictEqual(orders.map(({ id }) => id), [1, 2]);
  }
  strictEqual(lines.filter((line) => line.includes("nextval")).length, 1);
});

Deno.test("a key of several parts that the database makes cannot be referred to in one trip, and that is said", async () => {
  const metadata = new MetaData();
  abstract class Base extends Entity.with({}) {
    static override metadata = metadata;
  }
  class Room extends Base.table("rooms", {
    house: integer().primaryKey(),
    code: text().primaryKey().unique().serverDefault(new Raw("('r')")),
    next: () => manyToOne(Door),
    doorId: integer().references("doors.id").nullable(),
  }) {}
  class Door extends Base.table("doors", {
    id: integer().primaryKey(),
    code: text().references("rooms.code").nullable(),
    room: () => manyToOne(Room),
  }) {}
  await using database = await created(d1Database(workerd, "DB"), metadata);
  await using session = new Session({ bind: database.engine });
  session.add(new Door({ room: new Room({ house: 1 } as never) } as never));
  await rejects(session.commit(), /Room.*default\(\)/);
});

Deno.test("orm 43: rows whose keys are big integers go together, each with its own key", async () => {
  const metadata = new MetaData();
  abstract class Base extends Entity {
    static override metadata = metadata;
  }
  class Note extends Base.table("notes", {
    id: bigint().primaryKey(),
    text: text(),
    formerId: bigint().references("notes.id").nullable(),
    former: () => manyToOne(Note),
  }) {}
  await using engine = createEngine(sqlite(":memory:"));
  const notes = Array.from({ length: 7 }, (_, i) => new Note({ text: `${i}` }));
  const [first, ...later] = notes as [Note, ...Note[]];
  for (const note of later) note.former.set(first);
  await metadata.createAll(engine);
  await using session = new Session({ bind: engine });

  session.addAll(notes);
  await session.commit();

  deepStrictEqual(notes.map(({ id }) => id), [1n, 2n, 3n, 4n, 5n, 6n, 7n]);
  const rows = await engine.execute(select(Note.table).orderBy(Note.c.id));
  deepStrictEqual(
    rows.map(({ text, formerId }) => [text, formerId]),
    notes.map(({ text }, i) => [text, i === 0 ? null : 1n]),
  );
});

for (
  const [name, open] of [
    ["SQLite", sqliteDatabase],
    ["D1", () => d1Database(workerd, "DB")],
    ["PGlite", pgliteDatabase],
    ["Neon", () => neonDatabase()],
  ] as [string, () => TestDatabase | Promise<TestDatabase>][]
) {
  Deno.test(`orm 55: new rows may name themselves, and their objects know it afterwards (${name})`, async () => {
    const metadata = new MetaData();
    abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
      static override metadata = metadata;
    }
    class Group extends Base.table("groups", {
      name: text(),
      rootId: integer().references("groups.id").nullable(),
      root: () => manyToOne(Group),
    }) {}
    await using database = await created(await open(), metadata);
    for (const count of [1, 6]) {
      await using session = new Session({ bind: database.engine });
      const groups = Array.from(
        { length: count },
        (_, i) => new Group({ name: `${i}` }),
      );
      for (const group of groups) group.root.set(group);
      session.addAll(groups);
      await session.commit();
      deepStrictEqual(
        groups.map((one) => one.rootId),
        groups.map((one) => one.id),
      );
      strictEqual(session.dirty.length, 0);
      await session.commit();
      const rows = await database.engine.execute(
        select(Group.table).where(Group.c.rootId.eq(Group.c.id)),
      );
      strictEqual(rows.length, count);
      await database.engine.execute(deleteFrom(Group));
    }
  });
}

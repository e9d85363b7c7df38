import {
  deepStrictEqual,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import {
  Entity,
  expire,
  integer,
  manyToOne,
  oneToMany,
  Session,
  stateOf,
  text,
} from "../../orm/mod.ts";
import { MetaData, select } from "../../sql/mod.ts";
import {
  created,
  d1Database,
  sqliteDatabase,
  type TestDatabase,
  workerdWith,
} from "./databases.ts";
import { Author, Book, Tag, world } from "./world.ts";

const workerd = await workerdWith("DB");
Deno.test.afterAll(() => workerd.dispose());

const metadata = new MetaData();
abstract class Base extends Entity.with({
  id: integer().primaryKey(),
  name: text().unique(),
}) {
  static override metadata = metadata;
}
class House extends Base.table("houses", {
  rooms: () =>
    oneToMany(Room, { backPopulates: "house", cascade: "all, delete-orphan" }),
  guests: () => oneToMany(Guest, { backPopulates: "house" }),
  passive: () => oneToMany(Passive, { passiveDeletes: true, cascade: "all" }),
  silent: () => oneToMany(Silent, { passiveDeletes: "all" }),
  seen: () => oneToMany(Guest, { viewOnly: true, foreignKeys: ["houseId"] }),
}) {}
class Room extends Base.table("rooms", {
  houseId: integer().references("houses.id").nullable(),
  house: () => manyToOne(House, { backPopulates: "rooms" }),
  desks: () =>
    oneToMany(Desk, { backPopulates: "room", cascade: "all, delete-orphan" }),
}) {}
class Desk extends Base.table("desks", {
  roomId: integer().references("rooms.id").nullable(),
  room: () => manyToOne(Room, { backPopulates: "desks" }),
  lamps: () => oneToMany(Lamp, { cascade: "all, delete-orphan" }),
}) {}
class Lamp extends Base.table("lamps", {
  deskId: integer().references("desks.id").nullable(),
}) {}
class Guest extends Base.table("guests", {
  houseId: integer().references("houses.id").nullable(),
  house: () => manyToOne(House, { backPopulates: "guests", cascade: "none" }),
}) {}
class Passive extends Base.table("passives", {
  houseId: integer().references("houses.id", { onDelete: "cascade" })
    .nullable(),
}) {}
class Silent extends Base.table("silents", {
  houseId: integer().references("houses.id", { onDelete: "set null" })
    .nullable(),
}) {}

type Work = (session: Session, database: TestDatabase) => Promise<void>;
function test(name: string, work: Work): void {
  Deno.test(name, async () => {
    await using database = await created(sqliteDatabase(), metadata);
    await using session = new Session({ bind: database.engine });
    await work(session, database);
  });
}
const status = (object: object) => stateOf(object).status;
const verbs = ({ log }: TestDatabase): string[] =>
  log.flat().map((sql) =>
    sql.replace(/^(\w+)(?: INTO| FROM)? "(\w+)".*$/s, "$1 $2")
  ).filter((sql) => /^(INSERT|UPDATE|DELETE)/.test(sql));
async function count(
  { engine }: TestDatabase,
  cls: { readonly table: unknown },
): Promise<number> {
  return (await engine.execute(select(cls.table as typeof House.table))).length;
}
function house(): House {
  return new House({
    name: "h",
    rooms: ["1", "2"].map((name) =>
      new Room({
        name,
        desks: [
          new Desk({ name, lamps: [new Lamp({ name })] } as never),
        ],
      })
    ),
  });
}

Deno.test("orm 83, 84: what deletions must know of unloaded members is read in one trip, however deep, on D1", async () => {
  await using database = await created(d1Database(workerd, "DB"), metadata);
  await using setup = new Session({ bind: database.engine });
  setup.add(house());
  setup.add(new Guest({ name: "g" }));
  await setup.commit();

  await using session = new Session({ bind: database.other() });
  session.delete((await session.get(House, 1))!);
  database.reset();
  await session.commit();
  strictEqual(database.trips, 2);
  for (const cls of [House, Room, Desk, Lamp]) {
    strictEqual(await count(database, cls), 0);
  }
  strictEqual(await count(database, Guest), 1);
});

test(
  'orm 48: with passiveDeletes the database looks after members that are not here; with "all", after all',
  async (session, database) => {
    const one = new House({
      name: "h",
      passive: [new Passive({ name: "p" })],
      silent: [new Silent({ name: "s" })],
    });
    session.add(one);
    await session.commit();
    session.expungeAll();
    session.delete((await session.get(House, one.id))!);
    database.reset();
    await session.commit();
    ok(!verbs(database).some((verb) => /passives|silents/.test(verb)));
    strictEqual(await count(database, Passive), 0);
    const [silent] = await session.scalars(select(Silent));
    strictEqual(silent?.houseId, null);
  },
);

test(
  "orm 51, 89: a member that is moved to another owner is neither deleted nor cleared, before or after its owner is deleted",
  async (session, database) => {
    const [from, to] = [house(), new House({ name: "to" })];
    session.addAll([from, to]);
    await session.commit();
    const [first, second] = await from.rooms.load();
    to.rooms.add(first!);
    session.delete(from);
    second!.house.set(to);
    to.rooms.add(second!);
    await session.commit();
    strictEqual(await count(database, Room), 2);
    deepStrictEqual([first!.houseId, second!.houseId], [to.id, to.id]);
  },
);

test(
  "orm 76: a relation that is only viewed writes nothing and takes nothing in",
  async (session, database) => {
    const one = new House({ name: "h" });
    const guest = new Guest({ name: "g" });
    one.seen.add(guest);
    session.add(one);
    deepStrictEqual(session.new, [one]);
    await session.commit();
    strictEqual(await count(database, Guest), 0);
  },
);

Deno.test("orm 78, 81: without the cascade an object is not taken in, and that is said", async () => {
  await using database = await created(sqliteDatabase(), metadata);
  const warnings: string[] = [];
  await using session = new Session({
    bind: database.engine,
    warn: (message) => warnings.push(message),
  });
  const guest = new Guest({ name: "g", house: new House({ name: "h" }) });
  session.add(guest);
  deepStrictEqual(session.new, [guest]);
  await session.commit();
  strictEqual(guest.houseId, null);
  deepStrictEqual(warnings, [
    "Guest.house holds an object of House that is not in the session; it is not saved",
  ]);
});

test("orm 79: an unknown cascade is refused with those that are", () => {
  class Odd extends Base.table("odd", {
    rooms: () => oneToMany(Room, { cascade: "save" }),
  }) {}
  throws(() => Odd.r.rooms, /delete-orphan/);
  return Promise.resolve();
});

test(
  "orm 80, 82: adding an owner adds its members; nothing is loaded for it",
  async (session, database) => {
    const one = house();
    session.add(one);
    strictEqual(session.new.length, 7);
    const late = new Room({ name: "late" });
    one.rooms.add(late);
    ok(session.new.includes(late));
    strictEqual(database.trips, 0);
    await session.commit();
    session.expungeAll();
    const again = await session.get(House, one.id);
    database.reset();
    again!.rooms.add(new Room({ name: "more" }));
    await session.commit();
    deepStrictEqual(verbs(database), ["INSERT rooms"]);
  },
);

test(
  "orm 84: what loses the owner without whom it is not is deleted, and what hangs on it",
  async (session, database) => {
    const one = house();
    session.add(one);
    await session.commit();
    const rooms = await one.rooms.load();
    rooms.remove(rooms.at(0)!);
    await session.commit();
    strictEqual(await count(database, Room), 1);
    strictEqual(await count(database, Lamp), 1);
    one.rooms.set([new Room({ name: "new" })]);
    await session.commit();
    deepStrictEqual(
      (await session.scalars(select(Room))).map(({ name }) => name),
      ["new"],
    );
    strictEqual(await count(database, Desk), 0);
  },
);

test(
  "a collection that is replaced before it was loaded is read first, and its former members go",
  async (session, database) => {
    const one = house();
    session.add(one);
    await session.commit();
    session.expungeAll();
    const again = await session.get(House, one.id);
    again!.rooms.set([new Room({ name: "only" })]);
    await session.commit();
    deepStrictEqual(
      (await session.scalars(select(Room))).map(({ name }) => name),
      ["only"],
    );
    strictEqual(await count(database, Lamp), 0);
  },
);

test(
  "orm 85: a pending member that is removed is let go at once, or dropped when the others are written",
  async (session, database) => {
    const one = new House({ name: "h" });
    session.add(one);
    const room = new Room({ name: "r" });
    one.rooms.add(room);
    one.rooms.remove(room);
    strictEqual(status(room), "transient");

    const elsewhere = new House({ name: "elsewhere" });
    const second = new Room({ name: "second", house: elsewhere });
    elsewhere.rooms.remove(second);
    session.add(second);
    await session.commit();
    strictEqual(await count(database, Room), 0);
  },
);

test(
  "orm 87: what never had an owner is no orphan",
  async (session, database) => {
    session.add(new Room({ name: "alone" }));
    await session.commit();
    strictEqual(await count(database, Room), 1);
  },
);

test("orm 90: expunge and expire go along their cascades", async (session) => {
  const one = house();
  session.add(one);
  await session.commit();
  const [room] = await one.rooms.load();
  const pending = new Room({ name: "pending" });
  one.rooms.add(pending);
  room!.name = "lost";
  expire(one);
  throws(() => room!.name, /not loaded/);
  strictEqual(status(pending), "transient");
  strictEqual((await one.rooms.load()).length, 2);
  session.expunge(one);
  strictEqual(status(room!), "detached");
});

test("orm 91: rows are written before others are deleted, so a unique value cannot change hands in one unit", async (session) => {
  const one = house();
  session.add(one);
  await session.commit();
  await one.rooms.load();
  one.rooms.set([new Room({ name: "1" })]);
  await rejects(session.commit(), /breaks UNIQUE/);
});

Deno.test("Session.commit() forgets a pending object that went with its owner, wherever else it is held", async () => {
  await using database = await created(sqliteDatabase(), world);
  await using session = new Session({ bind: database.engine });
  const author = new Author({ uid: "a", label: "author" });
  session.add(author);
  await session.flush();
  const book = new Book({ uid: "b", label: "book", author });
  const tag = new Tag({ uid: "t", label: "tag", books: [book] });
  session.add(tag);
  session.delete(author);

  await session.commit();
  await session.commit();

  deepStrictEqual([author, book, tag].map(status), [
    "detached",
    "transient",
    "persistent",
  ]);
  deepStrictEqual((await tag.books.load()).toArray(), []);
});

import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import {
  Entity,
  expire,
  integer,
  listenToSession,
  manyToMany,
  manyToOne,
  MappingError,
  NotLoadedError,
  oneToMany,
  oneToOne,
  populateExisting,
  raiseload,
  refresh,
  Session,
  StaleDataError,
  StateError,
  stateOf,
  text,
  versionId,
} from "../../orm/mod.ts";
import { MetaData, select, sql, table, withForUpdate } from "../../sql/mod.ts";
import {
  created,
  d1Database,
  pgliteDatabase,
  sqliteDatabase,
  type TestDatabase,
  workerdWith,
} from "./databases.ts";
import { Author, Book, library, Tag } from "./library.ts";

const metadata = new MetaData();
abstract class Keyed extends Entity.with({}) {
  static override metadata = metadata;
}
abstract class Base extends Keyed.with({ id: integer().primaryKey() }) {}
class Person extends Base.table("persons", {
  name: text(),
  version: versionId(),
  stamp: integer().nullable().onUpdate(() => ++stamps),
  favoriteId: integer().references("balls.id").nullable(),
  favorite: () =>
    manyToOne(Ball, { foreignKeys: ["favoriteId"], postUpdate: true }),
  balls: () =>
    oneToMany(Ball, { foreignKeys: ["ownerId"], backPopulates: "owner" }),
}) {}
class Ball extends Base.table("balls", {
  ownerId: integer().references("persons.id").nullable(),
  owner: () =>
    manyToOne(Person, { foreignKeys: ["ownerId"], backPopulates: "balls" }),
}) {}
let stamps = 0;

class Country extends Keyed.table("countries", {
  code: text().primaryKey(),
  cities: () => oneToMany(City, { passiveUpdates: false }),
}) {}
class City extends Base.table("cities", {
  code: text().references("countries.code", {
    deferrable: true,
    initiallyDeferred: true,
  }).nullable(),
  country: () => manyToOne(Country),
}) {}

class Holder extends Base.table("holders", {
  badgeId: integer().references("badges.id").nullable(),
  badge: () =>
    manyToOne(Badge, {
      backPopulates: "holder",
      cascade: "all, delete-orphan",
      singleParent: true,
    }),
  notes: () =>
    manyToMany(Note, {
      secondary: holderNotes,
      cascade: "all, delete-orphan",
      singleParent: true,
    }),
}) {}
class Badge extends Base.table("badges", {
  holder: () => oneToOne(Holder, { backPopulates: "badge" }),
}) {}
class Note extends Base.table("notes", { words: text() }) {}
const holderNotes = table("holder_notes", metadata, {
  holderId: integer().primaryKey().references("holders.id"),
  noteId: integer().primaryKey().references("notes.id"),
});

type Work = (session: Session, database: TestDatabase) => Promise<void>;

function test(name: string, work: Work, tables = metadata): void {
  Deno.test(name, async () => {
    await using database = await created(sqliteDatabase(), tables);
    await using session = new Session({ bind: database.engine });
    await work(session, database);
  });
}

async function saved<T extends object>(session: Session, object: T) {
  session.add(object);
  await session.commit();
  return object;
}

/** The columns that each UPDATE sets. */
const updates = ({ log }: TestDatabase): string[] =>
  log.flat().filter((one) => one.startsWith("UPDATE")).map((one) =>
    [...one.split(" WHERE ")[0]!.matchAll(/"(\w+)" ?=/g)].map(([, key]) => key)
      .join(" ")
  );

for (
  const [name, open] of [
    ["sqlite", sqliteDatabase],
    ["PGlite", pgliteDatabase],
  ] as const
) {
  Deno.test(`orm 34: get() asks the database in any case only if it is told fresh; a locking read is a query withForUpdate(), and always sent (${name})`, async () => {
    await using database = await created(open(), library);
    await using session = new Session({ bind: database.engine });
    const one = await saved(session, new Tag({ label: "old" }));
    await database.engine.execute(sql`UPDATE tags SET label = 'new'`);
    const trips = async (read: () => Promise<unknown>) => {
      database.reset();
      strictEqual(await read(), one);
      return database.trips;
    };
    strictEqual(await trips(() => session.get(Tag, one.id)), 0);
    strictEqual(
      await trips(() => session.get(Tag, one.id, { fresh: false })),
      0,
    );
    strictEqual(
      await trips(() => session.get(Tag, one.id, { fresh: true })),
      1,
    );

    const locking = withForUpdate(select(Tag).where(Tag.c.id.eq(one.id)))
      .options(populateExisting);
    for (const _ of [1, 2]) {
      const read = async () => (await session.scalars(locking))[0];
      strictEqual(await trips(read), 1);
      strictEqual(
        database.log.flat().some((sent) => /FOR UPDATE$/.test(sent)),
        database.engine.dialect.features.forUpdate ?? false,
      );
    }
    strictEqual(one.label, "new");
  });
}

/** Collects what nobody holds. */
async function collectGarbage(): Promise<void> {
  v8.setFlagsFromString("--expose-gc");
  const gc: () => void = vm.runInNewContext("gc");
  // What a WeakRef showed lives until the end of its job.
  await new Promise((resolve) => setTimeout(resolve, 0));
  gc();
}

test(
  "orm 38: the identity map is strong: objects that the program let go of stay, changed or not, until the session lets go of them",
  async (session, database) => {
    for (const label of ["clean", "dirty"]) session.add(new Tag({ label }));
    await session.commit();
    session.expungeAll();
    const seen = await (async () => {
      const tags = await session.scalars(select(Tag).orderBy(Tag.c.id));
      tags[1]!.label = "changed";
      return [...tags].map((one) => new WeakRef<object>(one));
    })();
    await collectGarbage();
    database.reset();
    strictEqual((await session.get(Tag, 1))?.label, "clean");
    strictEqual((await session.get(Tag, 2))?.label, "changed");
    strictEqual(database.trips, 0);
    await session.commit();
    deepStrictEqual(
      [
        ...await database.engine.execute(
          select(Tag.table.c.label).orderBy(Tag.table.c.id),
        ),
      ],
      ["clean", "changed"],
    );

    session.expungeAll();
    await collectGarbage();
    deepStrictEqual(seen.map((one) => one.deref()), [undefined, undefined]);
  },
  library,
);

test(
  "orm 58: a postUpdate of a row that was there fills onUpdate defaults and counts the version, checked; one that goes with its INSERT does neither, and a deletion expires nothing",
  async (session, database) => {
    const first = new Ball({});
    const person = await saved(
      session,
      new Person({ name: "p", balls: [first], favorite: first }),
    );
    deepStrictEqual(updates(database), ["favoriteId"]);
    deepStrictEqual([person.version, person.stamp ?? null], [1, null]);

    database.reset();
    const second = new Ball({ owner: person });
    person.favorite.set(second);
    await session.commit();
    deepStrictEqual(updates(database).map((set) => set.split(" ").sort()), [
      ["favoriteId", "stamp", "version"],
    ]);
    deepStrictEqual([person.version, person.stamp], [2, stamps]);
    strictEqual(person.favoriteId, second.id);

    await database.engine.execute(sql`UPDATE persons SET version = 7`);
    person.favorite.set(first);
    await rejects(session.commit(), StaleDataError);
    await session.rollback();
    await refresh(session, person);
    strictEqual(person.version, 7);

    // A stale row is not deleted either, nor its key cleared.
    await database.engine.execute(sql`UPDATE persons SET version = 8`);
    session.delete(person);
    await rejects(session.commit(), StaleDataError);
    await session.rollback();
    await refresh(session, person);
    strictEqual(person.favoriteId, second.id);

    session.delete(person);
    await session.commit();
    deepStrictEqual(
      [stateOf(person).status, person.name, person.version],
      ["detached", "p", 8],
    );
  },
);

test(
  "orm 73: a load that a listener of the flush begins goes by what attributes hold now, those of the flush by the keys that rows have",
  async (session) => {
    const [a, b] = [new Country({ code: "a" }), new Country({ code: "b" })];
    session.addAll([a, b, new City({ code: "a" }), new City({ code: "a" })]);
    await session.commit();
    session.expungeAll();

    const country = (await session.get(Country, "a"))!;
    const city = (await session.get(City, 1))!;
    city.code = "b";
    country.code = "z";
    const heard: Promise<unknown>[] = [];
    const end = listenToSession(session, "beforeFlush", () => {
      heard.push(city.country.load());
    });
    await session.commit();
    end();
    const [publicly] = await Promise.all(heard);
    strictEqual((publicly as Country).code, "b");

    // The other city was found by "a", which is gone from memory.
    session.expungeAll();
    const cities = await session.scalars(select(City).orderBy(City.c.id));
    deepStrictEqual(cities.map(({ code }) => code), ["b", "z"]);
  },
);

test(
  "orm 74: a flush and the cascade of a deletion load what raiseload() forbids the program to load",
  async (session, database) => {
    session.add(
      new Author({
        name: "ed",
        books: ["a", "b"].map((title) =>
          new Book({ title, tags: [new Tag({ label: title })] })
        ),
      }),
    );
    await session.commit();
    session.expungeAll();
    const [ed] = await session.scalars(
      select(Author).options(raiseload("*")),
    );
    await rejects(ed!.books.load(), NotLoadedError);

    // What replaces members must know them.
    ed!.books.set([new Book({ title: "c" })]);
    await session.commit();
    const titles = async () => [
      ...await database.engine.execute(select(Book.table.c.title)),
    ];
    deepStrictEqual(await titles(), ["c"]);

    session.expungeAll();
    const [again] = await session.scalars(
      select(Author).options(raiseload("*")),
    );
    session.delete(again!);
    await session.commit();
    deepStrictEqual(await titles(), []);
  },
  library,
);

test(
  "orm 88: delete-orphan on the many side wants singleParent; a second owner is refused, and the back-reference moves the object",
  async (session) => {
    class Loose extends Base.table("loose", {
      badgeId: integer().references("badges.id"),
      badge: () => manyToOne(Badge, { cascade: "all, delete-orphan" }),
      notes: () =>
        manyToMany(Note, {
          secondary: holderNotes,
          cascade: "all, delete-orphan",
        }),
    }) {}
    for (const use of [() => Loose.r.badge, () => Loose.r.notes]) {
      throws(
        use,
        (error) =>
          error instanceof MappingError && /singleParent/.test(error.message),
      );
    }

    const badge = new Badge({});
    const [one, two] = [new Holder({ badge }), new Holder({})];
    throws(() => two.badge.set(badge), StateError);
    throws(() => new Holder({ badge }), {
      message: /^Cannot put Badge into Holder\.badge: another Holder has it/,
    });
    strictEqual(await two.badge.load(), null);
    strictEqual(await badge.holder.load(), one);
    // The same owner may be told twice, and one that lost it has no say.
    one.badge.set(badge);
    badge.holder.set(two);
    deepStrictEqual(
      [await one.badge.load(), await two.badge.load()],
      [null, badge],
    );
    throws(() => one.badge.set(badge), StateError);
    two.badge.set(null);
    one.badge.set(badge);

    const note = new Note({ words: "w" });
    one.notes.add(note);
    one.notes.add(note);
    throws(() => two.notes.add(note), StateError);
    one.notes.remove(note);
    two.notes.add(note);

    // Owners that were loaded count as well.
    session.addAll([one, two]);
    await session.commit();
    session.expungeAll();
    const [first, second] = await session.scalars(
      select(Holder).orderBy(Holder.c.id),
    ) as unknown as [Holder, Holder];
    const held = (await first.badge.load())!;
    const [kept] = await second.notes.load();
    throws(() => second.badge.set(held), StateError);
    throws(() => first.notes.add(kept!), StateError);
    await session.commit();
    strictEqual((await session.scalars(select(Badge))).length, 1);
  },
);

test(
  "orm 112: an expired attribute of a detached object is a typed error, as are its relations",
  async (session) => {
    const one = await saved(session, new Author({ name: "ed" }));
    expire(one);
    session.expunge(one);
    strictEqual(stateOf(one).status, "detached");
    throws(
      () => one.name,
      (error) =>
        error instanceof NotLoadedError && error.code === "orm/not-loaded" &&
        error.entity === "Author" && error.attribute === "name",
    );
    strictEqual(one.id, 1);
    await rejects(one.books.load(), (error) => {
      ok(error instanceof StateError);
      match(error.message, /in no session; add it to one/);
      return true;
    });
    await rejects(refresh(session, one), StateError);
    // In a session again, the next read brings it back.
    session.add(one);
    strictEqual((await session.get(Author, 1))?.name, "ed");
    strictEqual(one.name, "ed");
  },
  library,
);

const workerd = await workerdWith("DB");
Deno.test.afterAll(() => workerd.dispose());

for (
  const [name, open] of [
    ["sqlite", () => sqliteDatabase()],
    ["D1", () => d1Database(workerd, "DB")],
  ] as const
) {
  Deno.test(`orm 150: an object that only gets or loses members keeps its version on ${name}`, async () => {
    await using database = await created(open(), metadata);
    await using session = new Session({ bind: database.engine });
    const ball = new Ball({});
    const person = await saved(
      session,
      new Person({ name: "p", balls: [ball] }),
    );
    database.reset();
    person.balls.add(new Ball({}));
    person.balls.remove(ball);
    await session.commit();
    deepStrictEqual(updates(database), ["ownerId"]);
    const read = () => database.engine.execute(select(Person.table.c.version));
    deepStrictEqual([person.version, [...await read()]], [1, [1]]);
    // A column of its own counts.
    person.name = "q";
    await session.commit();
    deepStrictEqual([person.version, [...await read()]], [2, [2]]);
  });

  Deno.test(`orm 151: an object that takes over a deleted one's row, and a postUpdate, count the version and check it on ${name}`, async () => {
    await using database = await created(open(), metadata);
    await using session = new Session({ bind: database.engine });
    const switched = async () => {
      const old = (await session.get(Person, 1))!;
      session.delete(old);
      const fresh = new Person({ id: 1, name: "new" });
      session.add(fresh);
      await session.commit();
      return fresh;
    };
    const version = async () => [
      ...await database.engine.execute(select(Person.table.c.version)),
    ];
    await saved(session, new Person({ id: 1, name: "old" }));
    const fresh = await switched();
    strictEqual(fresh.version, 2);
    deepStrictEqual(await version(), [2]);

    const ball = await saved(session, new Ball({}));
    fresh.favorite.set(ball);
    await session.commit();
    strictEqual(fresh.version, 3);
    deepStrictEqual(await version(), [3]);

    await database.engine.execute(sql`UPDATE persons SET version = 9`);
    await rejects(switched(), StaleDataError);
    await session.rollback();
    fresh.favorite.set(null);
    await rejects(session.commit(), StaleDataError);
    deepStrictEqual(await version(), [9]);
  });
}

import {
  deepStrictEqual,
  notStrictEqual,
  rejects,
  strictEqual,
} from "node:assert/strict";
import {
  Entity,
  historyOf,
  integer,
  isModified,
  manyToOne,
  merge,
  oneToMany,
  selectinload,
  Session,
  StaleDataError,
  StateError,
  stateOf,
  text,
  versionId,
} from "../../orm/mod.ts";
import { type Engine, MetaData, select } from "../../sql/mod.ts";
import {
  created,
  d1Database,
  sqliteDatabase,
  workerdWith,
} from "./databases.ts";

const workerd = await workerdWith("DB");
Deno.test.afterAll(() => workerd.dispose());

const metadata = new MetaData();
abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = metadata;
}
class User extends Base.table("users", {
  name: text().nullable(),
  motto: text().nullable(),
  addresses: () =>
    oneToMany(Address, {
      backPopulates: "user",
      cascade: "all, delete-orphan",
    }),
}) {}
class Address extends Base.table("addresses", {
  email: text(),
  userId: integer().references("users.id"),
  user: () => manyToOne(User, { backPopulates: "addresses" }),
}) {}
class Page extends Base.table("pages", {
  title: text(),
  version: versionId(),
}) {}
abstract class Place extends Entity.with({ hall: integer().primaryKey() }) {
  static override metadata = metadata;
}
class Seat extends Place.table("seats", {
  row: integer().primaryKey().nullable(),
  label: text(),
}) {}

/** The engine, and the trips since the rows were there. */
interface Given {
  readonly engine: Engine;
  trips(): number;
}
type Work = (session: Session, given: Given) => Promise<void>;
const warnings: string[] = [];
function test(name: string, work: Work): void {
  for (
    const [platform, open] of [
      ["sqlite", () => sqliteDatabase()],
      ["D1", () => d1Database(workerd, "DB")],
    ] as const
  ) {
    Deno.test(`${name} (${platform})`, async () => {
      await using database = await created(open(), metadata);
      const { engine } = database;
      await using session = new Session({
        bind: engine,
        warn: (message) => warnings.push(message),
      });
      session.add(
        new User({
          id: 1,
          name: "ed",
          motto: "onward",
          addresses: [
            new Address({ id: 1, email: "a" }),
            new Address({ id: 2, email: "b" }),
          ],
        }),
      );
      session.add(new Page({ id: 1, title: "one" }));
      await session.commit();
      session.expungeAll();
      const before = database.trips;
      await work(session, { engine, trips: () => database.trips - before });
    });
  }
}
const emails = ({ addresses }: User) =>
  addresses.load().then((loaded) => loaded.toArray().map(({ email }) => email));

test(
  "orm 119: merging what has no key makes a pending copy and sends nothing",
  async (session, { trips }) => {
    const given = new User({ name: "wendy" });

    const merged = await merge(session, given);

    notStrictEqual(merged, given);
    deepStrictEqual(session.new, [merged]);
    strictEqual(merged.name, "wendy");
    strictEqual(trips(), 0);
  },
);

test(
  "orm 120, 121: merging what has a key reads once, copies what was set, and leaves the given object outside",
  async (session, { trips }) => {
    const given = new User({ id: 1, name: "edward" });

    const merged = await merge(session, given);

    strictEqual(trips(), 1);
    deepStrictEqual([merged.name, merged.motto], ["edward", "onward"]);
    strictEqual(merged, await session.get(User, 1));
    strictEqual(stateOf(given).status, "transient");
    strictEqual(given.motto, undefined);
    await session.commit();
    session.expungeAll();
    strictEqual((await session.get(User, 1))?.name, "edward");
  },
);

test("merge() inserts what has a key that no row has", async (session) => {
  const merged = await merge(session, new User({ id: 7, name: "new" }));

  deepStrictEqual(session.new, [merged]);
  await session.commit();
  session.expungeAll();
  strictEqual((await session.get(User, 7))?.name, "new");
});

test(
  "orm 122: a merge follows its cascade and replaces collections, in one trip; an empty one that nobody set empties nothing",
  async (session, { trips }) => {
    const given = new User({
      id: 1,
      addresses: [
        new Address({ id: 2, email: "b2" }),
        new Address({ email: "c" }),
      ],
    });

    const merged = await merge(session, given);

    strictEqual(trips(), 1);
    deepStrictEqual(await emails(merged), ["b2", "c"]);
    await session.commit();
    session.expungeAll();
    const [row] = await session.scalars(
      select(User).options(selectinload(User.r.addresses)),
    );
    deepStrictEqual(await emails(row!), ["b2", "c"]);
    strictEqual(await session.get(Address, 1), null);

    const looked = new User({ id: 1, name: "looked at" });
    strictEqual((await looked.addresses.load()).length, 0);
    deepStrictEqual(await emails(await merge(session, looked)), ["b2", "c"]);
  },
);

test(
  "orm 122: a collection that was loaded elsewhere and emptied is emptied",
  async (session, { engine }) => {
    await using other = new Session({ bind: engine });
    const given = (await other.get(User, 1))!;
    await given.addresses.load();
    given.addresses.set([]);

    await merge(session, given);
    await session.commit();
    session.expungeAll();

    deepStrictEqual([...await session.scalars(select(Address))], []);
  },
);

test("orm 123: null that was set is copied", async (session) => {
  const merged = await merge(session, new User({ id: 1, motto: null }));

  strictEqual(merged.motto, null);
  strictEqual(merged.name, "ed");
});

test(
  "orm 124: merging what is pending here warns; two objects of one key become one",
  async (session, { trips }) => {
    const pending = new User({ name: "here" });
    session.add(pending);
    warnings.length = 0;
    strictEqual(await merge(session, pending), pending);
    deepStrictEqual(warnings, [
      "User is pending in this session already; merging it does nothing",
    ]);
    session.expunge(pending);

    const merged = await merge(
      session,
      new User({
        id: 9,
        addresses: [
          new Address({ id: 9, email: "x" }),
          new Address({ id: 9, email: "y" }),
        ],
      }),
    );
    deepStrictEqual(await emails(merged), ["y"]);
    strictEqual(session.new.length, 2);
    strictEqual(trips(), 1);
  },
);

test(
  "orm 125: merging without reading takes the given objects for what the database has",
  async (session, { engine, trips }) => {
    await using other = new Session({ bind: engine });
    const [given] = await other.scalars(
      select(User).options(selectinload(User.r.addresses)),
    );
    const present = await session.get(Address, 1);
    const before = trips();

    const merged = await merge(session, given!, { load: false });

    strictEqual(trips(), before);
    notStrictEqual(merged, given);
    strictEqual(await session.get(User, 1), merged);
    deepStrictEqual(await emails(merged), ["a", "b"]);
    strictEqual(merged.addresses.at(0), present);
    strictEqual(await merged.addresses.at(0)?.user.load(), merged);
    strictEqual(trips(), before);
    deepStrictEqual(session.dirty, []);
    deepStrictEqual(historyOf(merged, "name"), {
      added: [],
      unchanged: ["ed"],
      deleted: [],
    });
    await session.commit();
    strictEqual(trips(), before);

    given!.name = "changed";
    await rejects(
      () => merge(session, given!, { load: false }),
      (error) =>
        error instanceof StateError && /has changes/.test(error.message),
    );
    await rejects(
      () => merge(session, new User({ id: 1 }), { load: false }),
      (error) => error instanceof StateError && /no row/.test(error.message),
    );
    strictEqual(merged.name, "ed");
  },
);

test("orm 126: a version that was not set, or is that of the row, merges; another is stale", async (session) => {
  const free = await merge(session, new Page({ id: 1, title: "two" }));
  strictEqual(free.version, 1);
  await merge(session, new Page({ id: 1, title: "three", version: 1 }));
  const stale = new Page({ id: 1, title: "four", version: 4 });
  const isStale = (error: unknown) =>
    error instanceof StaleDataError && error.entity === "Page" &&
    error.primaryKey[0] === 1;

  await rejects(() => merge(session, stale), isStale);
  strictEqual(free.title, "three");
  await session.commit();
  session.expungeAll();
  await rejects(() => merge(session, stale), isStale);
});

test(
  "orm 127: a merge writes nothing first, and a key of several parts may be NULL in one of them",
  async (session, { trips }) => {
    session.add(new User({ name: "waiting" }));

    await merge(session, new User({ id: 1, name: "edward" }));

    strictEqual(trips(), 1);
    strictEqual(session.new.length, 1);
    const seat = await merge(
      session,
      new Seat({ hall: 1, row: null, label: "x" }),
    );
    strictEqual(trips(), 2);
    strictEqual(isModified(seat), false);
    deepStrictEqual(session.new.at(-1), seat);
  },
);

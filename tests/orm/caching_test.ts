import {
  deepStrictEqual,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import fc from "fast-check";
import { memory } from "../../backends/memory.ts";
import { sqlite } from "../../backends/sqlite.ts";
import {
  createRegion,
  type InvalidationStrategy,
  localInvalidation,
} from "../../cache/mod.ts";
import {
  followCommits,
  fromCache,
  invalidateQuery,
  invalidateTables,
  relationCache,
} from "../../orm/caching/mod.ts";
import { restoreRows, storeRows } from "../../orm/caching/stored_rows.ts";
import { WrittenRows } from "../../orm/caching/tags.ts";
import {
  aliased,
  type BindContext,
  bindsOf,
  bulkInsert,
  joinedload,
  joinTransaction,
  lazyload,
  noAutoflush,
  populateExisting,
  selectinload,
  Session,
  stateOf,
  withOptions,
} from "../../orm/mod.ts";
import {
  ConnectionError,
  count,
  createEngine,
  deleteFrom,
  type Engine,
  exists,
  insert,
  one,
  type Select,
  select,
  sql,
  type Statement,
  StatementError,
  type Table,
  TimeoutError,
  transaction,
  update,
  withForUpdate,
} from "../../sql/mod.ts";
import {
  Address,
  countedRegion,
  Employee,
  Manager,
  metadata,
  Sample,
  Tag,
  User,
} from "./caching_models.ts";
import {
  created,
  d1Database,
  neonDatabase,
  pgliteDatabase,
  sqliteDatabase,
  type TestDatabase,
  workerdWith,
} from "./databases.ts";
import { countingDriver } from "../sql/counting_driver.ts";

const workerd = await workerdWith("DB");
Deno.test.afterAll(() => workerd.dispose());

/** Runs a test on a database that holds transactions open, and on one that sends batches. */
function testOnEach(
  name: string,
  run: (database: TestDatabase) => Promise<void>,
): void {
  const databases = {
    sqlite: sqliteDatabase,
    D1: () => d1Database(workerd, "DB"),
  };
  for (const [kind, open] of Object.entries(databases)) {
    Deno.test(`${name} (${kind})`, async () => {
      await using database = await created(open(), metadata);
      await run(database);
    });
  }
}

/** What a session of its own does, as another request would. */
async function inSession<T>(
  { engine }: { readonly engine: Engine },
  work: (session: Session) => Promise<T>,
): Promise<T> {
  await using session = new Session({ bind: engine });
  return await work(session);
}

const namesOf = (database: TestDatabase, query: Select<User>) =>
  inSession(
    database,
    async (session) => (await session.scalars(query)).map(({ name }) => name),
  );

const addUser = (database: TestDatabase, name: string) =>
  inSession(database, async (session) => {
    const user = new User({ name });
    session.add(user);
    await session.commit();
    return user.id;
  });

testOnEach(
  "fromCache() answers a second session with one read of the cache and no trip",
  async (database) => {
    const { region, counter } = countedRegion();
    await addUser(database, "ed");
    const query = select(User).orderBy(User.c.id).options(fromCache(region));

    database.reset();
    counter.reset();
    deepStrictEqual(await namesOf(database, query), ["ed"]);
    strictEqual(database.trips, 1);
    deepStrictEqual(counter.counts.create, 1);

    database.reset();
    counter.reset();
    deepStrictEqual(await namesOf(database, query), ["ed"]);
    strictEqual(database.trips, 0);
    const { hit, read, decode, ...others } = counter.counts;
    deepStrictEqual([hit, read, decode], [1, 1, 1]);
    deepStrictEqual(Object.values(others).every((times) => times === 0), true);
  },
);

testOnEach(
  "fromCache() keeps rows, not objects: each session has its own, in its identity map",
  async (database) => {
    const region = createRegion({ name: "live" }).configure({
      backend: memory(),
    });
    const id = await addUser(database, "ed");
    const query = select(User).options(fromCache(region));
    await using first = new Session({ bind: database.engine });
    await using second = new Session({ bind: database.engine });
    const [one] = await first.scalars(query);
    const [other] = await second.scalars(query);
    ok(one && other && one !== other);
    strictEqual(await second.get(User, id), other);

    one.name = "changed in memory";
    strictEqual(other.name, "ed");
    deepStrictEqual(await namesOf(database, query), ["ed"]);
    // What a session changed stays, whatever the cache holds.
    const again = (asked: typeof query) =>
      noAutoflush(first, async () => (await first.scalars(asked))[0]);
    strictEqual(await again(query), one);
    strictEqual(one.name, "changed in memory");
    await again(query.options(populateExisting));
    strictEqual(one.name, "ed");
    strictEqual(first.dirty.length, 0);
  },
);

testOnEach(
  "fromCache() tells queries apart by statement, values and namespace",
  async (database) => {
    const { region, counter } = countedRegion();
    await addUser(database, "ed");
    await addUser(database, "wendy");
    const named = (name: string, namespace?: string) =>
      namesOf(
        database,
        select(User).where(User.c.name.eq(name)).options(
          fromCache(region, namespace === undefined ? {} : { namespace }),
        ),
      );
    counter.reset();
    deepStrictEqual(await named("ed"), ["ed"]);
    deepStrictEqual(await named("wendy"), ["wendy"]);
    deepStrictEqual(await named("ed", "tenant"), ["ed"]);
    deepStrictEqual(await named("ed"), ["ed"]);
    strictEqual(counter.counts.create, 3);
    strictEqual(counter.counts.hit, 1);
  },
);

Deno.test("fromCache() has short keys, whatever the query", async () => {
  const keys: string[] = [];
  await using database = await created(sqliteDatabase(), metadata);
  const { region } = countedRegion({
    trace: ({ keys: some }) => void keys.push(...some),
  });
  const ids = Array.from({ length: 5000 }, (_, i) => i);
  await namesOf(
    database,
    select(User).where(User.c.id.in(ids)).options(fromCache(region)),
  );
  ok(keys.length > 0);
  for (const key of keys) ok(/^query:[0-9a-f]{64}$/.test(key));
});

testOnEach(
  "fromCache() keeps what a query loads along: a hit brings the graph without a trip",
  async (database) => {
    const { region, counter } = countedRegion();
    await inSession(database, async (session) => {
      session.add(
        new User({
          name: "ed",
          addresses: [
            new Address({ email: "a" }),
            new Address({ email: "b" }),
          ],
          tags: [new Tag({ word: "x" })],
        }),
      );
      await session.commit();
    });
    // The option stands where it likes.
    const first = select(User).options(
      fromCache(region),
      selectinload(User.r.addresses, joinedload(Address.r.user)),
      selectinload(User.r.tags),
    );
    const last = select(User).options(
      joinedload(User.r.addresses),
      selectinload(User.r.tags),
      fromCache(region),
    );
    const look = (query: typeof first | typeof last) =>
      inSession(database, async (session) => {
        const [user] = await session.scalars(query);
        return {
          emails: user?.addresses.toArray().map(({ email }) => email).sort(),
          tags: user?.tags.toArray().map(({ word }) => word),
        };
      });
    const expected = { emails: ["a", "b"], tags: ["x"] };
    for (const query of [first, last]) {
      database.reset();
      deepStrictEqual(await look(query), expected);
      strictEqual(database.trips, database.name === "D1" ? 1 : database.trips);
      database.reset();
      counter.reset();
      deepStrictEqual(await look(query), expected);
      strictEqual(database.trips, 0);
      strictEqual(counter.counts.read, 1);
    }
  },
);

testOnEach(
  "a commit invalidates what was cached from what it wrote, and no more",
  async (database) => {
    const { region, counter } = countedRegion();
    await addUser(database, "ed");
    const users = select(User).orderBy(User.c.id).options(fromCache(region));
    const tags = select(Tag).options(fromCache(region));
    const words = () =>
      inSession(
        database,
        async (session) =>
          (await session.scalars(tags)).map(({ word }) => word),
      );
    await namesOf(database, users);
    await words();

    await inSession(database, async (session) => {
      // The same session, before and after its own write.
      const [ed] = await session.scalars(users);
      ed!.name = "edward";
      await session.commit();
      database.reset();
      counter.reset();
      const again = await session.scalars(users.options(populateExisting));
      deepStrictEqual(again.map(({ name }) => name), ["edward"]);
      strictEqual(database.trips, 1);
    });
    strictEqual(counter.counts.invalidate, 0);
    database.reset();
    deepStrictEqual(await namesOf(database, users), ["edward"]);
    deepStrictEqual(await words(), []);
    strictEqual(database.trips, 0);
  },
);

testOnEach("a commit that fails invalidates nothing", async (database) => {
  const { region, counter } = countedRegion();
  const id = await addUser(database, "ed");
  const query = select(User).options(fromCache(region));
  await namesOf(database, query);
  counter.reset();
  await inSession(database, async (session) => {
    const ed = await session.get(User, id);
    await addToVersion(database, id);
    ed!.name = "too late";
    await rejects(session.commit(), { code: "orm/stale" });
    await session.rollback();
    await session.commit();
  });
  strictEqual(counter.counts.invalidate, 0);
  database.reset();
  deepStrictEqual(await namesOf(database, query), ["ed"]);
  strictEqual(database.trips, 0);
});

/** Another writer, whom no session hears of. */
const addToVersion = (database: TestDatabase, id: number) =>
  database.other().execute(
    update(User.table).set({ version: 2 })
      .where(User.table.c.id.eq(id)),
  );

testOnEach(
  "a query of one row is invalidated by writes to that row alone",
  async (database) => {
    const { region } = countedRegion();
    const [ed, wendy] = [
      await addUser(database, "ed"),
      await addUser(database, "wendy"),
    ];
    const one = (id: number) =>
      select(User).where(User.c.id.eq(id)).options(fromCache(region));
    const missing = wendy + 1;
    for (const id of [ed, wendy, missing]) await namesOf(database, one(id));

    await inSession(database, async (session) => {
      (await session.get(User, ed))!.name = "edward";
      await session.commit();
    });
    database.reset();
    deepStrictEqual(await namesOf(database, one(wendy)), ["wendy"]);
    deepStrictEqual(await namesOf(database, one(missing)), []);
    strictEqual(database.trips, 0);
    deepStrictEqual(await namesOf(database, one(ed)), ["edward"]);
    strictEqual(database.trips, 1);

    // A key that the database makes is one as well.
    strictEqual(await addUser(database, "mary"), missing);
    deepStrictEqual(await namesOf(database, one(missing)), ["mary"]);
    database.reset();
    deepStrictEqual(await namesOf(database, one(ed)), ["edward"]);
    strictEqual(database.trips, 0);

    await inSession(database, async (session) => {
      session.delete((await session.get(User, ed))!);
      await session.commit();
    });
    deepStrictEqual(await namesOf(database, one(ed)), []);
    database.reset();
    deepStrictEqual(await namesOf(database, one(wendy)), ["wendy"]);
    strictEqual(database.trips, 0);
  },
);

testOnEach(
  "a query of one row that sees more than that row is invalidated by the tables that it sees",
  async (database) => {
    const { region } = countedRegion();
    const id = await addUser(database, "ed");
    const row = select(User).where(User.c.id.eq(id));
    const queries = [
      row.join(User.r.addresses),
      row.where(exists(select(Address.c.id))),
      row.where(User.c.id.in(select(Address.c.userId))),
    ].map((query) => query.options(fromCache(region)));
    for (const query of queries) {
      deepStrictEqual(await namesOf(database, query), []);
    }
    await inSession(database, async (session) => {
      session.add(new Address({ email: "e", userId: id }));
      await session.commit();
    });
    for (const query of queries) {
      deepStrictEqual(await namesOf(database, query), ["ed"]);
    }

    // Another row of the same table.
    const other = aliased(User);
    const same = row.where(
      exists(select(other.c.id).where(other.c.name.eq("wendy"))),
    ).options(fromCache(region));
    deepStrictEqual(await namesOf(database, same), []);
    await addUser(database, "wendy");
    deepStrictEqual(await namesOf(database, same), ["ed"]);
  },
);

testOnEach(
  "a row whose key changes is gone under the old one and there under the new one",
  async (database) => {
    const { region } = countedRegion();
    const id = await inSession(database, async (session) => {
      const tag = new Tag({ word: "x" });
      session.add(tag);
      await session.commit();
      return tag.id;
    });
    const found = (key: number) =>
      inSession(database, async (session) =>
        (await session.scalars(
          select(Tag).where(Tag.c.id.eq(key)).options(fromCache(region)),
        )).length);
    deepStrictEqual([await found(id), await found(id + 7)], [1, 0]);
    await inSession(database, async (session) => {
      (await session.get(Tag, id))!.id = id + 7;
      await session.commit();
    });
    deepStrictEqual([await found(id), await found(id + 7)], [0, 1]);
  },
);

testOnEach(
  "many rows written at once invalidate every query of one row",
  async (database) => {
    const tags: string[] = [];
    const { region } = countedRegion({
      trace: ({ type, keys }) => {
        if (type === "invalidate") tags.push(...keys);
      },
    });
    const id = await addUser(database, "ed");
    const query = select(User).where(User.c.id.eq(id)).options(
      fromCache(region),
    );
    await namesOf(database, query);
    await inSession(database, async (session) => {
      const ed = await session.get(User, id);
      for (let i = 0; i < 30; i++) session.add(new User({ name: `user ${i}` }));
      ed!.name = "edward";
      await session.commit();
    });
    // Each tag may be a write of a store.
    deepStrictEqual(tags, ["users", "users:*"]);
    deepStrictEqual(await namesOf(database, query), ["edward"]);
  },
);

testOnEach(
  "what the database deletes by itself is invalid too",
  async (database) => {
    const { region } = countedRegion();
    const id = await inSession(database, async (session) => {
      const user = new User({
        name: "ed",
        addresses: [new Address({ email: "a" })],
        tags: [new Tag({ word: "x" })],
      });
      session.add(user);
      await session.commit();
      return user.id;
    });
    const addresses = select({ n: count(Address.c.id) }).options(
      fromCache(region),
    );
    const tagged = select({ n: count(User.c.id) }).join(User.r.tags).options(
      fromCache(region),
    );
    const counts = () =>
      inSession(database, async (session) => [
        one(await session.scalars(addresses)).n,
        one(await session.scalars(tagged)).n,
      ]);
    deepStrictEqual(await counts(), [1, 1]);
    await inSession(database, async (session) => {
      session.delete((await session.get(User, id))!);
      await session.commit();
    });
    deepStrictEqual(await counts(), [0, 0]);

    // By a statement of the program's own as well.
    await inSession(database, async (session) => {
      session.add(
        new User({ name: "ed", addresses: [new Address({ email: "a" })] }),
      );
      await session.commit();
    });
    deepStrictEqual(await counts(), [1, 0]);
    await inSession(database, (session) => session.execute(deleteFrom(User)));
    deepStrictEqual(await counts(), [0, 0]);
  },
);

testOnEach(
  "a pair of a many-to-many relation invalidates what was cached through it",
  async (database) => {
    const { region } = countedRegion();
    const ids = await inSession(database, async (session) => {
      const [user, tag] = [new User({ name: "ed" }), new Tag({ word: "x" })];
      session.addAll([user, tag]);
      await session.commit();
      return [user.id, tag.id];
    });
    const query = select(User).options(
      selectinload(User.r.tags),
      fromCache(region),
    );
    const words = () =>
      inSession(
        database,
        async (session) =>
          (await session.scalars(query)).flatMap(({ tags }) =>
            tags.toArray().map(({ word }) => word)
          ),
      );
    deepStrictEqual(await words(), []);
    await inSession(database, async (session) => {
      const [user, tag] = [
        await session.get(User, ids[0]),
        await session.get(Tag, ids[1]),
      ];
      await user!.tags.load();
      user!.tags.add(tag!);
      await session.commit();
    });
    deepStrictEqual(await words(), ["x"]);
  },
);

testOnEach(
  "DML sent by hand through the session invalidates its tables, and only those",
  async (database) => {
    const { region } = countedRegion();
    const id = await addUser(database, "ed");
    const all = select(User).options(fromCache(region));
    const query = select(User).where(User.c.id.eq(id)).options(
      fromCache(region),
    );
    const tags = select({ n: count(Tag.c.id) }).options(fromCache(region));
    const look = async () => [
      await namesOf(database, all),
      await namesOf(database, query),
      await inSession(
        database,
        async (session) => one(await session.scalars(tags)).n,
      ),
    ];
    deepStrictEqual(await look(), [["ed"], ["ed"], 0]);

    await inSession(database, (session) =>
      session.execute(
        update(User).set({ name: "edward" }).where(User.c.name.eq("ed")),
      ));
    database.reset();
    deepStrictEqual(await look(), [["edward"], ["edward"], 0]);
    strictEqual(database.trips, 2);

    await inSession(
      database,
      (session) => bulkInsert(session, Tag, [{ word: "x" }]),
    );
    database.reset();
    deepStrictEqual(await look(), [["edward"], ["edward"], 1]);
    strictEqual(database.trips, 1);

    await inSession(database, (session) =>
      session.execute(
        sql`UPDATE ${User.table} SET name = ${"eddie"}`,
      ));
    deepStrictEqual(await look(), [["eddie"], ["eddie"], 1]);

    await inSession(database, async (session) => {
      await rejects(session.execute(
        update(User).set({ id: sql`no_such_function()` as never }),
      ));
    });
    database.reset();
    await look();
    strictEqual(database.trips, 0);

    await inSession(
      database,
      (session) => session.execute(deleteFrom(User).where(User.c.id.eq(id))),
    );
    deepStrictEqual(await look(), [[], [], 1]);
  },
);

testOnEach(
  "a query beside a write of the same batch goes around the cache",
  async (database) => {
    const { region } = countedRegion();
    await addUser(database, "ed");
    const query = select(User).options(fromCache(region));
    await namesOf(database, query);
    await inSession(database, async (session) => {
      const [, users] = await session.batch(
        update(User).set({ name: "edward" }),
        query,
      );
      deepStrictEqual(users.map(({ name }) => name), ["edward"]);
    });
    deepStrictEqual(await namesOf(database, query), ["edward"]);
  },
);

Deno.test("a session that holds a transaction in which it wrote goes around the cache, and others see it at the commit", async () => {
  await using database = await created(sqliteDatabase(), metadata);
  const { region, counter } = countedRegion();
  await addUser(database, "ed");
  const query = select(User).orderBy(User.c.id).options(fromCache(region));
  await namesOf(database, query);
  counter.reset();
  await inSession(database, async (other) => {
    other.add(new Tag({ word: "x" }));
    await other.commit();
  });
  const words = select(Tag).where(Tag.c.id.eq(1)).options(fromCache(region));
  const word = () =>
    inSession(database, async (other) => one(await other.scalars(words)).word);
  strictEqual(await word(), "x");
  counter.reset();
  await using session = new Session({ bind: database.engine });
  const users = () =>
    session.scalars(query).then((all) => all.map((u) => u.name));

  session.add(new User({ name: "wendy" }));
  // The query flushes first, and sees it.
  deepStrictEqual(await users(), ["ed", "wendy"]);
  const nested = await session.beginNested();
  session.add(new User({ name: "mary" }));
  deepStrictEqual(await users(), ["ed", "wendy", "mary"]);
  await nested.commit();
  await session.execute(update(Tag).set({ word: "y" }));
  strictEqual(await word(), "x");
  strictEqual(counter.counts.read, 1);
  strictEqual(counter.counts.invalidate, 0);
  await session.commit();
  strictEqual(counter.counts.invalidate, 1);
  deepStrictEqual(await namesOf(database, query), ["ed", "wendy", "mary"]);
  strictEqual(await word(), "y");

  // What is rolled back was never there.
  counter.reset();
  session.add(new User({ name: "nobody" }));
  await session.flush();
  await session.rollback();
  session.add(new Tag({ word: "x" }));
  await session.commit();
  database.reset();
  await namesOf(database, query);
  strictEqual(database.trips, 0);
  strictEqual(counter.counts.invalidate, 1);
});

testOnEach(
  "optimistic() reads past the cache, so that trying again helps",
  async (database) => {
    const { region, counter } = countedRegion();
    const id = await addUser(database, "ed");
    const query = select(User).options(fromCache(region));
    await namesOf(database, query);
    await addToVersion(database, id);
    await using session = new Session({ bind: database.engine });
    let runs = 0;
    counter.reset();
    await session.optimistic(async (one) => {
      runs++;
      const [ed] = await one.scalars(query);
      ed!.name = "edward";
    });
    strictEqual(runs, 1);
    strictEqual(counter.counts.hit, 0);
    deepStrictEqual(await namesOf(database, query), ["edward"]);
  },
);

testOnEach(
  "optimistic() invalidates what it wrote, not what it only read",
  async (database) => {
    const { region } = countedRegion();
    await addUser(database, "ed");
    await inSession(database, async (session) => {
      session.add(new Tag({ word: "x" }));
      await session.commit();
    });
    const tags = select(Tag).options(fromCache(region));
    const users = select(User).options(fromCache(region));
    const look = () =>
      inSession(database, async (session) => {
        await session.scalars(tags);
        await session.scalars(users);
      });
    await look();
    await using session = new Session({ bind: database.engine });
    await session.optimistic(async (own) => {
      await own.scalars(select(Tag));
      one(await own.scalars(select(User))).name = "edward";
    });
    database.reset();
    await look();
    strictEqual(database.trips, 1);
  },
);

testOnEach(
  "concurrent misses of many sessions are one query",
  async (database) => {
    const { region, counter } = countedRegion();
    await addUser(database, "ed");
    const query = select(User).options(
      selectinload(User.r.addresses),
      fromCache(region),
    );
    database.reset();
    counter.reset();
    const all = await Promise.all(
      Array.from({ length: 10 }, () =>
        inSession(
          database,
          async (session) => (await session.scalars(query)).map((u) => u.name),
        )),
    );
    deepStrictEqual(all, Array(10).fill(["ed"]));
    strictEqual(counter.counts.create, 1);
    strictEqual(database.log.flat().length, 2);
  },
);

testOnEach(
  "relationCache() and lazyload() answer later loads from the cache",
  async (database) => {
    const { region, counter } = countedRegion();
    const id = await inSession(database, async (session) => {
      const user = new User({
        name: "ed",
        addresses: [new Address({ email: "a" })],
      });
      session.add(user);
      await session.commit();
      return user.id;
    });
    for (
      const option of [
        relationCache(User.r.addresses, region),
        lazyload(User.r.addresses, fromCache(region)),
      ]
    ) {
      const emails = () =>
        inSession(database, async (session) => {
          const user = one(await session.scalars(select(User).options(option)));
          return (await user.addresses.load()).toArray().map((a) => a.email);
        });
      await emails();
      database.reset();
      counter.reset();
      deepStrictEqual(await emails(), ["a"]);
      strictEqual(database.trips, 1);
      strictEqual(counter.counts.hit, 1);
    }
    await inSession(database, async (session) => {
      session.add(new Address({ email: "b", userId: id }));
      await session.commit();
    });
    await inSession(database, async (session) => {
      const user = one(
        await session.scalars(
          select(User).options(relationCache(User.r.addresses, region)),
        ),
      );
      strictEqual((await user.addresses.load()).toArray().length, 2);
    });
  },
);

testOnEach(
  "objects of classes that inherit come back as what they are",
  async (database) => {
    const { region } = countedRegion();
    const id = await inSession(database, async (session) => {
      const boss = new Manager({ name: "boss", level: 3 });
      session.addAll([new Employee({ name: "ed" }), boss]);
      await session.commit();
      return boss.id;
    });
    const staff = select(Employee).orderBy(Employee.c.id).options(
      fromCache(region),
    );
    const bosses = select(Manager).options(fromCache(region));
    const look = () =>
      inSession(database, async (session) => [
        (await session.scalars(bosses)).map(({ level }) => level),
        (await session.scalars(staff)).map((one) => one.constructor.name),
      ]);
    const expected = [[3], ["Employee", "Manager"]];
    deepStrictEqual(await look(), expected);
    database.reset();
    deepStrictEqual(await look(), expected);
    strictEqual(database.trips, 0);
    await inSession(database, async (session) => {
      (await session.get(Manager, id))!.level = 4;
      await session.commit();
    });
    deepStrictEqual((await look())[0], [4]);
  },
);

const DATABASES: Readonly<
  Record<string, () => TestDatabase | Promise<TestDatabase>>
> = {
  sqlite: sqliteDatabase,
  D1: () => d1Database(workerd, "DB"),
  PGlite: pgliteDatabase,
  Neon: () => neonDatabase(),
};

for (const [kind, open] of Object.entries(DATABASES)) {
  Deno.test(`values of every type come back as the database gave them (${kind})`, async () => {
    await using database = await created(await open(), metadata);
    await inSession(database, async (session) => {
      session.add(
        new Sample({
          truth: true,
          large: 9007199254740993n,
          exact: "12345678901234567890.0123456789",
          wide: 1e300,
          bytes: new Uint8Array([0, 255, 128, 124]),
          at: new Date("2026-01-02T03:04:05.678Z"),
          data: {
            list: [1, "two", null, { deep: true }],
            text: "\ud83d\ude00|",
          },
        }),
      );
      await session.commit();
    });
    const { region, counter } = countedRegion();
    const objects = select(Sample);
    const columns = select(
      Sample.c.large,
      Sample.c.bytes,
      Sample.c.at,
      count(Sample.c.id),
    ).groupBy(Sample.c.large, Sample.c.bytes, Sample.c.at);
    const byHand =
      sql`SELECT id, truth, exact, wide, bytes, at, data FROM ${Sample.table}`;
    const queries: Statement<unknown>[] = [objects, columns, byHand];
    for (const query of queries) {
      const look = (cached: boolean): Promise<unknown[]> =>
        inSession(database, async (session) =>
          (await session.execute(
            cached ? withOptions(query, fromCache(region)) : query,
          )).map((row) =>
            row instanceof Sample
              ? { ...row, snapshot: stateOf(row).committed }
              : row
          ));
      const plain = await look(false);
      strictEqual(plain.length, 1);
      deepStrictEqual(await look(true), plain);
      database.reset();
      counter.reset();
      deepStrictEqual(await look(true), plain);
      strictEqual(database.trips, 0);
      strictEqual(counter.counts.hit, 1);
    }
  });
}

Deno.test("numbers that JSON has no word for come back from SQLite", async () => {
  await using database = await created(sqliteDatabase(), metadata);
  const { region } = countedRegion();
  const query = withOptions(
    sql`SELECT 9e999 AS more, -9e999 AS less, 0.5 AS half, NULL AS nil`,
    fromCache(region),
  );
  const look = () =>
    inSession(database, async (session) => one(await session.scalars(query)));
  await look();
  deepStrictEqual(await look(), {
    more: Infinity,
    less: -Infinity,
    half: 0.5,
    nil: null,
  });
});

Deno.test("rows that are stored are plain data, and come back as they were, in lists of their own", () => {
  const read = {
    statement: sql`SELECT`,
    prepared: { sql: "", params: [], columns: [] },
  };
  const value = fc.oneof(
    fc.constant(null),
    fc.boolean(),
    fc.string({ unit: "binary" }),
    fc.double(),
    fc.bigInt(),
    fc.date({ noInvalidDate: false }),
    fc.uint8Array(),
    fc.uint8Array().map((bytes) => bytes.slice().buffer),
    fc.array(fc.nat(255)),
    fc.dictionary(fc.string(), fc.jsonValue({ noUnicodeString: false })).map(
      (one) => JSON.parse(JSON.stringify(one)),
    ),
  );
  fc.assert(
    fc.property(
      fc.array(fc.array(value)),
      fc.option(fc.nat(), { nil: undefined }),
      (rows, changes) => {
        const result = {
          columns: ["a", "b"],
          rows,
          ...changes !== undefined && { changes },
        };
        const stored = storeRows(read, result);
        deepStrictEqual(
          restoreRows(JSON.parse(JSON.stringify(stored))),
          result,
        );
        const own = restoreRows(stored);
        rows.forEach((row, i) => {
          ok(own.rows[i] !== row);
          row.forEach((one, j) => {
            const isObject = typeof one === "object" && one !== null;
            ok(!isObject || own.rows[i]![j] !== one);
          });
        });
      },
    ),
    { examples: [[[[-0, NaN, Infinity, -Infinity]], undefined]] },
  );
  throws(() => storeRows(read, { columns: ["a"], rows: [[new Map()]] }), {
    code: "orm/not-cacheable",
    message:
      "Cannot cache the rows of a query: one holds a Map, which is no value of a database; select it in another form",
  });
});

Deno.test("fromCache() refuses what writes or locks, and sends nothing", async () => {
  await using database = await created(sqliteDatabase(), metadata);
  const { region } = countedRegion();
  await using session = new Session({ bind: database.engine });
  for (
    const statement of [
      withOptions(update(User).set({ name: "x" }), fromCache(region)),
      withForUpdate(select(User)).options(fromCache(region)),
    ]
  ) {
    await rejects(session.execute(statement), {
      code: "orm/not-cacheable",
      name: "QueryCacheError",
    });
  }
  strictEqual(database.trips, 0);
  throws(() => fromCache(region).plan(update(User).set({}), session), {
    message:
      "Cannot answer the update from a cache: it writes rows; leave out fromCache()",
  });
});

testOnEach(
  "invalidateQuery() and invalidateTables() forget by hand",
  async (database) => {
    const { region } = countedRegion();
    const id = await addUser(database, "ed");
    const all = select(User).options(
      selectinload(User.r.addresses),
      fromCache(region, { namespace: "n" }),
    );
    const one = select(User).where(User.c.id.eq(id)).options(fromCache(region));
    const look = async () => {
      database.reset();
      await inSession(database, (session) => session.scalars(all));
      await inSession(database, (session) => session.scalars(one));
      return database.log.flat().length;
    };
    strictEqual(await look(), 3);
    strictEqual(await look(), 0);
    await inSession(database, (session) => invalidateQuery(session, all));
    strictEqual(await look(), 2);
    await invalidateTables(region, User);
    strictEqual(await look(), 3);
    await invalidateTables(region, Address.table);
    strictEqual(await look(), 2);
    await region.invalidate();
    strictEqual(await look(), 3);
  },
);

testOnEach(
  "values that the program cached itself follow commits by the names of tables",
  async (database) => {
    const { region } = countedRegion();
    const page = () =>
      region.getOrCreate(
        "page",
        async () =>
          (await namesOf(database, select(User).options(fromCache(region))))
            .join(),
        { tags: ["users"] },
      );
    await addUser(database, "ed");
    strictEqual(await page(), "ed");
    await addUser(database, "wendy");
    strictEqual(await page(), "ed,wendy");
  },
);

/** Two engines of which one lags, behind a router as in the design. */
async function lagging() {
  const made = (name: string) => {
    const driver = countingDriver(sqlite(":memory:"));
    return { driver, engine: createEngine(driver, { name }) };
  };
  const [leader, follower] = [made("leader"), made("follower")];
  for (const { engine } of [leader, follower]) await metadata.createAll(engine);
  class Router extends Session {
    override getBind({ flushing }: BindContext): Engine {
      return flushing ? leader.engine : follower.engine;
    }
  }
  return { leader, follower, Router };
}

Deno.test("rows are read where writes go: a replica that lags is not cached", async () => {
  const { leader, follower, Router } = await lagging();
  const { region } = countedRegion();
  const query = select(User).options(fromCache(region));
  await using session = new Router();
  session.add(new User({ name: "ed" }));
  await session.commit();
  const [ed] = await session.scalars(query);
  strictEqual(ed?.name, "ed");
  await using other = new Router();
  strictEqual((await other.scalars(query))[0]?.name, "ed");
  strictEqual(
    leader.driver.trips.flat().filter((t) => /^SELECT/.test(t)).length,
    1,
  );
  // Unless a session is pinned: then it has an entry of its own.
  const pinned = new Router().usingBind(follower.engine);
  deepStrictEqual([...await pinned.scalars(query)], []);
  await leader.engine.close();
  await follower.engine.close();
});

/** An engine whose writes can be made to fail. */
async function failing(name: string, capabilities: object = {}) {
  const plain = sqlite(":memory:");
  const driver = countingDriver({
    ...plain,
    capabilities: { ...plain.capabilities, ...capabilities },
  });
  const engine = createEngine(driver, { name });
  await metadata.createAll(engine);
  return { driver, engine, [Symbol.asyncDispose]: () => engine.close() };
}

const isInsert = (texts: readonly string[]) =>
  texts.some((text) => /^INSERT/.test(text));

Deno.test("a commit whose answer was lost invalidates what it may have written; one that was refused does not", async () => {
  const { region, counter } = countedRegion();
  fromCache(region);
  const errors = [
    [new ConnectionError("sql/connection", "Cannot reach the database"), 1],
    [new TimeoutError("sql/timeout", "Cannot wait for the database"), 1],
    [new StatementError("sql/statement", "Cannot run the statement"), 0],
  ] as const;
  for (const [error, times] of errors) {
    await using database = await failing("one");
    const missing = select(User).where(User.c.id.eq(1)).options(
      fromCache(region, { namespace: error.code }),
    );
    const found = () =>
      inSession(database, async (one) => (await one.scalars(missing)).length);
    strictEqual(await found(), 0);
    database.driver.failure = (texts) => isInsert(texts) ? error : undefined;
    await using session = new Session({ bind: database.engine });
    counter.reset();
    session.add(new User({ name: "ed" }));
    await rejects(session.commit(), { code: error.code });
    strictEqual(counter.counts.invalidate, times);
    await session.rollback();
    // As if it had been written after all.
    database.driver.failure = () => undefined;
    await database.engine.execute(
      insert(User.table).values({ name: "ed", version: 1 }),
    );
    strictEqual(await found(), times);
    database.driver.failure = (texts) => isInsert(texts) ? error : undefined;
    counter.reset();
    await rejects(session.execute(insert(User).values({ name: "ed" })), {
      code: error.code,
    });
    strictEqual(counter.counts.invalidate, times);
  }
});

Deno.test("a commit that was done in part invalidates what it wrote", async () => {
  const { region } = countedRegion();
  const inBatches = { interactiveTransactions: false };
  await using first = await failing("first", inBatches);
  await using second = await failing("second", inBatches);
  const binds = bindsOf(
    new Map<typeof User | typeof Tag, Engine>([
      [User, first.engine],
      [Tag, second.engine],
    ]),
  );
  await using session = new Session({ binds });
  const users = select(User).options(fromCache(region));
  const tags = select(Tag).options(fromCache(region));
  const found = async () => {
    await using other = new Session({ binds });
    const [some, more] = await other.batch(users, tags);
    return some.length + more.length;
  };
  strictEqual(await found(), 0);
  session.add(new User({ name: "ed" }));
  session.add(new Tag({ word: "x" }));
  let inserts = 0;
  // Whichever engine is the second one fails.
  for (const { driver } of [first, second]) {
    driver.failure = (texts) =>
      isInsert(texts) && ++inserts === 2
        ? new StatementError("sql/statement", "Cannot run the statement")
        : undefined;
  }
  await rejects(session.commit(), { code: "orm/partial-commit" });
  strictEqual(await found(), 1);
});

Deno.test("a session inside of a transaction that others end goes around the cache: nobody else is to see what it sees", async () => {
  await using database = await created(sqliteDatabase(), metadata);
  const { region, counter } = countedRegion();
  await addUser(database, "ed");
  const query = select(User).orderBy(User.c.id).options(fromCache(region));
  deepStrictEqual(await namesOf(database, query), ["ed"]);
  await transaction(database.engine, async (open) => {
    await using session = new Session({ bind: joinTransaction(open) });
    await open.execute(
      insert(User.table).values({ name: "wendy", version: 1 }),
    );
    counter.reset();
    const users = await session.scalars(query);
    deepStrictEqual(users.map(({ name }) => name), ["ed", "wendy"]);
    strictEqual(counter.counts.read, 0);
    await open.rollback();
  });
  deepStrictEqual(await namesOf(database, query), ["ed"]);
});

Deno.test("a commit need not wait for the store of the region's invalidation; this isolate knows at once", async () => {
  await using database = await created(sqliteDatabase(), metadata);
  const local = localInvalidation();
  const store = Promise.withResolvers<void>();
  const { region } = countedRegion({
    invalidation: {
      ...local,
      async invalidate(...told) {
        await local.invalidate(...told);
        await store.promise;
      },
    },
  });
  strictEqual(followCommits(region, { inBackground: true }), region);
  const query = select(User).options(fromCache(region));
  deepStrictEqual(await namesOf(database, query), []);
  await addUser(database, "ed");
  deepStrictEqual(await namesOf(database, query), ["ed"]);

  followCommits(region, {});
  let isDone = false;
  const added = addUser(database, "wendy").then(() => isDone = true);
  await new Promise((done) => setTimeout(done, 5));
  strictEqual(isDone, false);
  store.resolve();
  await added;
  strictEqual(isDone, true);
});

Deno.test("byRow: false has one tag for each table, for queries and for writes", async () => {
  await using database = await created(sqliteDatabase(), metadata);
  const tags: string[] = [];
  const { region } = countedRegion({
    trace: ({ type, keys }) => {
      if (type === "invalidate") tags.push(...keys);
    },
  });
  followCommits(region, { byRow: false });
  const id = await addUser(database, "ed");
  const one = select(User).where(User.c.id.eq(id)).options(fromCache(region));
  deepStrictEqual(await namesOf(database, one), ["ed"]);
  await addUser(database, "wendy");
  await inSession(database, (session) =>
    session.execute(
      update(User).set({ name: "edward" }).where(User.c.id.eq(id)),
    ));
  deepStrictEqual(await namesOf(database, one), ["edward"]);
  deepStrictEqual(tags, ["users", "users", "users"]);
});

Deno.test("rows are told apart as long as a region can remember them all", () => {
  const tagsFor = (table: Table, ...keys: number[]) => {
    const rows = new WrittenRows();
    for (const key of keys) rows.add(table, "update", [key]);
    return rows.tags(true);
  };
  const [users, tags] = [User.table, Tag.table];
  deepStrictEqual(tagsFor(users, 1, 2), ["users", "users:1", "users:2"]);
  for (let key = 0; key < 12_000; key++) tagsFor(users, key);
  deepStrictEqual(tagsFor(users, 1, 2), ["users", "users:1", "users:2"]);
  deepStrictEqual(tagsFor(users, 1, 11_999), ["users", "users:*"]);
  deepStrictEqual(tagsFor(tags, -1), ["tags", "tags:*"]);
});

Deno.test("a region that cannot be told of a write is warned of; the commit stands", async () => {
  await using database = await created(sqliteDatabase(), metadata);
  const broken: InvalidationStrategy = {
    bound: () => 0,
    invalidate: () => Promise.reject(new Error("no store")),
  };
  const { region } = countedRegion({ name: "broken", invalidation: broken });
  fromCache(region);
  const warnings: string[] = [];
  await using session = new Session({
    bind: database.engine,
    warn: (message) => void warnings.push(message),
  });
  session.add(new User({ name: "ed" }));
  await session.commit();
  strictEqual((await session.scalars(select(User))).length, 1);
  strictEqual(warnings.length, 1);
  ok(
    warnings[0]?.startsWith(
      'Cannot invalidate what region "broken" keeps of "users"',
    ),
  );
  ok(warnings[0]?.includes("no store"));
});

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { memory } from "../../backends/memory.ts";
import { createRegion } from "../../cache/mod.ts";
import {
  type BindContext,
  deferred,
  Entity,
  type ExecuteContext,
  expire,
  integer,
  joinOn,
  listenToSession,
  loadColumns,
  manyToOne,
  merge,
  oneToMany,
  PartialCommitError,
  SessionError,
  setShardId,
  ShardedSession,
  StaleDataError,
  StateError,
  stateOf,
  stream,
  text,
  uuid,
  versionId,
  writeOnly,
} from "../../orm/mod.ts";
import { fromCache, invalidateQuery } from "../../orm/caching/mod.ts";
import {
  createEngine,
  type Engine,
  MetaData,
  select,
  update,
} from "../../sql/mod.ts";
import { workerdWith } from "./databases.ts";
import { byRegion, Order, SHARDS, shards, Tag, User } from "./shards.ts";

const workerd = await workerdWith(...SHARDS);
Deno.test.afterAll(() => workerd.dispose());

const d1 = (tables?: MetaData) => shards("D1", workerd, tables);
const sqlite = (tables?: MetaData) => shards("SQLite", workerd, tables);

const shardIs = (object: object): string | undefined =>
  stateOf(object).identityToken;

Deno.test("orm 216: what the chooser leaves open goes where what it belongs to is, along references, collections and pairs, in whatever order it was added", async () => {
  await using db = await d1();
  await using session = db.session();
  const tag = new Tag({ label: "new" });
  const order = new Order({ item: "tea" });
  const ed = new User({ name: "ed", region: "us" });
  // The one that says where it is comes last.
  session.addAll([tag, order, ed]);
  order.user.set(ed);
  ed.tags.add(tag);
  await session.commit();
  deepStrictEqual([order, tag, ed].map(shardIs), ["us", "us", "us"]);
  deepStrictEqual(db.trips(), { us: 1 });

  // Where the owner has its row already, and is known by its collection only.
  await using other = db.session();
  const found = (await other.get(User, 1, { identityToken: "us" }))!;
  found.tags.add(new Tag({ label: "more" }));
  found.orders.add(new Order({ item: "milk" }));
  db.trips();
  await other.commit();
  deepStrictEqual(db.trips(), { us: 1 });
  deepStrictEqual(await db.rows("us", "user_tags"), [[1, 1], [1, 2]]);

  const lost = new Tag({ label: "lost" });
  other.add(lost);
  await rejects(other.commit(), {
    name: "SessionError",
    code: "orm/unbound",
    message: /Cannot choose a shard for Tag: .*"eu", "us", "asia"/,
  });
  deepStrictEqual(db.trips(), {});
});

const trees = new MetaData();
abstract class Trees extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = trees;
}
class Folder extends Trees.table("folders", {
  region: text().nullable(),
  parentId: integer().references("folders.id").nullable(),
  parent: () => manyToOne(Folder),
}) {}

Deno.test("orm 216: an object may belong to one that belongs to one that says where it is, though it was added first", async () => {
  await using db = await d1(trees);
  await using session = db.session({
    shardChooser: (object) => (object as Folder).region ?? undefined,
  });
  const root = new Folder({ region: "asia" });
  const middle = new Folder({ parent: root });
  const leaf = new Folder({ parent: middle });
  session.addAll([leaf, middle, root]);
  await session.commit();
  deepStrictEqual(db.trips(), { asia: 1 });
  strictEqual((await db.rows("asia", "folders")).length, 3);
});

const circle = new MetaData();
abstract class Circle extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = circle;
}
class Person extends Circle.table("people", {
  region: text(),
  favouriteId: integer().references("pets.id").nullable(),
  favourite: () => manyToOne(Pet),
}) {}
class Pet extends Circle.table("pets", {
  ownerId: integer().references("people.id").nullable(),
  owner: () => manyToOne(Person),
}) {}

Deno.test("orm 39: rows of tables in a circle are deleted in an order that their own shard's keys allow", async () => {
  await using db = await d1(circle);
  await using session = db.session({
    shardChooser: (object) => object instanceof Person ? object.region : "eu",
  });
  const owner = new Person({ region: "eu" });
  const owned = new Pet({ owner });
  const loved = new Pet({});
  const lover = new Person({ region: "eu", favourite: loved });
  const other = new Person({ region: "us" });
  session.addAll([owner, owned, loved, lover, other]);
  await session.commit();
  db.trips();
  for (const one of [owner, owned, loved, lover, other]) session.delete(one);
  await session.commit();
  deepStrictEqual(db.trips(), { eu: 1, us: 1 });
  deepStrictEqual(await db.rows("eu", "people"), []);
  deepStrictEqual(await db.rows("eu", "pets"), []);
});

const apart = new MetaData();
abstract class Apart extends Entity.with({}) {
  static override metadata = apart;
}
class Account extends Apart.table("accounts", {
  id: uuid().primaryKey().default(() => crypto.randomUUID()),
  region: text(),
}) {}
class Audit extends Apart.table("audits", {
  id: integer().primaryKey(),
  accountId: uuid().nullable(),
  counterId: integer().nullable(),
  account: () =>
    manyToOne(Account, {
      primaryJoin: joinOn(() => Audit.c.accountId.eq(Account.c.id)),
    }),
  counter: () =>
    manyToOne(Counter, {
      primaryJoin: joinOn(() => Audit.c.counterId.eq(Counter.c.id)),
    }),
}) {}
class Counter extends Apart.table("counters", { id: integer().primaryKey() }) {}

Deno.test("orm 216: the chooser may send an object elsewhere than what it belongs to; what it refers to is looked for in its own shard", async () => {
  await using db = await d1(apart);
  const shardChooser = (object: object): string =>
    object instanceof Account
      ? object.region
      : object instanceof Counter
      ? "us"
      : "eu";
  await using session = db.session({ shardChooser });
  const account = new Account({ region: "asia" });
  session.add(new Audit({ account }));
  await session.commit();
  deepStrictEqual(db.trips(), { eu: 1, asia: 1 });
  deepStrictEqual(await db.rows("eu", "audits"), [[1, account.id, null]]);

  await using other = db.session();
  const [audit] = await other.scalars(select(Audit));
  db.trips();
  strictEqual(await audit!.account.load(), null);
  deepStrictEqual(db.trips(), { eu: 1 });

  // A key that another shard will make is not guessed, however many need it.
  for (const many of [1, 9]) {
    const counter = new Counter({});
    session.addAll(
      Array.from({ length: many }, () => new Audit({ counter })),
    );
    await rejects(session.commit(), (error) => {
      ok(error instanceof StateError);
      ok(/give the column a default\(\)/.test(error.message));
      return true;
    });
    await session.rollback();
  }
  deepStrictEqual(db.trips(), {});
});

Deno.test("orm 216: a commit is one batch for each shard it touches, with one statement for rows of one kind, in whatever order they were added", async () => {
  await using db = await d1();
  await using session = db.session();
  const users = Array.from(
    { length: 20 },
    (_, i) =>
      new User({
        name: `u${i}`,
        region: i % 2 ? "eu" : "asia",
        orders: [new Order({ item: "x" })],
      }),
  );
  session.addAll(users);
  await session.commit();
  deepStrictEqual(db.statements("eu"), [
    'INSERT INTO "users"',
    'INSERT INTO "orders"',
  ]);
  deepStrictEqual(db.trips(), { eu: 1, asia: 1 });
  for (const shard of ["eu", "asia"] as const) {
    deepStrictEqual(
      (await db.rows(shard, "orders")).map(([id, , userId]) => [id, userId]),
      Array.from({ length: 10 }, (_, i) => [i + 1, i + 1]),
    );
  }
  for (const one of users) one.name += "!";
  await session.commit();
  deepStrictEqual(db.trips(), { eu: 1, asia: 1 });
  ok(
    (await db.rows("eu", "users")).every(([, name]) =>
      /^u\d+!$/.test(`${name}`)
    ),
  );
});

Deno.test("orm 216: where one shard fails after another has committed, the error names both; what failed first undoes nothing else", async () => {
  await using db = await d1();
  await using session = db.session();
  const add = (name: string, region: string): User => {
    const made = new User({ name, region });
    session.add(made);
    return made;
  };
  add("taken", "eu");
  add("taken", "us");
  await session.commit();
  db.trips();
  // The shard of the last object is written first.
  const [inEu, inUs] = [add("taken", "eu"), add("fine", "us")];
  await rejects(session.commit(), (error) => {
    ok(error instanceof PartialCommitError);
    deepStrictEqual([error.committed, error.failed], [["us"], "eu"]);
    return true;
  });
  deepStrictEqual(db.trips(), { eu: 1, us: 1 });
  deepStrictEqual((await db.rows("eu", "users")).length, 1);
  deepStrictEqual((await db.rows("us", "users")).length, 2);
  await session.rollback();
  strictEqual(session.has(inEu) || session.has(inUs), false);

  add("more", "eu");
  add("taken", "us");
  await rejects(session.commit(), (error) => {
    ok(!(error instanceof PartialCommitError));
    return true;
  });
  deepStrictEqual(db.trips(), { us: 1 });
  deepStrictEqual((await db.rows("eu", "users")).length, 1);
});

Deno.test("orm 216: where transactions are held open, flush, autoflush, savepoints and rollback are of every shard that was touched", async () => {
  await using db = await sqlite();
  await using session = db.session();
  const names = async (): Promise<string[]> =>
    (await session.scalars(select(User))).map(({ name }) => name);
  session.add(new User({ name: "ed", region: "eu" }));
  // A query of one shard writes first what belongs to all.
  session.add(new User({ name: "amy", region: "us" }));
  deepStrictEqual(
    (await session.usingBind("us").scalars(select(User))).map(({ name }) =>
      name
    ),
    ["amy"],
  );
  deepStrictEqual(session.new, []);
  deepStrictEqual(await names(), ["ed", "amy"]);

  const nested = await session.beginNested();
  const eva = new User({ name: "eva", region: "eu" });
  session.addAll([eva, new User({ name: "aiko", region: "asia" })]);
  await session.flush();
  deepStrictEqual(await names(), ["ed", "eva", "amy", "aiko"]);
  await nested.rollback();
  deepStrictEqual(await names(), ["ed", "amy"]);
  strictEqual(stateOf(eva).status, "transient");

  await session.rollback();
  deepStrictEqual(await names(), []);
  session.addAll([eva, new User({ name: "amy", region: "us" })]);
  await session.commit();
  for (const shard of ["eu", "us"] as const) {
    strictEqual((await db.rows(shard, "users")).length, 1);
  }

  // A load that a shard is asked for writes first too; the session is heard to.
  let flushes = 0;
  const end = listenToSession(session, "beforeFlush", () => void flushes++);
  const [found] = await session.scalars(
    select(User).where(User.c.name.eq("eva")).options(setShardId("eu")),
  );
  flushes = 0;
  session.add(new User({ name: "late", region: "asia" }));
  expire(found!, ["orders"]);
  await found!.orders.load();
  end();
  strictEqual(flushes, 1);
  deepStrictEqual(session.new, []);
});

const papers = new MetaData();
abstract class Papers extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = papers;
}
class Page extends Papers.table("pages", {
  title: text(),
  body: deferred(text()),
  version: versionId(),
  notes: () => writeOnly(oneToMany(Note, { passiveDeletes: true })),
}) {}
class Note extends Papers.table("notes", {
  word: text(),
  pageId: integer().references("pages.id", { onDelete: "cascade" }),
}) {}

/** Page 1 in eu and in us, page 2 in us, each with a note. */
async function withPages() {
  const db = await d1(papers);
  const pages: readonly (readonly [number, string])[] = [[1, "eu"], [1, "us"], [
    2,
    "us",
  ]];
  const open = () =>
    db.session({
      shardChooser: (object) =>
        object instanceof Page ? object.title.split(" ")[0] : undefined,
    });
  await using session = open();
  for (const [id, shard] of pages) {
    const page = new Page({
      id,
      title: `${shard} ${id}`,
      body: `${shard} body`,
    });
    page.notes.add(new Note({ word: `${shard} note` }));
    session.add(page);
  }
  await session.commit();
  db.trips();
  return { ...db, open };
}

Deno.test("orm 39: columns that are loaded later, and collections that are only written, are those of the object's shard", async () => {
  await using db = await withPages();
  await using session = db.open();
  const pages = await session.scalars(select(Page));
  db.trips();
  const whole = await loadColumns(session, pages, Page.c.body);
  deepStrictEqual(db.trips(), { eu: 1, us: 1 });
  deepStrictEqual(whole.map(({ body }) => body), [
    "eu body",
    "us body",
    "us body",
  ]);

  const [inEu, inUs] = pages as unknown as [Page, Page];
  const words = async (page: Page): Promise<string[]> =>
    (await session.scalars(page.notes.select())).map(({ word }) => word);
  deepStrictEqual(await words(inUs), ["us note"]);
  deepStrictEqual(db.trips(), { us: 1 });
  await session.execute(inEu.notes.update({ word: "changed" }));
  await session.execute(inEu.notes.insert([{ word: "inserted" }]));
  deepStrictEqual(db.trips(), { eu: 2 });
  deepStrictEqual(await words(inEu), ["changed", "inserted"]);
  deepStrictEqual((await db.rows("eu", "notes")).map(([, word]) => word), [
    "changed",
    "inserted",
  ]);
  await session.execute(inEu.notes.delete());
  deepStrictEqual((await db.rows("eu", "notes")).length, 0);
  deepStrictEqual((await db.rows("us", "notes")).map(([, word]) => word), [
    "us note",
    "us note",
  ]);
});

Deno.test("orm 39: merge() finds the object in the shards of the identityChooser, or in the one where it was, all asked in one trip each", async () => {
  await using db = await withPages();
  await using session = db.open();
  // No shard is named: the first one that has the row.
  const [one, two] = [
    await merge(session, new Page({ id: 1, title: "merged", body: "b" })),
    await merge(session, new Page({ id: 2, title: "merged", body: "b" })),
  ];
  deepStrictEqual([shardIs(one), shardIs(two)], ["eu", "us"]);
  deepStrictEqual(db.trips(), { eu: 2, us: 2, asia: 2 });
  await session.commit();
  deepStrictEqual((await db.rows("us", "pages")).map(([, title]) => title), [
    "us 1",
    "merged",
  ]);

  await using other = db.open();
  const inUs = (await other.get(Page, 1, { identityToken: "us" }))!;
  other.expunge(inUs);
  inUs.title = "from us";
  db.trips();
  const merged = await merge(session, inUs);
  // It came along when every shard was asked for that key.
  deepStrictEqual(db.trips(), {});
  strictEqual(merged, await session.get(Page, 1, { identityToken: "us" }));
  deepStrictEqual([merged.title, one.title], ["from us", "merged"]);

  // One that had a shard is looked for there and nowhere else; or not at all.
  await using third = db.open();
  strictEqual(shardIs(await merge(third, inUs)), "us");
  deepStrictEqual(db.trips(), { us: 1 });
  await using fourth = db.open();
  await using fifth = db.open();
  const clean = (await fifth.get(Page, 2))!;
  fifth.expunge(clean);
  db.trips();
  const taken = await merge(fourth, clean, { load: false });
  strictEqual(await fourth.get(Page, 2, { identityToken: "us" }), taken);
  taken.title = "taken";
  await fourth.commit();
  deepStrictEqual(db.trips(), { us: 1 });
  strictEqual((await db.rows("us", "pages"))[1]![1], "taken");

  // What is nowhere is new, and goes where the chooser says.
  const fresh = await merge(
    session,
    new Page({ id: 9, title: "asia 9", body: "b" }),
  );
  db.trips();
  await session.commit();
  strictEqual(shardIs(fresh), "asia");
  strictEqual((await db.rows("asia", "pages")).length, 1);
});

Deno.test("orm 216: stream() walks one shard after the other", async () => {
  await using db = await withPages();
  await using session = db.open();
  const seen: string[] = [];
  for await (const { title } of stream(session, select(Page), { size: 1 })) {
    seen.push(title);
  }
  deepStrictEqual(seen, ["eu 1", "us 1", "us 2"]);
  deepStrictEqual(db.trips(), { eu: 2, us: 3, asia: 1 });
  seen.length = 0;
  const query = select(Page).options(setShardId("us"));
  for await (const { title } of stream(session, query)) seen.push(title);
  deepStrictEqual(seen, ["us 1", "us 2"]);
  deepStrictEqual(db.trips(), { us: 1 });
});

Deno.test("orm 216: optimistic() and versions tell the stale row of one shard from the same key in another", async () => {
  await using db = await withPages();
  await using session = db.open();
  let runs = 0;
  const rename = (shard: string) =>
    session.usingBind(shard).optimistic(async (inner) => {
      const page = (await inner.get(Page, 1))!;
      // Somebody else changes the page of that key in us, once.
      if (runs++ === 0) {
        await db.engines.us.execute(
          update(Page.table).set({ version: 7 }).where(Page.c.id.eq(1)),
        );
      }
      page.title = `${shard} new`;
      return shardIs(page);
    });
  strictEqual(await rename("eu"), "eu");
  strictEqual(runs, 1);
  runs = 0;
  strictEqual(await rename("us"), "us");
  strictEqual(runs, 1);

  const stale = (await session.get(Page, 1, { identityToken: "us" }))!;
  await db.engines.us.execute(
    update(Page.table).set({ version: 99 }).where(Page.c.id.eq(1)),
  );
  stale.title = "lost";
  await rejects(session.commit(), StaleDataError);
  deepStrictEqual((await db.rows("us", "pages"))[0]![1], "us new");
});

Deno.test("orm 216: a subclass sends the reads of a shard to its replica; a hook sees a statement once, whatever its shards", async () => {
  await using db = await d1();
  const sent: string[] = [];
  class WithReplicas extends ShardedSession {
    override getBind(context: BindContext): Engine {
      const { identityToken, flushing } = context;
      sent.push(`${identityToken} ${flushing ? "writer" : "replica"}`);
      return super.getBind(context);
    }
  }
  const heard: [string, boolean][] = [];
  const session = new WithReplicas({
    shards: db.engines,
    shardChooser: byRegion,
    onExecute({ statement, isRelationshipLoad, invoke }: ExecuteContext) {
      heard.push([statement.kind, isRelationshipLoad]);
      return invoke();
    },
  });
  session.addAll([
    new User({
      name: "ed",
      region: "eu",
      orders: [new Order({ item: "tea" })],
    }),
    new User({ name: "amy", region: "us" }),
  ]);
  await session.commit();
  deepStrictEqual([...new Set(sent.splice(0))], ["eu writer", "us writer"]);
  session.expungeAll();
  const users = await session.scalars(select(User));
  deepStrictEqual(sent.splice(0), ["eu replica", "us replica", "asia replica"]);
  deepStrictEqual(heard, [["select", false]]);
  await users[0]!.orders.load();
  deepStrictEqual(sent, ["eu replica"]);
  deepStrictEqual(heard, [["select", false], ["select", true]]);
  strictEqual(users.length, 2);
});

Deno.test("orm 216: what is written and not committed yet is read from its shard's writer, not from the replica", async () => {
  await using db = await sqlite();
  await using replicas = await sqlite();
  class WithReplicas extends ShardedSession {
    override getBind(context: BindContext): Engine {
      const { identityToken, flushing } = context;
      return identityToken !== undefined && !flushing
        ? replicas.engines[identityToken as "eu"]
        : super.getBind(context);
    }
  }
  await using session = new WithReplicas({
    shards: db.engines,
    shardChooser: byRegion,
  });
  const ed = new User({ name: "ed", region: "eu" });
  session.add(ed);
  const eu = select(User).options(setShardId("eu"));
  deepStrictEqual([...await session.scalars(eu)], [ed]);
  deepStrictEqual(replicas.trips(), {});
  await session.commit();
  deepStrictEqual([...await session.scalars(eu)], []);
  deepStrictEqual(replicas.trips(), { eu: 1 });
});

Deno.test("orm 216: a query that is answered from a cache is kept for each shard, also where their engines have one name", async () => {
  await using db = await d1();
  const named = Object.fromEntries(
    Object.entries(db.engines).map(([name, { driver }]) => [
      name,
      createEngine(driver),
    ]),
  );
  const open = () => db.session({ shards: named });
  await using session = open();
  for (const region of ["eu", "us"]) {
    session.add(new User({ name: region, region }));
  }
  await session.commit();
  const region = createRegion({ name: "users" }).configure({
    backend: memory(),
  });
  const query = select(User).options(fromCache(region));
  const names = async (): Promise<string[]> => {
    await using session = open();
    const users = await session.scalars(query);
    return users.map((one) => `${shardIs(one)} ${one.name}`);
  };
  db.trips();
  deepStrictEqual(await names(), ["eu eu", "us us"]);
  deepStrictEqual(db.trips(), { eu: 1, us: 1, asia: 1 });
  deepStrictEqual(await names(), ["eu eu", "us us"]);
  deepStrictEqual(db.trips(), {});
  await invalidateQuery(session, query);
  deepStrictEqual(await names(), ["eu eu", "us us"]);
  deepStrictEqual(db.trips(), { eu: 1, us: 1, asia: 1 });
});

Deno.test("orm 216: an object of no shard is refused by name", async () => {
  await using db = await d1();
  await using session = db.session();
  session.add(new User({ name: "ed", region: "eu" }));
  await session.commit();
  const [ed] = await session.scalars(select(User));
  stateOf(ed!).identityToken = undefined;
  ed!.name = "edward";
  await rejects(session.commit(), (error) => {
    ok(error instanceof SessionError);
    ok(/Cannot write User: its object is in no shard/.test(error.message));
    return true;
  });
});

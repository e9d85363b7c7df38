import {
  deepStrictEqual,
  notStrictEqual,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import {
  bulkInsert,
  bulkUpdate,
  expire,
  isModified,
  joinedload,
  makeTransientToDetached,
  refresh,
  selectinload,
  SessionError,
  setShardId,
  stateOf,
  synchronize,
  withOptions,
} from "../../orm/mod.ts";
import {
  count,
  createEngine,
  deleteFrom,
  type Driver,
  insert,
  select,
  update,
} from "../../sql/mod.ts";
import { workerdWith } from "./databases.ts";
import {
  byRegion,
  Order,
  SHARDS,
  type Shards,
  shards,
  Tag,
  User,
} from "./shards.ts";

const workerd = await workerdWith(...SHARDS);
Deno.test.afterAll(() => workerd.dispose());

const user = (region: string, name: string, ...items: string[]): User =>
  new User({ region, name, orders: items.map((item) => new Order({ item })) });

/** Users 1 and 2 of eu, 1 of us, each with orders of their own. */
async function filled(db: Shards): Promise<void> {
  await using session = db.session();
  session.addAll([
    user("eu", "ed", "tea", "milk"),
    user("us", "amy", "coffee"),
    user("eu", "eva", "water"),
  ]);
  await session.commit();
  db.trips();
}

const itemsOf = (orders: Iterable<Order>): string[] =>
  [...orders].map(({ item }) => item).sort();

const shardIs = (object: object): string | undefined =>
  stateOf(object).identityToken;

for (const kind of ["D1", "SQLite"] as const) {
  // SQLite writes inside a transaction, of which each step is counted.
  const isD1 = kind === "D1";
  const test = (name: string, work: (db: Shards) => Promise<void>): void =>
    Deno.test(`${name} (${kind})`, async () => {
      await using db = await shards(kind, workerd);
      await work(db);
    });

  test("orm 39: rows of one primary key in two shards are two objects, each found again by its identity token", async (db) => {
    await filled(db);
    await using session = db.session();
    const [ed, eva, amy] = await session.scalars(select(User));
    deepStrictEqual(db.trips(), { eu: 1, us: 1, asia: 1 });
    deepStrictEqual(
      [ed, eva, amy].map((one) => [one!.id, one!.name, shardIs(one!)]),
      [[1, "ed", "eu"], [2, "eva", "eu"], [1, "amy", "us"]],
    );
    notStrictEqual(ed, amy);
    strictEqual(session.identityMap.size, 3);

    // Each is known by its token, and by the rows that come again.
    strictEqual(await session.get(User, 1, { identityToken: "eu" }), ed);
    strictEqual(await session.get(User, 1, { identityToken: "us" }), amy);
    deepStrictEqual(db.trips(), {});
    strictEqual(await session.get(User, 1, { identityToken: "asia" }), null);
    deepStrictEqual(db.trips(), { asia: 1 });
    deepStrictEqual([...await session.scalars(select(User))], [ed, eva, amy]);
    db.trips();

    // To change one, to read it again, to let go of it is not about the other.
    amy!.name = "amelia";
    strictEqual(isModified(ed!), false);
    await session.commit();
    if (isD1) deepStrictEqual(db.trips(), { us: 1 });
    deepStrictEqual(await db.rows("us", "users"), [[1, "amelia", "us"]]);
    deepStrictEqual((await db.rows("eu", "users"))[0], [1, "ed", "eu"]);
    await db.engines.eu.execute(
      update(User.table).set({ name: "edward" }).where(User.c.id.eq(1)),
    );
    db.trips();
    await refresh(session, ed!);
    deepStrictEqual(db.trips(), { eu: 1 });
    deepStrictEqual([ed!.name, amy!.name], ["edward", "amelia"]);
    expire(amy!);
    strictEqual(await session.get(User, 1, { identityToken: "us" }), amy);
    deepStrictEqual(db.trips(), { us: 1 });
    strictEqual(amy!.name, "amelia");
    const again = new User({ id: 1, name: "", region: "" });
    stateOf(again).identityToken = "us";
    session.expunge(amy!);
    makeTransientToDetached(again);
    session.add(again);
    strictEqual(await session.get(User, 1, { identityToken: "us" }), again);
    strictEqual(again.name, "amelia");
    session.expunge(ed!);
    strictEqual(session.has(again), true);
    notStrictEqual(await session.get(User, 1, { identityToken: "eu" }), ed);
  });

  test("orm 39: deleting the one leaves the other and what it has; a new object takes over the row of its own shard's", async (db) => {
    await filled(db);
    await using session = db.session();
    const ed = (await session.get(User, 1, { identityToken: "eu" }))!;
    const amy = (await session.get(User, 1, { identityToken: "us" }))!;
    db.trips();
    session.delete(ed);
    await session.commit();
    // The orders that go with it are asked for where it is.
    if (isD1) deepStrictEqual(db.trips(), { eu: 2 });
    deepStrictEqual(await db.rows("eu", "users"), [[2, "eva", "eu"]]);
    deepStrictEqual(await db.rows("eu", "orders"), [[3, "water", 2]]);
    deepStrictEqual(await db.rows("us", "orders"), [[1, "coffee", 1]]);

    session.delete(amy);
    session.add(new User({ id: 1, name: "ann", region: "us" }));
    session.add(new User({ id: 1, name: "eric", region: "eu" }));
    await session.commit();
    deepStrictEqual(await db.rows("us", "users"), [[1, "ann", "us"]]);
    deepStrictEqual(await db.rows("us", "orders"), []);
    deepStrictEqual(await db.rows("eu", "users"), [
      [1, "eric", "eu"],
      [2, "eva", "eu"],
    ]);
  });

  test("orm 39: pairs of equal keys in two shards are two pairs", async (db) => {
    await using session = db.session();
    const ed = user("eu", "ed");
    const amy = user("us", "amy");
    for (const one of [ed, amy]) one.tags.add(new Tag({ label: one.name }));
    session.addAll([ed, amy]);
    await session.commit();
    for (const shard of ["eu", "us"] as const) {
      deepStrictEqual(await db.rows(shard, "user_tags"), [[1, 1]]);
    }
    // Pairs of rows that have their keys already are told apart as well.
    const more = new Tag({ id: 7, label: "more" });
    const else_ = new Tag({ id: 7, label: "else" });
    ed.tags.add(more);
    amy.tags.add(else_);
    await session.commit();
    deepStrictEqual([shardIs(more), shardIs(else_)], ["eu", "us"]);
    for (const shard of ["eu", "us"] as const) {
      deepStrictEqual(await db.rows(shard, "user_tags"), [[1, 1], [1, 7]]);
    }
    ed.tags.remove(more);
    session.delete(amy);
    await session.commit();
    deepStrictEqual(await db.rows("eu", "user_tags"), [[1, 1]]);
    deepStrictEqual(await db.rows("us", "user_tags"), []);
  });

  test("orm 216: a new object's shard is chosen when it is flushed, and chosen again after a flush that failed", async (db) => {
    const asked: string[] = [];
    await using session = db.session({
      shardChooser(object, mapper) {
        asked.push(mapper.name);
        return byRegion(object);
      },
    });
    const ed = new User({ name: "ed", region: "nowhere" });
    session.add(ed);
    deepStrictEqual(asked, []);
    await rejects(session.commit(), {
      name: "SessionError",
      code: "orm/unbound",
      message: /"nowhere".*no shard.*"eu", "us", "asia"/,
    });
    deepStrictEqual(db.trips(), {});

    ed.region = "us";
    session.add(new User({ name: "amy", region: "us" }));
    await session.commit();
    deepStrictEqual(asked, ["User", "User", "User"]);
    deepStrictEqual((await db.rows("us", "users")).length, 2);

    // The database refuses it: where it goes, and what it has, is open again.
    const twice = user("us", "amy", "tea");
    session.add(twice);
    await rejects(session.commit());
    if (!isD1) {
      await session.rollback();
      session.add(twice);
    }
    twice.region = "asia";
    await session.commit();
    strictEqual(shardIs(twice), "asia");
    deepStrictEqual(await db.rows("asia", "orders"), [[1, "tea", 1]]);
    deepStrictEqual(await db.rows("asia", "users"), [[1, "amy", "asia"]]);
    strictEqual(await session.get(User, 1, { identityToken: "asia" }), twice);
  });

  test("orm 216: get() asks the shards in the order of the identityChooser until one has the row", async (db) => {
    await filled(db);
    const chosen: unknown[] = [];
    await using session = db.session({
      identityChooser(mapper, key) {
        chosen.push([mapper.cls, ...key]);
        return ["asia", "us", "eu"];
      },
    });
    const amy = await session.get(User, 1);
    strictEqual(amy?.name, "amy");
    deepStrictEqual(db.trips(), { asia: 1, us: 1 });
    strictEqual((await session.get(User, { id: 2 }))?.name, "eva");
    deepStrictEqual(db.trips(), { asia: 1, us: 1, eu: 1 });
    deepStrictEqual(chosen, [[User, 1], [User, 2]]);
    strictEqual(await session.get(User, 9), null);
    deepStrictEqual(db.trips(), { asia: 1, us: 1, eu: 1 });

    // What is known is not asked for, whichever shard would be first.
    strictEqual((await session.get(User, 2))?.name, "eva");
    strictEqual(await session.get(User, 1), amy);
    deepStrictEqual(db.trips(), {});
    strictEqual(await session.get(User, 1, { fresh: true }), amy);
    deepStrictEqual(db.trips(), { us: 1 });

    // By default every shard, in the order in which they are given.
    await using plain = db.session();
    strictEqual((await plain.get(User, 1))?.name, "ed");
    deepStrictEqual(db.trips(), { eu: 1 });
  });

  test("orm 216: lazy loads ask the parent's shard; those of one tick are one trip for each shard, and equal keys are not mixed up", async (db) => {
    await filled(db);
    await using session = db.session();
    const users = await session.scalars(select(User));
    db.trips();
    const orders = await Promise.all(users.map((one) => one.orders.load()));
    deepStrictEqual(db.trips(), { eu: 1, us: 1 });
    deepStrictEqual(orders.map(itemsOf), [["milk", "tea"], ["water"], [
      "coffee",
    ]]);
    strictEqual(await orders[2]!.at(0)?.user.load(), users[2]);
    deepStrictEqual(db.trips(), {});

    // A reference leads to the object of its own shard, without a trip.
    await using other = db.session();
    const [coffee] = await other.scalars(
      select(Order).where(Order.c.item.eq("coffee")),
    );
    const ed = await other.get(User, 1, { identityToken: "eu" });
    db.trips();
    const amy = await coffee!.user.load();
    deepStrictEqual(db.trips(), { us: 1 });
    deepStrictEqual([amy?.name, ed?.name], ["amy", "ed"]);
    const [tea] = await other.scalars(
      select(Order).where(Order.c.item.eq("tea")),
    );
    db.trips();
    strictEqual(await tea!.user.load(), ed);
    deepStrictEqual(db.trips(), {});
  });

  test("orm 216: what is loaded along with a query comes from the shard of its owners, in the query's trip", async (db) => {
    await filled(db);
    for (
      const query of [
        select(User).options(selectinload(User.r.orders)),
        select(User).options(joinedload(User.r.orders)),
      ]
    ) {
      await using session = db.session();
      const users = await session.scalars(query.orderBy(User.c.id));
      deepStrictEqual(db.trips(), { eu: 1, us: 1, asia: 1 });
      deepStrictEqual(
        users.map(({ orders }) => itemsOf(orders)),
        [["milk", "tea"], ["water"], ["coffee"]],
      );
    }
  });

  test("orm 216: a select goes to its shards at once and gives the rows of one after those of the other; order and limit hold within each", async (db) => {
    await filled(db);
    let open = 0;
    let most = 0;
    const counted = Object.fromEntries(
      Object.entries(db.engines).map(([name, { driver }]) => {
        const send = async <T>(work: Promise<T>): Promise<T> => {
          most = Math.max(most, ++open);
          return await work.finally(() => open--);
        };
        const watched: Driver = Object.assign(Object.create(driver), {
          execute: (one: never) => send(driver.execute(one)),
          batch: (all: never) => send(driver.batch(all)),
        });
        return [name, createEngine(watched, { name })];
      }),
    );
    const seen: unknown[] = [];
    await using session = db.session({
      shards: counted,
      executeChooser({ mapper, statement, flushing }) {
        seen.push([mapper?.cls, statement?.kind, flushing]);
        return ["us", "asia", "eu"];
      },
    });
    const users = await session.scalars(
      select(User).orderBy(User.c.name.desc()),
    );
    deepStrictEqual(users.map(({ name }) => name), ["amy", "eva", "ed"]);
    strictEqual(users.columns.length, 1);
    if (isD1) {
      strictEqual(most, 3);
      deepStrictEqual(db.trips(), { us: 1, asia: 1, eu: 1 });
    }
    deepStrictEqual(seen, [[User, "select", false]]);

    const firsts = await session.scalars(
      select(User).orderBy(User.c.id.desc()).limit(1),
    );
    deepStrictEqual(firsts.map(({ name }) => name), ["amy", "eva"]);
    const sums = await session.execute(select(count(User.c.id)));
    deepStrictEqual([...sums], [1, 0, 2]);

    // Several statements are one trip for each shard.
    db.trips();
    const [a, b] = await session.batch(select(User), select(Order));
    deepStrictEqual([a.length, b.length], [3, 4]);
    if (isD1) deepStrictEqual(db.trips(), { us: 1, asia: 1, eu: 1 });
    await using none = db.session({ executeChooser: () => [] });
    deepStrictEqual([...await none.scalars(select(User))], []);
    deepStrictEqual(db.trips(), {});
  });

  test("orm 216: setShardId() sends a statement to one shard, usingBind() every read; their objects load from there", async (db) => {
    await filled(db);
    await using session = db.session();
    const [amy, ...more] = await session.scalars(
      select(User).options(setShardId("us")),
    );
    deepStrictEqual([amy?.name, more.length], ["amy", 0]);
    await amy!.orders.load();
    deepStrictEqual(db.trips(), { us: 2 });
    // It changes nothing of the row's type.
    const [whole] = await session.scalars(
      select(User).options(setShardId("us"), selectinload(User.r.orders)),
    );
    deepStrictEqual(itemsOf(whole!.orders), ["coffee"]);
    deepStrictEqual(db.trips(), { us: 1 });

    const us = session.usingBind("us");
    strictEqual(session.usingBind(db.engines.us), us);
    deepStrictEqual([...await us.scalars(select(User))], [amy]);
    strictEqual(await us.get(User, 1), amy);
    strictEqual(await us.get(User, 2), null);
    deepStrictEqual(db.trips(), { us: 2 });
    // What it writes goes to each object's shard all the same.
    const ed = (await session.get(User, 1, { identityToken: "eu" }))!;
    ed.name = "edward";
    us.add(user("asia", "aiko"));
    db.trips();
    await us.commit();
    if (isD1) deepStrictEqual(db.trips(), { eu: 1, asia: 1 });
    strictEqual((await db.rows("eu", "users"))[0]![1], "edward");

    // The statement's own word goes before the session's.
    deepStrictEqual(
      [...await us.scalars(select(Order).options(setShardId("asia")))],
      [],
    );
    throws(() => session.usingBind("mars"), {
      code: "orm/unbound",
      message: /Cannot use "mars": it is no shard/,
    });
    await rejects(
      session.scalars(select(User).options(setShardId("mars"))),
      SessionError,
    );
  });

  test("orm 216: an UPDATE or DELETE of the program's own goes to its shards, and the objects of each follow; an INSERT goes to one", async (db) => {
    await filled(db);
    await using session = db.session();
    const [ed, eva, amy] = await session.scalars(select(User));
    db.trips();
    const { rowCount } = await session.execute(
      withOptions(
        update(User).set({ region: "moved" }).where(User.c.id.eq(1)),
        synchronize("evaluate"),
      ),
    );
    strictEqual(rowCount, 2);
    deepStrictEqual(
      [ed, eva, amy].map((one) => one!.region),
      ["moved", "eu", "moved"],
    );
    for (const how of ["evaluate", "fetch"] as const) {
      await session.execute(withOptions(
        update(User).set({ region: how }).where(User.c.id.eq(1)),
        synchronize(how),
        setShardId("us"),
      ));
      deepStrictEqual([ed!.region, amy!.region], ["moved", how]);
      strictEqual((await db.rows("eu", "users"))[0]![2], "moved");
    }
    await session.execute(withOptions(
      deleteFrom(Order).where(Order.c.userId.eq(1)),
      setShardId("eu"),
    ));
    deepStrictEqual((await db.rows("us", "orders")).length, 1);
    deepStrictEqual((await db.rows("eu", "orders")).length, 1);

    db.trips();
    await rejects(
      session.execute(insert(Tag).values({ label: "a" })),
      {
        code: "orm/unbound",
        message:
          /the insert: it goes to "eu", "us", "asia"; give it setShardId/,
      },
    );
    await rejects(bulkInsert(session, Tag, [{ label: "a" }]), SessionError);
    deepStrictEqual(db.trips(), {});
    const asia = session.usingBind("asia");
    const [tag] = await bulkInsert(asia, Tag, [{ label: "a" }]);
    strictEqual(shardIs(tag!), "asia");
    await bulkUpdate(asia, Tag, [{ id: 1, label: "b" }]);
    deepStrictEqual(await db.rows("asia", "tags"), [[1, "b"]]);
    deepStrictEqual(await db.rows("eu", "tags"), []);
  });
}

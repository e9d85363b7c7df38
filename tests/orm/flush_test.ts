import {
  deepStrictEqual,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import {
  CircularDependencyError,
  Entity,
  expire,
  integer,
  isModified,
  json,
  loadOnly,
  manyToMany,
  manyToOne,
  noAutoflush,
  oneToMany,
  refresh,
  Session,
  StaleDataError,
  StateError,
  stateOf,
  text,
} from "../../orm/mod.ts";
import {
  deleteFrom,
  type Expression,
  MetaData,
  plus,
  Raw,
  select,
  sql,
  table,
  update,
} from "../../sql/mod.ts";
import { created, sqliteDatabase, type TestDatabase } from "./databases.ts";

const metadata = new MetaData();
let ticks = 0;
abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = metadata;
}
class Node extends Base.table("nodes", {
  name: text(),
  counter: integer().default(0),
  data: json<{ tags: string[] }>().nullable(),
  stamp: integer().nullable().default(() => ++ticks).onUpdate(() => ++ticks),
  state: text().serverDefault("fresh"),
  note: text().nullable(),
  parentId: integer().references("nodes.id").nullable(),
  parent: () => manyToOne(Node, { backPopulates: "children" }),
  children: () => oneToMany(Node, { backPopulates: "parent" }),
}) {}
class Leaf extends Base.table("leaves", {
  nodeId: integer().references("nodes.id"),
  node: () => manyToOne(Node),
}) {}
class Ring extends Base.table("rings", {
  stoneId: integer().references("stones.id").nullable(),
  stone: () => manyToOne(Stone),
}) {}
class Stone extends Base.table("stones", {
  ringId: integer().references("rings.id").nullable(),
}) {}
class Hand extends Base.table("hands", {
  ringId: integer().references("rings.id"),
  ring: () => manyToOne(Ring),
}) {}
class Slot extends Base.table("slots", { note: text().nullable() }) {}
class Person extends Base.table("persons", {
  name: text(),
  favoriteId: integer().references("balls.id").nullable(),
  favorite: () =>
    manyToOne(Ball, { foreignKeys: ["favoriteId"], postUpdate: true }),
  balls: () => oneToMany(Ball, { backPopulates: "owner" }),
}) {}
class Ball extends Base.table("balls", {
  colour: text(),
  ownerId: integer().references("persons.id").nullable(),
  owner: () => manyToOne(Person, { backPopulates: "balls" }),
}) {}
class Egg extends Base.table("eggs", {
  henId: integer().references("hens.id").nullable(),
  hen: () => manyToOne(Hen),
}) {}
class Hen extends Base.table("hens", {
  eggId: integer().references("eggs.id").nullable(),
  egg: () => manyToOne(Egg),
}) {}
class Order extends Base.table("orders", {
  lines: () => oneToMany(Line, { backPopulates: "order" }),
}) {}
class Item extends Base.table("items", {
  name: text(),
  lines: () => oneToMany(Line, { backPopulates: "item" }),
  labels: () =>
    manyToMany(Label, { secondary: itemLabels, backPopulates: "items" }),
}) {}
class Label extends Base.table("labels", {
  name: text(),
  items: () =>
    manyToMany(Item, { secondary: itemLabels, backPopulates: "labels" }),
}) {}
const itemLabels = table("item_labels", metadata, {
  itemId: integer().primaryKey().references("items.id"),
  labelId: integer().primaryKey().references("labels.id"),
});
abstract class Keyed extends Entity.with({}) {
  static override metadata = metadata;
}
class Line extends Keyed.table("lines", {
  orderId: integer().primaryKey().references("orders.id"),
  itemId: integer().primaryKey().references("items.id"),
  count: integer(),
  order: () => manyToOne(Order, { backPopulates: "lines" }),
  item: () => manyToOne(Item, { backPopulates: "lines" }),
}) {}

type Work = (session: Session, database: TestDatabase) => Promise<void>;

function test(name: string, work: Work): void {
  Deno.test(name, async () => {
    await using database = await created(sqliteDatabase(), metadata);
    await using session = new Session({ bind: database.engine });
    await work(session, database);
  });
}

/** What was written, each statement by its first words; guards are left out. */
const verbs = ({ log }: TestDatabase): string[] =>
  log.flat().filter((sql) => /^(INSERT|UPDATE|DELETE)/.test(sql)).map((sql) =>
    sql.replace(/^(\w+)(?: INTO| FROM)? "(\w+)".*$/s, "$1 $2")
  );
async function committed(session: Session, ...objects: object[]) {
  session.addAll(objects);
  await session.commit();
}
const node = (name: string) => new Node({ name });

test(
  "orm 41: what is named is written before, and deleted after, what names it",
  async (session, database) => {
    const [order, item] = [new Order({}), new Item({ name: "i" })];
    const line = new Line({ count: 1, order, item } as never);
    await committed(session, line);
    deepStrictEqual(verbs(database), [
      "INSERT orders",
      "INSERT items",
      "INSERT lines",
    ]);
    database.reset();
    for (const one of [item, order, line]) session.delete(one);
    await session.commit();
    const deleted = verbs(database);
    for (const owner of ["orders", "items"]) {
      ok(deleted.indexOf("DELETE lines") < deleted.indexOf(`DELETE ${owner}`));
    }
  },
);

test(
  "orm 42: rows are inserted in the order of addition, updated and deleted by key",
  async (session, database) => {
    const nodes = ["c", "a", "b"].map(node);
    await committed(session, ...nodes);
    deepStrictEqual(nodes.map(({ id }) => id), [1, 2, 3]);
    database.reset();
    for (const one of [...nodes].reverse()) one.name += "!";
    const seen: unknown[] = [];
    const other = database.other({
      echo: true,
      log: (line) => seen.push(line),
    });
    const again = new Session({ bind: other });
    for (const one of nodes) session.expunge(one);
    again.addAll([nodes[2]!, nodes[0]!, nodes[1]!]);
    await again.commit();
    deepStrictEqual(
      seen.flatMap((line) => /\('(\w!)'/.exec(String(line))?.[1] ?? []),
      ["c!", "a!", "b!"],
    );
  },
);

test(
  "orm 43: rows of equal columns go in one statement, others apart, in their order",
  async (session, database) => {
    const many = Array.from({ length: 20 }, (_, i) => node(`${i}`));
    const noted = new Node({ name: "noted", note: "n" });
    const keyed = new Node({ id: 100, name: "keyed" });
    await committed(session, ...many, noted, keyed);
    deepStrictEqual(verbs(database), Array(3).fill("INSERT nodes"));
    strictEqual(keyed.id, 100);
    ok(noted.id > many.at(-1)!.id);
  },
);

test(
  "orm 44: only changed columns are written, and nothing where nothing changed",
  async (session, database) => {
    const one = node("a");
    await committed(session, one);
    database.reset();
    await session.commit();
    await session.flush();
    strictEqual(database.trips, 0);
    one.name = "b";
    await session.commit();
    ok(
      database.log.flat()[0]!.startsWith(
        'UPDATE "nodes" SET "name" = ?, "stamp" = ? WHERE',
      ),
    );
  },
);

test(
  "orm 45: updates of equal columns go in one statement",
  async (session, database) => {
    const many = Array.from({ length: 20 }, (_, i) => node(`${i}`));
    await committed(session, ...many);
    database.reset();
    for (const one of many) one.name += "!";
    await session.commit();
    deepStrictEqual(verbs(database), ["UPDATE nodes"]);
    const rows = await database.engine.execute(select({ name: Node.c.name }));
    deepStrictEqual(rows.map(({ name }) => name), many.map(({ name }) => name));
  },
);

test(
  "orm 46: an expression as a value is worked out by the database, and its value is there afterwards",
  async (session, database) => {
    const one = new Node({ name: "a", counter: 1 });
    await committed(session, one);
    database.reset();
    (one as { counter: unknown }).counter = plus(Node.c.counter, 41);
    await session.commit();
    strictEqual(one.counter, 42);
    strictEqual(database.trips, 1);
    const two = node("two");
    (two as { counter: unknown }).counter = new Raw("6 * 7") as Expression<
      number
    >;
    await committed(session, two);
    strictEqual(two.counter, 42);
    strictEqual(isModified(two), false);
  },
);

test(
  "orm 47: a member that is removed, or whose owner is deleted, names nobody",
  async (session, database) => {
    const parent = node("p");
    const [a, b] = [node("a"), node("b")];
    parent.children.add(a, b);
    await committed(session, parent);
    database.reset();
    parent.children.remove(a);
    await session.commit();
    deepStrictEqual(verbs(database), ["UPDATE nodes"]);
    strictEqual(a.parentId, null);
    session.expungeAll();
    const again = await session.get(Node, parent.id);
    session.delete(again!);
    database.reset();
    await session.commit();
    strictEqual(database.trips, 2);
    const [row] = await database.engine.execute(
      select({ parentId: Node.c.parentId }).where(Node.c.id.eq(b.id)),
    );
    strictEqual(row?.parentId, null);
  },
);

test("orm 49: a key that is part of the member's own is not cleared", async (session) => {
  const order = new Order({});
  const line = new Line({
    count: 1,
    order,
    item: new Item({ name: "i" }),
  } as never);
  await committed(session, line);
  order.lines.remove(line);
  await rejects(session.commit(), /Line\.orderId.*primary key/);
});

test(
  "orm 50: owner and member deleted in one unit are only deleted, the member first",
  async (session, database) => {
    const parent = node("p");
    const child = node("c");
    parent.children.add(child);
    await committed(session, parent);
    database.reset();
    session.delete(parent);
    session.delete(child);
    await session.commit();
    deepStrictEqual(verbs(database), ["DELETE nodes"]);
  },
);

test(
  "orm 52: pairs are written after both sides and removed before either, each once",
  async (session, database) => {
    const [item, label] = [new Item({ name: "i" }), new Label({ name: "l" })];
    item.labels.add(label, label);
    ok(Array.from(label.items as never as Iterable<Item>).includes(item));
    await committed(session, item);
    strictEqual(verbs(database).at(-1), "INSERT item_labels");
    strictEqual(verbs(database).length, 3);
    database.reset();
    session.delete(item);
    session.delete(label);
    await session.commit();
    ok(verbs(database)[0]!.startsWith("DELETE item_labels"));
    strictEqual((await database.engine.execute(select(itemLabels))).length, 0);
  },
);

test(
  "orm 53: a pair that is gone when it is removed is stale data",
  async (session, database) => {
    const item = new Item({ name: "i", labels: [new Label({ name: "l" })] });
    await committed(session, item);
    await database.engine.execute(deleteFrom(itemLabels));
    const labels = await item.labels.load();
    labels.remove(labels.at(0)!);
    await rejects(session.commit(), StaleDataError);
  },
);

test("orm 54: an association object's key comes from both its owners", async (session) => {
  const [order, item] = [new Order({}), new Item({ name: "i" })];
  const line = new Line({ count: 3, order, item } as never);
  await committed(session, order);
  deepStrictEqual([line.orderId, line.itemId], [order.id, item.id]);
  strictEqual(
    await session.get(Line, { orderId: order.id, itemId: item.id }),
    line,
  );
  strictEqual(await session.get(Line, [order.id, item.id]), line);
});

test(
  "orm 30, 55: a deep tree goes in one unit, and is deleted leaves first",
  async (session, database) => {
    const root = node("0");
    let last = root;
    for (let i = 1; i < 200; i++) {
      const next = node(`${i}`);
      last.children.add(next);
      last = next;
    }
    await committed(session, root);
    strictEqual(database.trips, 1);
    const [row] = await database.engine.execute(sql`
    SELECT count(*) AS wrong FROM nodes n JOIN nodes p ON p.id = n."parentId"
    WHERE CAST(p.name AS INTEGER) + 1 <> CAST(n.name AS INTEGER)`);
    strictEqual(row?.["wrong"], 0);
    for (const one of session.identityMap.values()) session.delete(one);
    await session.commit();
    strictEqual((await database.engine.execute(select(Node.table))).length, 0);
  },
);

test("orm 56: classes may name each other; rows that do are a circle", async (session) => {
  const egg = new Egg({});
  const hen = new Hen({ egg });
  await committed(session, hen);
  strictEqual(hen.eggId, egg.id);
  const [one, two] = [new Egg({}), new Hen({})];
  one.hen.set(two);
  two.egg.set(one);
  session.add(one);
  await rejects(
    session.commit(),
    (error: CircularDependencyError) =>
      error instanceof CircularDependencyError &&
      error.cycle.includes("Egg") && error.cycle.includes("Hen"),
  );
});

test(
  "orm 57: postUpdate writes the key of a circle by an UPDATE of its own",
  async (session, database) => {
    const ball = new Ball({ colour: "red" });
    const person = new Person({ name: "p", balls: [ball], favorite: ball });
    await committed(session, person);
    deepStrictEqual(verbs(database), [
      "INSERT persons",
      "INSERT balls",
      "UPDATE persons",
    ]);
    strictEqual(person.favoriteId, ball.id);
    database.reset();
    session.delete(person);
    session.delete(ball);
    await session.commit();
    deepStrictEqual(verbs(database)[0], "UPDATE persons");
    strictEqual((await database.engine.execute(select(Ball.table))).length, 0);
  },
);

test(
  "orm 59, 60: a new object with a deleted one's key takes over its row; what it does not set stays",
  async (session, database) => {
    const old = new Node({ id: 5, name: "old", note: "kept", counter: 3 });
    await committed(session, old);
    database.reset();
    session.delete(old);
    const fresh = new Node({ id: 5, name: "new" });
    session.add(fresh);
    await session.commit();
    deepStrictEqual(verbs(database), ["UPDATE nodes"]);
    strictEqual(fresh.note, "kept");
    strictEqual(fresh.counter, 3);
    strictEqual(await session.get(Node, 5), fresh);
    strictEqual(stateOf(old).status, "detached");
    session.delete(fresh);
    session.add(new Node({ id: 5, name: "third", note: null }));
    await session.commit();
    const [row] = await database.engine.execute(select(Node.table));
    deepStrictEqual([row?.name, row?.note, row?.counter], ["third", null, 3]);
  },
);

test(
  "a key that is changed to a higher one is not taken for the last that the database made",
  async (session, database) => {
    const old = node("old");
    await committed(session, old);
    const fresh = node("fresh");
    old.parent.set(fresh);
    old.id = 500;
    const leaf = new Leaf({ node: fresh });
    session.add(leaf);
    await session.commit();
    const [row] = await database.engine.execute(
      select({ name: Node.c.name }).join(Leaf, Leaf.c.nodeId.eq(Node.c.id)),
    );
    strictEqual(row?.name, "fresh");
    deepStrictEqual([leaf.nodeId, old.parentId], [fresh.id, fresh.id]);
    session.expungeAll();
    strictEqual((await session.get(Node, 500))?.parentId, fresh.id);
  },
);

test(
  "nor is it in tables that name each other",
  async (session, database) => {
    const old = new Ring({});
    await committed(session, old);
    const [fresh, stone] = [new Ring({}), new Stone({})];
    old.stone.set(stone);
    old.id = 500;
    const hand = new Hand({ ring: fresh });
    session.addAll([fresh, stone, hand]);
    await session.commit();
    const [row] = await database.engine.execute(select(Hand.table));
    deepStrictEqual([row?.ringId, hand.ringId], [fresh.id, fresh.id]);
    strictEqual(old.stoneId, stone.id);
  },
);

test(
  "orm 59: a new object that takes over a row as it is can be changed after that",
  async (session, database) => {
    const old = new Slot({ id: 5, note: "old" });
    await committed(session, old);
    session.delete(old);
    const fresh = new Slot({ id: 5 });
    session.add(fresh);
    database.reset();
    await session.commit();
    deepStrictEqual([verbs(database), fresh.note], [[], "old"]);
    fresh.note = "new";
    await session.commit();
    const [row] = await database.engine.execute(select(Slot.table));
    strictEqual(row?.note, "new");
  },
);

test(
  "orm 59: of a row that is taken over, what nobody has loaded is not there",
  async (session, database) => {
    await committed(session, new Node({ id: 5, name: "old", note: "kept" }));
    session.expungeAll();
    const old = await session.one(
      select(Node).options(loadOnly(Node.c.name)),
    );
    session.delete(old);
    const fresh = new Node({ id: 5, name: "new" });
    session.add(fresh);
    await session.commit();
    throws(() => fresh.note, { code: "orm/not-loaded" });
    fresh.note = null;
    await session.commit();
    const [row] = await database.engine.execute(select(Node.table));
    deepStrictEqual([row?.name, row?.note], ["new", null]);
  },
);

test(
  "a fresh get() brings what the row holds now, and leaves what the program set",
  async (session, { engine }) => {
    const one = new Node({ name: "old", note: "old" });
    await committed(session, one);
    await engine.execute(
      update(Node).set({ name: "theirs", note: "theirs", counter: 9 }),
    );
    one.note = "mine";
    const found = await noAutoflush(
      session,
      () => session.get(Node, one.id, { fresh: true }),
    );
    strictEqual(found, one);
    deepStrictEqual([one.name, one.note, one.counter], ["theirs", "mine", 9]);
    await session.commit();
    const [row] = await engine.execute(select(Node.table));
    deepStrictEqual([row?.name, row?.note], ["theirs", "mine"]);
  },
);

test(
  "orm 61: updating a row that is gone is stale data that names the object",
  async (session, database) => {
    const one = node("a");
    await committed(session, one);
    await database.engine.execute(deleteFrom(Node.table));
    one.name = "b";
    await rejects(
      session.commit(),
      (error: StaleDataError) =>
        error instanceof StaleDataError && error.entity === "Node" &&
        error.primaryKey[0] === one.id,
    );
    await session.rollback();
  },
);

test(
  "of twenty updates in one statement, the stale object is the one that is named",
  async (session, database) => {
    const many = Array.from({ length: 20 }, (_, i) => node(`${i}`));
    await committed(session, ...many);
    await database.engine.execute(
      deleteFrom(Node.table).where(Node.c.id.eq(many[13]!.id)),
    );
    for (const one of many) one.name += "!";
    await rejects(
      session.commit(),
      (error: StaleDataError) => error.primaryKey[0] === many[13]!.id,
    );
  },
);

test("orm 62: a row whose key is not whole is refused with what to do", async (session) => {
  session.add(new Line({ count: 1, orderId: 1 } as never));
  await rejects(
    session.commit(),
    (error: StateError) =>
      error instanceof StateError && /itemId.*default\(\)/.test(error.message),
  );
});

test("orm 63, 64: nothing, or an object of another class, is refused by the relation's name", (session) => {
  const one = node("a");
  session.add(one);
  throws(() => one.children.add(null as never), /Node\.children/);
  throws(() => one.children.add(new Order({}) as never), /Node/);
  throws(() => one.parent.set(new Order({}) as never), /Node\.parent/);
  deepStrictEqual(Array.from(one.children as never), []);
  return Promise.resolve();
});

test(
  "orm 65, 66, 67: defaults of client and server are there after the commit, without another trip",
  async (session, database) => {
    const one = node("a");
    await committed(session, one);
    strictEqual(database.trips, 1);
    strictEqual(one.counter, 0);
    strictEqual(one.state, "fresh");
    strictEqual(one.note, null);
    const { stamp } = one;
    one.name = "b";
    await session.commit();
    strictEqual(one.stamp, stamp! + 1);
    const before = one.stamp;
    await session.commit();
    strictEqual(one.stamp, before);
    deepStrictEqual(session.dirty, []);
  },
);

test(
  "orm 77, 78: a key that is set by hand is written; a relation that was set overrides it; an object that is nowhere is warned about",
  async (_, database) => {
    const warnings: string[] = [];
    await using session = new Session({
      bind: database.engine,
      warn: (message) => warnings.push(message),
    });
    const [a, b] = [node("a"), node("b")];
    await committed(session, a, b);
    const child = new Node({ name: "c", parentId: a.id });
    await committed(session, child);
    strictEqual(child.parentId, a.id);
    child.parentId = b.id;
    child.parent.set(a);
    await session.commit();
    strictEqual(child.parentId, a.id);
    child.parentId = b.id;
    child.parent.set(null);
    await session.commit();
    strictEqual(child.parentId, null);
    deepStrictEqual(warnings, []);
  },
);

test(
  "orm 36, 93: a value set back to what it was is no change, also deep in JSON",
  async (session, database) => {
    const one = new Node({ name: "a", data: { tags: ["x"] } });
    await committed(session, one);
    database.reset();
    one.data = { tags: ["x"] };
    await session.commit();
    strictEqual(database.trips, 0);
    one.data.tags.push("y");
    await session.commit();
    strictEqual(verbs(database).length, 1);
  },
);

test(
  "orm 35: a changed primary key moves the object's identity, and a rollback moves it back",
  async (session, database) => {
    const one = new Label({ id: 1, name: "l" });
    await committed(session, one);
    one.id = 2;
    await session.flush();
    strictEqual(await session.get(Label, 2), one);
    await session.rollback();
    strictEqual(one.id, 1);
    strictEqual(await session.get(Label, 1), one);
    one.id = 3;
    await session.commit();
    const rows = await database.engine.execute(select(Label.table));
    deepStrictEqual(rows.map(({ id }) => id), [3]);
  },
);

test("orm 37: a new object with a persistent one's key is refused by the database", async (session) => {
  await committed(session, new Label({ id: 1, name: "l" }));
  session.add(new Label({ id: 1, name: "again" }));
  await rejects(session.commit(), /breaks UNIQUE/);
  await session.rollback();
  strictEqual((await session.scalars(select(Label))).length, 1);
});

test("two equal runs emit the same SQL in the same order", async () => {
  const logs = await Promise.all([1, 2].map(async () => {
    await using database = await created(sqliteDatabase(), metadata);
    await using session = new Session({ bind: database.engine });
    const root = node("r");
    for (let i = 0; i < 12; i++) {
      root.children.add(new Node({ name: `${i}`, note: i % 2 ? "n" : null }));
      session.add(
        new Item({ name: `${i}`, labels: [new Label({ name: "" })] }),
      );
    }
    session.add(root);
    await session.commit();
    for (const one of await session.scalars(select(Item))) session.delete(one);
    await session.commit();
    return database.log.slice();
  }));
  deepStrictEqual(logs[0], logs[1]);
});

test(
  "orm 28, 29: a row does not overwrite what is in memory, unless it is told to",
  async (session, database) => {
    const { populateExisting } = await import("../../orm/mod.ts");
    const one = node("mine");
    await committed(session, one);
    await database.engine.execute(sql`UPDATE nodes SET name = 'theirs'`);
    one.note = "pending";
    await noAutoflush(session, async () => {
      await session.scalars(select(Node));
      strictEqual(one.name, "mine");
      await session.scalars(select(Node).options(populateExisting));
    });
    strictEqual(one.name, "theirs");
    strictEqual(one.note, null);
    deepStrictEqual(session.dirty, []);
  },
);

test(
  "orm 108, 109, 113: an expired object loses pending changes; the next row fills it, and keeps what was set since",
  async (session, database) => {
    const one = node("a");
    throws(() => expire(one), StateError);
    await committed(session, one);
    one.name = "lost";
    expire(one);
    throws(() => one.name, /not loaded/);
    database.reset();
    one.note = "set since";
    strictEqual(database.trips, 0);
    await noAutoflush(session, () => session.scalars(select(Node)));
    strictEqual(one.name, "a");
    strictEqual(one.note, "set since");
    deepStrictEqual(session.dirty, [one]);
  },
);

test(
  "orm 32, 110: refresh() flushes, reads the row again, and says when it is gone",
  async (session, database) => {
    const one = node("a");
    await rejects(refresh(session, one), StateError);
    await committed(session, one);
    await database.engine.execute(sql`UPDATE nodes SET name = 'theirs'`);
    await refresh(session, one);
    strictEqual(one.name, "theirs");
    await database.engine.execute(deleteFrom(Node.table));
    await rejects(refresh(session, one), /row is gone/);
  },
);

test(
  "orm 111: a commit expires what it is told to, a rollback everything",
  async (_, database) => {
    await using session = new Session({
      bind: database.engine,
      expireOnCommit: true,
    });
    const one = node("a");
    await committed(session, one);
    await database.engine.execute(sql`UPDATE nodes SET name = 'theirs'`);
    await session.get(Node, one.id);
    strictEqual(one.name, "theirs");
    await database.engine.execute(sql`UPDATE nodes SET name = 'again'`);
    await session.rollback();
    await session.get(Node, one.id);
    strictEqual(one.name, "again");
  },
);

test(
  "orm 114: a partial expire is about the attributes and relations it names",
  async (session, database) => {
    const parent = node("p");
    parent.children.add(node("c"));
    await committed(session, parent);
    expire(parent, ["name", "children"]);
    strictEqual(parent.counter, 0);
    throws(() => parent.name, /not loaded/);
    database.reset();
    strictEqual((await parent.children.load()).length, 1);
    await refresh(session, parent, ["name"]);
    strictEqual(parent.name, "p");
  },
);

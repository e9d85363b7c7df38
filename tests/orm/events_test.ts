import {
  deepStrictEqual,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import {
  deferred,
  Entity,
  integer,
  listen,
  listenToAttribute,
  listenToSession,
  loadColumns,
  manyToOne,
  mapper,
  oneToMany,
  Session,
  type SessionEvents,
  text,
  validates,
} from "../../orm/mod.ts";
import { MetaData, select, table } from "../../sql/mod.ts";
import { d1Database, workerdWith } from "./databases.ts";
import { memory } from "./memory.ts";

abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = new MetaData();
}
class User extends Base.table("users", {
  name: text(),
  nick: text().nullable(),
  addresses: () =>
    oneToMany(Address, {
      backPopulates: "user",
      cascade: "all, delete-orphan",
    }),
}) {}
class Address extends Base.table("addresses", {
  email: text(),
  userId: integer().references("users.id").nullable(),
  user: () => manyToOne(User, { backPopulates: "addresses" }),
}) {}

/** Ends what was started in a test, whatever comes of it. */
function gathering() {
  const ends: (() => void)[] = [];
  return {
    add: (...more: (() => void)[]) => void ends.push(...more),
    [Symbol.dispose]: () => ends.forEach((end) => end()),
  };
}

const EDGES: (keyof SessionEvents<Session>)[] = [
  "transientToPending",
  "pendingToTransient",
  "pendingToPersistent",
  "loadedAsPersistent",
  "persistentToTransient",
  "persistentToDeleted",
  "deletedToPersistent",
  "deletedToDetached",
  "persistentToDetached",
  "detachedToPersistent",
];

Deno.test("orm 21: every edge between an object's states is heard, once and when the object is in its new state", async () => {
  await using db = await memory(Base.metadata);
  using heard = gathering();
  const log: string[] = [];
  await using session = db.session();
  for (const edge of EDGES) {
    heard.add(listenToSession(session, edge, (one, object) => {
      strictEqual(one, session);
      log.push(`${edge} ${(object as User).name} ${one.has(object)}`);
    }));
  }
  const took = () => log.splice(0);
  const user = new User({ name: "a" });

  session.add(user);
  session.add(user);
  deepStrictEqual(took(), ["transientToPending a true"]);
  session.expunge(user);
  deepStrictEqual(took(), ["pendingToTransient a false"]);
  session.add(user);
  await session.commit();
  deepStrictEqual(took(), [
    "transientToPending a true",
    "pendingToPersistent a true",
  ]);
  session.expunge(user);
  session.add(user);
  deepStrictEqual(took(), [
    "persistentToDetached a false",
    "detachedToPersistent a true",
  ]);
  session.delete(user);
  await session.flush();
  await session.rollback();
  deepStrictEqual(took(), [
    "persistentToDeleted a false",
    "deletedToPersistent a true",
  ]);
  session.delete(user);
  await session.commit();
  deepStrictEqual(took(), [
    "persistentToDeleted a false",
    "deletedToDetached a false",
  ]);
  const other = new User({ name: "b" });
  session.add(other);
  await session.flush();
  await session.rollback();
  deepStrictEqual(took(), [
    "transientToPending b true",
    "pendingToPersistent b true",
    "persistentToTransient b false",
  ]);
  session.add(new User({ name: "c" }));
  await session.rollback();
  deepStrictEqual(took(), [
    "transientToPending c true",
    "pendingToTransient c false",
  ]);
  await db.engine.sendBatch([]);
  await using writer = db.session();
  writer.add(new User({ name: "d" }));
  await writer.commit();
  await session.scalars(select(User));
  await session.scalars(select(User));
  deepStrictEqual(took(), ["loadedAsPersistent d true"]);
});

Deno.test("orm 21: those who listen to a class of sessions hear all of them, until they stop", async () => {
  await using db = await memory(Base.metadata);
  class Watched extends Session {}
  const names: string[] = [];
  const end = listenToSession(
    Watched,
    "transientToPending",
    (_, object) => void names.push((object as User).name),
  );
  await using one = new Watched({ bind: db.engine });
  await using two = new Session({ bind: db.engine });
  one.add(new User({ name: "heard" }));
  two.add(new User({ name: "elsewhere" }));
  end();
  one.add(new User({ name: "late" }));
  deepStrictEqual(names, ["heard"]);
});

Deno.test("orm 24: a class's listeners hear of construction, of its failure, of loading, of refreshing and of what a commit filled in", async () => {
  await using db = await memory(Base.metadata);
  using heard = gathering();
  const log: string[] = [];
  heard.add(
    listen(User, "init", (_, values) => {
      log.push(`init ${values.name}`);
      values.nick ??= "made up";
    }),
    listen(User, "initFailure", () => void log.push("initFailure")),
    listen(Base, "load", (user) => void log.push(`load ${user.id}`)),
    listen(User, "refresh", (user) => void log.push(`refresh ${user.id}`)),
    listen(User, "expire", (user) => void log.push(`expire ${user.id}`)),
    listen(User, "refreshFlush", (user) => void log.push(`flush ${user.id}`)),
  );
  const took = () => log.splice(0);
  const user = new User({ name: "ed" });
  strictEqual(user.nick, "made up");
  throws(() => new User({ name: "x", nope: 1 } as never));
  deepStrictEqual(took(), ["init ed", "init x", "initFailure"]);

  await using session = db.session();
  session.add(user);
  await session.commit();
  deepStrictEqual(took(), ["flush 1"]);
  await using other = db.session();
  await other.get(User, 1);
  await other.scalars(select(User));
  deepStrictEqual(took(), ["load 1"]);
  await other.rollback();
  deepStrictEqual(took(), ["expire 1"]);
  await other.scalars(select(User));
  deepStrictEqual(took(), ["refresh 1"]);
});

Deno.test("orm 68: row listeners see the row before it is planned and may set its own columns; they hear of objects that are in the end not written", async () => {
  await using db = await memory(Base.metadata);
  using heard = gathering();
  const log: string[] = [];
  for (const kind of ["Insert", "Update", "Delete"] as const) {
    heard.add(
      listen(User, `before${kind}`, (user) => {
        log.push(`before${kind} ${user.id}`);
        if (kind !== "Delete") user.nick = kind;
      }),
      listen(User, `after${kind}`, (user) => {
        log.push(`after${kind} ${user.id}`);
      }),
    );
  }
  await using session = db.session();
  const user = new User({ name: "ed" });
  session.add(user);
  await session.commit();
  user.name = "edward";
  await session.commit();
  deepStrictEqual(
    [...await session.execute(select(User.c.name, User.c.nick))],
    [["edward", "Update"]],
  );
  // Only its collection changed: it is heard of, and its row is let be.
  db.reset();
  user.nick = "Update";
  user.addresses.add(new Address({ email: "a" }));
  await session.commit();
  strictEqual(db.statements.some((sql) => /UPDATE "users"/.test(sql)), false);
  session.delete(user);
  await session.commit();
  deepStrictEqual(log, [
    "beforeInsert undefined",
    "afterInsert 1",
    "beforeUpdate 1",
    "afterUpdate 1",
    "beforeUpdate 1",
    "afterUpdate 1",
    "beforeDelete 1",
    "afterDelete 1",
  ]);
});

Deno.test("orm 69: what beforeFlush adds, changes and deletes is part of the flush; afterFlush still sees the changes, afterFlushPostexec does not", async () => {
  await using db = await memory(Base.metadata);
  using heard = gathering();
  await using session = db.session();
  const old = new User({ name: "old" });
  session.add(old);
  await session.commit();
  const seen: unknown[] = [];
  let again = true;
  heard.add(
    listenToSession(session, "beforeFlush", (one) => {
      if (!again) return;
      one.add(new User({ name: "added" }));
      one.delete(old);
      fresh.name = "changed";
    }),
    listenToSession(
      session,
      "afterFlush",
      (one) => void seen.push(one.new.length),
    ),
    listenToSession(session, "afterFlushPostexec", (one) => {
      seen.push(one.new.length);
      again = false;
    }),
  );
  const fresh = new User({ name: "fresh" });
  session.add(fresh);
  db.reset();
  await session.commit();
  deepStrictEqual(seen, [2, 0]);
  deepStrictEqual(
    [...await session.execute(select(User.c.name).orderBy(User.c.name))],
    ["added", "changed"],
  );
});

Deno.test("orm 70: what a row's listener changes on other objects is written in the same commit instead of being discarded", async () => {
  await using db = await memory(Base.metadata);
  using heard = gathering();
  await using session = db.session();
  const counter = new User({ name: "0" });
  session.add(counter);
  await session.commit();
  heard.add(listen(Address, "beforeInsert", () => {
    counter.name = String(Number(counter.name) + 1);
  }));
  session.addAll(["a", "b"].map((email) => new Address({ email })));
  await session.commit();
  strictEqual(session.dirty.length, 0);
  deepStrictEqual([...await session.execute(select(User.c.name))], ["2"]);
});

Deno.test("orm 71: adding, deleting or letting go of objects in a row's listener warns; in beforeFlush it does not", async () => {
  await using db = await memory(Base.metadata);
  using heard = gathering();
  const warnings: string[] = [];
  await using session = db.session({ warn: (text) => warnings.push(text) });
  const old = new User({ name: "old" });
  session.add(old);
  await session.commit();
  let mode = "";
  heard.add(
    listenToSession(session, "beforeFlush", (one) => {
      if (mode === "before") one.add(new User({ name: "early" }));
    }),
    listen(Address, "beforeInsert", () => {
      if (mode === "add") session.add(new User({ name: "late" }));
      if (mode === "delete") session.delete(old);
    }),
  );
  const counts: number[] = [];
  for (mode of ["before", "add", "delete"]) {
    session.add(new Address({ email: mode }));
    await session.commit();
    counts.push(warnings.length);
  }
  deepStrictEqual(counts, [0, 1, 2]);
  strictEqual(warnings[0]!.includes("do so in beforeFlush"), true);
  await session.commit();
  deepStrictEqual(
    [...await session.execute(select(User.c.name).orderBy(User.c.id))],
    ["early", "late"],
  );
});

Deno.test("orm 69: a flush or commit inside a flush's listener is refused", async () => {
  await using db = await memory(Base.metadata);
  using heard = gathering();
  await using session = db.session();
  let refused: Promise<void> | undefined;
  heard.add(listenToSession(session, "beforeFlush", (one) => {
    refused = rejects(one.flush(), { code: "orm/busy" });
  }));
  session.add(new User({ name: "ed" }));
  await session.commit();
  await refused;
});

Deno.test("orm 138: the order of events from add to commit", async () => {
  await using db = await memory(Base.metadata);
  using heard = gathering();
  await using session = db.session();
  const log: string[] = [];
  for (
    const event of [
      "beforeAttach",
      "afterAttach",
      "beforeCommit",
      "beforeFlush",
      "afterFlush",
      "afterFlushPostexec",
      "afterCommit",
    ] as const
  ) heard.add(listenToSession(session, event, () => void log.push(event)));
  session.add(new User({ name: "ed" }));
  await session.commit();
  deepStrictEqual(log, [
    "beforeAttach",
    "afterAttach",
    "beforeCommit",
    "beforeFlush",
    "afterFlush",
    "afterFlushPostexec",
    "afterCommit",
  ]);
});

Deno.test("orm 138: on an engine that holds no transaction, events come in the same order, and a commit that fails tells nobody that rows were written", async () => {
  class Unique extends Base.table("uniques", { word: text().unique() }) {}
  await using workerd = await workerdWith("DB");
  await using db = d1Database(workerd, "DB");
  await Base.metadata.createAll(db.engine);
  using heard = gathering();
  await using session = new Session({ bind: db.engine });
  const log: string[] = [];
  for (
    const event of [
      "beforeCommit",
      "beforeFlush",
      "afterFlush",
      "pendingToPersistent",
      "afterFlushPostexec",
      "afterCommit",
      "afterRollback",
      "pendingToTransient",
    ] as const
  ) heard.add(listenToSession(session, event, () => void log.push(event)));
  for (const event of ["beforeInsert", "afterInsert"] as const) {
    heard.add(listen(Unique, event, () => void log.push(event)));
  }
  session.add(new Unique({ word: "a" }));
  await session.commit();
  deepStrictEqual(log.splice(0), [
    "beforeCommit",
    "beforeFlush",
    "beforeInsert",
    "afterFlush",
    "pendingToPersistent",
    "afterInsert",
    "afterFlushPostexec",
    "afterCommit",
  ]);
  session.add(new Unique({ word: "a" }));
  await rejects(session.commit(), { code: "sql/unique-violation" });
  deepStrictEqual(log.splice(0), [
    "beforeCommit",
    "beforeFlush",
    "beforeInsert",
  ]);
  await session.rollback();
  deepStrictEqual(log.splice(0), ["pendingToTransient", "afterRollback"]);
});

// --- Attributes ------------------------------------------------------------

Deno.test("orm 101: a column's listeners hear what is set, and may set another value; loading and commits are not heard", async () => {
  class Doc extends Entity.table("docs", {
    id: integer().primaryKey(),
    title: text(),
    body: deferred(text().nullable()),
  }) {}
  class SubDoc extends Doc {}
  await using db = await memory(Doc.table.metadata);
  using heard = gathering();
  const log: unknown[] = [];
  let changes = 0;
  heard.add(
    listenToAttribute(Doc, "title", {
      set: (_, value: string, old) => {
        log.push([value, old]);
        return value.trim();
      },
      modified: () => void changes++,
    }),
    listenToAttribute(Doc, "body", {
      set: (_, value: string | null) => void log.push(value),
    }),
  );
  const took = () => log.splice(0);
  const doc = new Doc({ title: " a " });
  strictEqual(doc.title, "a");
  doc.title = "b ";
  deepStrictEqual(took(), [[" a ", undefined], ["b ", "a"]]);
  strictEqual(changes, 2);
  // It is still a property of its own.
  deepStrictEqual({ ...doc }, { title: "b", body: undefined });
  strictEqual(JSON.stringify(doc), '{"title":"b"}');
  new SubDoc({ title: "propagates" });
  strictEqual(took().length, 1);

  await using session = db.session();
  session.add(doc);
  await session.commit();
  await using other = db.session();
  const again = (await other.get(Doc, doc.id))!;
  throws(() => again.body, { code: "orm/not-loaded" });
  await loadColumns(other, again, Doc.c.body);
  strictEqual(again.body, null);
  deepStrictEqual(took(), []);
  again.title = "c";
  again.body = "text";
  deepStrictEqual(took(), [["c", "b"], "text"]);
  await other.commit();
  await other.rollback();
  deepStrictEqual(took(), []);
  deepStrictEqual(
    [...await other.execute(select(Doc.c.title, Doc.c.body))],
    [["c", "text"]],
  );
});

Deno.test("orm 97, 101: a relation's listeners hear objects come, go and be replaced, from either side", async () => {
  using heard = gathering();
  const log: string[] = [];
  const email = (item: unknown) => (item as Address | null)?.email ?? "none";
  heard.add(
    listenToAttribute<typeof User, Address>(User, "addresses", {
      append: (_, item) => void log.push(`append ${item.email}`),
      remove: (_, item) => void log.push(`remove ${item.email}`),
      bulkReplace: (_, items) => void log.push(`replace ${items.map(email)}`),
    }),
    listenToAttribute<typeof Address, User | null>(Address, "user", {
      set: (address, user, old) =>
        void log.push(
          `${address.email}.user ${old?.name ?? "none"} -> ${
            user?.name ?? "none"
          }`,
        ),
    }, { includeBackrefs: false }),
  );
  const took = () => log.splice(0);
  const [a, b] = ["a", "b"].map((one) => new Address({ email: one })) as [
    Address,
    Address,
  ];
  const user = new User({ name: "ed", addresses: [a] });
  deepStrictEqual(took(), ["replace a", "append a"]);
  // What comes is heard before what goes, and what stays is not heard.
  const c = new Address({ email: "c" });
  user.addresses.add(c);
  took();
  user.addresses.set([b, c]);
  deepStrictEqual(took(), ["replace b,c", "append b", "remove a"]);
  user.addresses.remove(c);
  took();
  a.user.set(user);
  deepStrictEqual(took(), ["a.user none -> ed", "append a"]);
  a.user.set(null);
  deepStrictEqual(took(), ["a.user ed -> none", "remove a"]);
  const addresses = await user.addresses.load();
  deepStrictEqual(addresses.toArray(), [b]);
});

Deno.test("orm 100: validators convert or refuse each value and item, in constructors and whole lists too, on both sides", () => {
  using heard = gathering();
  heard.add(
    validates(User, ["name", "nick"], (_, value, key) => {
      if (value === "") throw new RangeError(`${key} is empty`);
      return String(value).toLowerCase();
    }),
    validates(User, ["addresses"], (_, item) => {
      const address = item as Address;
      if (!address.email.includes("@")) throw new RangeError(address.email);
      return address;
    }),
  );
  const user = new User({
    name: "ED",
    addresses: [new Address({ email: "a@b" })],
  });
  strictEqual(user.name, "ed");
  throws(() => new User({ name: "" }), { message: "name is empty" });
  throws(() => user.nick = "", { message: "nick is empty" });
  throws(() => user.addresses.set([new Address({ email: "bad" })]), {
    message: "bad",
  });
  const bad = new Address({ email: "worse" });
  throws(() => bad.user.set(user), { message: "worse" });
  const handle = user.addresses as never as Iterable<Address>;
  deepStrictEqual([...handle].map(({ email }) => email), ["a@b"]);
});

Deno.test("orm 100: validators may look at removals, or leave out what comes from the other side", () => {
  using heard = gathering();
  const log: string[] = [];
  heard.add(
    validates(User, ["addresses"], (_, item, __, isRemove) => {
      log.push(`${isRemove ? "-" : "+"}${(item as Address).email}`);
      return item;
    }, { includeRemoves: true, includeBackrefs: false }),
  );
  const [a, b] = ["a", "b"].map((email) => new Address({ email })) as [
    Address,
    Address,
  ];
  const user = new User({ name: "ed", addresses: [a] });
  b.user.set(user);
  user.addresses.remove(a);
  deepStrictEqual(log, ["+a", "-a"]);
});

Deno.test("a plain class's attributes are heard from when its objects are loaded", async () => {
  const metadata = new MetaData();
  const things = table("things", metadata, {
    id: integer().primaryKey(),
    size: integer(),
  });
  class Thing {
    declare id: number;
    constructor(public size: number) {}
  }
  mapper(Thing, things);
  const sizes: number[] = [];
  using heard = gathering();
  heard.add(
    listenToAttribute(Thing, "size", {
      set: (_, size: number) => void sizes.push(size),
    }),
  );
  await using db = await memory(metadata);
  await using session = db.session();
  session.add(new Thing(1));
  await session.commit();
  await using other = db.session();
  (await other.get(Thing, 1))!.size = 2;
  deepStrictEqual(sizes, [2]);
  await other.commit();
  deepStrictEqual([...await other.execute(select(things.c.size))], [2]);
});

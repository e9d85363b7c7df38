import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { d1 } from "../../backends/d1.ts";
import { sqlite } from "../../backends/sqlite.ts";
import {
  type BindContext,
  Entity,
  integer,
  listen,
  listenToSession,
  Session,
  type SessionOptions,
  text,
} from "../../orm/mod.ts";
import {
  createEngine,
  type Engine,
  EngineRegistry,
  insert,
  MetaData,
  select,
} from "../../sql/mod.ts";
import { workerdWith } from "./databases.ts";

/** What every class has. */
abstract class Base extends Entity.with({
  id: integer().primaryKey(),
  data: text(50),
}) {}
abstract class DefaultBase extends Base {
  static override metadata = new MetaData();
}
abstract class OtherBase extends Base {
  static override metadata = new MetaData();
}
class Model1 extends DefaultBase.table("model1", {}) {}
class Model2 extends DefaultBase.table("model2", {}) {}
class Model3 extends OtherBase.table("model3", {}) {}

type Name = "leader" | "other" | "follower1" | "follower2";
const COPIES = ["leader", "follower1", "follower2"] as const;
const NAMES: readonly Name[] = ["leader", "other", "follower1", "follower2"];

/** Four databases with their tables, one log, and sessions that route. */
async function routed() {
  const log: string[] = [];
  const made = NAMES.map((name): [Name, Engine] => [
    name,
    createEngine(sqlite(":memory:"), {
      name,
      echo: true,
      log: (line) => void log.push(line.replace(/^INFO aludel\.engine\./, "")),
    }),
  ]);
  let turn = 0;
  const engines = new EngineRegistry<Name>(
    Object.fromEntries(made) as Record<Name, Engine>,
    // The followers in turn, where a program leaves it to chance.
    { random: () => turn++ % 2 / 2 },
  );
  class RoutingSession extends Session {
    override getBind({ mapper, flushing }: BindContext): Engine {
      if (mapper?.isSubclassOf(OtherBase)) return engines.get("other");
      if (flushing) return engines.get("leader");
      return engines.choose(["follower1", "follower2"]);
    }
  }
  for (const name of COPIES) {
    await DefaultBase.metadata.createAll(engines.get(name));
  }
  await OtherBase.metadata.createAll(engines.get("other"));
  log.length = 0;
  return {
    engines,
    log,
    /** The log's lines without parameters; a statement by its first words. */
    steps: () =>
      log.splice(0).filter((line) => !/^\w+ [[(](?!implicit)/.test(line))
        .map((line) =>
          line.replace(/(INSERT INTO|SELECT).*?"(model\d)".*/s, "$1 $2")
        ),
    session: (options: SessionOptions = {}) =>
      new RoutingSession({ engines, ...options }),
    /** What a replica does by itself. */
    async replicate(): Promise<void> {
      for (const model of [Model1, Model2]) {
        const rows = await engines.get("leader").execute(select(model.table));
        for (const name of ["follower1", "follower2"] as const) {
          if (rows.length === 0) continue;
          await engines.get(name).execute(
            insert(model.table).values([...rows]),
          );
        }
      }
      log.length = 0;
    },
    [Symbol.asyncDispose]: async () => {
      for (const [, engine] of made) await engine.close();
    },
  };
}

const tablesOf = async (engine: Engine): Promise<string[]> => {
  const { rows } = await engine.send({
    sql: "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
    params: [],
  });
  return rows.map(([name]) => String(name));
};

Deno.test("orm 219: two sets of tables on two abstract bases go into databases of their own, and one session writes and reads all of them", async () => {
  await using db = await routed();
  const { engines } = db;
  for (const name of COPIES) {
    deepStrictEqual(await tablesOf(engines.get(name)), ["model1", "model2"]);
  }
  deepStrictEqual(await tablesOf(engines.get("other")), ["model3"]);

  await using session = db.session();
  session.addAll([
    new Model1({ data: "m1_a" }),
    new Model2({ data: "m2_a" }),
    new Model1({ data: "m1_b" }),
    new Model2({ data: "m2_b" }),
    new Model3({ data: "m3_a" }),
    new Model3({ data: "m3_b" }),
  ]);
  await session.commit();
  await db.replicate();
  await session.close();

  const all = async (model: typeof Model1) =>
    (await session.scalars(select(model).orderBy(model.c.id)))
      .map(({ id, data }) => [id, data]);
  deepStrictEqual(await all(Model1), [[1, "m1_a"], [2, "m1_b"]]);
  deepStrictEqual(await all(Model2), [[1, "m2_a"], [2, "m2_b"]]);
  deepStrictEqual(await all(Model3 as never), [[1, "m3_a"], [2, "m3_b"]]);
  deepStrictEqual(db.steps(), [
    "follower1 SELECT model1",
    "follower2 SELECT model2",
    "other SELECT model3",
  ]);
});

Deno.test("orm 130: a transaction begins on each engine when the first statement for it comes, and on no other", async () => {
  await using db = await routed();
  await using session = db.session();
  session.add(new Model1({ data: "only the leader" }));
  await session.commit();
  deepStrictEqual(db.steps(), [
    "leader BEGIN (implicit)",
    "leader INSERT INTO model1",
    "leader COMMIT",
  ]);

  session.addAll([
    new Model1({ data: "m1" }),
    new Model3({ data: "m3" }),
    new Model2({ data: "m2" }),
  ]);
  await session.commit();
  const steps = db.steps();
  const first = (engine: string) =>
    steps.filter((step) => step.startsWith(engine))[0];
  strictEqual(first("leader"), "leader BEGIN (implicit)");
  strictEqual(first("other"), "other BEGIN (implicit)");
  // What comes between the two beginnings was the leader's.
  const between = steps.slice(1, steps.indexOf("other BEGIN (implicit)"));
  strictEqual(between.length > 0, true);
  strictEqual(
    between.every((step) => step.startsWith("leader INSERT")),
    true,
  );
  strictEqual(steps.some((step) => step.startsWith("follower")), false);
  deepStrictEqual(steps.slice(-2).sort(), ["leader COMMIT", "other COMMIT"]);
});

Deno.test("orm 213: writes go to the writer, reads to a follower; a session pinned by usingBind() shares the objects and goes to one engine", async () => {
  await using db = await routed();
  await using session = db.session();
  const one = new Model1({ data: "new" });
  session.add(one);
  await session.commit();
  strictEqual(db.steps().every((step) => step.startsWith("leader ")), true);

  // The followers have not heard of it yet.
  deepStrictEqual([...await session.scalars(select(Model1))], []);
  deepStrictEqual([...await session.scalars(select(Model1))], []);
  deepStrictEqual(db.steps(), [
    "follower1 SELECT model1",
    "follower2 SELECT model1",
  ]);

  const pinned = session.usingBind("leader");
  strictEqual(pinned.constructor, session.constructor);
  const [found] = await pinned.scalars(select(Model1));
  strictEqual(found, one);
  deepStrictEqual(db.steps(), ["leader SELECT model1"]);
  deepStrictEqual(
    [...pinned.identityMap.values()],
    [...session.identityMap.values()],
  );

  // What either takes in, both hold; the pin covers what the router sends away.
  const other = new Model2({ data: "second" });
  pinned.add(other);
  strictEqual(session.has(other), true);
  await session.commit();
  strictEqual(pinned.new.length, 0);
  strictEqual(await pinned.get(Model2, other.id), other);
  db.steps();
  await session.usingBind(db.engines.get("other")).scalars(select(Model3));
  await session.scalars(select(Model2));
  deepStrictEqual(db.steps().map((step) => step.split(" ")[0]), [
    "other",
    "follower1",
  ]);
});

Deno.test("orm 214: until the commit, what was written is read where it was written; other classes, and everything after it, where reads go", async () => {
  await using db = await routed();
  await using session = db.session();
  const one = new Model1({ data: "new" });
  session.add(one);

  // The query writes first, and then goes where that is.
  deepStrictEqual([...await session.scalars(select(Model1))], [one]);
  strictEqual(await session.get(Model1, one.id, { fresh: true }), one);
  await session.scalars(select(Model3));
  strictEqual(db.steps().some((step) => step.startsWith("follower")), false);

  await session.commit();
  db.steps();
  deepStrictEqual([...await session.scalars(select(Model1))], []);
  deepStrictEqual(db.steps(), ["follower2 SELECT model1"]);
});

Deno.test("orm 214: a session tells its bookmark, and one that takes it up reads nothing older", async () => {
  await using workerd = await workerdWith("DB");
  const open = (bookmark: string) => {
    const bind = createEngine(d1(workerd.d1("DB").withSession(bookmark)));
    return new Session({ bind });
  };
  await using first = open("first-primary");
  await DefaultBase.metadata.createAll(first.options.bind!);
  first.add(new Model1({ data: "seen" }));
  await first.commit();

  await using second = open(first.bookmark!);
  const [found] = await second.scalars(select(Model1));

  strictEqual(found?.data, "seen");
  strictEqual(second.bookmark! >= first.bookmark!, true);
});

Deno.test("orm 128: nobody begins: the first flush does, further ones go on in it; a commit of nothing sends nothing and logs nothing, with or without a change before that was undone", async () => {
  await using db = await routed();
  const leader = db.engines.get("leader");
  await using session = new Session({ bind: leader });
  await session.commit();
  await session.commit();
  deepStrictEqual(db.steps(), []);

  const one = new Model1({ data: "a" });
  session.add(one);
  await session.flush();
  one.data = "b";
  await session.flush();
  await session.scalars(select(Model1));
  await session.commit();
  const steps = db.steps();
  deepStrictEqual(
    steps.filter((step) => /BEGIN|COMMIT/.test(step)),
    ["leader BEGIN (implicit)", "leader COMMIT"],
  );
  strictEqual(steps[0], "leader BEGIN (implicit)");
  strictEqual(steps.at(-1), "leader COMMIT");

  one.data = "c";
  one.data = "b";
  await session.commit();
  deepStrictEqual(db.steps(), []);
});

Deno.test("orm 131: a commit writes, then commits, then expires", async () => {
  await using db = await routed();
  const leader = db.engines.get("leader");
  await using session = new Session({ bind: leader, expireOnCommit: true });
  const one = new Model1({ data: "a" });
  session.add(one);
  const ends = [
    listenToSession(
      session,
      "beforeFlush",
      () => void db.log.push("beforeFlush"),
    ),
    listenToSession(
      session,
      "afterCommit",
      () => void db.log.push("afterCommit"),
    ),
  ];
  ends.push(listen(Model1, "expire", () => void db.log.push("expire")));
  await session.commit();
  ends.forEach((end) => end());
  deepStrictEqual(db.steps(), [
    "beforeFlush",
    "leader BEGIN (implicit)",
    "leader INSERT INTO model1",
    "leader COMMIT",
    "expire",
    "afterCommit",
  ]);
  // What it holds is asked for anew.
  await leader.send({ sql: "UPDATE model1 SET data = 'b'", params: [] });
  strictEqual(await session.get(Model1, one.id), one);
  strictEqual(one.data, "b");
});

Deno.test("orm 134: a session's commit() inside nested savepoints commits all of them, its rollback() undoes all; the handle ends the inner one", async () => {
  await using db = await routed();
  const leader = db.engines.get("leader");
  await using session = new Session({ bind: leader });
  const words = async () =>
    (await leader.execute(select(Model1.table))).map(({ data }) => data).sort();

  session.add(new Model1({ data: "outer" }));
  await session.beginNested();
  session.add(new Model1({ data: "inner" }));
  await session.beginNested();
  session.add(new Model1({ data: "innermost" }));
  await session.commit();
  const committed = ["inner", "innermost", "outer"];
  deepStrictEqual(await words(), committed);
  // Nothing is open any more that could undo it.
  await session.rollback();
  deepStrictEqual(await words(), committed);

  session.add(new Model1({ data: "gone" }));
  await session.beginNested();
  session.add(new Model1({ data: "gone too" }));
  await session.flush();
  await session.rollback();
  await session.commit();
  deepStrictEqual(await words(), committed);

  session.add(new Model1({ data: "kept" }));
  const nested = await session.beginNested();
  session.add(new Model1({ data: "undone" }));
  await session.flush();
  await nested.rollback();
  await session.commit();
  deepStrictEqual(await words(), ["inner", "innermost", "kept", "outer"]);
});

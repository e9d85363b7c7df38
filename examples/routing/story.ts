import { d1 } from "@aludel/aludel/backends/d1";
import { neon } from "@aludel/aludel/backends/neon";
import { type BindContext, Session } from "@aludel/aludel/orm";
import {
  createEngine,
  type Engine,
  EngineRegistry,
  insert,
  select,
} from "@aludel/aludel/sql";
import {
  startNeonServer,
  startPostgres,
  startWorkerd,
} from "../../tests/services/mod.ts";
import { expect, log, say, seen, story } from "../demo/page.ts";
import { DefaultBase, Model1, Model2, Model3, OtherBase } from "./models.ts";

/** Routes writes to a leader, reads to followers, and one family of classes elsewhere. */
export async function tellRouters(): Promise<void> {
  story(
    3,
    "Routers: one session, four databases",
    "leader and two followers on D1, other on Postgres over HTTP (Neon's protocol)",
  );
  await using workerd = await startWorkerd({
    d1: ["LEADER", "FOLLOWER1", "FOLLOWER2"],
  });
  await using postgres = await startPostgres();
  await using server = startNeonServer(postgres);
  const lines: string[] = [];
  const echo = {
    echo: true,
    log: (line: string) => {
      lines.push(line);
      log(line);
    },
  };
  const bindings = {
    leader: d1(workerd.d1("LEADER")),
    follower1: d1(workerd.d1("FOLLOWER1")),
    follower2: d1(workerd.d1("FOLLOWER2")),
    other: neon(server.connectionString(), { endpoint: server.endpoint }),
  };
  const quiet = (name: keyof typeof bindings): Engine =>
    createEngine(bindings[name], { name });

  for (const name of ["leader", "follower1", "follower2"] as const) {
    await DefaultBase.metadata.createAll(quiet(name));
  }
  await OtherBase.metadata.createAll(quiet("other"));

  const engines = new EngineRegistry({
    leader: createEngine(bindings.leader, { name: "leader", ...echo }),
    other: createEngine(bindings.other, { name: "other", ...echo }),
    follower1: createEngine(bindings.follower1, { name: "follower1", ...echo }),
    follower2: createEngine(bindings.follower2, { name: "follower2", ...echo }),
  });

  class RoutingSession extends Session {
    override getBind({ mapper, flushing }: BindContext): Engine {
      if (mapper?.isSubclassOf(OtherBase)) return engines.get("other");
      if (flushing) return engines.get("leader");
      return engines.choose(["follower1", "follower2"]);
    }
  }

  say("Six objects of three classes, one commit:");
  await using session = new RoutingSession({ engines });
  session.addAll([
    new Model1({ data: "m1_a" }),
    new Model2({ data: "m2_a" }),
    new Model1({ data: "m1_b" }),
    new Model2({ data: "m2_b" }),
    new Model3({ data: "m3_a" }),
    new Model3({ data: "m3_b" }),
  ]);
  await session.commit();
  expect(
    lines.filter((line) => line.endsWith("COMMIT")).length === 2,
    "one COMMIT for each engine that was written",
  );
  seen("BEGIN where SQL first reaches an engine, COMMIT on each");
  say("");

  say("Pretend that the leader replicates to its followers: copy the rows.");
  for (const model of [Model1, Model2]) {
    const rows = await quiet("leader").execute(select(model.table));
    for (const follower of ["follower1", "follower2"] as const) {
      await quiet(follower).execute(insert(model.table).values([...rows]));
    }
  }
  say("");

  say("Queries go to a follower, or to other:");
  await using reader = new RoutingSession({ engines });
  for (const model of [Model1, Model2, Model3]) {
    const found = await reader.scalars(select(model).orderBy(model.c.id));
    say(`[${found.join(", ")}]`);
    expect(found.length === 2, `two of ${model.name}`);
  }
  say("");

  say('By hand, as in using_bind("leader"):');
  const pinned = await new RoutingSession({ engines }).usingBind("leader")
    .first(select(Model1).orderBy(Model1.c.id));
  say(`${pinned}`);
  expect(
    lines.findLast((line) => line.includes("SELECT"))?.includes(".leader ") ??
      false,
    "the pinned query to go to the leader",
  );
  seen("one registry, D1 and Postgres side by side; the routing is one method");
}

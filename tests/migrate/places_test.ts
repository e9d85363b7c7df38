/** One set in every place: the command line, a test, a Worker, a Durable Object, an endpoint. */
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { d1 } from "../../backends/d1.ts";
import {
  createMigrator,
  endpointDriver,
  type Migrator,
} from "../../migrate/mod.ts";
import { createEngine } from "../../sql/mod.ts";
import { startWorkerd } from "../services/mod.ts";
import { memoryEngine, rowsOf } from "./databases.ts";
import { Project } from "./project.ts";
import { merged, posts, SET, tags, users } from "./revisions.ts";

const TOKEN = "a secret of enough characters";

const SHARED = `
  import { createMigrator, migrationEndpoint } from "@aludel/aludel/migrate";
  import { createEngine } from "@aludel/aludel/sql";
  import { d1 } from "@aludel/aludel/backends/d1";
  import { durableObjectSql } from "@aludel/aludel/backends/durable-object-sql";
  import { DurableObject } from "cloudflare:workers";
  import { SET } from "./tests/migrate/revisions.ts";

  const traced = (driver) => {
    const sql = [];
    const engine = createEngine(driver, { trace: (event) => sql.push(event.sql) });
    return { sql, engine };
  };

  export class Room extends DurableObject {
    constructor(ctx, env) {
      super(ctx, env);
      const { sql, engine } = traced(durableObjectSql(ctx.storage));
      this.sql = sql;
      // Nothing is answered before the object's own database is there.
      ctx.blockConcurrencyWhile(async () => {
        const migrator = createMigrator({ revisions: SET, engine });
        this.result = await migrator.upgrade("heads");
      });
    }
    fetch() {
      return Response.json({ sql: this.sql, heads: this.result.heads });
    }
  }

  export default {
    async fetch(request, env) {
      const { pathname } = new URL(request.url);
      if (pathname === "/room") return env.ROOM.getByName("one").fetch(request);
      if (pathname === "/_migrate") {
        return await migrationEndpoint(request, createEngine(d1(env.REMOTE)), { token: "${TOKEN}" });
      }
      const { sql, engine } = traced(d1(env.DB));
      const migrator = createMigrator({ revisions: SET, engine });
      if (pathname === "/check") {
        const found = await migrator.check();
        return Response.json(found, { status: found.isCurrent ? 200 : 503 });
      }
      const { heads } = await migrator.upgrade("heads");
      return Response.json({ sql, heads });
    },
  };
`;

const workerd = await startWorkerd({
  workers: [{
    entry: { source: SHARED },
    d1: ["DB", "REMOTE"],
    durableObjects: { ROOM: "Room" },
  }],
  d1: ["TEST", "CLI"],
});
Deno.test.afterAll(() => workerd.dispose());

/** The batches of a run, without how the version tables were looked for. */
function batches(sql: readonly (readonly string[])[]): (readonly string[])[] {
  return sql.filter((batch) => batch.length > 2);
}

/** A database of workerd, and every text that was sent to it. */
function traced(binding: string) {
  const sent: (readonly string[])[] = [];
  const engine = createEngine(d1(workerd.d1(binding)), {
    trace: (event) => sent.push(event.sql),
  });
  return { engine, sent };
}

/** What the command line sends to bring a database to the heads of the set. */
async function sentByCommandLine(): Promise<(readonly string[])[]> {
  const { engine, sent } = traced("CLI");
  using project = new Project();
  await project.ok("init");
  Object.assign(globalThis, { engineOfTest: engine });
  project.env(`import { defineMigrations } from "@aludel/aludel/migrate";
export default defineMigrations({
  engines: { default: () => globalThis.engineOfTest },
});
`);
  const set = new URL("./revisions.ts", import.meta.url);
  for (
    const [name, { revision }] of Object.entries({ users, posts, tags, merged })
  ) {
    Deno.writeTextFileSync(
      `${project.dir}/${revision}_${name}.ts`,
      `export { ${name} as default } from ${JSON.stringify(set)};\n`,
    );
  }
  await project.ok("index");
  await project.ok("upgrade", "heads");
  return sent;
}

Deno.test("migrate 184: one set sends the same statements from the command line, a test, a Worker and a Durable Object", async () => {
  const { engine, sent } = traced("TEST");
  await createMigrator({ revisions: SET, engine }).upgrade("heads");

  const worker = await (await workerd.fetch("/")).json();
  const object = await (await workerd.fetch("/room")).json();

  deepEqual(worker.heads, [merged.revision]);
  deepEqual(object.heads, [merged.revision]);
  equal(batches(sent).length, 4);
  deepEqual(batches(worker.sql), batches(sent));
  deepEqual(batches(object.sql), batches(sent));
  deepEqual(batches(await sentByCommandLine()), batches(sent));
});

Deno.test("a Worker that is asked to check fails closed until its database is current", async () => {
  await using fresh = await startWorkerd({
    workers: [{
      entry: { source: SHARED },
      d1: ["DB", "REMOTE"],
      durableObjects: { ROOM: "Room" },
    }],
  });
  const behind = await fresh.fetch("/check");
  equal(behind.status, 503);
  deepEqual((await behind.json()).pending.length, 4);
  await fresh.fetch("/");
  equal((await fresh.fetch("/check")).status, 200);
});

Deno.test("an endpoint in the application's own Worker carries an upgrade, and refuses who does not know its token", async () => {
  const like = memoryEngine();
  const through = (token: string): Migrator =>
    createMigrator({
      revisions: SET,
      engine: createEngine(
        endpointDriver("https://app/_migrate", like.driver, {
          token,
          fetch: (input, init) =>
            workerd.fetch(new URL(String(input)).pathname, {
              method: init!.method!,
              headers: init!.headers!,
              body: init!.body as string,
            }),
        }),
      ),
      waitMs: 0,
    });
  await rejects(through("another secret, long enough").upgrade("heads"), {
    code: "sql/http",
  });
  deepEqual((await through(TOKEN).upgrade("heads")).heads, [merged.revision]);
  deepEqual(
    await rowsOf(
      createEngine(d1(workerd.d1("REMOTE"))),
      "SELECT version_num FROM aludel_version",
    ),
    [[merged.revision]],
  );
  // A guard's own words come through, so that runners can still meet there.
  const both = [through(TOKEN), through(TOKEN)];
  await both[0]!.downgrade("base");
  const results = await Promise.all(
    both.map((migrator) => migrator.upgrade("heads")),
  );
  equal(results.flatMap(({ steps }) => steps).length, 4);
  await rejects(Promise.resolve().then(() => through("short")), {
    code: "migrate/endpoint-token",
  });
  await like.close();
  ok(true);
});

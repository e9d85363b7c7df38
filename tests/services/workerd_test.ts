import { deepEqual, equal, match, rejects, throws } from "node:assert/strict";
import { countingD1 } from "./counting_d1.ts";
import { startWorkerd } from "./workerd.ts";

const workerd = await startWorkerd({
  d1: ["DB", "OTHER"],
  workers: [
    {
      name: "objects",
      entry: {
        source: `
          import { DurableObject } from "cloudflare:workers";
          export class Counter extends DurableObject {
            next(): number {
              const { sql } = this.ctx.storage;
              sql.exec("CREATE TABLE IF NOT EXISTS n (n INTEGER)");
              sql.exec("INSERT INTO n VALUES (1)");
              return sql.exec("SELECT count(*) AS n FROM n").one().n as number;
            }
          }
          export default {
            fetch: (request: Request) => new Response("objects " + new URL(request.url).pathname),
          };`,
      },
      durableObjects: { COUNTER: "Counter" },
    },
    ...["first", "second"].map((name) => ({
      name,
      entry: {
        source: `
          import { VERSION } from "@aludel/aludel";
          let requests = 0;
          export default {
            async fetch(request: Request, env: any) {
              requests++;
              const url = new URL(request.url);
              if (url.pathname === "/throw") throw new TypeError("no such thing");
              if (url.pathname === "/put") await env.CACHE.put("k", await request.text());
              if (url.pathname === "/cache") {
                const cache = (caches as any).default;
                const hit = await cache.match("https://a.test/x");
                await cache.put("https://a.test/x", new Response("x", { headers: { "cache-control": "max-age=60" } }));
                return new Response(hit ? "hit" : "miss");
              }
              if (url.pathname === "/log") console.log("said", env.WHO);
              const stub = env.COUNTER.get(env.COUNTER.idFromName("one"));
              const { results } = await env.DB.prepare("SELECT ?1 AS who").bind(env.WHO).all();
              return Response.json({
                requests, version: VERSION, who: results[0].who,
                kv: await env.CACHE.get("k"), n: await stub.next(),
              });
            },
          };`,
      },
      kv: ["CACHE"],
      d1: ["DB"],
      durableObjects: {
        COUNTER: { className: "Counter", worker: "objects" },
      },
      vars: { WHO: name },
    })),
  ],
});
Deno.test.afterAll(() => workerd.dispose());

Deno.test("startWorkerd() runs several Workers that share KV and a Durable Object", async () => {
  await workerd.fetch("/put", {
    worker: "first",
    method: "POST",
    body: "shared",
  });
  const first = await (await workerd.fetch("/", { worker: "first" })).json();
  const second = await (await workerd.fetch("/", { worker: "second" })).json();

  deepEqual(first, {
    requests: 2,
    version: "0.1.0",
    who: "first",
    kv: "shared",
    n: 2,
  });
  deepEqual(second, {
    requests: 1,
    version: "0.1.0",
    who: "second",
    kv: "shared",
    n: 3,
  });
  equal(await (await workerd.kv("CACHE")).get("k"), "shared");
});

Deno.test("workerd.fetch() answers with the first Worker when none is named", async () => {
  equal(await (await workerd.fetch("/path")).text(), "objects /path");
});

Deno.test("workerd.fetch() gives status 500 for what a Worker throws", async () => {
  const answer = await workerd.fetch("/throw", { worker: "first" });
  equal(answer.status, 500);
  match(await answer.text(), /^TypeError: no such thing/);
});

Deno.test("workerd has the Cache API", async () => {
  const ask = async () =>
    await (await workerd.fetch("/cache", { worker: "first" })).text();
  equal(await ask(), "miss");
  equal(await ask(), "hit");
});

Deno.test("workerd.d1() is the real D1, its values, errors and transactions", async () => {
  const db = workerd.d1("DB");
  await db.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
  const insert = db.prepare("INSERT INTO t (v) VALUES (?) RETURNING id");

  deepEqual((await insert.bind("a").run()).results, [{ id: 1 }]);
  const { meta } = await insert.bind(new Uint8Array([1, 255])).run();
  equal(meta.changes, 1);
  deepEqual(
    await db.prepare("SELECT id, v, v FROM t").raw({ columnNames: true }),
    [["id", "v", "v"], [1, "a", "a"], [2, [1, 255], [1, 255]]],
  );
  equal(await db.prepare("SELECT v FROM t").first("v"), "a");
  equal(await db.prepare("SELECT v FROM t WHERE id = 9").first(), null);
  await rejects(
    db.batch([insert.bind(true), db.prepare("INSERT INTO t (id) VALUES (1)")]),
    (error: Error) => {
      match(error.message, /^D1_ERROR: UNIQUE constraint failed: t\.id/);
      match((error.cause as Error).message, /^UNIQUE constraint failed/);
      return true;
    },
  );
  equal(await db.prepare("SELECT count(*) AS n FROM t").first("n"), 2);
  throws(() => insert.bind(undefined), /^Error: D1_TYPE_ERROR: Type 'undef/);
  throws(() => insert.bind(1n), /^Error: D1_TYPE_ERROR: Type 'bigint'/);

  const session = db.withSession("first-primary");
  equal(session.getBookmark(), null);
  await session.prepare("SELECT 1").all();
  match(session.getBookmark() ?? "", /^\w+-/);
  await workerd.emptyD1("DB");
});

Deno.test("workerd.emptyD1() drops tables that refer to each other", async () => {
  const db = workerd.d1("OTHER");
  await db.batch([
    "CREATE TABLE parent (id INTEGER PRIMARY KEY, child REFERENCES child(id))",
    "CREATE TABLE child (id INTEGER PRIMARY KEY, p INTEGER NOT NULL REFERENCES parent(id) ON DELETE RESTRICT)",
    'CREATE TABLE "od""d" (id INTEGER PRIMARY KEY, self REFERENCES "od""d"(id))',
    "CREATE VIRTUAL TABLE words USING fts5(word)",
    "CREATE VIEW v AS SELECT * FROM parent",
    "CREATE TRIGGER no AFTER DELETE ON child BEGIN INSERT INTO parent VALUES (9, NULL); END",
    "INSERT INTO parent VALUES (1, NULL)",
    "INSERT INTO child VALUES (1, 1)",
    'INSERT INTO "od""d" VALUES (1, NULL), (2, 1)',
  ].map((sql) => db.prepare(sql)));

  await workerd.emptyD1("OTHER");
  await workerd.emptyD1("OTHER");

  const left = await db.prepare(
    "SELECT name FROM sqlite_schema WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'",
  ).all();
  deepEqual(left.results, []);
});

Deno.test("countingD1() counts each trip, also one that fails", async () => {
  const counted = countingD1(workerd.d1("DB"));
  const { db } = counted;
  const one = db.prepare("SELECT ? AS n");

  equal(counted.trips, 0);
  await one.bind(1).all();
  await one.bind(1).raw();
  await one.bind(1).first("n");
  await one.bind(1).run();
  equal(counted.trips, 4);
  const rows = await db.batch([one.bind(1), db.prepare("SELECT 2 AS n")]);
  deepEqual(rows.map((row) => row.results), [[{ n: 1 }], [{ n: 2 }]]);
  await rejects(db.prepare("nonsense").all());
  await db.withSession().prepare("SELECT 3").all();
  equal(counted.trips, 7);
  deepEqual(counted.log.slice(4), [
    ["SELECT ? AS n", "SELECT 2 AS n"],
    ["nonsense"],
    ["SELECT 3"],
  ]);
  equal(counted.pending, 0);
  counted.reset();
  equal(counted.trips, 0);
});

Deno.test("startWorkerd() leaves no process behind, nor when a Worker does not compile", async () => {
  const before = await workerdProcesses();
  {
    await using small = await startWorkerd({ d1: ["DB"] });
    await small.d1("DB").prepare("SELECT 1").all();
    equal((await workerdProcesses()).length, before.length + 1);
  }
  deepEqual(await workerdProcesses(), before);
  await rejects(
    startWorkerd({ workers: [{ entry: "export default {" }] }),
    /^Error: Cannot start workerd: /,
  );
  await rejects(
    startWorkerd({ workers: [{ entry: { source: 'import "./no.ts"' } }] }),
    /Could not resolve/,
  );
  deepEqual(await workerdProcesses(), before);
});

Deno.test("startWorkerd() hands the Workers' console to onLog", async () => {
  const said: string[] = [];
  await using small = await startWorkerd({
    workers: [{
      entry:
        `export default { fetch() { console.log("said"); return new Response(); } }`,
    }],
    onLog: (text) => said.push(text),
  });
  await small.fetch("/");
  await small.fetch("/");
  match(said.join(""), /said/);
});

Deno.test("workerd refuses names that were not started", async () => {
  throws(() => workerd.d1("NO"), /Cannot use D1 database "NO"/);
  throws(() => workerd.fetch("/", { worker: "no" }), /Worker "no"/);
  await rejects(workerd.kv("NO"), /Cannot use KV namespace "NO"/);
});

/** The workerd processes that this test started, by id. */
async function workerdProcesses(): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(entry.name)) continue;
    try {
      const stat = await Deno.readTextFile(`/proc/${entry.name}/stat`);
      const [, name, state, parent] = /^\d+ \((.*)\) (\w) (\d+)/.exec(stat)!;
      if (name === "workerd" && state !== "Z" && Number(parent) === Deno.pid) {
        found.push(entry.name);
      }
    } catch {
      // It ended while we looked.
    }
  }
  return found.sort();
}

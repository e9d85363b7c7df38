import {
  deepStrictEqual,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { libsql } from "../../../backends/libsql.ts";
import { ConnectionError, createEngine, sql } from "../../../sql/mod.ts";
import { testDriver } from "../../conformance/mod.ts";
import { startHranaServer } from "../../services/mod.ts";

const server = await startHranaServer();
Deno.test.afterAll(() => server.dispose());
const authToken = server.token;

testDriver("libsql", () => libsql(server.url, { authToken }), {
  skip: [{
    reason: "the stand-in stands on node:sqlite, which under Deno cuts it off",
    tests: [
      "a NUL character in text survives, or is refused by a typed error",
    ],
  }],
});

Deno.test("libsql sends a statement or a batch in one request, and leaves no stream open", async () => {
  const engine = createEngine(libsql(server.url, { authToken }));
  server.reset();

  await engine.execute(sql`SELECT 1 AS one`);
  await engine.batch([sql`SELECT 1 AS one`, sql`SELECT 2 AS two`]);
  await rejects(engine.batch([sql`SELECT 1 AS one`, sql`SELEC`]), {
    sql: "SELEC",
  });

  deepStrictEqual([server.requests, server.streams], [3, 0]);
});

Deno.test("libsql reads several things while another client writes, and waits for no lock", async () => {
  const engine = createEngine(libsql(server.url, { authToken }));
  await engine.execute(sql`CREATE TABLE IF NOT EXISTS kept (n INTEGER)`);
  let baton: string | null = null;
  const stream = async (request: unknown) => {
    const answer = await fetch(`${server.url}/v3/pipeline`, {
      method: "POST",
      headers: { Authorization: `Bearer ${authToken}` },
      body: JSON.stringify({ baton, requests: [request] }),
    });
    ({ baton } = await answer.json());
  };
  await stream({ type: "execute", stmt: { sql: "BEGIN IMMEDIATE" } });
  await stream({
    type: "execute",
    stmt: { sql: "INSERT INTO kept VALUES (1)" },
  });

  server.reset();

  const reads = [0, 1, 2].map(() => engine.execute(sql`SELECT n FROM kept`));
  const counts = (await Promise.all(reads)).map(({ length }) => length);
  const { requests } = server;
  const write = engine.batch([sql`INSERT INTO kept VALUES (2)`]);

  deepStrictEqual([counts, requests], [[0, 0, 0], 1]);
  await rejects(write, { code: "sql/serialization" });
  await stream({ type: "close" });
});

Deno.test("libsql reads whole numbers exactly, without a type to say so", async () => {
  const engine = createEngine(libsql(server.url, { authToken }));

  const [row] = await engine.execute(
    sql`SELECT 9007199254740993 AS big, 7 AS small, 0.5 AS half`,
  );

  deepStrictEqual(row, { big: 9007199254740993n, small: 7, half: 0.5 });
});

Deno.test("libsql with a wrong token is a ConnectionError that does not repeat it", async () => {
  const engine = createEngine(libsql(server.url, { authToken: "secret" }));

  await rejects(
    engine.execute(sql`SELECT 1`),
    (error) =>
      error instanceof ConnectionError && !error.isRetryable &&
      !Deno.inspect(error, { depth: 10 }).includes("secret"),
  );
});

Deno.test("libsql takes libsql: and http(s): addresses, and refuses others", async () => {
  const asked: string[] = [];
  const fetch = (url: string) => {
    asked.push(url);
    return Promise.resolve(new Response("", { status: 500 }));
  };
  for (const url of ["libsql://a.turso.io", "https://b.example/"]) {
    await rejects(
      createEngine(libsql(url, { fetch }), { retries: 0 })
        .execute(sql`SELECT 1`),
    );
  }

  deepStrictEqual(asked, [
    "https://a.turso.io/v3/pipeline",
    "https://b.example/v3/pipeline",
  ]);
  strictEqual(libsql("http://127.0.0.1:1").capabilities.atomicBatch, true);
  throws(() => libsql("file:secret.db"), ConnectionError);
});

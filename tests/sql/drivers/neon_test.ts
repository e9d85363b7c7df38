import { neon as neonClient, neonConfig } from "@neondatabase/serverless";
import {
  deepStrictEqual,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { neon } from "../../../backends/neon.ts";
import {
  ConnectionError,
  createEngine,
  OverloadedError,
  sql,
  SqlError,
  TimeoutError,
} from "../../../sql/mod.ts";
import { testDriver } from "../../conformance/mod.ts";
import {
  postgresServerAvailable,
  startNeonServer,
  startPostgres,
} from "../../services/mod.ts";

// A real server where there is one: only there do transactions meet.
const { ok: hasServer } = await postgresServerAvailable();
const postgres = await startPostgres({ kind: hasServer ? "server" : "pglite" });
const server = startNeonServer(postgres);
Deno.test.afterAll(async () => {
  await server.dispose();
  await postgres.dispose();
});
const connection = server.connectionString();
const { endpoint } = server;

testDriver("neon", () => neon(connection, { endpoint }));

neonConfig.fetchEndpoint = endpoint;
testDriver("neon through its own client", () => neon(neonClient(connection)));

const answering = (status: number, body: string) =>
  createEngine(
    neon(connection, {
      endpoint,
      fetch: () => Promise.resolve(new Response(body, { status })),
    }),
    { retries: 0 },
  );

Deno.test("neon sends a lone statement and a batch in one request each", async () => {
  const engine = createEngine(neon(connection, { endpoint }));
  server.reset();

  await engine.execute(sql`SELECT ${"a"}::text AS one`);
  await engine.batch([sql`SELECT 1 AS one`, sql`SELECT 2 AS two`]);
  await Promise.all([
    engine.execute(sql`SELECT 1 AS one`),
    engine.execute(sql`SELECT 2 AS two`),
  ]);

  deepStrictEqual([server.requests, server.statements], [3, 5]);
});

Deno.test("a batch on neon has the isolation it asks for, and may be read-only", async () => {
  const levels = [];
  const both = [
    neon(connection, { endpoint }),
    neon(neonClient(connection)),
  ];
  for (const driver of both) {
    const engine = createEngine(driver);
    const show = sql<{ level: string }>`SELECT
      current_setting('transaction_isolation') AS level`;
    for (
      const isolation of ["repeatable read", "serializable"] as const
    ) {
      const [[row]] = await engine.batch([show], { isolation });
      levels.push(row?.level);
    }
    await rejects(
      engine.batch([sql`CREATE TABLE read_only (id INTEGER)`], {
        readOnly: true,
      }),
      { code: "sql/statement" },
    );
  }

  deepStrictEqual(levels, [
    "repeatable read",
    "serializable",
    "repeatable read",
    "serializable",
  ]);
});

Deno.test("a status without a SQLSTATE is named by what to do about it", async () => {
  const failure = async (status: number, body = "") => {
    try {
      await answering(status, body).execute(sql`SELECT 1`);
    } catch (error) {
      if (error instanceof SqlError) return [error.code, error.isRetryable];
    }
    return undefined;
  };

  deepStrictEqual(await failure(429), ["sql/overloaded", true]);
  deepStrictEqual(await failure(500), ["sql/connection", true]);
  deepStrictEqual(await failure(504), ["sql/timeout", false]);
  deepStrictEqual(await failure(507, '{"message":"response is too large"}'), [
    "sql/limit",
    false,
  ]);
  deepStrictEqual(await failure(200, "<html>"), ["sql/http", false]);
  deepStrictEqual(
    await failure(400, '{"message":"another","code":"40001"}'),
    ["sql/serialization", true],
  );
});

Deno.test("a server that cannot be reached, or is silent, is a typed error without secrets", async () => {
  const lost = createEngine(
    neon(connection, { endpoint: "http://127.0.0.1:1/sql" }),
    { retries: 0 },
  );
  const silent = createEngine(
    neon(connection, {
      endpoint,
      timeout: 5,
      fetch: (_url, { signal }) =>
        new Promise((_resolve, reject) =>
          signal?.addEventListener("abort", () => reject(signal.reason))
        ),
    }),
  );

  const seen: unknown[] = [];
  await rejects(lost.execute(sql`SELECT 1`), (error) => {
    seen.push(error);
    return error instanceof ConnectionError && error.isRetryable;
  });
  await rejects(silent.execute(sql`SELECT 1`), (error) => {
    seen.push(error);
    return error instanceof TimeoutError;
  });
  seen.push(
    lost,
    await answering(503, "").execute(sql`SELECT 1`).catch((e) => e),
  );
  strictEqual(seen.at(-1) instanceof OverloadedError, true);
  strictEqual(Deno.inspect(seen, { depth: 10 }).includes("secret"), false);
});

Deno.test("a password that is refused is a ConnectionError that does not repeat it", async () => {
  const wrong = connection.replace(/:[^:@]*@/, ":hunter2@");
  const engine = createEngine(neon(wrong, { endpoint }));

  await rejects(
    engine.execute(sql`SELECT 1`),
    (error) =>
      error instanceof ConnectionError && !error.isRetryable &&
      !Deno.inspect(error, { depth: 10 }).includes("hunter2"),
  );
});

Deno.test("neon refuses what is no connection string, and does not repeat it", () => {
  for (const text of ["mysql://u:secret@h/d", "secret", "postgres://", ""]) {
    throws(
      () => neon(text),
      (error) =>
        error instanceof ConnectionError && !error.message.includes("secret"),
    );
  }
});

Deno.test("neon asks the API host of the database, with the token where there is one", async () => {
  const asked: [string, string | undefined][] = [];
  const fetch = (
    url: string,
    { headers }: { readonly headers: Readonly<Record<string, string>> },
  ) => {
    asked.push([url, headers["Authorization"]]);
    return Promise.resolve(Response.json({
      fields: [],
      rows: [],
      rowCount: 0,
      command: "SELECT",
    }));
  };
  const url = "postgresql://u:p%40@ep-a-b.eu-central-1.aws.neon.tech/db?x=1";

  await createEngine(neon(url, { fetch })).execute(sql`SELECT 1`);
  await createEngine(neon(url, { fetch, authToken: () => "jwt" }))
    .execute(sql`SELECT 1`);

  deepStrictEqual(asked, [
    ["https://api.eu-central-1.aws.neon.tech/sql", undefined],
    ["https://apiauth.eu-central-1.aws.neon.tech/sql", "Bearer jwt"],
  ]);
});

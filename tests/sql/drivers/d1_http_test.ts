import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { d1Http } from "../../../backends/d1_http.ts";
import {
  ConnectionError,
  createEngine,
  OverloadedError,
  sql,
} from "../../../sql/mod.ts";
import { testDriver } from "../../conformance/mod.ts";
import { startD1RestServer, startWorkerd } from "../../services/mod.ts";

const workerd = await startWorkerd({ d1: ["DB"] });
const server = startD1RestServer({ databases: { id: workerd.d1("DB") } });
Deno.test.afterAll(async () => {
  await server.dispose();
  await workerd.dispose();
});
const options = {
  accountId: server.account,
  databaseId: "id",
  token: server.token,
  endpoint: server.url,
};

testDriver("d1_http", () => d1Http(options));

Deno.test("d1_http sends a statement or a batch in one request", async () => {
  const engine = createEngine(d1Http(options));
  server.reset();

  await engine.execute(sql`SELECT 1 AS one`);
  const [, two] = await engine.batch([
    sql`SELECT 1 AS a, 2 AS a`,
    sql`SELECT ${"x"} AS b`,
  ]);

  deepStrictEqual([...two], [{ b: "x" }]);
  strictEqual(server.requests, 2);
});

Deno.test("d1_http with a wrong token or id is a ConnectionError that does not repeat it", async () => {
  for (
    const wrong of [{ ...options, token: "secret" }, {
      ...options,
      databaseId: "secret",
    }]
  ) {
    await rejects(
      createEngine(d1Http(wrong)).execute(sql`SELECT 1`),
      (error) =>
        error instanceof ConnectionError && !error.isRetryable &&
        !error.message.includes("secret"),
    );
  }
});

Deno.test("d1_http names what the API refuses: a rate limit, a page that is none of its", async () => {
  const answering = (status: number, body: string) =>
    createEngine(
      d1Http({
        ...options,
        fetch: () => Promise.resolve(new Response(body, { status })),
      }),
      { retries: 0 },
    ).execute(sql`SELECT 1`);
  const limited = JSON.stringify({
    success: false,
    errors: [{ code: 971, message: "Please wait and consider throttling" }],
    result: null,
  });

  await rejects(answering(429, limited), OverloadedError);
  await rejects(answering(200, "<html>"), { code: "sql/http" });
  await rejects(answering(502, "<html>"), { isRetryable: true });
});

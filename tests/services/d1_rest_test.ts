import { deepEqual, equal, match, throws } from "node:assert/strict";
import { splitStatements, startD1RestServer } from "./d1_rest_server.ts";
import { startWorkerd } from "./workerd.ts";

const workerd = await startWorkerd({ d1: ["DB"] });
const server = startD1RestServer({ databases: { id: workerd.d1("DB") } });
Deno.test.afterAll(async () => {
  await server.dispose();
  await workerd.dispose();
});

async function post(
  form: string,
  body: unknown,
  { token = server.token, id = "id" } = {},
) {
  const response = await fetch(
    `${server.url}/client/v4/accounts/account/d1/database/${id}/${form}`,
    {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: typeof body === "string" ? body : JSON.stringify(body),
    },
  );
  return { status: response.status, body: await response.json() };
}

Deno.test("/query gives objects, /raw gives columns and rows", async () => {
  server.reset();
  const params = ["a", 2];
  const query = await post("query", { sql: "SELECT ? AS a, ?2 AS b", params });
  equal(query.status, 200);
  const { result, ...envelope } = query.body;
  deepEqual(envelope, { success: true, errors: [], messages: [] });
  equal(result.length, 1);
  equal(result[0].success, true);
  deepEqual(result[0].results, [{ a: "a", b: 2 }]);
  equal(result[0].meta.changes, 0);

  const raw = await post("raw", { sql: "SELECT 1 AS a, 2 AS a" });
  deepEqual(raw.body.result[0].results, {
    columns: ["a", "a"],
    rows: [[1, 2]],
  });
  const none = await post("raw", { sql: "SELECT 1 AS a WHERE 0" });
  deepEqual(none.body.result[0].results, { columns: ["a"], rows: [] });
  equal(server.requests, 3);
});

Deno.test("several statements and a batch are one transaction", async () => {
  const made = await post("query", {
    sql: "CREATE TABLE t (id INTEGER PRIMARY KEY); -- one;\n" +
      "INSERT INTO t VALUES (1); SELECT id FROM t;",
  });
  equal(made.body.result.length, 3);
  equal(made.body.result[1].meta.changes, 1);
  deepEqual(made.body.result[2].results, [{ id: 1 }]);

  const failed = await post("query", {
    batch: [
      { sql: "INSERT INTO t VALUES (?)", params: [2] },
      { sql: "INSERT INTO t VALUES (1)" },
    ],
  });
  equal(failed.status, 400);
  equal(failed.body.success, false);
  equal(failed.body.errors[0].code, 7500);
  match(failed.body.errors[0].message, /^UNIQUE constraint failed: t\.id/);
  const left = await workerd.d1("DB").prepare("SELECT id FROM t").raw();
  deepEqual(left, [[1]]);
});

Deno.test("a wrong token, database, route or body has its status and code", async () => {
  const codes = async (answer: ReturnType<typeof post>) => {
    const { status, body } = await answer;
    return [status, body.errors[0].code];
  };
  const sql = "SELECT 1";
  deepEqual(await codes(post("query", { sql }, { token: "no" })), [401, 10000]);
  deepEqual(await codes(post("query", { sql }, { id: "no" })), [404, 7404]);
  deepEqual(await codes(post("dump", { sql })), [404, 7003]);
  for (const body of ["", "{}", "null", '{"sql":1}', '{"batch":[{}]}']) {
    deepEqual(await codes(post("query", body)), [400, 7400], body);
  }
  deepEqual(
    await codes(post("query", { sql: "SELECT ?; SELECT 1", params: [1] })),
    [400, 7400],
  );
});

Deno.test("splitStatements() keeps quotes, comments and trigger bodies whole", () => {
  deepEqual(
    splitStatements(`
      SELECT ';', "a;b", [c;d]; /* ; */ ;
      CREATE TRIGGER x AFTER INSERT ON t BEGIN
        UPDATE t SET a = CASE WHEN 1 THEN 2 END; DELETE FROM t;
      END;
      BEGIN; END`).length,
    4,
  );
});

Deno.test("startD1RestServer() says that a port is in use", () => {
  const port = Number(new URL(server.url).port);
  throws(
    () => startD1RestServer({ databases: {}, port }),
    /the port is in use/,
  );
});

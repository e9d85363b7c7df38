import * as hrana from "@libsql/hrana-client";
import { connect } from "@tursodatabase/serverless";
import { createClient } from "@tursodatabase/serverless/compat";
import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { startHranaServer } from "./hrana_server.ts";

let clock = 0;
const server = await startHranaServer({ now: () => clock });
Deno.test.afterAll(() => server.dispose());

/** Runs on a stream of the reference client. */
async function onStream<T>(
  work: (stream: hrana.HttpStream) => Promise<T>,
): Promise<T> {
  const client = hrana.openHttp(server.url, server.token);
  client.intMode = "bigint";
  const stream = client.openStream();
  try {
    return await work(stream);
  } finally {
    stream.closeGracefully();
    client.close();
  }
}

async function post(path: string, body: string, token = server.token) {
  const response = await fetch(server.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body,
  });
  return { status: response.status, body: await response.json() };
}

const execute = (sql: string) => ({ type: "execute", stmt: { sql } });

function pipeline(baton: string | null, ...requests: object[]) {
  return post("/v3/pipeline", JSON.stringify({ baton, requests }));
}

Deno.test("the Hrana client sends and reads values of every type", async () => {
  await onStream(async (stream) => {
    const { rows } = await stream.query([
      "SELECT ?, ?, ?, ?, ?, typeof(?2), typeof(?3)",
      [
        null,
        9223372036854775807n,
        2,
        "ż",
        new Uint8Array([0, 255]).buffer,
      ],
    ]);
    deepEqual(Array.from(rows[0]!).slice(0, 4), [
      null,
      9223372036854775807n,
      2,
      "ż",
    ]);
    deepEqual(
      new Uint8Array(rows[0]![4] as ArrayBuffer),
      new Uint8Array([0, 255]),
    );
    deepEqual([rows[0]![5], rows[0]![6]], ["integer", "real"]);
    const named = new hrana.Stmt("SELECT :a AS x, $b AS x");
    named.bindName("a", "first").bindName("$b", "second");
    const result = await stream.query(named);
    deepEqual(Array.from(result.rows[0]!), ["first", "second"]);
    deepEqual(result.columnNames, ["x", "x"]);
  });
});

Deno.test("counts, row ids and RETURNING are SQLite's", async () => {
  await onStream(async (stream) => {
    await stream.run("CREATE TABLE counted (id INTEGER PRIMARY KEY, v)");
    const inserted = await stream.query(
      "INSERT INTO counted (v) VALUES ('a'), ('b') RETURNING id",
    );
    equal(inserted.affectedRowCount, 2);
    equal(inserted.lastInsertRowid, 2n);
    deepEqual(inserted.rows.map((row) => row[0]), [1n, 2n]);
    equal((await stream.run("SELECT 1")).affectedRowCount, 0);
    equal((await stream.run("UPDATE counted SET v = 1")).affectedRowCount, 2);
  });
});

Deno.test("a batch follows its conditions", async () => {
  await onStream(async (stream) => {
    await stream.run("CREATE TABLE batched (id INTEGER PRIMARY KEY)");
    const batch = stream.batch();
    const begin = batch.step();
    const ran: Promise<unknown>[] = [begin.run("BEGIN")];
    const one = batch.step().condition(hrana.BatchCond.ok(begin));
    ran.push(one.run("INSERT INTO batched VALUES (1)"));
    const two = batch.step().condition(hrana.BatchCond.ok(one));
    const failed = rejects(two.run("INSERT INTO batched VALUES (1)")!, {
      code: "SQLITE_CONSTRAINT_PRIMARYKEY",
      message: "SQLite error: UNIQUE constraint failed: batched.id",
    });
    const commit = batch.step().condition(hrana.BatchCond.ok(two));
    const committed = commit.run("COMMIT");
    const rollback = batch.step().condition(hrana.BatchCond.and(batch, [
      hrana.BatchCond.not(hrana.BatchCond.ok(commit)),
      hrana.BatchCond.or(batch, [hrana.BatchCond.error(two)]),
    ]));
    ran.push(rollback.run("ROLLBACK"));
    server.reset();
    await batch.execute();
    equal(server.requests, 1);
    equal(await committed, undefined);
    await failed;
    await Promise.all(ran);
    const { rows } = await stream.query("SELECT count(*) FROM batched");
    equal(rows[0]![0], 0n);
  });
});

Deno.test("a transaction stays open over batons, and others see its lock", async () => {
  await onStream(async (stream) => {
    await stream.run("CREATE TABLE locked (id INTEGER)");
    await stream.run("BEGIN IMMEDIATE");
    await stream.run("INSERT INTO locked VALUES (1)");
    await rejects(
      onStream((other) => other.run("INSERT INTO locked VALUES (2)")),
      { code: "SQLITE_BUSY" },
    );
    await stream.run("COMMIT");
  });
  const { rows } = await onStream((s) => s.query("SELECT id FROM locked"));
  deepEqual(rows.map((row) => row[0]), [1n]);
});

Deno.test("sequence, describe and stored texts", async () => {
  await onStream(async (stream) => {
    await stream.sequence(
      "CREATE TABLE seq (id INT); INSERT INTO seq VALUES (7);",
    );
    const read = await stream.describe("SELECT id FROM seq WHERE id = :a OR ?");
    deepEqual(read.paramNames, [":a", undefined]);
    deepEqual(read.columns, [{ name: "id", decltype: "INT" }]);
    deepEqual([read.isReadonly, read.isExplain], [true, false]);
    const write = await stream.describe("INSERT INTO seq VALUES (?)");
    equal(write.isReadonly, false);
    const sql = stream.storeSql("SELECT id FROM seq -- ;");
    const { rows } = await stream.query(sql);
    deepEqual(Array.from(rows[0]!), [7n]);
    await rejects(stream.run("SELECT 1; SELECT 2"), {
      code: "SQL_MANY_STATEMENTS",
    });
  });
});

Deno.test("a pipeline runs on after an error, and reports each", async () => {
  const { status, body } = await pipeline(
    null,
    execute("SELECT 1"),
    execute("nonsense"),
    execute("SELECT 2"),
    { type: "unheard" },
    { type: "close" },
  );
  equal(status, 200);
  deepEqual(
    body.results.map((result: { type: string }) => result.type),
    ["ok", "error", "ok", "error", "ok"],
  );
  equal(body.results[1].error.code, "SQLITE_ERROR");
  equal(body.baton, null);
});

Deno.test("a baton is good once and for ten seconds", async () => {
  const first = await pipeline(null, execute("SELECT 1"));
  equal(server.streams, 1);
  const second = await pipeline(first.body.baton, execute("SELECT 1"));
  const again = await pipeline(first.body.baton, execute("SELECT 1"));
  equal(again.status, 400);
  equal(again.body.code, "STREAM_EXPIRED");
  clock += 10_000;
  equal((await pipeline(second.body.baton)).status, 400);
  equal(server.streams, 0);
});

Deno.test("a wrong token, route or body is refused", async () => {
  equal((await post("/v3/pipeline", "{}", "wrong")).status, 401);
  equal((await post("/v3/pipeline", "{}")).status, 400);
  equal((await post("/v3/pipeline", "")).status, 400);
  equal((await post("/v3/cursor", "{}")).status, 400);
  equal((await post("/v3/nothing", "{}")).status, 404);
  equal(server.streams, 0);
});

Deno.test("autocommit is told, and is a condition", async () => {
  const auto = { type: "get_autocommit" };
  const step = (sql: string, condition?: object) => ({
    stmt: { sql },
    condition,
  });
  const { body } = await pipeline(
    null,
    auto,
    execute("BEGIN"),
    auto,
    {
      type: "batch",
      batch: {
        steps: [
          step("SELECT 1", { type: "is_autocommit" }),
          step("ROLLBACK", { type: "not", cond: { type: "is_autocommit" } }),
        ],
      },
    },
    auto,
    { type: "close" },
  );
  const { results } = body;
  deepEqual(
    [0, 2, 4].map((i) => results[i].response.is_autocommit),
    [true, false, true],
  );
  const ran = results[3].response.result.step_results;
  deepEqual(ran.map((one: unknown) => one !== null), [false, true]);
});

Deno.test("the Turso serverless driver runs statements over a cursor", async () => {
  const db = connect({ url: server.url, authToken: server.token });
  await db.exec("CREATE TABLE turso (id INTEGER PRIMARY KEY, v TEXT)");
  const insert = await db.run("INSERT INTO turso (v) VALUES (?)", "a");
  equal(insert.changes, 1);
  const rows = await db.all("SELECT id, v FROM turso");
  deepEqual(rows.map(({ id, v }) => [id, v]), [[1, "a"]]);
  await rejects(
    db.run("INSERT INTO turso (id) VALUES (1)"),
    /UNIQUE constraint failed: turso\.id/,
  );
  await db.close();
});

Deno.test("the Turso driver's libSQL form gives a batch and a transaction", async () => {
  const db = createClient({ url: server.url, authToken: server.token });
  await db.execute("CREATE TABLE compat (id INTEGER PRIMARY KEY)");
  await rejects(
    db.batch([
      "INSERT INTO compat VALUES (1)",
      "INSERT INTO compat VALUES (1)",
    ], "write"),
    /UNIQUE constraint failed/,
  );
  const count = await db.execute("SELECT count(*) AS n FROM compat");
  equal(count.rows[0]!.n, 0);
  await db.close();
});

Deno.test("startHranaServer() says that a port is in use, and leaves nothing", async () => {
  const port = Number(new URL(server.url).port);
  await rejects(startHranaServer({ port }), (error: Error) => {
    match(error.message, /the port is in use/);
    return true;
  });
});

import { neon, neonConfig, types } from "@neondatabase/serverless";
import { deepEqual, equal, match, notEqual, rejects } from "node:assert/strict";
import { postgresServerAvailable, startPostgres } from "./postgres.ts";
import { type NeonServer, startNeonServer } from "./neon_server.ts";

const available = await postgresServerAvailable();
const pglite = await startPostgres();
const server = available.ok
  ? await startPostgres({ kind: "server" })
  : undefined;
const overPglite = startNeonServer(pglite);
const overServer = server && startNeonServer(server);
neonConfig.fetchEndpoint = (_host, port) => `http://127.0.0.1:${port}/sql`;
Deno.test.afterAll(async () => {
  await overPglite.dispose();
  await overServer?.dispose();
  await pglite.dispose();
  await server?.dispose();
});

/** Registers the test for PGlite and for the server. */
function test(name: string, fn: (over: NeonServer) => Promise<void>): void {
  Deno.test(`${name} (PGlite)`, () => prepared(overPglite, fn));
  serverTest(name, fn);
}

function serverTest(
  name: string,
  fn: (over: NeonServer) => Promise<void>,
): void {
  Deno.test({
    name: `${name} (${available.ok ? "server" : available.reason})`,
    ignore: !available.ok,
    fn: () => prepared(overServer!, fn),
  });
}

async function prepared(
  over: NeonServer,
  fn: (over: NeonServer) => Promise<void>,
): Promise<void> {
  const sql = neon(over.connectionString());
  await sql`DROP TABLE IF EXISTS t`;
  await sql`CREATE TABLE t (id integer PRIMARY KEY, v text UNIQUE)`;
  over.reset();
  await fn(over);
}

test("the Neon driver sends values and reads them back", async (over) => {
  const sql = neon(over.connectionString());
  const rows = await sql`SELECT ${1}::int AS i, ${"a'b"}::text AS t,
    ${true}::bool AS b, ${null}::text AS n, ${{ a: [1] }}::jsonb AS j,
    ${[1, 2]}::int[] AS a, ${['x,"y', null, "ż"]}::text[] AS ta,
    9007199254740993::int8 AS big, '\\x00ff'::bytea AS y,
    1.50::numeric AS num, 'NaN'::float8 AS nan`;
  deepEqual(rows, [{
    i: 1,
    t: "a'b",
    b: true,
    n: null,
    j: { a: [1] },
    a: [1, 2],
    ta: ['x,"y', null, "ż"],
    big: "9007199254740993",
    y: rows[0]!.y,
    num: "1.50",
    nan: NaN,
  }]);
  deepEqual(new Uint8Array(rows[0]!.y), new Uint8Array([0, 255]));
  equal(over.requests, 1);
  equal(over.statements, 1);
});

test("array mode keeps columns of one name apart; fields tell their type", async (over) => {
  const sql = neon(over.connectionString(), {
    arrayMode: true,
    fullResults: true,
  });
  const result = await sql`SELECT 1 AS a, 'x' AS a`;
  deepEqual(result.rows, [[1, "x"]]);
  deepEqual(
    result.fields.map(({ name, dataTypeID }) => [name, dataTypeID]),
    [["a", types.builtins.INT4], ["a", types.builtins.TEXT]],
  );
  equal(result.command, "SELECT");
  equal(result.rowCount, 1);
});

test("command and rowCount are those of the command tag", async (over) => {
  const sql = neon(over.connectionString(), { fullResults: true });
  const tags = [];
  for (
    const text of [
      "INSERT INTO t VALUES (1, 'a'), (2, 'b')",
      "UPDATE t SET v = v || '!'",
      "DELETE FROM t WHERE id = 1",
      "CREATE TEMP TABLE gone (id int)",
    ]
  ) {
    const { command, rowCount } = await sql.query(text);
    tags.push([command, rowCount]);
  }
  deepEqual(tags, [["INSERT", 2], ["UPDATE", 2], ["DELETE", 1], [
    "CREATE",
    null,
  ]]);
});

test("a transaction is one request, all or nothing", async (over) => {
  const sql = neon(over.connectionString());
  const results = await sql.transaction([
    sql`INSERT INTO t VALUES (1, 'a') RETURNING id`,
    sql`SELECT count(*)::int AS n FROM t`,
  ]);
  deepEqual(results, [[{ id: 1 }], [{ n: 1 }]]);
  equal(over.requests, 1);
  equal(over.statements, 2);
  await rejects(
    sql.transaction([
      sql`INSERT INTO t VALUES (2, 'b')`,
      sql`INSERT INTO t VALUES (3, 'a')`,
    ]),
    { code: "23505" },
  );
  deepEqual(await sql`SELECT id FROM t`, [{ id: 1 }]);
});

test("isolation level, read only and deferrable reach the transaction", async (over) => {
  const sql = neon(over.connectionString());
  const ask = sql`SELECT current_setting('transaction_isolation') AS level,
    current_setting('transaction_read_only') AS read_only,
    current_setting('transaction_deferrable') AS deferrable`;
  deepEqual(
    await sql.transaction([ask], {
      isolationLevel: "Serializable",
      readOnly: true,
      deferrable: true,
    }),
    [[{ level: "serializable", read_only: "on", deferrable: "on" }]],
  );
  await rejects(
    sql.transaction([sql`INSERT INTO t VALUES (1, 'a')`], { readOnly: true }),
    { code: "25006" },
  );
  const bad = await fetch(over.endpoint, {
    method: "POST",
    headers: {
      "Neon-Connection-String": over.connectionString(),
      "Neon-Raw-Text-Output": "true",
      "Neon-Batch-Isolation-Level": "Chaos",
    },
    body: '{"queries":[]}',
  });
  equal(bad.status, 400);
  match((await bad.json()).message, /invalid isolation level/);
});

test("an error has SQLSTATE and the server's other fields", async (over) => {
  const sql = neon(over.connectionString());
  await sql`INSERT INTO t VALUES (1, 'a')`;
  await rejects(sql`INSERT INTO t VALUES (2, 'a')`, {
    name: "NeonDbError",
    code: "23505",
    severity: "ERROR",
    table: "t",
    schema: "public",
    constraint: "t_v_key",
    detail: "Key (v)=(a) already exists.",
  });
  await rejects(sql`SELEC 1`, { code: "42601", position: "1" });
  await rejects(sql.query("SELECT 1; SELECT 2"), { code: "42601" });
  deepEqual(await sql`SELECT 1 AS a`, [{ a: 1 }]);
});

test("a request leaves nothing to the next one on its connection", async (over) => {
  const sql = neon(over.connectionString());
  const path = () => sql`SELECT current_setting('search_path') AS path`;
  const before = await path();
  await sql`SET search_path TO elsewhere`;
  await sql`BEGIN`;
  for (let i = 0; i < 5; i++) {
    deepEqual(await path(), before);
  }
  await rejects(sql`SAVEPOINT s`, { code: "25P01" });
});

test("a wrong password, database or body is status 400", async (over) => {
  const address = over.connectionString();
  await rejects(
    neon(address.replace("secret", "wrong"))`SELECT 1`,
    /password authentication failed for user 'aludel'/,
  );
  await rejects(
    neon(over.connectionString("nowhere"))`SELECT 1`,
    { code: "3D000" },
  );
  for (const body of ["", "{}", '{"query":1}', '{"queries":[{}]}']) {
    const response = await fetch(over.endpoint, {
      method: "POST",
      headers: {
        "Neon-Connection-String": address,
        "Neon-Raw-Text-Output": "true",
      },
      body,
    });
    equal(response.status, 400, body);
    await response.body?.cancel();
  }
});

test("an answer above the limit is status 507", async (over) => {
  const postgres = over === overPglite ? pglite : server!;
  await using small = startNeonServer(postgres, { maxBytes: 1000 });
  await rejects(
    neon(small.connectionString())`SELECT repeat('x', 1000)`,
    /HTTP status 507/,
  );
});

serverTest("requests run at once, each on its own connection", async (over) => {
  const sql = neon(over.connectionString());
  await sql`CREATE OR REPLACE FUNCTION meet(mine int, other int) RETURNS int
    LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_advisory_lock(mine);
      FOR i IN 1..1000 LOOP
        PERFORM 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = other;
        IF FOUND THEN PERFORM pg_sleep(0.05); RETURN pg_backend_pid(); END IF;
        PERFORM pg_sleep(0.005);
      END LOOP;
      RAISE 'alone';
    END $$`;
  const [one, two] = await Promise.all([
    sql`SELECT meet(7, 8) AS pid`,
    sql`SELECT meet(8, 7) AS pid`,
  ]);
  notEqual(one[0]!.pid, two[0]!.pid);
});

serverTest(
  "createDatabase() makes a database beside the first",
  async (over) => {
    await server!.createDatabase('b"2');
    deepEqual(
      await neon(over.connectionString('b"2'))`SELECT current_database() AS d`,
      [{ d: 'b"2' }],
    );
  },
);

Deno.test({
  name: "startPostgres() leaves nothing behind",
  ignore: !available.ok,
  async fn() {
    const own = await startPostgres({ kind: "server", connections: 1 });
    await own.withConnection("postgres", (query) => query("SELECT 1"));
    await own.dispose();
    await own.dispose();
    await rejects(Deno.stat(own.socketDirectory!), Deno.errors.NotFound);
  },
});

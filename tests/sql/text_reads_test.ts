import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { PGlite } from "@electric-sql/pglite";
import { pglite } from "../../backends/pglite.ts";
import { createEngine, sql } from "../../sql/mod.ts";

Deno.test("hand-written SQL counts as a read only if nothing in it writes", () => {
  const reads = [
    sql`SELECT 1`,
    sql`  with a as (select 1) select * from a`,
    sql`VALUES (1)`,
  ];
  const writes = [
    sql`INSERT INTO t VALUES (1)`,
    sql`WITH gone AS (DELETE FROM t RETURNING id) SELECT * FROM gone`,
    sql`SELECT nextval('s')`,
    sql`SELECT * INTO copy FROM t`,
    sql`EXPLAIN ANALYZE UPDATE t SET a = ${1}`,
    sql`WITH a AS (SELECT ${1}) INSERT INTO t SELECT * FROM a`,
    sql`VACUUM`,
  ];

  deepStrictEqual(reads.map(({ isRead }) => isRead), [true, true, true]);
  strictEqual(writes.some(({ isRead }) => isRead), false);
});

Deno.test("rows of hand-written SQL on Postgres have values, not texts", async () => {
  await using engine = createEngine(pglite(new PGlite()));

  const [row] = await engine.execute(sql`SELECT
    count(*) AS n, 9007199254740993 AS big, true AS yes, 1.5::float8 AS half,
    '{"a":[1]}'::jsonb AS document, '\\x00ff'::bytea AS bytes, 1.50 AS exact,
    'epoch'::timestamptz AS at, 'x'::text AS word, NULL::int AS nothing, '2026-11-23'::date AS day
  `);

  deepStrictEqual(row, {
    n: 1,
    big: 9007199254740993n,
    yes: true,
    half: 1.5,
    document: { a: [1] },
    bytes: new Uint8Array([0, 255]),
    exact: "1.50",
    at: new Date(0),
    word: "x",
    nothing: null,
    day: "2026-11-23",
  });
});

import { PGlite } from "@electric-sql/pglite";
import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { pglite } from "../../../backends/pglite.ts";
import { createEngine, sql, transaction } from "../../../sql/mod.ts";
import { testDriver } from "../../conformance/mod.ts";

const client = new PGlite();
Deno.test.afterAll(() => client.close());

testDriver("pglite", () => pglite(client, { keepOpen: true }));

const show = sql<{ level: string; only: string }>`SELECT
  current_setting('transaction_isolation') AS level,
  current_setting('transaction_read_only') AS only`;

Deno.test("pglite gives batches and held transactions the isolation they ask for", async () => {
  const engine = createEngine(pglite(client, { keepOpen: true }));
  const options = { isolation: "serializable", readOnly: true } as const;
  const expected = { level: "serializable", only: "on" };

  const [[inBatch]] = await engine.batch([show], options);
  const [held] = await transaction(engine, (tx) => tx.execute(show), options);
  const [plain] = await engine.execute(show);

  deepStrictEqual(inBatch, expected);
  deepStrictEqual(held, expected);
  deepStrictEqual(plain, { level: "read committed", only: "off" });
  await rejects(
    engine.batch([sql`CREATE TABLE never (id INTEGER)`], { readOnly: true }),
    { code: "sql/statement" },
  );
});

Deno.test("a commit that Postgres refuses is an error, and leaves nothing behind", async () => {
  const engine = createEngine(pglite(client, { keepOpen: true }));
  await engine.sendBatch([
    "DROP TABLE IF EXISTS late",
    `CREATE TABLE late (id INTEGER PRIMARY KEY,
      other INTEGER REFERENCES late DEFERRABLE INITIALLY DEFERRED)`,
  ].map((text) => ({ sql: text, params: [] })));
  const broken = sql`INSERT INTO late VALUES (1, 7)`;

  await rejects(transaction(engine, (tx) => tx.execute(broken)), {
    code: "sql/foreign-key-violation",
  });
  await rejects(engine.batch([broken]), { code: "sql/foreign-key-violation" });

  strictEqual((await engine.execute(sql`SELECT * FROM late`)).length, 0);
});

Deno.test("an engine closes its PGlite unless told to leave it open", async () => {
  const own = new PGlite();
  await createEngine(pglite(own, { keepOpen: true })).close();
  strictEqual(own.closed, false);
  await createEngine(pglite(own)).close();
  strictEqual(own.closed, true);
});

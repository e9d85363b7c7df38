import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { sqlite } from "../../../backends/sqlite.ts";
import { createEngine, sql, transaction } from "../../../sql/mod.ts";
import { testDriver } from "../../conformance/mod.ts";

testDriver("sqlite", () => sqlite(":memory:"));

Deno.test("a statement beside a held transaction waits for its end", async () => {
  await using engine = createEngine(sqlite(":memory:"));
  await engine.execute(sql`CREATE TABLE t (n INTEGER)`);
  const seen: unknown[] = [];

  const held = transaction(engine, async (tx) => {
    await tx.execute(sql`INSERT INTO t VALUES (1)`);
    await Promise.resolve();
    throw new RangeError("undone");
  });
  const beside = engine.execute(sql`SELECT count(*) AS n FROM t`).then(
    (rows) => seen.push(rows[0]?.["n"]),
  );
  await rejects(held, RangeError);
  await beside;

  deepStrictEqual(seen, [0]);
});

Deno.test("a whole number beyond 2^53 without a type is a typed error, not a wrong number", async () => {
  await using engine = createEngine(sqlite(":memory:"));

  await rejects(engine.execute(sql`SELECT 9007199254740993 AS n`), {
    code: "sql/type",
  });
  const [row] = await engine.execute(sql`SELECT 9007199254740991 AS n`);
  strictEqual(row?.["n"], 2 ** 53 - 1);
});

Deno.test("a statement that was parsed before knows of a schema that has changed", async () => {
  await using engine = createEngine(sqlite(":memory:"));
  const all = sql`SELECT id, note FROM t`;
  const make = (columns: string) =>
    engine.send({ sql: `CREATE TABLE t (${columns})`, params: [] });

  await make("id INTEGER, note TEXT");
  await engine.execute(sql`INSERT INTO t VALUES (1, 'a')`);
  deepStrictEqual([...await engine.execute(all)], [{ id: 1, note: "a" }]);
  await engine.execute(sql`DROP TABLE t`);
  await rejects(engine.execute(all), { code: "sql/statement" });
  await make("note TEXT, id INTEGER");
  await engine.execute(sql`INSERT INTO t VALUES ('b', 2)`);
  deepStrictEqual([...await engine.execute(all)], [{ id: 2, note: "b" }]);

  // What is undone is forgotten, too.
  await rejects(engine.batch([
    sql`ALTER TABLE t RENAME COLUMN note TO words`,
    sql`SELECT words FROM t`,
    sql`SELEC`,
  ]));
  deepStrictEqual([...await engine.execute(all)], [{ id: 2, note: "b" }]);
});

Deno.test("a file outlives its engine, and foreign keys can be left unchecked", async () => {
  const path = await Deno.makeTempFile({ suffix: ".db" });
  try {
    const script = [
      "CREATE TABLE p (id INTEGER PRIMARY KEY)",
      "CREATE TABLE c (p INTEGER REFERENCES p)",
      "INSERT INTO c VALUES (7)",
    ].map((text) => ({ sql: text, params: [] }));
    {
      await using checked = createEngine(sqlite(path));
      await rejects(checked.sendBatch(script), {
        code: "sql/foreign-key-violation",
      });
    }
    {
      await using free = createEngine(sqlite(path, { foreignKeys: false }));
      await free.sendBatch(script);
    }
    await using again = createEngine(sqlite(path));
    strictEqual((await again.execute(sql`SELECT * FROM c`)).length, 1);
  } finally {
    await Deno.remove(path);
  }
});

/** Another process that writes to a file, and keeps its lock for a while. */
async function holdElsewhere(file: string, ms: number) {
  const script = `
    const { DatabaseSync } = await import("node:sqlite");
    const db = new DatabaseSync(${JSON.stringify(file)});
    db.exec("BEGIN IMMEDIATE; CREATE TABLE t (n)");
    console.log("held");
    await new Promise((resolve) => setTimeout(resolve, ${ms}));
    db.exec("COMMIT");
  `;
  const process = new Deno.Command(Deno.execPath(), {
    args: ["eval", script],
    stdout: "piped",
  }).spawn();
  const reader = process.stdout.getReader();
  await reader.read();
  return {
    async [Symbol.asyncDispose]() {
      await reader.cancel();
      await process.status;
    },
  };
}

Deno.test("a writer waits for another process's lock on the file, as long as busyTimeout says", async () => {
  const file = await Deno.makeTempFile({ suffix: ".db" });
  {
    await using impatient = createEngine(sqlite(file, { busyTimeout: 0 }));
    await using patient = createEngine(sqlite(file));
    await using _held = await holdElsewhere(file, 500);
    await rejects(impatient.batch([sql`INSERT INTO t VALUES (1)`]), {
      code: "sql/serialization",
    });
    await patient.batch([sql`INSERT INTO t VALUES (1)`]);
    strictEqual((await patient.execute(sql`SELECT n FROM t`)).length, 1);
  }
  await Deno.remove(file);
});

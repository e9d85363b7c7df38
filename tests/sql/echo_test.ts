import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { sqlite } from "../../backends/sqlite.ts";
import {
  createEngine,
  type EngineOptions,
  sql,
  transaction,
} from "../../sql/mod.ts";

async function logged(
  options: EngineOptions,
  work: (engine: ReturnType<typeof createEngine>) => Promise<unknown>,
): Promise<string[]> {
  const lines: string[] = [];
  await using engine = createEngine(sqlite(":memory:"), {
    log: (line) => lines.push(line),
    ...options,
  });
  await work(engine);
  return lines;
}

const insertOne = sql`SELECT ${"m1_a"} AS data, ${null} AS n, ${new Uint8Array(
  3,
)} AS bytes`;

Deno.test("orm 217: the engine's name stands in each line, and a batch reads as BEGIN, SQL, parameters, COMMIT", async () => {
  const lines = await logged(
    { name: "leader", echo: true },
    (engine) => engine.batch([insertOne]),
  );

  deepStrictEqual(lines, [
    "INFO aludel.engine.leader BEGIN (implicit)",
    "INFO aludel.engine.leader SELECT ? AS data, ? AS n, ? AS bytes",
    "INFO aludel.engine.leader ('m1_a', NULL, <3 bytes>)",
    "INFO aludel.engine.leader COMMIT",
  ]);
});

Deno.test("orm 217: a batch or transaction that fails ends in ROLLBACK", async () => {
  const broken = sql`SELECT * FROM nowhere`;
  const inBatch = await logged(
    { echo: true },
    (engine) => engine.batch([broken]).catch(() => {}),
  );
  const held = await logged(
    { echo: true },
    (engine) => transaction(engine, (tx) => tx.execute(broken)).catch(() => {}),
  );

  deepStrictEqual(inBatch, held);
  deepStrictEqual(inBatch, [
    "INFO aludel.engine.default BEGIN (implicit)",
    "INFO aludel.engine.default SELECT * FROM nowhere",
    "INFO aludel.engine.default ()",
    "INFO aludel.engine.default ROLLBACK",
  ]);
});

Deno.test('orm 217: echo "debug" writes rows too', async () => {
  const lines = await logged(
    { echo: "debug" },
    (engine) => engine.execute(sql`SELECT 1 AS a, ${"x"} AS b`),
  );

  deepStrictEqual(lines.slice(2), [
    "DEBUG aludel.engine.default Col ('a', 'b')",
    "DEBUG aludel.engine.default Row (1, 'x')",
  ]);
});

Deno.test("orm 217: parameters can be hidden, and long ones are cut", async () => {
  const secret = "s".repeat(10_000);
  const [, hidden] = await logged(
    { echo: true, hideParameters: true },
    (engine) => engine.execute(sql`SELECT ${secret}`),
  );
  const [, cut] = await logged(
    { echo: true },
    (engine) => engine.execute(sql`SELECT ${secret}`),
  );
  const values = Array.from({ length: 150 }, (_, i) => i);
  const many = sql`SELECT ${values[0]}`;
  const [, few] = await logged({ echo: true }, (engine) => {
    engine.echo({ sql: "", params: values });
    return engine.execute(many);
  });

  strictEqual(hidden, "INFO aludel.engine.default [parameters hidden]");
  strictEqual(
    cut,
    `INFO aludel.engine.default ('${"s".repeat(150)}… 9700 characters …${
      "s".repeat(150)
    }')`,
  );
  strictEqual(few?.endsWith(", 98, 99, … 50 more)"), true);
});

Deno.test("orm 217: echo belongs to one engine, and is off unless asked for", async () => {
  const quiet = await logged({}, async (engine) => {
    const loud = await logged(
      { echo: true, name: "loud" },
      (other) => other.execute(sql`SELECT 1`),
    );
    strictEqual(loud.length, 2);
    await engine.execute(sql`SELECT 1`);
  });

  deepStrictEqual(quiet, []);
});

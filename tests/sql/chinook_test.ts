import { deepStrictEqual, notStrictEqual } from "node:assert/strict";
import { d1 } from "../../backends/d1.ts";
import { neon } from "../../backends/neon.ts";
import { sqlite } from "../../backends/sqlite.ts";
import {
  createEngine,
  type Driver,
  select,
  sortTables,
} from "../../sql/mod.ts";
import {
  postgresServerAvailable,
  startNeonServer,
  startPostgres,
  startWorkerd,
} from "../services/mod.ts";
import { questions } from "./chinook/queries.ts";
import { inserts, metadata, slices } from "./chinook/schema.ts";

const workerd = await startWorkerd({
  workers: [{ d1: ["DB"], entry: { source: "export default {}" } }],
});
const { ok: hasServer } = await postgresServerAvailable();
const postgres = await startPostgres({ kind: hasServer ? "server" : "pglite" });
const server = startNeonServer(postgres);
const byHand = sqlite(":memory:");

Deno.test.afterAll(async () => {
  await server.dispose();
  await Promise.all([postgres.dispose(), workerd.dispose()]);
});

const { endpoint } = server;
const drivers: Readonly<Record<string, Driver>> = {
  byHand,
  sqlite: sqlite(":memory:"),
  d1: d1(workerd.d1("DB")),
  postgres: neon(server.connectionString(), { endpoint }),
};
const engines = Object.entries(drivers).map(([name, driver]) =>
  createEngine(driver, { name })
);
await Promise.all(engines.map(async (engine) => {
  await metadata.createAll(engine);
  await engine.batch(inserts());
}));

/** Rows as lists of values, in one order where the question names none. */
function comparable(rows: Iterable<unknown>, isSorted: boolean): unknown[] {
  const lists = [...rows].map((row) => Object.values(row as object));
  return isSorted
    ? lists
    : lists.sort((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
}

Deno.test("every engine holds every row of the slice", async () => {
  for (const engine of engines) {
    for (const table of sortTables(metadata.tables.values())) {
      const { columns, rows } = slices[table.name]!;
      const found = await engine.execute(select(table));
      const lists = [...found].map((row) =>
        columns.map((key) => (row as Record<string, unknown>)[key])
      );
      deepStrictEqual(
        comparable(lists, false),
        comparable(rows, false),
        `${engine.name}: ${table.name}`,
      );
    }
  }
});

for (const { name, statements, byHand: texts } of questions) {
  Deno.test(`the same rows on SQLite, D1, Postgres and by hand: ${name}`, async () => {
    const expected: unknown[] = [];
    for (const sql of texts) {
      const isSorted = /ORDER BY (?!CAST)[^)]*$/.test(sql);
      const { rows } = await byHand.execute({ sql, params: [] });
      expected.push(comparable(rows, isSorted));
    }
    notStrictEqual((expected.at(-1) as unknown[]).length, 0);

    for (const engine of engines.slice(1)) {
      const found: unknown[] = [];
      for (const [i, statement] of statements.entries()) {
        const isSorted = /ORDER BY (?!CAST)[^)]*$/.test(texts[i] ?? "");
        found.push(
          comparable(await engine.execute(statement), isSorted),
        );
      }
      deepStrictEqual(found, expected, engine.name);
    }
  });
}

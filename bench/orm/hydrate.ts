/**
 * What objects cost beside the driver's own rows: 10 000 rows of
 * `node:sqlite`, as the driver's row objects, as rows of the Core, and as
 * objects of a session.
 *
 *     deno run -A bench/orm/hydrate.ts
 */
import { DatabaseSync } from "node:sqlite";
import { sqlite } from "../../backends/sqlite.ts";
import {
  boolean,
  Entity,
  integer,
  real,
  Session,
  text,
} from "../../orm/mod.ts";
import { createAll, createEngine, MetaData, select } from "../../sql/mod.ts";

const ROWS = 10_000;
const ROUNDS = 41;

const metadata = new MetaData();
class Item extends Entity.table("items", {
  id: integer().primaryKey(),
  name: text(),
  price: real(),
  stock: integer(),
  note: text().nullable(),
  isSold: boolean(),
}) {
  static override metadata = metadata;
}

const path = await Deno.makeTempFile({ suffix: ".db" });
const engine = createEngine(sqlite(path));
await createAll(Item.table.metadata, engine);
const db = new DatabaseSync(path);
db.exec(`
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
  INSERT INTO items SELECT i, 'item ' || i, i / 4.0, i % 100,
    CASE WHEN i % 3 = 0 THEN 'note ' || i END, i % 2 FROM n`);
const query = select(Item).orderBy(Item.c.id);
const { sql } = engine.prepare(query);

const ways: Record<string, () => unknown[] | Promise<unknown[]>> = {
  "driver's row objects": () => db.prepare(sql).all(),
  "rows of the Core": () => engine.execute(select(Item.table)),
  "objects of a Session": () =>
    new Session({ bind: engine }).scalars(query) as Promise<unknown[]>,
};
const times = new Map(Object.keys(ways).map((name) => [name, [] as number[]]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, run] of Object.entries(ways)) {
    const start = performance.now();
    const rows = await run();
    times.get(name)!.push(performance.now() - start);
    if (rows.length !== ROWS) throw new Error(`${name}: ${rows.length} rows`);
  }
}
const median = (list: number[]): number =>
  list.toSorted((a, b) => a - b)[list.length >> 1]!;
const own = median(times.get("driver's row objects")!);
for (const [name, list] of times) {
  const found = median(list);
  // deno-lint-ignore no-console -- what a benchmark is for
  console.log(
    `${name.padEnd(22)} ${found.toFixed(2).padStart(8)} ms  ${
      (found / own).toFixed(2)
    } × the driver`,
  );
}
await engine.close();
db.close();
await Deno.remove(path);

import { PGlite } from "@electric-sql/pglite";
import fc from "fast-check";
import { deepStrictEqual } from "node:assert/strict";
import { d1 } from "../../backends/d1.ts";
import { d1Http } from "../../backends/d1_http.ts";
import { libsql } from "../../backends/libsql.ts";
import { neon } from "../../backends/neon.ts";
import { pglite } from "../../backends/pglite.ts";
import { sqlite } from "../../backends/sqlite.ts";
import {
  bigint,
  blob,
  boolean,
  createEngine,
  date,
  deleteFrom,
  type Driver,
  enumeration,
  insert,
  integer,
  json,
  MetaData,
  numeric,
  real,
  select,
  table,
  text,
  time,
  timestamp,
  uuid,
} from "../../sql/mod.ts";
import {
  startD1RestServer,
  startHranaServer,
  startNeonServer,
  startPostgres,
  startWorkerd,
} from "../services/mod.ts";
import { startRemoteObject } from "./drivers/remote_object.ts";

const stack = new AsyncDisposableStack();
Deno.test.afterAll(() => stack.disposeAsync());
const workerd = stack.use(await startWorkerd({ d1: ["DB", "REST"] }));
const rest = stack.adopt(
  startD1RestServer({ databases: { id: workerd.d1("REST") } }),
  (server) => server.dispose(),
);
const hrana = stack.adopt(
  await startHranaServer(),
  (server) => server.dispose(),
);
const postgres = stack.adopt(await startPostgres(), (one) => one.dispose());
const proxy = stack.adopt(startNeonServer(postgres), (one) => one.dispose());
const object = stack.use(await startRemoteObject());

const drivers: Readonly<Record<string, () => Driver>> = {
  "SQLite": () => sqlite(":memory:"),
  "D1": () => d1(workerd.d1("DB")),
  "D1 over REST": () =>
    d1Http({
      accountId: rest.account,
      databaseId: "id",
      token: rest.token,
      endpoint: rest.url,
    }),
  "a Durable Object": () => object.driver,
  "libSQL": () => libsql(hrana.url, { authToken: hrana.token }),
  "PGlite": () => pglite(new PGlite()),
  "Postgres over HTTP": () =>
    neon(proxy.connectionString(), { endpoint: proxy.endpoint }),
};

const metadata = new MetaData();
const values = table("round_trip", metadata, {
  id: integer().primaryKey({ autoincrement: false }),
  whole: integer(),
  big: bigint(),
  words: text(),
  yes: boolean(),
  double: real(),
  exact: numeric(40, 10),
  day: date(),
  clock: time(),
  at: timestamp(),
  document: json().nullable(),
  bytes: blob(),
  key: uuid(),
  mood: enumeration("round_trip_mood", ["", "it's", "👍 ok"]),
});

const noNul = (value: string) => !value.includes("\0");
// Databases have one zero.
const oneZero = (value: number) => value === 0 ? 0 : value;
const day = fc.date({
  min: new Date("0001-01-01"),
  max: new Date("9999-12-31T23:59:59.999Z"),
  noInvalidDate: true,
});

const row = fc.record({
  whole: fc.integer(),
  big: fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n),
  ),
  words: fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }).filter(noNul),
    fc.constantFrom("", "it's", "👩‍👩‍👧", "2.0", "\\x00", "null", "'; --"),
  ),
  yes: fc.boolean(),
  double: fc.double({ noNaN: true, noDefaultInfinity: true }).map(oneZero),
  exact: fc.tuple(
    fc.bigInt({ min: 0n, max: 10n ** 30n - 1n }),
    fc.integer({ min: 1, max: 10 ** 9 }),
    fc.boolean(),
  ).map(([whole, part, isLess]) =>
    `${isLess ? "-" : ""}${whole}.${String(part).padStart(10, "0")}`
  ),
  day: day.map((at) => at.toISOString().slice(0, 10)),
  clock: day.map((at) => at.toISOString().slice(11, 23).replace(/\.?0+$/, ""))
    .filter((clock) => clock.length >= 8),
  at: day,
  // JSON has one zero, too.
  document: fc.jsonValue({ stringUnit: "grapheme" }).map((value) =>
    JSON.parse(JSON.stringify(value))
  ),
  bytes: fc.uint8Array({ maxLength: 300 }),
  key: fc.uuid(),
  mood: fc.constantFrom("", "it's", "👍 ok"),
});

for (const [name, open] of Object.entries(drivers)) {
  Deno.test(`any value of any type comes back from ${name} as it went`, async () => {
    await using engine = createEngine(open());
    await metadata.createAll(engine);

    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 7 }),
        async (rows) => {
          const numbered = rows.map((one, id) => ({ id, ...one }));

          const [, , found] = await engine.batch([
            deleteFrom(values),
            insert(values).values(numbered),
            select(values).orderBy(values.c.id),
          ]);

          deepStrictEqual([...found], numbered);
        },
      ),
      { numRuns: 100 },
    );
  });
}

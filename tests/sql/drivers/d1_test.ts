import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { d1 } from "../../../backends/d1.ts";
import { createEngine, sql } from "../../../sql/mod.ts";
import { driverCases, testDriver } from "../../conformance/mod.ts";
import { countingD1, startWorkerd } from "../../services/mod.ts";

const workerd = await startWorkerd({
  workers: [{
    compatibilityFlags: ["nodejs_compat"],
    d1: ["DB"],
    entry: {
      source: `
        import { d1 } from "./backends/d1.ts";
        import { driverCases } from "./tests/conformance/driver/suite.ts";

        export default {
          async fetch(request, env) {
            const name = decodeURIComponent(new URL(request.url).pathname.slice(1));
            try {
              await driverCases().find((one) => one.name === name).run(d1(env.DB));
              return new Response("ok");
            } catch (error) {
              return new Response(error.stack, { status: 500 });
            }
          },
        };
      `,
    },
  }],
});
Deno.test.afterAll(() => workerd.dispose());

testDriver("d1", () => d1(workerd.d1("DB")));
testDriver(
  "d1 in a session",
  () => d1(workerd.d1("DB").withSession("first-primary")),
);

// The binding itself, not one that a test reaches from outside.
for (const { name } of driverCases()) {
  Deno.test(`d1 inside a Worker: ${name}`, async () => {
    const answer = await workerd.fetch(`/${encodeURIComponent(name)}`);
    strictEqual(await answer.text(), "ok");
  });
}

Deno.test("d1 sends a statement and a batch as one trip each", async () => {
  const counted = countingD1(workerd.d1("DB"));
  const engine = createEngine(d1(counted.db));

  await engine.execute(sql`SELECT 1 AS one`);
  await Promise.all([
    engine.execute(sql`SELECT 1 AS one`),
    engine.execute(sql`SELECT 2 AS two`),
  ]);
  await engine.batch([sql`SELECT 1 AS one`, sql`SELECT 2 AS two`]);

  deepStrictEqual(counted.log.map((trip) => trip.length), [1, 2, 2]);
});

Deno.test("d1 in a session tells the bookmark of what it has seen, and takes one up", async () => {
  const first = createEngine(
    d1(workerd.d1("DB").withSession("first-primary")),
  );
  strictEqual(first.capabilities.bookmarks, true);
  strictEqual(first.driver.bookmark, undefined);

  await first.batch([
    sql`DROP TABLE IF EXISTS seen`,
    sql`CREATE TABLE seen (id INTEGER)`,
    sql`INSERT INTO seen VALUES (1)`,
  ]);
  const { bookmark } = first.driver;
  strictEqual(typeof bookmark, "string");

  const second = createEngine(
    d1(workerd.d1("DB").withSession(bookmark)),
  );
  strictEqual((await second.execute(sql`SELECT * FROM seen`)).length, 1);
  strictEqual((second.driver.bookmark ?? "") >= (bookmark ?? ""), true);
});

Deno.test("d1 without a session has no bookmark", () => {
  strictEqual(d1(workerd.d1("DB")).bookmark, undefined);
  strictEqual(d1(workerd.d1("DB")).capabilities.bookmarks, false);
});

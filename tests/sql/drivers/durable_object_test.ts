import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { driverCases } from "../../conformance/driver/suite.ts";
import { startWorkerd } from "../../services/mod.ts";

// The driver works only inside an object, so the suite runs there too.
const workerd = await startWorkerd({
  workers: [{
    compatibilityFlags: ["nodejs_compat"],
    durableObjects: { SUITE: "Suite" },
    entry: {
      source: `
        import { DurableObject } from "cloudflare:workers";
        import { durableObjectSql } from "./backends/durable_object_sql.ts";
        import { createEngine, OverloadedError, sql } from "./sql/mod.ts";
        import { driverCases } from "./tests/conformance/driver/suite.ts";

        export class Suite extends DurableObject {
          async fetch(request) {
            const name = decodeURIComponent(new URL(request.url).pathname.slice(1));
            try {
              const driver = durableObjectSql(this.ctx.storage);
              if (name === "batch in order") return Response.json(await inOrder(driver));
              await driverCases().find((one) => one.name === name).run(driver);
              return new Response("ok");
            } catch (error) {
              return new Response(error.stack, { status: 500 });
            }
          }
        }

        async function inOrder(driver) {
          const engine = createEngine(driver);
          const text = sql\`SELECT \${"a"} AS one\`;
          const rows = await Promise.all([engine.execute(text), engine.execute(text)]);
          return { rows, bookmarks: driver.capabilities.bookmarks };
        }

        export default {
          fetch: (request, env) => env.SUITE.get(env.SUITE.idFromName("suite")).fetch(request),
        };
      `,
    },
  }],
});
Deno.test.afterAll(() => workerd.dispose());

for (const { name } of driverCases()) {
  Deno.test(`durable object: ${name}`, async () => {
    const answer = await workerd.fetch(`/${encodeURIComponent(name)}`);
    strictEqual(await answer.text(), "ok");
  });
}

Deno.test("durable object: reads of one tick share a transaction", async () => {
  const answer = await workerd.fetch("/batch in order");
  deepStrictEqual(await answer.json(), {
    rows: [[{ one: "a" }], [{ one: "a" }]],
    bookmarks: false,
  });
});

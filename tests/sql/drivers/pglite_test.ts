import { PGlite } from "@electric-sql/pglite";
import { pglite } from "../../../backends/pglite.ts";
import { testDriver } from "../../conformance/mod.ts";

const client = new PGlite();
Deno.test.afterAll(() => client.close());

testDriver("pglite", () => pglite(client, { keepOpen: true }));

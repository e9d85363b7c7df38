import { d1 } from "../../../backends/d1.ts";
import { testDriver } from "../../conformance/mod.ts";
import { startWorkerd } from "../../services/mod.ts";

const workerd = await startWorkerd({ d1: ["DB"] });
Deno.test.afterAll(() => workerd.dispose());

testDriver("d1", () => d1(workerd.d1("DB")));
testDriver(
  "d1 in a session",
  () => d1(workerd.d1("DB"), { session: "first-primary" }),
);

import { sqlite } from "../../../backends/sqlite.ts";
import { testDriver } from "../../conformance/mod.ts";

testDriver("sqlite", () => sqlite(":memory:"));

/**
 * Conformance suites: what a backend or driver is held to, for authors of their
 * own ones. A test file of a driver names it, opens it, and is done.
 *
 * ```ts ignore
 * import { testDriver } from "@aludel/aludel/testing";
 *
 * testDriver("mydb", () => mydb(":memory:"));
 * ```
 *
 * @module
 */
export type { DriverCase } from "./driver/case.ts";
export {
  driverCases,
  type DriverSkip,
  testDriver,
  type TestDriverOptions,
} from "./driver/suite.ts";
export type { CacheBackendCase, CacheBackendTraits } from "./cache/cases.ts";
export {
  cacheBackendCases,
  testCacheBackend,
  type TestCacheBackendOptions,
} from "./cache/cases.ts";

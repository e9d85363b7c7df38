/**
 * Real parts for tests: each is the thing itself, or a thin server that speaks a
 * vendor's protocol in front of the thing itself. A test starts them on free
 * loopback ports and disposes of them; nothing is left behind.
 *
 * No test framework is in here, so they run beside `wrangler dev` as well.
 *
 * | question | file |
 * | --- | --- |
 * | How do I run Workers with KV, D1, Durable Objects, the Cache API? | `workerd.ts` |
 * | How do I bundle a Worker from TypeScript? | `bundle.ts` |
 * | How does a test use D1 without a Worker of its own? | `d1_binding.ts` |
 * | How many network trips did that take? | `counting_d1.ts` |
 * | How do I have a real Redis? | `redis.ts` |
 * | How does the Upstash client reach it? | `upstash_server.ts` |
 * | How do I have a real Postgres? | `postgres.ts` |
 * | How does the Neon driver reach it? | `neon_server.ts` |
 * | How does a libSQL or Turso client reach a SQLite? | `hrana_server.ts`, `hrana_sqlite.ts` |
 * | How do I reach D1 over Cloudflare's REST interface? | `d1_rest_server.ts` |
 *
 * @module
 */
export { bundleWorker } from "./bundle.ts";
export type { BundleOptions, WorkerEntry } from "./bundle.ts";
export { countingD1 } from "./counting_d1.ts";
export type { CountableD1, D1Trips } from "./counting_d1.ts";
export type {
  D1Columns,
  D1Database,
  D1DatabaseSession,
  D1Meta,
  D1PreparedStatement,
  D1Result,
  RelayedD1,
} from "./d1_binding.ts";
export type { Availability } from "./child_server.ts";
export { startD1RestServer } from "./d1_rest_server.ts";
export type { D1RestServer, D1RestServerOptions } from "./d1_rest_server.ts";
export { startHranaServer } from "./hrana_server.ts";
export type { HranaServer, HranaServerOptions } from "./hrana_server.ts";
export type { HttpServer, ListenOptions } from "./http_server.ts";
export { startNeonServer } from "./neon_server.ts";
export type { NeonServer, NeonServerOptions } from "./neon_server.ts";
export { postgresServerAvailable, startPostgres } from "./postgres.ts";
export type {
  Postgres,
  PostgresField,
  PostgresOptions,
  PostgresQuery,
  PostgresResult,
} from "./postgres.ts";
export { redisAvailable, startRedis } from "./redis.ts";
export type { Redis, RedisOptions } from "./redis.ts";
export { startUpstashServer } from "./upstash_server.ts";
export type { UpstashServer, UpstashServerOptions } from "./upstash_server.ts";
export { startWorkerd } from "./workerd.ts";
export type {
  DurableObjectSpec,
  KvNamespace,
  Workerd,
  WorkerdFetchInit,
  WorkerdOptions,
  WorkerSpec,
} from "./workerd.ts";

/**
 * A cache region with a dogpile lock: one caller creates a value, the others wait
 * for it, or are given the stale one. It works on any {@linkcode CacheBackend},
 * and knows nothing of a platform: those are in `@aludel/aludel/backends/*`.
 *
 * Expiration is the reader's opinion of a value whose creation time is stored
 * beside it, so nothing that is expired, invalid or of another version is ever
 * decoded. Values are handed from the creator to those who wait, as a store may
 * go on showing that there is none.
 *
 * It does not cache responses or streams, and it has no timers that one request
 * sets for another.
 *
 * ```ts
 * import { createRegion } from "@aludel/aludel/cache";
 * import { memory } from "@aludel/aludel/backends/memory";
 * import { equal } from "node:assert/strict";
 *
 * const region = createRegion({ name: "widgets" });
 * const getWidget = region.cacheOnArguments(
 *   async (id: number) => await Promise.resolve(`widget ${id}`),
 *   { namespace: "widget" },
 * );
 * region.configure({ backend: memory(), expirationTime: 300 });
 *
 * equal(await getWidget(2), "widget 2");
 * ```
 *
 * | question | file |
 * | --- | --- |
 * | What can a region do? | `region.ts`, `policy.ts` |
 * | How is one made, and what are its parts? | `create_region.ts` |
 * | Is an entry fresh, stale, or nothing? | `freshness.ts` |
 * | How is one creator elected, and the rest served? | `dogpile.ts`, `flights.ts`, `creation.ts` |
 * | What is known of a key? | `inspect.ts` |
 * | What does a backend, or a lock, have to be? | `backend.ts`, `lock.ts` |
 * | What does a key look like? | `key.ts`, `kwarg_key.ts` |
 * | What is stored? | `codec.ts`, `binary_codec.ts`, `envelope.ts` |
 * | Who caches a function? | `decorator.ts`, `multi_decorator.ts` |
 * | What is invalid, and who knows? | `invalidation.ts`, `shared_invalidation.ts` |
 * | What stands around a creation? | `runner.ts`, `expiration.ts` |
 * | What stands around a backend? | `proxy.ts`, `tiered.ts` |
 * | Where do time and background work come from? | `runtime.ts`, `clock.ts` |
 * | What did it cost? | `trace.ts` |
 *
 * @module
 */
export * from "./backend.ts";
export * from "./binary_codec.ts";
export * from "./codec.ts";
export * from "./configure_from_config.ts";
export * from "./create_region.ts";
export type { CachedFunction, CacheOnArgumentsOptions } from "./decorator.ts";
export * from "./duration.ts";
export * from "./envelope.ts";
export * from "./errors.ts";
export * from "./expiration.ts";
export * from "./hash.ts";
export * from "./inspect.ts";
export * from "./invalidation.ts";
export * from "./key.ts";
export * from "./kwarg_key.ts";
export * from "./lock.ts";
export * from "./multi_decorator.ts";
export * from "./mutex.ts";
export * from "./no_value.ts";
export type { CachePolicy, ExpirationPolicy } from "./policy.ts";
export * from "./proxy.ts";
export * from "./region.ts";
export * from "./runner.ts";
export * from "./runtime.ts";
export * from "./shared_invalidation.ts";
export * from "./tiered.ts";
export * from "./trace.ts";

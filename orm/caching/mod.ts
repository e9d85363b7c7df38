/**
 * Queries of a session answered from a cache region, and what a session writes
 * invalidating them: SQLAlchemy's dogpile caching example as a room. The mapper
 * and the cache know nothing of it; a bundle carries it where it is imported.
 *
 * | question | file |
 * | --- | --- |
 * | How is a query answered from a region? | `from_cache.ts`, `cached_reads.ts` |
 * | What is kept of its rows? | `stored_rows.ts` |
 * | Which writes invalidate it? | `commits.ts`, `tags.ts` |
 * | What can go wrong? | `errors.ts` |
 *
 * @module
 */
export type { FromCacheOptions } from "./cached_reads.ts";
export {
  followCommits,
  type FollowCommitsOptions,
  invalidateTables,
} from "./commits.ts";
export { QueryCacheError } from "./errors.ts";
export {
  type FromCache,
  fromCache,
  invalidateQuery,
  relationCache,
} from "./from_cache.ts";

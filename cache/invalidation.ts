import type { Awaitable, CacheBackend, StoredEntry } from "./backend.ts";

/**
 * Decides what has become invalid. Hard and soft bounds stand side by side, so a
 * soft one never revives what a hard one ended.
 */
export interface InvalidationStrategy {
  /**
   * Makes invalid what began to be created at a time of the hybrid clock, or
   * before. The empty tag is the region as a whole.
   *
   * @param hard As if absent, rather than as if just expired.
   * @param backend There once the region is configured.
   */
  invalidate(
    hard: boolean,
    tags: readonly string[],
    at: number,
    backend?: CacheBackend,
  ): Awaitable<void>;
  /**
   * The bound for an entry of these tags, in seconds of the hybrid clock: it is
   * invalid if its creation began then or before. 0 is no bound.
   */
  bound(
    hard: boolean,
    tags: readonly string[] | undefined,
    key: string,
  ): number;
  /**
   * Reads entries in place of the backend's own methods, so that records of
   * invalidation come in the same round trip.
   */
  read?(
    backend: CacheBackend,
    keys: readonly string[],
    tags: readonly string[] | undefined,
  ): Awaitable<readonly (StoredEntry | undefined)[]>;
}

/** The default: invalidation known to this isolate alone. */
export function localInvalidation(): InvalidationStrategy {
  const bounds = new Map<string, number>();
  return {
    invalidate(hard, tags, at) {
      for (const tag of tags) bounds.set(hard + tag, at);
    },
    bound: (hard, tags = []) =>
      bounds.size &&
      Math.max(...["", ...tags].map((tag) => bounds.get(hard + tag) ?? 0)),
  };
}

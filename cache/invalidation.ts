import type { Awaitable, CacheBackend, StoredEntry } from "./backend.ts";

/** What is to be invalid from now on. */
export interface InvalidationRequest {
  /** All that began to be created at this time of the hybrid clock, or before. */
  readonly at: number;
  /** Hard: as if absent. Soft: as if just expired. */
  readonly hard: boolean;
  /** Which tags; the empty tag is the region as a whole. */
  readonly tags: readonly string[];
}

/**
 * Decides what has become invalid. A bound is a time of the hybrid clock, in
 * seconds: entries whose creation began then or before are invalid; 0 is no bound.
 */
export interface InvalidationStrategy {
  /** Notes the request. `backend` is there once the region is configured. */
  invalidate(
    request: InvalidationRequest,
    backend: CacheBackend | undefined,
  ): Awaitable<void>;
  /** The hard bound for an entry of these tags. */
  hardBound(tags: readonly string[], key: string): number;
  /** The soft bound for an entry of these tags. */
  softBound(tags: readonly string[], key: string): number;
  /**
   * Reads entries in place of the backend's own methods, so that records of
   * invalidation come in the same round trip.
   */
  read?(
    backend: CacheBackend,
    keys: readonly string[],
    tags: readonly string[],
  ): Awaitable<readonly (StoredEntry | undefined)[]>;
}

/**
 * The default: invalidation known to this isolate alone. Hard and soft bounds
 * stand side by side, so a soft one never revives what a hard one ended.
 */
export function localInvalidation(): InvalidationStrategy {
  const boundOf = (bounds: Map<string, number>) => (tags: readonly string[]) =>
    bounds.size
      ? Math.max(...["", ...tags].map((tag) => bounds.get(tag) ?? 0))
      : 0;
  const hardBounds = new Map<string, number>();
  const softBounds = new Map<string, number>();
  return {
    invalidate({ at, hard, tags }) {
      for (const tag of tags) (hard ? hardBounds : softBounds).set(tag, at);
    },
    hardBound: boundOf(hardBounds),
    softBound: boundOf(softBounds),
  };
}

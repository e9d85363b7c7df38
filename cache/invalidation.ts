import type { Awaitable, StoredEntry } from "./backend.ts";

/** The door that an invalidation strategy has to what the region stores. */
export interface InvalidationStore {
  /** Reads records under their own keys. */
  read(
    keys: readonly string[],
  ): Awaitable<readonly (StoredEntry | undefined)[]>;
  /** Writes a record whose creation time is `at`; `false` if the platform refused. */
  write(key: string, at: number): Promise<boolean>;
  /** Milliseconds to wait. */
  sleep(milliseconds: number): Promise<void>;
}

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
 * Decides what has become invalid. A bound is a time of the hybrid clock:
 * entries whose creation began then or before are invalid; 0 is no bound.
 */
export interface InvalidationStrategy {
  /** Notes the request. */
  invalidate(
    request: InvalidationRequest,
    store: InvalidationStore,
  ): Awaitable<void>;
  /** The hard bound for an entry of these tags. */
  hardBound(key: string, tags: readonly string[]): number;
  /** The soft bound for an entry of these tags. */
  softBound(key: string, tags: readonly string[]): number;
  /** Keys of the records to be read in the same round trip as values are. */
  recordKeys?(tags: readonly string[]): readonly string[];
  /** Takes in the records that were read, and looks at the entries beside them. */
  absorb?(
    records: readonly (StoredEntry | undefined)[],
    recordKeys: readonly string[],
    entries: readonly (StoredEntry | undefined)[],
    store: InvalidationStore,
  ): Awaitable<void>;
}

/**
 * The default: invalidation known to this isolate alone. Hard and soft bounds
 * stand side by side, so a soft one never revives what a hard one ended.
 */
export function localInvalidation(): InvalidationStrategy {
  const bounds = { hard: new Map<string, number>(), soft: new Map() };
  const latest = (of: Map<string, number>, tags: readonly string[]) => {
    let bound = 0;
    if (of.size) {
      bound = of.get("") ?? 0;
      for (const tag of tags) bound = Math.max(bound, of.get(tag) ?? 0);
    }
    return bound;
  };
  return {
    invalidate({ at, hard, tags }) {
      for (const tag of tags) bounds[hard ? "hard" : "soft"].set(tag, at);
    },
    hardBound: (_, tags) => latest(bounds.hard, tags),
    softBound: (_, tags) => latest(bounds.soft, tags),
  };
}

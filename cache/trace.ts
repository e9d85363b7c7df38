/** Why an entry was not used. */
export type MissReason =
  | "absent"
  | "version"
  | "invalidated"
  | "expired"
  | "corrupt";

/**
 * Something that happened in a region:
 *
 * - `hit`: a fresh value was answered
 * - `miss`: there was none, for a `reason`
 * - `stale`: an expired value was answered
 * - `wait`: another caller creates, here or elsewhere, and this one waits
 * - `lead`: this caller was elected
 * - `create`: the creator has answered, after `seconds`
 * - `read`, `write`: an operation sent to the backend, for one key or many
 * - `hop`: a request sent to a lock that lies outside this isolate
 * - `encode`, `decode`: a value, or a payload, given to the codec
 * - `invalidate`: `keys` are the tags; the empty one is the whole region
 * - `error`: a creator, a backend, a lock or a codec failed, and a way around was found or not
 */
export interface CacheEvent {
  /** What happened. */
  readonly type:
    | "hit"
    | "miss"
    | "stale"
    | "wait"
    | "lead"
    | "create"
    | "read"
    | "write"
    | "hop"
    | "encode"
    | "decode"
    | "invalidate"
    | "error";
  /** The region's name. */
  readonly region: string;
  /** The keys it happened to, as the caller gave them. */
  readonly keys: readonly string[];
  /** Why a `miss` was one. */
  readonly reason?: MissReason;
  /** How long a `create` took. */
  readonly seconds?: number;
  /** Whether an `invalidate` was hard. */
  readonly hard?: boolean;
  /** What an `error` was. */
  readonly error?: unknown;
}

/** Longest list of keys in one line of text. */
const MAX_KEYS_TEXT = 300;

/**
 * One line of text for an event, for a log. Long lists of keys are cut near 300
 * characters.
 */
export function formatEvent(event: CacheEvent): string {
  const { type, region, keys, reason, seconds, hard, error } = event;
  let list = keys.map((key) => JSON.stringify(key)).join(", ");
  if (list.length > MAX_KEYS_TEXT) {
    list = `${list.slice(0, MAX_KEYS_TEXT)}… (${keys.length} keys)`;
  }
  const details = [
    reason,
    seconds !== undefined && `${seconds.toFixed(3)} s`,
    hard !== undefined && (hard ? "hard" : "soft"),
    error !== undefined && String(error),
  ].filter(Boolean);
  return [`aludel.cache.${region}`, type, list, ...details]
    .filter((part) => part !== "").join(" ");
}

/** How often each type of event has happened. */
export type CacheCounts = Record<CacheEvent["type"], number>;

/** Counts, and the `trace` that keeps them. */
export interface CacheCounter {
  /** To be given to a region. */
  readonly trace: (event: CacheEvent) => void;
  /** How often each type has happened so far. */
  readonly counts: Readonly<CacheCounts>;
  /** Starts again from nothing, and gives what there was. */
  reset(): CacheCounts;
}

/**
 * Counts what a region does: what a call costs, as whole numbers.
 *
 * @example
 * ```ts
 * import { countEvents, createRegion } from "@aludel/aludel/cache";
 * import { memory } from "@aludel/aludel/backends/memory";
 * import { equal } from "node:assert/strict";
 *
 * const counter = countEvents();
 * const region = createRegion({ trace: counter.trace })
 *   .configure({ backend: memory() });
 * await region.getOrCreate("k", () => 1);
 * await region.getOrCreate("k", () => 2);
 * equal(counter.counts.create, 1);
 * equal(counter.counts.hit, 1);
 * ```
 */
export function countEvents(): CacheCounter {
  const none = (): CacheCounts => ({
    hit: 0,
    miss: 0,
    stale: 0,
    wait: 0,
    lead: 0,
    create: 0,
    read: 0,
    write: 0,
    hop: 0,
    encode: 0,
    decode: 0,
    invalidate: 0,
    error: 0,
  });
  let counts = none();
  return {
    get counts() {
      return counts;
    },
    trace(event) {
      counts[event.type]++;
    },
    reset() {
      const before = counts;
      counts = none();
      return before;
    },
  };
}

/** What a region has done since it was made. */
export interface CacheCounts {
  /** Reads sent to the backend; one for many keys at once. */
  reads: number;
  /** Writes sent to the backend; one for many keys at once. */
  writes: number;
  /** Requests sent to a lock that lies outside this isolate. */
  hops: number;
  /** Values given to the codec. */
  encodes: number;
  /** Payloads given to the codec. */
  decodes: number;
  /** Calls of a creator. */
  creates: number;
}

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
 * - `wait`: another caller creates, this one waits
 * - `lead`: this caller was elected
 * - `create`: the creator has answered, after `milliseconds`
 * - `store`: the entry was given to the backend
 * - `invalidate`: `keys` are the tags, none for the whole region
 * - `error`: a creator, a backend or a lock failed, and a way around was found or not
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
    | "store"
    | "invalidate"
    | "error";
  /** The region's name. */
  readonly region: string;
  /** The keys it happened to, as the caller gave them. */
  readonly keys: readonly string[];
  /** Why a `miss` was one. */
  readonly reason?: MissReason;
  /** How long a `create` took. */
  readonly milliseconds?: number;
  /** Whether an `invalidate` was hard. */
  readonly hard?: boolean;
  /** What an `error` was. */
  readonly error?: unknown;
  /** The region's counts at that moment. */
  readonly counts: Readonly<CacheCounts>;
}

/** Longest list of keys in one line of text. */
const MAX_KEYS_TEXT = 300;

/**
 * One line of text for an event, for a log. Long lists of keys are cut near 300
 * characters.
 */
export function formatEvent(event: CacheEvent): string {
  const { type, region, keys, reason, milliseconds, hard, error } = event;
  let list = keys.map((key) => JSON.stringify(key)).join(", ");
  if (list.length > MAX_KEYS_TEXT) {
    list = `${list.slice(0, MAX_KEYS_TEXT)}… (${keys.length} keys)`;
  }
  const details = [
    reason,
    milliseconds !== undefined && `${(milliseconds / 1000).toFixed(3)} s`,
    hard !== undefined && (hard ? "hard" : "soft"),
    error !== undefined && String(error),
  ].filter(Boolean);
  return [`aludel.cache.${region}`, type, list, ...details]
    .filter((part) => part !== "").join(" ");
}

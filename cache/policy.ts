import type { EntryMetadata } from "./backend.ts";
import { type Duration, toMilliseconds } from "./duration.ts";
import type { CacheRegion } from "./region.ts";

/** What a background runner gives back when its work is done. */
export interface RunnerMutex {
  /** Lets another lead. Harmless twice. */
  release(): Promise<void>;
}

/**
 * Runs a creation outside the call that found a stale value. It gets the key as
 * the caller gave it, and a `create` that creates and stores; it must call both
 * `create` and `mutex.release`, now or later.
 */
export type AsyncCreationRunner = (
  region: CacheRegion,
  key: string,
  create: () => Promise<unknown>,
  mutex: RunnerMutex,
) => void;

/**
 * Makes an entry look older, so that it is created anew before it expires. Gives
 * the time to live that counts for this call, in milliseconds. See `jitter` and
 * `earlyRefresh`.
 */
export type ExpirationPolicy = (
  timeToLive: number,
  entry: {
    /** As the caller gave it. */
    readonly key: string;
    /** What is known of the entry. */
    readonly meta: EntryMetadata;
    /** A random number of the runtime, at least 0 and below 1. */
    readonly random: number;
  },
) => number;

/** How a region, or one call, treats age and failure. */
export interface CachePolicy {
  /**
   * Age from which a value is expired. It is never stored: two readers may
   * differ. `Infinity` is never.
   * @default {Infinity}
   */
  readonly expirationTime?: Duration;
  /**
   * As `expirationTime`, for a value that is `null` or `undefined`.
   * @default {expirationTime}
   */
  readonly negativeExpirationTime?: Duration;
  /** Creates anew before expiration, for some callers. Off by default. */
  readonly expirationPolicy?: ExpirationPolicy;
  /**
   * How long past its expiration a value is answered while one caller creates
   * anew. At 0, callers wait instead.
   * @default {Infinity}
   */
  readonly staleTime?: Duration;
  /**
   * How long past its expiration a value is answered in place of its creator's
   * error.
   * @default {0}
   */
  readonly staleIfError?: Duration;
  /**
   * The caller that finds a stale value answers it as well, and creates in the
   * background.
   * @default {false}
   */
  readonly staleWhileRevalidate?: boolean;
  /** Creates in the background by other means than `staleWhileRevalidate`. */
  readonly asyncCreationRunner?: AsyncCreationRunner;
  /** How long a creator may keep a caller that could have a stale value. */
  readonly softTimeout?: Duration;
  /** How long a creator may keep a caller at all; then it throws. */
  readonly hardTimeout?: Duration;
  /**
   * How long a caller waits for another's creation before it creates by itself.
   * @default {10}
   */
  readonly waitTimeout?: Duration;
  /**
   * How long a creator may take before another caller may lead.
   * @default {25}
   */
  readonly leaseTime?: Duration;
  /**
   * How long the backend keeps an entry, expired or not.
   * @default {Infinity}
   */
  readonly storageTime?: Duration;
}

const TIMES = [
  "expirationTime",
  "negativeExpirationTime",
  "staleTime",
  "staleIfError",
  "softTimeout",
  "hardTimeout",
  "waitTimeout",
  "leaseTime",
  "storageTime",
] as const;

type Times = typeof TIMES[number];

/** A policy whose durations are milliseconds. */
export type ResolvedPolicy =
  & { readonly [K in Times]?: number }
  & Omit<CachePolicy, Times>;

/** `given` over `base`. */
export function resolvePolicy<P extends ResolvedPolicy, G extends CachePolicy>(
  base: P,
  given: G,
): P & Omit<G, Times> {
  const policy = { ...base, ...given } as { [K in Times]?: unknown };
  for (const name of TIMES) {
    policy[name] = given[name] === undefined
      ? base[name]
      : toMilliseconds(given[name], name);
  }
  return policy as P & Omit<G, Times>;
}

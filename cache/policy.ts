import type { EntryMetadata } from "./backend.ts";
import { CacheConfigurationError } from "./errors.ts";
import type { CreationRunner } from "./runner.ts";

/**
 * Gives the age, in seconds, from which an entry is expired, in place of the
 * reader's `expirationTime`. See `jitter`, `earlyRefresh`, `negativeExpiration`.
 */
export type ExpirationPolicy = (
  expirationTime: number,
  entry: {
    /** As the caller gave it. */
    readonly key: string;
    /** What is known of the entry. */
    readonly meta: EntryMetadata;
    /** Whether the caller would create the value, or only reads. */
    readonly creating: boolean;
  },
) => number;

/**
 * How a region, or one call, treats age and failure. Times are in seconds;
 * `Infinity` is never, and so is `-1`, its name in dogpile.cache.
 */
export interface CachePolicy {
  /**
   * Age from which a value is expired. It is never stored: two readers may
   * differ.
   * @default {Infinity}
   */
  readonly expirationTime?: number;
  /** Changes `expirationTime` from entry to entry. */
  readonly expirationPolicy?: ExpirationPolicy;
  /**
   * How long past its expiration a value is answered while one caller creates
   * anew. At 0, callers wait instead.
   * @default {Infinity}
   */
  readonly staleTime?: number;
  /**
   * The caller that finds a stale value answers it as well, and creates in the
   * background.
   * @default {false}
   */
  readonly staleWhileRevalidate?: boolean;
  /** Stands around creations: `timeouts`, `staleIfError`, `asyncCreationRunner`. */
  readonly creationRunner?: CreationRunner;
  /**
   * How long a caller waits for the creation of another before it looks for
   * itself; for several, one after the other, twice that at most.
   * @default {10}
   */
  readonly waitTimeout?: number;
  /**
   * How long a creator may take before another caller may lead.
   * @default {25}
   */
  readonly leaseTime?: number;
  /**
   * How long the backend keeps an entry, expired or not.
   * @default {Infinity}
   */
  readonly storageTime?: number;
}

/**
 * `given` laid over `base`, which stays as it is, and in what is frozen shows
 * through. A time may be a function, which is asked now.
 * @throws {CacheConfigurationError} If a time is not one.
 */
export function layOver<B extends object, G extends object>(
  base: B,
  given?: G,
): B & G {
  // deno-lint-ignore no-explicit-any -- any option at all, until it is checked
  const policy: Record<string, any> = Object.create(base);
  for (const option in given) {
    // deno-lint-ignore no-explicit-any -- as above
    let value: any = given[option];
    if (value === undefined) continue;
    if (/Time/.test(option)) {
      if (typeof value === "function") value = value();
      if (value === -1) value = Infinity;
      if (Math.abs(value) !== value) {
        throw new CacheConfigurationError(
          "invalid-time",
          `Cannot use "${option}": give seconds from 0 to Infinity`,
        );
      }
    }
    Reflect.set(policy, option, value);
  }
  return policy as B & G;
}

import type { CacheBackend } from "./backend.ts";
import type { Codec } from "./codec.ts";
import type { CachedFunction, CacheOnArgumentsOptions } from "./decorator.ts";
import type { InvalidationStrategy } from "./invalidation.ts";
import type { KeyGenerator, KeyMangler, ToStr } from "./key.ts";
import type { Lock } from "./lock.ts";
import type { NoValue } from "./no_value.ts";
import type { CachePolicy } from "./policy.ts";
import type { Runtime } from "./runtime.ts";
import type { CacheEvent } from "./trace.ts";

/** What a region is, whatever it will be bound to. */
export interface RegionOptions extends CachePolicy {
  /** Names it in errors, events and shared locks. */
  readonly name?: string;
  /** Mangles every key; `false` leaves them even if the backend would not. */
  readonly keyMangler?: KeyMangler | false;
  /** Makes the keys of cached functions that bring no generator of their own. */
  readonly functionKeyGenerator?: (
    namespace: string,
    toStr?: ToStr,
  ) => KeyGenerator;
  /** How values are stored. @default {the backend's, else jsonCodec} */
  readonly codec?: Codec;
  /** The shape of the values: entries of another version are missing. @default {1} */
  readonly version?: number | string;
  /** Decides what is invalid. @default {localInvalidation()} */
  readonly invalidation?: InvalidationStrategy;
  /** Takes every event. */
  readonly trace?: (event: CacheEvent) => void;
  /** The platform. @default {platformRuntime()} */
  readonly runtime?: Runtime;
}

/** What binds a region to a platform. */
export interface RegionConfiguration
  extends Pick<CachePolicy, "expirationTime"> {
  /** Where entries are stored. */
  readonly backend: CacheBackend;
  /** Elects one creator beyond this isolate. @default {the backend's own, if any} */
  readonly lock?: Lock;
  /** Allows another configuration to stand here already. @default {false} */
  readonly replace?: boolean;
}

/** How a value is read. */
export interface GetOptions extends Pick<CachePolicy, "expirationPolicy"> {
  /** In place of the region's; a function is asked at every call. */
  readonly expirationTime?: number | (() => number);
  /** Answer a value though it is expired or invalidated. @default {false} */
  readonly ignoreExpiration?: boolean;
  /** Tags the value may have; naming them here saves a read of a shared strategy. */
  readonly tags?: readonly string[];
}

/** How a value is written. */
export interface SetOptions extends Pick<CachePolicy, "storageTime"> {
  /** What it can be invalidated by. */
  readonly tags?: readonly string[];
}

/** How a value is read, or created. */
export interface GetOrCreateOptions<T>
  extends
    Omit<CachePolicy, "expirationTime">,
    Pick<GetOptions, "expirationTime"> {
  /** Whether to store what was created. */
  readonly shouldCache?: (value: T) => boolean;
  /** What it can be invalidated by. */
  readonly tags?: readonly string[];
}

/** What to invalidate with: hard, as if absent, or soft, as if just expired. */
export interface InvalidateOptions {
  /** Hard rather than soft. @default {true} */
  readonly hard?: boolean;
}

/**
 * A configurable front to a cache: keys, age, codec, and one creator at a time.
 * Made by `createRegion`.
 */
export interface CacheRegion {
  /** As given to `createRegion`, or empty. */
  readonly name: string;
  /** Whether `configure` was called. */
  readonly isConfigured: boolean;
  /**
   * The backend, in its proxies if it has any; `actualBackend` looks behind them.
   * @throws {CacheConfigurationError} If the region is not configured.
   */
  readonly backend: CacheBackend;

  /**
   * Binds the region to a platform. With the same backend, lock and expiration
   * as before it does nothing, so a Worker may call it on every request.
   *
   * @returns The region.
   * @throws {CacheConfigurationError} If it is configured otherwise already.
   */
  configure(configuration: RegionConfiguration): CacheRegion;

  /** The value if it is fresh, else `NO_VALUE`. It never creates, and never locks. */
  get<T = unknown>(key: string, options?: GetOptions): Promise<T | NoValue>;
  /** As `get`, for each key in order, in one read. */
  getMulti<T = unknown>(
    keys: readonly string[],
    options?: GetOptions,
  ): Promise<(T | NoValue)[]>;
  /**
   * Stores a value, whatever is there.
   * @throws {CacheInputError} If it cannot be encoded, or the backend refuses it.
   */
  set(key: string, value: unknown, options?: SetOptions): Promise<void>;
  /** Stores many values in one write; they share one creation time. */
  setMulti(
    values: Readonly<Record<string, unknown>>,
    options?: SetOptions,
  ): Promise<void>;
  /** Forgets a key, known or not. */
  delete(key: string): Promise<void>;
  /** Forgets many keys, known or not, in one operation. */
  deleteMulti(keys: readonly string[]): Promise<void>;

  /**
   * The value if it is fresh. Else one caller creates it, and the others wait, or
   * get the stale value if there is one.
   *
   * The creator gives plain data, not something that belongs to its request: the
   * value is handed to others. The caller that created it gets it as it is.
   */
  getOrCreate<T>(
    key: string,
    creator: () => T | Promise<T>,
    options?: GetOrCreateOptions<T>,
  ): Promise<T>;
  /**
   * As `getOrCreate`, for many keys in one read. The creator is called once with
   * the keys that are to be created, sorted and each once, and gives their values
   * in that order.
   *
   * @throws {CacheInputError} If the creator gives another number of values.
   */
  getOrCreateMulti<T>(
    keys: readonly string[],
    creator: (keys: readonly string[]) => readonly T[] | Promise<readonly T[]>,
    options?: GetOrCreateOptions<T>,
  ): Promise<T[]>;

  /**
   * Caches a function by its arguments. The cached function has `get`, `set`,
   * `refresh`, `invalidate`, and the `original`.
   */
  cacheOnArguments<A extends unknown[], T>(
    fn: (...args: A) => T | Promise<T>,
    options: CacheOnArgumentsOptions<A, T>,
  ): CachedFunction<A, T>;

  /**
   * Makes invalid all that was created, or began to be, before now. Hard: as if
   * absent. Soft: as if just expired, so a stale value is still answered while
   * one caller creates anew; that asks for an `expirationTime`.
   */
  invalidate(options?: InvalidateOptions): Promise<void>;
  /** As `invalidate`, for what has one of the tags. */
  invalidateTags(
    tags: readonly string[],
    options?: InvalidateOptions,
  ): Promise<void>;
}

import type { KeyGenerator, ToStr } from "./key.ts";
import type { NoValue } from "./no_value.ts";
import type {
  CacheRegion,
  GetOrCreateOptions,
  RegionOptions,
} from "./region.ts";

/** How a function is cached. */
export interface CacheOnArgumentsOptions<A extends unknown[], T>
  extends GetOrCreateOptions<T> {
  /**
   * What the function is, for its keys: two functions of one region need two
   * namespaces. It is not taken from the function's name, which bundlers change.
   */
  readonly namespace: string;
  /** Chooses what of the arguments makes the key. @default {all of them} */
  readonly key?: (...args: A) => readonly unknown[];
  /** The text of one argument, or of one part that `key` chose. */
  readonly toStr?: ToStr;
  /** Makes the whole key, in place of the region's generator. */
  readonly functionKeyGenerator?: (
    namespace: string,
    toStr?: ToStr,
  ) => KeyGenerator;
}

/** A function whose results are cached by its arguments. */
export interface CachedFunction<A extends unknown[], T> {
  /** The cached result, or a new one. */
  (...args: A): Promise<T>;
  /** The cached result if it is fresh, else `NO_VALUE`; it never calls the function. */
  get(...args: A): Promise<T | NoValue>;
  /** Stores a result without calling the function. */
  set(value: T, ...args: A): Promise<void>;
  /** Calls the function, and stores and returns its result. */
  refresh(...args: A): Promise<T>;
  /** Forgets the cached result. */
  invalidate(...args: A): Promise<void>;
  /** The function as it was given. */
  readonly original: (...args: A) => T | Promise<T>;
}

/** As `region.cacheOnArguments`, with the region's generator of keys. */
export function cacheOnArguments<A extends unknown[], T>(
  region: CacheRegion,
  fn: (...args: A) => T | Promise<T>,
  options: CacheOnArgumentsOptions<A, T>,
  generator: NonNullable<RegionOptions["functionKeyGenerator"]>,
): CachedFunction<A, T> {
  const keyFrom = (options.functionKeyGenerator ?? generator)(
    options.namespace,
    options.toStr,
  );
  const keyOf = (args: A) => keyFrom(...options.key?.(...args) ?? args);
  return Object.assign(
    Object.defineProperties(
      function (this: unknown, ...args: A): Promise<T> {
        return region.getOrCreate(
          keyOf(args),
          () => fn.apply(this, args),
          options,
        );
      },
      // Its name and its length.
      Object.getOwnPropertyDescriptors(fn),
    ),
    {
      original: fn,
      get: (...args: A) => region.get<T>(keyOf(args), options),
      set: (value: T, ...args: A) => region.set(keyOf(args), value, options),
      async refresh(this: unknown, ...args: A) {
        const value = await fn.apply(this, args);
        await region.set(keyOf(args), value, options);
        return value;
      },
      invalidate: (...args: A) => region.delete(keyOf(args)),
    },
  );
}

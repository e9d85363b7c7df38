import {
  functionMultiKeyGenerator,
  type MultiKeyGenerator,
  type ToStr,
} from "./key.ts";
import { NO_VALUE, type NoValue } from "./no_value.ts";
import type { CacheRegion, GetOrCreateOptions } from "./region.ts";

/** How a function of many keys is cached. */
export interface CacheMultiOnArgumentsOptions<V> extends GetOrCreateOptions<V> {
  /** What the function is, for its keys. */
  readonly namespace: string;
  /** The text of one argument. */
  readonly toStr?: ToStr;
  /** Makes the whole keys. */
  readonly functionMultiKeyGenerator?: (
    namespace: string,
    toStr?: ToStr,
  ) => MultiKeyGenerator;
}

/** A function of many keys whose results are cached one by one. */
export interface CachedMultiFunction<K, V, R> {
  /** The results, cached or new, in the order of the keys. */
  (...keys: K[]): Promise<R>;
  /** The cached results that are fresh, and `NO_VALUE` in place of others. */
  get(...keys: K[]): Promise<(V | NoValue)[]>;
  /** Stores results without calling the function. */
  set(values: ReadonlyMap<K, V>): Promise<void>;
  /** Calls the function for all keys, and stores and returns its results. */
  refresh(...keys: K[]): Promise<R>;
  /** Forgets the cached results. */
  invalidate(...keys: K[]): Promise<void>;
  /** The function as it was given. */
  readonly original: (...keys: K[]) => R | Promise<R>;
}

/**
 * Caches a function that gives one result for each of its arguments, in order.
 *
 * A function that gives a `Map` by argument may leave some out: those are neither
 * cached nor returned. Use {@linkcode cacheMapOnArguments} for it.
 *
 * @example
 * ```ts
 * import { cacheMultiOnArguments, createRegion } from "@aludel/aludel/cache";
 * import { memory } from "@aludel/aludel/backends/memory";
 * import { deepEqual } from "node:assert/strict";
 *
 * const region = createRegion().configure({ backend: memory() });
 * const asked: number[][] = [];
 * const squares = cacheMultiOnArguments(region, (...ns: number[]) => {
 *   asked.push(ns);
 *   return ns.map((n) => n * n);
 * }, { namespace: "square" });
 * deepEqual(await squares(3, 2), [9, 4]);
 * deepEqual(await squares(2, 5), [4, 25]);
 * deepEqual(asked, [[2, 3], [5]]);
 * ```
 */
export function cacheMultiOnArguments<K, V>(
  region: CacheRegion,
  fn: (...keys: K[]) => readonly V[] | Promise<readonly V[]>,
  options: CacheMultiOnArgumentsOptions<V>,
): CachedMultiFunction<K, V, readonly V[]> {
  return cached(region, fn, options, fn, (_, values) => values as readonly V[]);
}

/** As {@linkcode cacheMultiOnArguments}, for a function that gives a `Map`. */
export function cacheMapOnArguments<K, V>(
  region: CacheRegion,
  fn: (...keys: K[]) => ReadonlyMap<K, V> | Promise<ReadonlyMap<K, V>>,
  options: CacheMultiOnArgumentsOptions<V>,
): CachedMultiFunction<K, V, ReadonlyMap<K, V>> {
  return cached(
    region,
    fn,
    options,
    async (...keys) => {
      const values = await fn(...keys);
      return keys.map((key) => values.has(key) ? values.get(key)! : NO_VALUE);
    },
    (keys, values) => {
      const map = new Map<K, V>();
      for (const [i, key] of keys.entries()) {
        const value = values[i] as V | NoValue;
        if (value !== NO_VALUE) map.set(key, value);
      }
      return map;
    },
  );
}

function cached<K, V, R>(
  region: CacheRegion,
  original: (...keys: K[]) => R | Promise<R>,
  options: CacheMultiOnArgumentsOptions<V>,
  list: (
    ...keys: K[]
  ) => readonly (V | NoValue)[] | Promise<readonly (V | NoValue)[]>,
  shape: (keys: readonly K[], values: readonly (V | NoValue)[]) => R,
): CachedMultiFunction<K, V, R> {
  const { namespace, toStr, shouldCache } = options;
  const generator =
    (options.functionMultiKeyGenerator ?? functionMultiKeyGenerator)(
      namespace,
      toStr,
    );
  const callOptions: GetOrCreateOptions<V | NoValue> = {
    ...options,
    shouldCache: (value: V | NoValue) =>
      value !== NO_VALUE && (shouldCache?.(value) ?? true),
  };
  const store = async (keys: readonly K[], values: readonly unknown[]) => {
    const names = generator(...keys);
    const pairs = names.map((name, i) => [name, values[i]] as const)
      .filter(([, value]) => value !== NO_VALUE);
    await region.setMulti(Object.fromEntries(pairs), callOptions);
  };
  const call = async (...keys: K[]): Promise<R> => {
    const names = generator(...keys);
    const byName = new Map(names.map((name, i) => [name, keys[i]!] as const));
    const values = await region.getOrCreateMulti(
      names,
      (missing) => list(...missing.map((name) => byName.get(name)!)),
      callOptions,
    );
    return shape(keys, values);
  };
  return Object.assign(call, {
    original,
    get: (...keys: K[]) => region.getMulti<V>(generator(...keys), callOptions),
    set: (values: ReadonlyMap<K, V>) =>
      store([...values.keys()], [...values.values()]),
    async refresh(...keys: K[]) {
      const values = await list(...keys);
      await store(keys, values);
      return shape(keys, values);
    },
    invalidate: (...keys: K[]) => region.deleteMulti(generator(...keys)),
  });
}

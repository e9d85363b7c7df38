import {
  ask,
  type Bound,
  type Call,
  emit,
  type OpenRegion,
  type Slot,
} from "./call.ts";
import { hybridClock } from "./clock.ts";
import { jsonCodec } from "./codec.ts";
import type { Creator } from "./creation.ts";
import { cacheOnArguments } from "./decorator.ts";
import { resolve } from "./dogpile.ts";
import { entryOf, write } from "./entries.ts";
import { CacheConfigurationError } from "./errors.ts";
import { forget } from "./flights.ts";
import { judge } from "./freshness.ts";
import { localInvalidation } from "./invalidation.ts";
import { functionKeyGenerator } from "./key.ts";
import { NO_VALUE } from "./no_value.ts";
import { layOver } from "./policy.ts";
import type { CacheRegion, GetOptions, RegionOptions } from "./region.ts";
import { platformRuntime } from "./runtime.ts";

// The front door: it takes what a caller gives, and puts together
//
// 1. `call.ts`: what a call asks of what the region is bound to, handed to all
// 2. `freshness.ts`: whether an entry that was read will do
// 3. `entries.ts`: reading, decoding, encoding and writing entries
// 4. `dogpile.ts`: who waits, who takes the stale value, and who leads
// 5. `flights.ts`: who is elected in this isolate and beyond, and what is left
// 6. `creation.ts`: what a leader does

/**
 * Makes a region, to be configured now or later.
 *
 * @example
 * ```ts
 * import { createRegion, NO_VALUE } from "@aludel/aludel/cache";
 * import { memory } from "@aludel/aludel/backends/memory";
 * import { equal } from "node:assert/strict";
 *
 * const region = createRegion({ name: "widgets" });
 * const getWidget = region.cacheOnArguments(
 *   async (id: number) => await Promise.resolve({ id }),
 *   { namespace: "widget" },
 * );
 * region.configure({ backend: memory(), expirationTime: 300 });
 *
 * equal(await getWidget(2), await getWidget(2));
 * equal(await region.get("no such key"), NO_VALUE);
 * ```
 *
 * @throws {CacheConfigurationError} If a time among the options is not one.
 */
export function createRegion(options: RegionOptions = {}): CacheRegion {
  const base = layOver({
    name: "",
    version: 1 as number | string,
    waitTimeout: 10,
    leaseTime: 25,
    invalidation: localInvalidation(),
    runtime: platformRuntime(),
  }, options);
  const { name, invalidation } = base;
  const now = () => base.runtime.now() / 1000;
  const tick = hybridClock(now);
  let identity: readonly unknown[];
  let bound: Call | undefined;

  /** A call's options over those of the region, once it is bound to something. */
  function callOf(options?: GetOptions): Call {
    if (bound) return layOver(bound, options) as Call;
    throw new CacheConfigurationError(
      "not-configured",
      `Cannot use region "${name}": call \`configure\``,
    );
  }

  async function open(
    keys: readonly string[],
    options?: GetOptions,
  ): Promise<readonly [Call, Slot[]]> {
    const call = callOf(options);
    const { keyMangler } = call;
    return [
      call,
      await Promise.all(keys.map(async (key) => ({
        key,
        id: keyMangler ? await keyMangler(key) : key,
        value: NO_VALUE,
      }))),
    ];
  }

  /** The values of keys, in order. */
  async function obtain<T>(
    keys: readonly string[],
    creator?: Creator,
    options?: GetOptions,
  ): Promise<T[]> {
    const [call, slots] = await open([...new Set(keys)].sort(), options);
    await resolve(call, slots, creator);
    const values = new Map(slots.map(({ key, value }) => [key, value]));
    return keys.map((key) => values.get(key) as T);
  }

  const region: OpenRegion = {
    name,
    get isConfigured() {
      return !!bound;
    },
    get backend() {
      return callOf().backend;
    },
    open,
    configure(
      { backend, lock = backend.lock, expirationTime, replace },
    ) {
      const given = [
        backend.name,
        backend.client ?? backend,
        lock?.name,
        lock?.client ?? lock,
        expirationTime,
      ];
      if (bound && !replace) {
        if (given.every((part, i) => part === identity[i])) return region;
        throw new CacheConfigurationError(
          "already-configured",
          `Cannot configure region "${name}": it stands on "${bound.backend.name}"; give \`replace\``,
        );
      }
      if (lock && !name) {
        throw new CacheConfigurationError(
          "unnamed-region",
          "Cannot share a lock: give the region a `name`",
        );
      }
      const {
        keyMangler = backend.keyMangler,
        codec = backend.codec ??
          // A live value cannot be handed to another isolate.
          (backend.capabilities.live && !lock ? undefined : jsonCodec),
      } = options;
      // Frozen, so no option of a call is laid over it.
      const made: Bound = Object.freeze({
        version: base.version,
        backend,
        lock,
        codec,
        keyMangler,
        region,
        now,
        tick,
        flights: new Map(),
      });
      identity = given;
      bound = layOver(layOver(made, base), { expirationTime }) as Call;
      return region;
    },
    get: async <T>(key: string, options?: GetOptions) =>
      (await obtain<T>([key], undefined, options))[0]!,
    getMulti: (keys, options) => obtain(keys, undefined, options),
    set: (key, value, options) => region.setMulti({ [key]: value }, options),
    async setMulti(values, options) {
      const [call, slots] = await open(Object.keys(values), options);
      const ct = tick();
      await Promise.all(slots.map(async (slot) => {
        slot.entry = await entryOf(call, slot, values[slot.key], ct);
      }));
      await write(call, slots);
      await forget(call, slots);
    },
    delete: (key) => region.deleteMulti([key]),
    async deleteMulti(keys) {
      const [call, slots] = await open(keys);
      await ask(call, "write", slots, (ids) => call.backend.delete(ids));
      await forget(call, slots);
    },
    async getOrCreate<T>(
      key: string,
      creator: () => T | Promise<T>,
      options?: GetOptions,
    ) {
      const call = callOf(options);
      // What lies in memory as it is costs no round through the event loop.
      const direct = call.backend.peek?.(key, call);
      if (direct && !judge(call, { key } as Slot, direct, true)) {
        return direct.payload as T;
      }
      const create = async () => [await creator()];
      return (await obtain<T>([key], create, options))[0]!;
    },
    getOrCreateMulti: obtain,
    cacheOnArguments: (fn, given) =>
      cacheOnArguments(
        region,
        fn,
        given,
        options.functionKeyGenerator ?? functionKeyGenerator,
      ),
    invalidate: (options) => region.invalidateTags([""], options),
    async invalidateTags(tags, { hard = true } = {}) {
      await invalidation.invalidate(hard, tags, tick(), bound?.backend);
      emit(base, "invalidate", tags, { hard });
    },
  };
  return region;
}

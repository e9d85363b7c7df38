import { sameClient } from "./backend.ts";
import { type Call, emit, sharedKey, type Slot, type Unbound } from "./call.ts";
import { hybridClock } from "./clock.ts";
import { jsonCodec } from "./codec.ts";
import { cacheOnArguments } from "./decorator.ts";
import { resolve } from "./dogpile.ts";
import { entryOf, forget, load, settle, write } from "./entries.ts";
import { CacheConfigurationError, CacheInputError } from "./errors.ts";
import { flightFor } from "./flights.ts";
import { judge } from "./freshness.ts";
import { localInvalidation } from "./invalidation.ts";
import { NO_VALUE } from "./no_value.ts";
import { type CachePolicy, policyOf } from "./policy.ts";
import type {
  CacheRegion,
  GetOptions,
  GetOrCreateOptions,
  RegionOptions,
} from "./region.ts";
import { platformRuntime } from "./runtime.ts";

// The front door: it takes what a caller gives, and puts together
//
// 1. `call.ts`: what the region is bound to and what a call asks, handed to all
// 2. `freshness.ts`: whether an entry that was read will do
// 3. `entries.ts`: reading, decoding, encoding and writing entries
// 4. `dogpile.ts`: who waits, who takes the stale value, and who leads
// 5. `flights.ts`: those who lead in this isolate, and what they left
// 6. `elected.ts`: what a leader does

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
  const {
    name = "",
    version = 1,
    trace,
    invalidation = localInvalidation(),
    runtime = platformRuntime(),
    functionKeyGenerator,
  } = options;
  const now = () => runtime.now() / 1000;
  const tick = hybridClock(now);
  let bound: Call | undefined;

  const region: CacheRegion = {
    name,
    functionKeyGenerator,
    get isConfigured() {
      return !!bound;
    },
    get backend() {
      return configured().backend;
    },
    configure(
      { backend, lock = backend.lock, expirationTime, replace },
    ) {
      const policy = policyOf(
        unbound,
        { expirationTime } as Pick<CachePolicy, "expirationTime">,
      );
      if (bound && !replace) {
        if (
          sameClient(bound.backend, backend) && sameClient(bound.lock, lock) &&
          bound.expirationTime === policy.expirationTime
        ) return region;
        throw new CacheConfigurationError(
          "already-configured",
          `Cannot configure region "${name}": it stands on "${bound.backend.name}"; pass \`replace: true\``,
        );
      }
      if (lock && !name) {
        throw new CacheConfigurationError(
          "unnamed-region",
          "Cannot share a lock: the region has no `name`",
        );
      }
      const { keyMangler = backend.keyMangler, codec = backend.codec } =
        options;
      bound = {
        ...policy,
        backend,
        lock,
        // A live value cannot be handed to another isolate.
        codec: codec ??
          (backend.capabilities.live && !lock ? undefined : jsonCodec),
        mangler: keyMangler || undefined,
      };
      return region;
    },
    get: async <T>(key: string, options?: GetOptions) =>
      (await region.getMulti<T>([key], options))[0]!,
    getMulti: async <T>(keys: readonly string[], options?: GetOptions) =>
      (await read(keys, options)).map((slot) =>
        (slot.done ? slot.value : NO_VALUE) as T
      ),
    async getValueMetadata<T>(key: string, options?: GetOptions) {
      const [slot] = await read([key], options);
      if (!slot!.done) return null;
      const { meta } = slot!.entry!;
      return { value: slot!.value as T, meta, age: now() - meta.ct };
    },
    set: (key, value, options) => region.setMulti({ [key]: value }, options),
    async setMulti(values, options = {}) {
      const call = policyOf(configured(), options);
      const ct = tick();
      const entries = await Promise.all(
        Object.entries(values).map(async ([key, value]) =>
          [
            await mangled(call, key),
            await entryOf(call, key, value, ct, 0),
          ] as const
        ),
      );
      if (!entries.length) return;
      await write(call, entries);
      await forget(call, entries.map(([id]) => id));
    },
    delete: (key) => region.deleteMulti([key]),
    async deleteMulti(keys) {
      const call = configured();
      if (!keys.length) return;
      const ids = await Promise.all(keys.map((key) => mangled(call, key)));
      emit(call, "write", keys);
      await call.backend.delete(ids);
      await forget(call, ids);
    },
    async getOrCreate<T>(
      key: string,
      creator: () => T | Promise<T>,
      options?: GetOrCreateOptions<T>,
    ) {
      const own = configured();
      const call = options ? policyOf(own, options) : own;
      const slot = newSlot(key, call.mangler ? await call.mangler(key) : key);
      const direct = !call.codec && !invalidation.read && !trace &&
        call.backend.peek?.(slot.id);
      if (direct) {
        // What lies in memory as it is costs no round through the event loop.
        const verdict = judge(call, slot, direct, true);
        if (!verdict.why) return direct.payload as T;
        Object.assign(slot, verdict);
      } else await load(call, [slot], true);
      await resolve(
        call,
        [slot],
        async () => [await creator()],
      );
      return slot.value as T;
    },
    async getOrCreateMulti<T>(
      keys: readonly string[],
      creator: (
        keys: readonly string[],
      ) => readonly T[] | Promise<readonly T[]>,
      options: GetOrCreateOptions<T> = {},
    ) {
      const call = policyOf(configured(), options);
      if (!keys.length) return [];
      const slots = new Map<string, Slot>();
      for (const key of [...keys].sort()) {
        slots.set(key, newSlot(key, await mangled(call, key)));
      }
      const all = [...slots.values()];
      await load(call, all, true);
      await resolve(call, all, async (wanted) => {
        const asked = wanted.map(({ key }) => key);
        const values = await creator(asked);
        if (values.length === asked.length) return values;
        throw new CacheInputError(
          "creator-result",
          `Cannot use ${values.length} values for ${asked.length} keys (${
            asked.join(", ").slice(0, 300)
          }); give one for each, in order`,
        );
      });
      return keys.map((key) => slots.get(key)!.value as T);
    },
    cacheOnArguments: (fn, options) => cacheOnArguments(region, fn, options),
    invalidate: (options) => region.invalidateTags([""], options),
    async invalidateTags(tags, { hard = true } = {}) {
      await invalidation.invalidate({ at: tick(), hard, tags }, bound?.backend);
      emit(unbound, "invalidate", tags, { hard });
    },
    async keyIsLocked(key) {
      const call = configured();
      const id = await mangled(call, key);
      // What has landed is older than that.
      return !!(flightFor(call, { id, newerThan: Infinity }) ||
        await call.lock?.isLocked(sharedKey(call, id)));
    },
  };
  const unbound: Unbound = {
    ...policyOf(
      { staleTime: Infinity, waitTimeout: 10, leaseTime: 25 },
      options,
    ),
    name,
    version,
    invalidation,
    runtime,
    region,
    now,
    tick,
    flights: new Map(),
  };
  return region;

  /** What is bound, to those who need it. */
  function configured(): Call {
    if (bound) return bound;
    throw new CacheConfigurationError(
      "not-configured",
      `Cannot use region "${name}": it is not configured; call \`configure\``,
    );
  }

  async function read(
    keys: readonly string[],
    options: GetOptions = {},
  ): Promise<Slot[]> {
    const call = policyOf(configured(), options);
    const slots = await Promise.all(
      keys.map(async (key) => newSlot(key, await mangled(call, key))),
    );
    if (keys.length) await load(call, slots, false);
    await Promise.all(
      slots.map((slot) =>
        slot.why
          ? emit(call, "miss", [slot], { reason: slot.why })
          : settle(call, slot)
      ),
    );
    return slots;
  }
}

async function mangled(
  { mangler }: Call,
  key: string,
): Promise<string> {
  return mangler ? await mangler(key) : key;
}

function newSlot(key: string, id: string): Slot {
  return { key, id, over: 0, newerThan: 0 };
}

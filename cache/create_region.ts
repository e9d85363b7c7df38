import {
  type CacheBackend,
  type KeyedEntry,
  sameClient,
  type StoredEntry,
} from "./backend.ts";
import { hybridClock } from "./clock.ts";
import { type Codec, jsonCodec } from "./codec.ts";
import { cacheOnArguments } from "./decorator.ts";
import {
  CacheConfigurationError,
  CacheInputError,
  CannotDecodeError,
} from "./errors.ts";
import { localInvalidation } from "./invalidation.ts";
import type { KeyMangler } from "./key.ts";
import type { Follower, Leader, Lock, Outcome } from "./lock.ts";
import { NO_VALUE } from "./no_value.ts";
import { type CachePolicy, policyOf } from "./policy.ts";
import type {
  CacheRegion,
  GetOptions,
  GetOrCreateOptions,
  RegionOptions,
} from "./region.ts";
import { platformRuntime, within } from "./runtime.ts";
import type { CacheEvent, MissReason } from "./trace.ts";

/** A region's policy and a call's options, in one. */
interface Policy
  extends CachePolicy, Pick<GetOptions, "ignoreExpiration" | "tags"> {
  readonly staleTime: number;
  readonly waitTimeout: number;
  readonly leaseTime: number;
  readonly shouldCache?: (value: never) => boolean;
}

/** What the region was configured with. */
interface Bound {
  readonly backend: CacheBackend;
  readonly lock: Lock | undefined;
  readonly codec: Codec | undefined;
  readonly mangler: KeyMangler | undefined;
  readonly policy: Policy;
}

/** One key on its way to a value. */
interface Slot {
  /** As the caller gave it. */
  readonly key: string;
  /** As the backend sees it. */
  readonly id: string;
  /** Works for nobody who waits: no value is wanted. */
  readonly quiet?: boolean;
  /** What was read, if it is of any use. */
  entry?: StoredEntry | undefined;
  /** Why it is not fresh; `undefined` if it is. */
  why?: MissReason | undefined;
  /** Seconds past its expiration. */
  over: number;
  /** Stale, and good enough to be answered. */
  usable?: boolean;
  /** Only what was created after this will do. */
  newerThan: number;
  done?: boolean;
  value?: unknown;
}

/** The creation of one key, as this isolate knows it. */
interface Flight {
  readonly slot: Slot;
  /** Resolved when it has landed, by whoever leads. */
  readonly promise: Promise<Outcome>;
  readonly resolve: (outcome: Outcome) => void;
  ticket: Leader | Follower;
  /** When others need not respect it any more: the end of the lease, or of the hold. */
  until: number;
  /** The creation time of what it holds, once landed. */
  ct?: number;
}

type Create = (slots: readonly Slot[]) => Promise<readonly unknown[]>;

const NO_TAGS: readonly string[] = [];
/** How many landed flights an isolate keeps. */
const MAX_HELD = 100;
/** Leads without asking anybody. */
const UNLOCKED: Leader = {
  leads: true,
  reread: true,
  commit: () => true,
  release() {},
};
const ignore = () => {};

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
  const defaults: Policy = policyOf(
    { staleTime: Infinity, waitTimeout: 10, leaseTime: 25 },
    options,
  );
  const flights = new Map<string, Flight>();
  let bound: Bound | undefined;

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
      const policy = policyOf(defaults, { expirationTime });
      if (bound && !replace) {
        if (
          sameClient(bound.backend, backend) && sameClient(bound.lock, lock) &&
          bound.policy.expirationTime === policy.expirationTime
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
        backend,
        lock,
        // A live value cannot be handed to another isolate.
        codec: codec ??
          (backend.capabilities.live && !lock ? undefined : jsonCodec),
        mangler: keyMangler || undefined,
        policy: policy as Policy,
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
      const policy = policyFor(options);
      const ct = tick();
      const entries = await Promise.all(
        Object.entries(values).map(async ([key, value]) =>
          [
            await mangled(key),
            await entryOf(key, value, ct, 0, policy),
          ] as const
        ),
      );
      if (!entries.length) return;
      await write(entries, policy);
      await forget(entries.map(([id]) => id));
    },
    delete: (key) => region.deleteMulti([key]),
    async deleteMulti(keys) {
      const { backend } = configured();
      if (!keys.length) return;
      const ids = await Promise.all(keys.map(mangled));
      emit("write", keys);
      await backend.delete(ids);
      await forget(ids);
    },
    async getOrCreate<T>(
      key: string,
      creator: () => T | Promise<T>,
      options?: GetOrCreateOptions<T>,
    ) {
      const { backend, codec, mangler, policy: own } = configured();
      const policy = options ? policyFor(options) : own;
      const slot = newSlot(key, mangler ? await mangler(key) : key);
      const direct = !codec && !invalidation.read && !trace &&
        backend.peek?.(slot.id);
      if (direct) {
        // What lies in memory as it is costs no round through the event loop.
        judge(slot, direct, policy, true);
        if (!slot.why) return direct.payload as T;
      } else await load([slot], policy, true);
      await resolve([slot], policy, async () => [await creator()]);
      return slot.value as T;
    },
    async getOrCreateMulti<T>(
      keys: readonly string[],
      creator: (
        keys: readonly string[],
      ) => readonly T[] | Promise<readonly T[]>,
      options: GetOrCreateOptions<T> = {},
    ) {
      const policy = policyFor(options);
      if (!keys.length) return [];
      const slots = new Map<string, Slot>();
      for (const key of [...keys].sort()) {
        slots.set(key, newSlot(key, await mangled(key)));
      }
      const all = [...slots.values()];
      await load(all, policy, true);
      await resolve(all, policy, async (wanted) => {
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
      emit("invalidate", tags, { hard });
    },
    async keyIsLocked(key) {
      const { lock } = configured();
      const id = await mangled(key);
      const flight = flights.get(id);
      return flight !== undefined && !flight.ct && now() < flight.until ||
        await lock?.isLocked(shared(id)) === true;
    },
  };
  return region;

  function configured(): Bound {
    if (bound) return bound;
    throw new CacheConfigurationError(
      "not-configured",
      `Cannot use region "${name}": it is not configured; call \`configure\``,
    );
  }

  function policyFor<G extends object>(options: G): Policy & G {
    return policyOf(configured().policy, options);
  }

  async function mangled(key: string): Promise<string> {
    const { mangler } = configured();
    return mangler ? await mangler(key) : key;
  }

  /** The name of a key among those of other regions. */
  function shared(id: string): string {
    return `${name}/${id}`;
  }

  /** Drops what is held of keys that were written by hand. */
  async function forget(ids: readonly string[]): Promise<void> {
    for (const id of ids) if (flights.get(id)?.ct) flights.delete(id);
    const { lock } = configured();
    if (!lock?.forget) return;
    emit("hop", NO_TAGS);
    await lock.forget(ids.map(shared));
  }

  async function read(
    keys: readonly string[],
    options: GetOptions = {},
  ): Promise<Slot[]> {
    const policy = policyFor(options);
    const slots = await Promise.all(
      keys.map(async (key) => newSlot(key, await mangled(key))),
    );
    if (keys.length) await load(slots, policy, false);
    await Promise.all(
      slots.map((slot) =>
        slot.why ? emit("miss", [slot], { reason: slot.why }) : settle(slot)
      ),
    );
    return slots;
  }

  /** Reads and judges. A creator makes good for a backend that fails. */
  async function load(
    slots: readonly Slot[],
    policy: Policy,
    creating: boolean,
  ): Promise<void> {
    let found: readonly (StoredEntry | undefined)[] = [];
    emit("read", slots);
    try {
      const ids = slots.map(({ id }) => id);
      const { backend } = configured();
      found = await (
        invalidation.read?.(backend, ids, policy.tags ?? NO_TAGS) ??
          backend.get(ids)
      );
    } catch (error) {
      emit("error", slots, { error });
      if (!creating) throw error;
    }
    slots.forEach((slot, i) => judge(slot, found[i], policy, creating));
  }

  /** Decides from its metadata alone whether an entry is fresh, stale or nothing. */
  function judge(
    slot: Slot,
    entry: StoredEntry | undefined,
    policy: Policy,
    creating: boolean,
  ): void {
    slot.entry = undefined;
    slot.why = "absent";
    if (!entry) return;
    const { meta } = entry;
    slot.why = "version";
    if (meta.v !== version) return;
    // Read again, though it was found to be of no use.
    slot.why = "corrupt";
    if (meta.ct <= slot.newerThan) return;
    let why: MissReason | undefined;
    if (!policy.ignoreExpiration) {
      const { expirationPolicy, expirationTime = Infinity } = policy;
      const tags = meta.g ?? policy.tags ?? NO_TAGS;
      const began = meta.ct - (meta.c ?? 0);
      slot.why = "invalidated";
      if (began <= invalidation.hardBound(tags, slot.key)) return;
      slot.over = now() - meta.ct - (
        expirationPolicy?.(expirationTime, {
          key: slot.key,
          meta,
          creating,
          random: runtime.random,
        }) ?? expirationTime
      );
      if (
        slot.over > 0 || began <= invalidation.softBound(tags, slot.key)
      ) why = "expired";
    }
    slot.entry = entry;
    slot.why = why;
  }

  /** Decodes a slot's entry. One that cannot be read is a miss. */
  async function settle(slot: Slot): Promise<void> {
    if (slot.quiet) {
      slot.done = true;
      return;
    }
    const { codec } = configured();
    const { payload, meta } = slot.entry!;
    try {
      if (codec) emit("decode", [slot]);
      slot.value = codec ? await codec.decode(payload as string) : payload;
      slot.done = true;
      emit(slot.why ? "stale" : "hit", [slot]);
    } catch (error) {
      if (!(error instanceof CannotDecodeError)) throw error;
      slot.why = "corrupt";
      slot.newerThan = meta.ct;
      slot.usable = false;
    }
  }

  /** Brings every slot to a value: from what was read, from another, or by `create`. */
  async function resolve(
    slots: readonly Slot[],
    policy: Policy,
    create: Create,
  ): Promise<void> {
    const { expirationTime, staleTime, staleWhileRevalidate, waitTimeout } =
      policy;
    const tags = policy.tags ?? NO_TAGS;
    let end = now() + waitTimeout;
    let patience = 2;
    for (let open = slots;;) {
      await Promise.all(open.map((slot) => slot.why ?? settle(slot)));
      open = open.filter(({ done }) => !done);
      if (!open.length) return;
      if (now() >= end) {
        end = now() + waitTimeout;
        patience--;
      }
      const mine: Slot[] = [];
      const waits = open.map(async (slot) => {
        emit("miss", [slot], { reason: slot.why! });
        const soft = invalidation.softBound(tags, slot.key);
        if (soft && expirationTime === undefined) {
          throw new CacheConfigurationError(
            "soft-without-expiration",
            `Cannot invalidate "${slot.key}" softly: it has no \`expirationTime\``,
          );
        }
        slot.newerThan = Math.max(
          slot.newerThan,
          soft,
          invalidation.hardBound(tags, slot.key),
          now() - (expirationTime ?? Infinity),
        );
        slot.usable = slot.why === "expired" && slot.over <= staleTime;
        if (slot.usable && staleWhileRevalidate && !slot.quiet) {
          await settle(slot);
          // Until it is bound, it could end with this request.
          if (slot.done) {
            await keep(
              resolve(
                [{ ...slot, done: false, quiet: true }],
                policy,
                create,
              ),
            );
          }
          return;
        }
        const flight = flights.get(slot.id);
        if (
          !flight || flight.until <= now() || !patience ||
          flight.ct! <= slot.newerThan
        ) {
          mine.push(slot);
          return;
        }
        if (!slot.usable) emit("wait", [slot]);
        const outcome = slot.usable && !flight.ct
          ? {}
          : await within(runtime, end - now(), flight.promise);
        // Its leader may be dead: the next caller need not wait as well.
        if (!outcome && flights.get(slot.id) === flight) {
          flights.delete(slot.id);
        }
        await take(slot, outcome ?? {}, policy);
      });
      // Nothing above waits before it has decided.
      if (mine.length) {
        const work = lead(mine, policy, create, patience ? end - now() : 0);
        keep(work);
        waits.push(work);
      }
      await Promise.all(waits);
    }
  }

  /** Lets work outlive its caller. Once that resolves, it does. */
  function keep(work: Promise<unknown>): void | Promise<void> {
    return runtime.waitUntil(work.catch(ignore));
  }

  /** Makes what it can of another's outcome. */
  async function take(
    slot: Slot,
    outcome: Outcome,
    policy: Policy,
  ): Promise<void> {
    const { entry } = outcome;
    if (entry) {
      const other = { ...slot };
      judge(other, entry, policy, false);
      slot.newerThan = entry.meta.ct;
      if (!other.why) return void Object.assign(slot, other);
    }
    if (slot.usable) await settle(slot);
    else if ("error" in outcome) throw outcome.error;
    else if (!entry) await load([slot], policy, true);
  }

  /** Leads in this isolate: asks to lead beyond it, and creates or waits. */
  async function lead(
    slots: readonly Slot[],
    policy: Policy,
    create: Create,
    wait: number,
  ): Promise<void> {
    const { waitTimeout, leaseTime } = policy;
    const { lock } = configured();
    const all = await Promise.all(slots.map(async (slot) => {
      const flight: Flight = {
        ...Promise.withResolvers<Outcome>(),
        slot,
        until: now() + leaseTime,
        ticket: UNLOCKED,
      };
      flights.set(slot.id, flight);
      if (lock && wait) {
        emit("hop", [slot]);
        const asked = lock.acquire(shared(slot.id), {
          newerThan: slot.newerThan,
          wait: slot.usable ? 0 : wait,
          lease: leaseTime,
        }).catch((error) => emit("error", [slot], { error }));
        flight.ticket = await within(runtime, waitTimeout, asked) ??
          // Nobody answers: stale is good enough, else this isolate leads alone.
          (slot.usable
            ? { leads: false, outcome: Promise.resolve({}) }
            : UNLOCKED);
      }
      return flight;
    }));
    await Promise.all([
      make(all.filter(({ ticket }) => ticket.leads), policy, create),
      ...all.map(async (flight) => {
        const { ticket, slot } = flight;
        if (ticket.leads) return;
        const outcome =
          await within(runtime, wait || waitTimeout, ticket.outcome) ?? {};
        landed(flight, outcome);
        await take(slot, outcome, policy);
      }),
    ]);
  }

  /** Tells those who wait in this isolate; and keeps it for those who read late. */
  function landed(flight: Flight, outcome: Outcome, hold = 0): void {
    const { slot: { id } } = flight;
    flight.resolve(outcome);
    if (flights.get(id) !== flight || flight.ct) return;
    flights.delete(id);
    if (!hold) return;
    flight.ct = outcome.entry!.meta.ct;
    flight.until = now() + hold;
    flights.set(id, flight);
    if (flights.size <= MAX_HELD) return;
    for (const [id, { ct }] of flights) {
      if (ct) return void flights.delete(id);
    }
  }

  /** Creates for those elected, unless what they want came meanwhile. */
  async function make(
    elected: readonly Flight[],
    policy: Policy,
    create: Create,
  ): Promise<void> {
    const { creationRunner, shouldCache } = policy;
    const again = elected.filter(({ slot, ticket }) =>
      (ticket as Leader).reread && slot.why !== "expired"
    );
    if (again.length) await load(again.map(({ slot }) => slot), policy, true);
    const own: Flight[] = [];
    const end = async (flight: Flight, outcome: Outcome) => {
      landed(flight, outcome);
      await (flight.ticket as Leader).release(outcome.error);
    };
    for (const flight of elected) {
      if (flight.slot.why) own.push(flight);
      else await end(flight, { entry: flight.slot.entry! });
    }
    if (!own.length) return;
    const slots = own.map(({ slot }) => slot);
    const endAll = async (outcome: Outcome) => {
      for (const flight of own) await end(flight, outcome);
    };
    const creation = {
      region,
      keys: slots.map(({ key }) => key),
      stale: slots.every(({ usable }) => usable)
        ? Math.max(...slots.map(({ over }) => over))
        : undefined,
      release: () => endAll({}),
      async create() {
        const began = tick();
        emit("lead", slots);
        try {
          const values = await create(slots);
          const ct = tick();
          emit("create", slots, { seconds: ct - began });
          const entries: KeyedEntry[] = [];
          const { propagation = 0 } = configured().backend.capabilities;
          const outcomes = await Promise.all(own.map(async (flight, i) => {
            const { slot } = flight;
            const value = slot.value = values[i];
            const wanted = !shouldCache || shouldCache(value as never);
            const entry = await entryOf(slot.key, value, ct, ct - began, policy)
              .catch((error) => {
                if (wanted) throw error;
              });
            slot.done = true;
            // Neither stored nor shared: those who wait create their own.
            if (!entry) return [flight, {}, 0] as const;
            const hold = wanted ? propagation : 0;
            const valid = await (flight.ticket as Leader).commit(entry, hold);
            if (valid && wanted && flights.get(slot.id) === flight) {
              entries.push([slot.id, entry]);
            }
            return [flight, { entry }, hold] as const;
          }));
          if (entries.length) {
            await write(entries, policy).catch((error) => {
              if (error instanceof CacheInputError) throw error;
              // The value is good, though it could not be kept.
              emit("error", slots, { error });
            });
          }
          for (const [flight, outcome, hold] of outcomes) {
            landed(flight, outcome, hold);
          }
          await endAll({});
        } catch (error) {
          emit("error", slots, { error });
          await endAll({ error });
          throw error;
        }
      },
    };
    await (creationRunner ? creationRunner(creation) : creation.create());
    for (const slot of slots) {
      if (!slot.done && slot.usable) await settle(slot);
    }
  }

  async function entryOf(
    key: string,
    value: unknown,
    ct: number,
    cost: number,
    { tags }: Policy,
  ): Promise<StoredEntry> {
    const { codec } = configured();
    const meta = {
      ct,
      v: version,
      c: cost || undefined,
      n: value == null ? true as const : undefined,
      g: tags,
    };
    if (!codec) return { meta, payload: value };
    emit("encode", [{ key }]);
    try {
      return { meta, payload: await codec.encode(value) };
    } catch (cause) {
      throw new CacheInputError(
        "not-encodable",
        `Cannot store "${key}": its value cannot be encoded; give plain data`,
        { cause },
      );
    }
  }

  async function write(
    entries: readonly KeyedEntry[],
    { storageTime: ttl }: Policy,
  ): Promise<void> {
    emit("write", entries.map(([key]) => ({ key })));
    await configured().backend.set(entries, ttl ? { ttl } : {});
  }

  function emit(
    type: CacheEvent["type"],
    of: readonly (string | { readonly key: string })[],
    more?: Partial<CacheEvent>,
  ): void {
    trace?.({
      type,
      region: name,
      keys: of.map((slot) => typeof slot === "string" ? slot : slot.key),
      ...more,
    });
  }
}

function newSlot(key: string, id: string): Slot {
  return { key, id, over: 0, newerThan: 0 };
}

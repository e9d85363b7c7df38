import {
  type CacheBackend,
  readMulti,
  removeMulti,
  sameClient,
  type StoredEntry,
  writeMulti,
} from "./backend.ts";
import { hybridClock } from "./clock.ts";
import { type Codec, jsonCodec, type Payload } from "./codec.ts";
import {
  type CachedFunction,
  cacheOnArguments,
  type CacheOnArgumentsOptions,
} from "./decorator.ts";
import {
  CacheBackendError,
  CacheConfigurationError,
  CacheCreationError,
  CacheInputError,
  CannotDecodeError,
} from "./errors.ts";
import {
  type InvalidationStore,
  type InvalidationStrategy,
  localInvalidation,
} from "./invalidation.ts";
import type { KeyGenerator, KeyMangler } from "./key.ts";
import { chainLocks, isolateLock, type Leader, type Lock } from "./lock.ts";
import { NO_VALUE, type NoValue } from "./no_value.ts";
import {
  type CachePolicy,
  type ResolvedPolicy,
  resolvePolicy,
} from "./policy.ts";
import type { Proxying } from "./proxy.ts";
import { platformRuntime, type Runtime, within } from "./runtime.ts";
import type { CacheCounts, CacheEvent, MissReason } from "./trace.ts";

/** What a region is, whatever it will be bound to. */
export interface RegionOptions extends CachePolicy {
  /** Names it in errors, events and shared locks. */
  readonly name?: string;
  /** Mangles every key; `false` leaves them even if the backend would not. */
  readonly keyMangler?: KeyMangler | false;
  /** Makes the keys of cached functions that bring no generator of their own. */
  readonly functionKeyGenerator?: (namespace: string) => KeyGenerator;
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
  /** Proxies around the backend; the first is the outermost. */
  readonly wrap?: readonly (Proxying | (new () => Proxying))[];
  /** Allows another configuration to stand here already. @default {false} */
  readonly replace?: boolean;
}

/** How one value is read. */
export interface GetOptions
  extends Pick<CachePolicy, "expirationTime" | "negativeExpirationTime"> {
  /** Answer a value though it is expired or invalidated. @default {false} */
  readonly ignoreExpiration?: boolean;
  /** Tags the value may have; naming them here saves a read of a shared strategy. */
  readonly tags?: readonly string[];
}

/** How one value is written. */
export interface SetOptions extends Pick<CachePolicy, "storageTime"> {
  /** What it can be invalidated by. */
  readonly tags?: readonly string[];
}

/** How one value is read, or created. */
export interface GetOrCreateOptions<T> extends CachePolicy {
  /** Whether to store what was created. */
  readonly shouldCache?: (value: T) => boolean;
  /** What it can be invalidated by. */
  readonly tags?: readonly string[];
}

/** A value and what is known of it. */
export interface CachedValue<T = unknown> {
  /** The value. */
  readonly value: T;
  /** When its creation had finished, in milliseconds since the epoch. */
  readonly createdAt: number;
  /** Seconds since then. */
  readonly age: number;
  /** What it can be invalidated by. */
  readonly tags: readonly string[];
}

type CallPolicy =
  & ResolvedPolicy
  // deno-lint-ignore no-explicit-any -- the value's type is the caller's
  & Pick<GetOrCreateOptions<any>, "shouldCache" | "tags">
  & Pick<GetOptions, "ignoreExpiration">;

/** A region bound to its platform. */
interface Bound {
  readonly given: CacheBackend;
  readonly backend: CacheBackend;
  readonly far: Lock | undefined;
  readonly lock: Lock;
  readonly codec: Codec | undefined;
  readonly mangler: KeyMangler | undefined;
  /** A key needs no mangling, and no record is read beside a value. */
  readonly direct: boolean;
  readonly hold: number;
  readonly policy: CallPolicy;
}

/** One key on its way to a value. */
interface Slot {
  /** As the caller gave it. */
  readonly key: string;
  /** As the backend sees it. */
  readonly id: string;
  /** What was read, if it is of any use. */
  entry?: StoredEntry | undefined;
  /** Why it is not fresh; `undefined` if it is. */
  why?: MissReason | undefined;
  /** Milliseconds past its expiration. */
  over: number;
  /** Only what was created after this will do. */
  newerThan: number;
  done: boolean;
  value?: unknown;
}

type Create = (slots: readonly Slot[]) => Promise<readonly unknown[]>;

const NO_TAGS: readonly string[] = [];
const UNLOCKED: Leader = {
  leads: true,
  reread: false,
  commit: () => true,
  release() {},
};

/**
 * A configurable front to a cache: keys, age, codec, and one creator at a time.
 *
 * Made by {@linkcode createRegion}.
 */
export class CacheRegion {
  /** As given to `createRegion`. */
  readonly name: string;
  /** What it has done so far. */
  readonly counts: CacheCounts = {
    reads: 0,
    writes: 0,
    hops: 0,
    encodes: 0,
    decodes: 0,
    creates: 0,
  };
  readonly #options: RegionOptions;
  readonly #runtime: Runtime;
  readonly #clock: () => number;
  readonly #invalidation: InvalidationStrategy;
  readonly #policy: CallPolicy;
  #bound: Bound | undefined;

  /** Use {@linkcode createRegion}. */
  constructor(options: RegionOptions) {
    this.name = options.name ?? "";
    this.#options = options;
    this.#runtime = options.runtime ?? platformRuntime();
    this.#clock = hybridClock(() => this.#runtime.now());
    this.#invalidation = options.invalidation ?? localInvalidation();
    this.#policy = resolvePolicy({
      staleTime: Infinity,
      staleIfError: 0,
      waitTimeout: 10_000,
      leaseTime: 25_000,
    }, options);
  }

  /** Whether `configure` was called. */
  get isConfigured(): boolean {
    return !!this.#bound;
  }

  /**
   * The backend, in its proxies.
   * @throws {CacheConfigurationError} If the region is not configured.
   */
  get backend(): CacheBackend {
    return this.#configured().backend;
  }

  /**
   * The backend that was given, without any proxy.
   * @throws {CacheConfigurationError} If the region is not configured.
   */
  get actualBackend(): CacheBackend {
    return this.#configured().given;
  }

  /** The function key generator of the options, if any. */
  get functionKeyGenerator(): RegionOptions["functionKeyGenerator"] {
    return this.#options.functionKeyGenerator;
  }

  /**
   * Binds the region to a platform. With the same backend, lock and expiration
   * as before it does nothing, so a Worker may call it on every request.
   *
   * @returns The region.
   * @throws {CacheConfigurationError} If it is configured otherwise already.
   */
  configure(configuration: RegionConfiguration): this {
    const { backend: given, wrap = [], expirationTime, replace } =
      configuration;
    const far = configuration.lock ?? given.lock;
    const policy = resolvePolicy(
      this.#policy,
      expirationTime === undefined ? {} : { expirationTime },
    );
    const current = this.#bound;
    if (current && !replace) {
      if (
        sameClient(current.given, given) && sameClient(current.far, far) &&
        current.policy.expirationTime === policy.expirationTime
      ) return this;
      throw new CacheConfigurationError(
        "already-configured",
        `Cannot configure region "${this.name}": it stands on backend "${current.given.name}"; pass \`replace: true\``,
      );
    }
    if (far && !this.name) {
      throw new CacheConfigurationError(
        "unnamed-region",
        "Cannot configure a region with a shared lock: it has no name to tell its keys from another's; give `name`",
      );
    }
    let backend = given;
    for (const proxy of [...wrap].reverse()) {
      backend = (typeof proxy === "function" ? new proxy() : proxy)
        .wrap(backend);
    }
    const near = isolateLock(this.#runtime);
    const { keyMangler = backend.keyMangler, codec = backend.codec } =
      this.#options;
    const { live, propagation = 0 } = given.capabilities;
    this.#bound = {
      given,
      backend,
      far,
      lock: far ? chainLocks(near, this.#counted(far)) : near,
      codec: codec ?? (live && !far ? undefined : jsonCodec),
      mangler: keyMangler || undefined,
      direct: !keyMangler && !this.#invalidation.recordKeys &&
        !given.capabilities.maxKeyBytes,
      hold: propagation * 1000,
      policy,
    };
    return this;
  }

  /** The value if it is fresh, else `NO_VALUE`. It never creates, and never locks. */
  async get<T = unknown>(
    key: string,
    options?: GetOptions,
  ): Promise<T | NoValue> {
    return (await this.getMulti<T>([key], options))[0]!;
  }

  /** As `get`, for each key in order, in one read. */
  async getMulti<T = unknown>(
    keys: readonly string[],
    options?: GetOptions,
  ): Promise<(T | NoValue)[]> {
    const slots = await this.#read(keys, options);
    return slots.map((slot) => (slot.done ? slot.value : NO_VALUE) as T);
  }

  /** As `get`, with what is known of the value; `null` if `get` has none. */
  async getValueMetadata<T = unknown>(
    key: string,
    options?: GetOptions,
  ): Promise<CachedValue<T> | null> {
    const slot = (await this.#read([key], options))[0]!;
    if (!slot.done) return null;
    const { ct, g = NO_TAGS } = slot.entry!.meta;
    return {
      value: slot.value as T,
      createdAt: ct,
      age: (this.#runtime.now() - ct) / 1000,
      tags: g,
    };
  }

  /**
   * Stores a value, whatever is there.
   * @throws {CacheInputError} If it cannot be encoded, or is too large.
   */
  set(key: string, value: unknown, options?: SetOptions): Promise<void> {
    return this.setMulti([[key, value]], options);
  }

  /** Stores many values in one write; they share one creation time. */
  async setMulti(
    values:
      | Readonly<Record<string, unknown>>
      | Iterable<readonly [key: string, value: unknown]>,
    options: SetOptions = {},
  ): Promise<void> {
    const bound = this.#configured();
    const pairs = Symbol.iterator in values
      ? [...values as Iterable<readonly [string, unknown]>]
      : Object.entries(values);
    if (!pairs.length) return;
    const ct = this.#clock();
    const policy = resolvePolicy(bound.policy, options);
    const entries = await Promise.all(
      pairs.map(async ([key, value]) =>
        [
          await this.#id(key),
          await this.#entry(key, value, ct, 0, policy),
        ] as const
      ),
    );
    await this.#write(entries, policy);
    await this.#forget(entries.map(([id]) => id));
  }

  /** Forgets a key, known or not. */
  delete(key: string): Promise<void> {
    return this.deleteMulti([key]);
  }

  /** Forgets many keys, known or not, in one operation. */
  async deleteMulti(keys: readonly string[]): Promise<void> {
    const { backend } = this.#configured();
    if (!keys.length) return;
    const ids = await Promise.all(keys.map((key) => this.#id(key)));
    this.counts.writes++;
    await removeMulti(backend, ids);
    await this.#forget(ids);
  }

  /**
   * The value if it is fresh. Else one caller creates it, and the others wait, or
   * get the stale value if there is one.
   *
   * The creator gives plain data, not something that belongs to its request: the
   * value is handed to others. The caller that created it gets it as it is.
   */
  async getOrCreate<T>(
    key: string,
    creator: () => T | Promise<T>,
    options?: GetOrCreateOptions<T>,
  ): Promise<T> {
    const bound = this.#configured();
    const policy: CallPolicy = options
      ? resolvePolicy(bound.policy, options)
      : bound.policy;
    let slot: Slot;
    if (bound.direct) {
      slot = newSlot(key, key);
      this.counts.reads++;
      let found;
      try {
        found = bound.backend.get(key);
        if (found && "then" in found) found = await found;
      } catch (error) {
        this.#emit("error", [slot], { error });
      }
      this.#judge(slot, found as StoredEntry | undefined, policy, true);
      if (!slot.why && !bound.codec) {
        if (this.#options.trace) this.#emit("hit", [slot]);
        return slot.entry!.payload as T;
      }
    } else {
      slot = newSlot(key, await this.#id(key));
      await this.#load([slot], policy, true);
    }
    await this.#resolve([slot], policy, async () => [await creator()]);
    return slot.value as T;
  }

  /**
   * As `getOrCreate`, for many keys in one read. The creator is called once with
   * the keys that are to be created, sorted and each once, and gives their values
   * in that order.
   *
   * @throws {CacheInputError} If the creator gives another number of values.
   */
  async getOrCreateMulti<T>(
    keys: readonly string[],
    creator: (keys: readonly string[]) => readonly T[] | Promise<readonly T[]>,
    options: GetOrCreateOptions<T> = {},
  ): Promise<T[]> {
    const bound = this.#configured();
    if (!keys.length) return [];
    const policy: CallPolicy = resolvePolicy(bound.policy, options);
    const slots = new Map<string, Slot>();
    for (const key of [...new Set(keys)].sort()) {
      slots.set(key, newSlot(key, await this.#id(key)));
    }
    const all = [...slots.values()];
    await this.#load(all, policy, true);
    await this.#resolve(all, policy, async (wanted) => {
      const names = wanted.map(({ key }) => key);
      const values = await creator(names);
      if (values.length === names.length) return values;
      throw new CacheInputError(
        "creator-result",
        `Cannot use ${values.length} created values: ${names.length} keys were asked for (${
          names.join(", ").slice(0, 300)
        }); give one for each, in order`,
      );
    });
    return keys.map((key) => slots.get(key)!.value as T);
  }

  /**
   * Caches a function by its arguments. The cached function has `get`, `set`,
   * `refresh`, `invalidate`, and the `original`.
   */
  cacheOnArguments<A extends unknown[], T>(
    fn: (...args: A) => T | Promise<T>,
    options: CacheOnArgumentsOptions<A, T>,
  ): CachedFunction<A, T> {
    return cacheOnArguments(this, fn, options);
  }

  /**
   * Makes invalid all that was created, or began to be, before now. Hard: as if
   * absent. Soft: as if just expired, so a stale value is still answered while
   * one caller creates anew; that asks for an `expirationTime`.
   */
  invalidate(options: { readonly hard?: boolean } = {}): Promise<void> {
    return this.invalidateTags([""], options);
  }

  /** As `invalidate`, for what has one of the tags. */
  async invalidateTags(
    tags: readonly string[],
    { hard = true }: { readonly hard?: boolean } = {},
  ): Promise<void> {
    const store = this.#store();
    await this.#invalidation.invalidate(
      { at: this.#clock(), hard, tags },
      store,
    );
    this.#emit("invalidate", [], { keys: tags.filter((tag) => tag), hard });
  }

  /** Whether somebody creates this key now. Asking acquires nothing. */
  async keyIsLocked(key: string): Promise<boolean> {
    const { lock } = this.#configured();
    return lock.isLocked(this.#lockKey(await this.#id(key)));
  }

  #configured(): Bound {
    if (this.#bound) return this.#bound;
    throw new CacheConfigurationError(
      "not-configured",
      `Cannot use region "${this.name}": it is not configured; call \`configure\` first`,
    );
  }

  #lockKey(id: string): string {
    return `${this.name}/${id}`;
  }

  #forget(ids: readonly string[]): unknown {
    return this.#configured().lock.forget?.(
      ids.map((id) => this.#lockKey(id)),
    );
  }

  async #id(key: string): Promise<string> {
    const { mangler, backend } = this.#configured();
    const id = mangler ? await mangler(key) : key;
    const { maxKeyBytes = Infinity } = backend.capabilities;
    if (exceeds(id, maxKeyBytes)) {
      throw new CacheInputError(
        "key-too-long",
        `Cannot use a key of ${id.length} characters: "${backend.name}" takes ${maxKeyBytes} bytes; use \`keyMangler: sha1MangleKey\``,
      );
    }
    return id;
  }

  /** Reads and judges, and decodes what is fresh. */
  async #read(
    keys: readonly string[],
    options: GetOptions = {},
  ): Promise<Slot[]> {
    const { policy } = this.#configured();
    if (!keys.length) return [];
    const own = resolvePolicy(policy, options);
    const slots = await Promise.all(
      keys.map(async (key) => newSlot(key, await this.#id(key))),
    );
    await this.#load(slots, own);
    await Promise.all(slots.map((slot) => slot.why || this.#settle(slot)));
    return slots;
  }

  async #load(
    slots: readonly Slot[],
    policy: CallPolicy,
    creating = false,
  ): Promise<void> {
    const ids = slots.map(({ id }) => id);
    const { recordKeys, absorb } = this.#invalidation;
    const records = recordKeys?.(policy.tags ?? NO_TAGS) ?? NO_TAGS;
    let found: readonly (StoredEntry | undefined)[] = [];
    try {
      const store = this.#store();
      const keys = ids.concat(
        await Promise.all(records.map((key) => this.#id(key))),
      );
      this.counts.reads++;
      found = await readMulti(this.#configured().backend, keys);
      await absorb?.(
        found.slice(ids.length),
        records,
        found.slice(0, ids.length),
        store,
      );
    } catch (error) {
      this.#emit("error", slots, { error });
      if (!creating) throw error;
    }
    slots.forEach((slot, i) => this.#judge(slot, found[i], policy, creating));
  }

  /** Decides from its metadata alone whether an entry is fresh, stale or nothing. */
  #judge(
    slot: Slot,
    entry: StoredEntry | undefined,
    policy: CallPolicy,
    creating: boolean,
  ): void {
    slot.entry = undefined;
    if (!entry) {
      slot.why = "absent";
      return;
    }
    const { meta } = entry;
    if (meta.v !== (this.#options.version ?? 1)) {
      slot.why = "version";
      return;
    }
    slot.entry = entry;
    slot.why = undefined;
    if (policy.ignoreExpiration) return;
    const tags = meta.g ?? policy.tags ?? NO_TAGS;
    const began = meta.ct - (meta.c ?? 0);
    if (began <= this.#invalidation.hardBound(slot.key, tags)) {
      slot.entry = undefined;
      slot.why = "invalidated";
      return;
    }
    let ttl = policy.expirationTime ?? Infinity;
    if (meta.n) ttl = policy.negativeExpirationTime ?? ttl;
    if (creating && policy.expirationPolicy) {
      ttl = policy.expirationPolicy(ttl, {
        key: slot.key,
        meta,
        random: this.#runtime.random(),
      });
    }
    slot.over = this.#runtime.now() - meta.ct - ttl;
    if (
      slot.over > 0 ||
      began <= this.#invalidation.softBound(slot.key, tags)
    ) slot.why = "expired";
  }

  /** Decodes a slot's entry. An entry that cannot be read is a miss. */
  async #settle(slot: Slot): Promise<void> {
    const { codec } = this.#configured();
    const { payload, meta } = slot.entry!;
    const type = slot.why ? "stale" : "hit";
    try {
      slot.value = codec ? await this.#decode(codec, payload) : payload;
      slot.done = true;
      this.#emit(type, [slot]);
    } catch (error) {
      if (!(error instanceof CannotDecodeError)) throw error;
      slot.why = "corrupt";
      slot.entry = undefined;
      slot.newerThan = meta.ct;
    }
  }

  #decode(codec: Codec, payload: unknown): unknown {
    this.counts.decodes++;
    return codec.decode(payload as Payload);
  }

  /** Brings every slot to a value: by what was read, by another caller, or by `create`. */
  async #resolve(
    slots: readonly Slot[],
    policy: CallPolicy,
    create: Create,
    quiet = false,
  ): Promise<void> {
    const { lock } = this.#configured();
    const runtime = this.#runtime;
    const wait = policy.waitTimeout!;
    let end = runtime.now() + wait;
    let extended = false;
    for (let open = slots;;) {
      await Promise.all(
        open.map((slot) =>
          slot.why || (quiet ? slot.done = true : this.#settle(slot))
        ),
      );
      open = open.filter(({ done }) => !done);
      if (!open.length) return;
      const leaders: [Slot, Leader][] = [];
      const waits: Promise<unknown>[] = [];
      for (const slot of open) {
        this.#requireExpiration(slot, policy);
        this.#emit("miss", [slot], { reason: slot.why! });
      }
      if (!extended && runtime.now() >= end) {
        extended = true;
        end = runtime.now() + wait;
      }
      await Promise.all(open.map(async (slot) => {
        const usable = slot.why === "expired" && slot.over <= policy.staleTime!;
        if (usable && policy.staleWhileRevalidate && !quiet) {
          await this.#settle(slot);
          if (slot.done) {
            const work = this.#resolve(
              [{ ...slot, done: false }],
              policy,
              create,
              true,
            );
            // Until it is bound, it could end with this request.
            await runtime.waitUntil(work.catch(() => {}));
          }
          return;
        }
        const left = usable ? 0 : Math.max(0, end - runtime.now());
        const ticket = await lock.acquire(this.#lockKey(slot.id), {
          newerThan: this.#newerThan(slot, policy),
          wait: left,
          lease: policy.leaseTime!,
        });
        if (ticket.leads) {
          const failed = "failure" in ticket;
          if (failed) this.#emit("error", [slot], { error: ticket.failure });
          if (failed && usable) {
            await ticket.release();
            await this.#settle(slot);
          } else leaders.push([slot, ticket]);
          return;
        }
        const follow = async () => {
          if (!usable) this.#emit("wait", [slot]);
          const { entry, ...outcome } =
            await within(runtime, left || Infinity, ticket.outcome) ?? {};
          if (entry) {
            const before = { ...slot };
            this.#judge(slot, entry, policy, false);
            if (!slot.why) return;
            Object.assign(slot, before, { newerThan: entry.meta.ct });
          }
          if (usable) {
            if (quiet) slot.done = true;
            else await this.#settle(slot);
          } else if ("error" in outcome) {
            await this.#orStale([slot], outcome.error, policy);
          } else if (extended && runtime.now() >= end) {
            await this.#lead([[slot, UNLOCKED]], policy, create);
          } else await this.#load([slot], policy, true);
        };
        waits.push(this.#keep(follow()));
      }));
      if (leaders.length) {
        waits.push(this.#keep(this.#elected(leaders, policy, create)));
      }
      await Promise.all(waits);
    }
  }

  /** Creates for the keys this caller was elected for, unless that came too late. */
  async #elected(
    leaders: readonly [Slot, Leader][],
    policy: CallPolicy,
    create: Create,
  ): Promise<void> {
    const { asyncCreationRunner: runner, softTimeout, hardTimeout } = policy;
    const again = leaders.filter(([slot, { reread }]) =>
      reread && slot.why !== "expired"
    );
    if (again.length) {
      await this.#load(again.map(([slot]) => slot), policy, true);
    }
    const own: [Slot, Leader][] = [];
    let usable = true;
    for (const [slot, leader] of leaders) {
      if (!slot.why) {
        // Created between the first read and the election.
        await leader.commit(slot.entry!, 0);
        await leader.release();
      } else if (
        runner && slot.why === "expired" && slot.over <= policy.staleTime!
      ) {
        await this.#settle(slot);
        const release = async () => await leader.release();
        try {
          runner(
            this,
            slot.key,
            () => this.#lead([[{ ...slot }, leader]], policy, create),
            { release },
          );
        } catch (error) {
          await release();
          throw error;
        }
      } else {
        usable &&= slot.why === "expired" && slot.over <= policy.staleTime!;
        own.push([slot, leader]);
      }
    }
    if (!own.length) return;
    const work = this.#keep(this.#lead(own, policy, create));
    const limit = Math.min(
      hardTimeout ?? Infinity,
      usable && softTimeout || Infinity,
    );
    if (await within(this.#runtime, limit, work.then(() => true))) return;
    if (!usable) {
      throw new CacheCreationError(
        "timeout",
        `Cannot wait for the creator of "${
          own[0]![0].key
        }": it took longer than \`hardTimeout\`; it goes on in the background`,
      );
    }
    await Promise.all(own.map(([slot]) => this.#settle(slot)));
  }

  /** Creates, hands over, stores; and lets the next one lead, whatever happens. */
  async #lead(
    leaders: readonly [Slot, Leader][],
    policy: CallPolicy,
    create: Create,
  ): Promise<unknown> {
    const { shouldCache } = policy;
    const slots = leaders.map(([slot]) => slot);
    const began = this.#clock();
    let failure: unknown;
    try {
      this.#emit("lead", slots);
      this.counts.creates++;
      const values = await create(slots);
      const ct = this.#clock();
      this.#emit("create", slots, { milliseconds: ct - began });
      const entries: [string, StoredEntry][] = [];
      await Promise.all(leaders.map(async ([slot, leader], i) => {
        const value = slot.value = values[i];
        const store = !shouldCache || shouldCache(value);
        const entry = await this.#entry(
          slot.key,
          value,
          ct,
          ct - began,
          policy,
        );
        const valid = await leader.commit(
          entry,
          store ? this.#configured().hold : 0,
        );
        if (store && valid) entries.push([slot.id, entry]);
        slot.done = true;
      }));
      if (entries.length) {
        try {
          await this.#write(entries, policy);
          this.#emit("store", slots);
        } catch (error) {
          // The value is good, though it could not be kept.
          this.#emit("error", slots, { error });
        }
      }
      return slots[0]!.value;
    } catch (error) {
      failure = error;
      this.#emit("error", slots, { error });
      await this.#orStale(slots, error, policy);
    } finally {
      await Promise.all(leaders.map(([, leader]) => leader.release(failure)));
    }
  }

  /** Answers stale values in place of an error, where the policy allows it. */
  async #orStale(
    slots: readonly Slot[],
    error: unknown,
    policy: CallPolicy,
  ): Promise<void> {
    for (const slot of slots) {
      if (slot.why !== "expired" || slot.over > policy.staleIfError!) {
        throw error;
      }
      await this.#settle(slot);
    }
  }

  /** Lets work outlive the caller that started it, and gives it back. */
  #keep<T>(work: Promise<T>): Promise<T> {
    this.#runtime.waitUntil(work.catch(() => {}));
    return work;
  }

  /** The creation time up to which the lock's entry would be of no use. */
  #newerThan({ key, newerThan }: Slot, policy: CallPolicy): number {
    const tags = policy.tags ?? NO_TAGS;
    return Math.max(
      newerThan,
      this.#invalidation.hardBound(key, tags),
      this.#invalidation.softBound(key, tags),
      this.#runtime.now() - (policy.expirationTime ?? Infinity),
    );
  }

  #requireExpiration({ key }: Slot, policy: CallPolicy): void {
    if (
      policy.expirationTime === undefined &&
      this.#invalidation.softBound(key, policy.tags ?? NO_TAGS)
    ) {
      throw new CacheConfigurationError(
        "soft-without-expiration",
        `Cannot create "${key}" after a soft invalidation: region "${this.name}" has no expiration to treat it as past; give \`expirationTime\``,
      );
    }
  }

  async #entry(
    key: string,
    value: unknown,
    ct: number,
    cost: number,
    { tags }: CallPolicy,
  ): Promise<StoredEntry> {
    const { codec, backend } = this.#configured();
    const meta = {
      ct,
      v: this.#options.version ?? 1,
      ...cost && { c: cost },
      ...value == null && { n: 1 as const },
      ...tags?.length && { g: tags },
    };
    if (!codec) return { meta, payload: value };
    this.counts.encodes++;
    let payload;
    try {
      payload = await codec.encode(value);
    } catch (cause) {
      throw new CacheInputError(
        "not-encodable",
        `Cannot store "${key}": its value cannot be encoded; give plain data or another codec`,
        { cause },
      );
    }
    const { maxValueBytes = Infinity } = backend.capabilities;
    if (exceeds(payload, maxValueBytes)) {
      throw new CacheInputError(
        "value-too-large",
        `Cannot store "${key}": "${backend.name}" takes ${maxValueBytes} bytes`,
      );
    }
    return { meta, payload };
  }

  #write(
    entries: readonly (readonly [string, StoredEntry])[],
    { storageTime = Infinity }: CallPolicy,
  ): Promise<void> {
    this.counts.writes++;
    return writeMulti(
      this.#configured().backend,
      entries,
      storageTime < Infinity ? { ttl: storageTime / 1000 } : {},
    );
  }

  /** The far lock, counted. */
  #counted(far: Lock): Lock {
    return {
      ...far,
      acquire: async (key, request) => {
        this.counts.hops++;
        const asked = Promise.resolve(far.acquire(key, request));
        const answer = await within(
          this.#runtime,
          this.#policy.waitTimeout!,
          asked,
        );
        if (answer) return answer;
        // Elected after nobody listened any more: the next one may lead.
        asked.then((late) => late.leads && late.release(), () => {});
        throw new CacheBackendError(
          "lock-timeout",
          `Cannot ask lock "${far.name}": no answer within \`waitTimeout\``,
        );
      },
    };
  }

  #store(): InvalidationStore {
    return {
      read: async (keys) => {
        const { backend } = this.#configured();
        const ids = await Promise.all(keys.map((key) => this.#id(key)));
        this.counts.reads++;
        return readMulti(backend, ids);
      },
      write: async (key, at) => {
        const { backend } = this.#configured();
        const id = await this.#id(key);
        this.counts.writes++;
        return await backend.set(id, {
          meta: { ct: at, v: 0 },
          payload: "",
        }) !== false;
      },
      sleep: (milliseconds) => this.#runtime.sleep(milliseconds),
    };
  }

  #emit(
    type: CacheEvent["type"],
    slots: readonly Slot[],
    more?: Partial<CacheEvent>,
  ): void {
    this.#options.trace?.({
      type,
      region: this.name,
      keys: slots.map(({ key }) => key),
      ...more,
      counts: { ...this.counts },
    });
  }
}

function exceeds(payload: Payload, bytes: number): boolean {
  return payload.length * 3 > bytes &&
    (typeof payload === "string" ? new TextEncoder().encode(payload) : payload)
        .length > bytes;
}

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
 */
export function createRegion(options: RegionOptions = {}): CacheRegion {
  return new CacheRegion(options);
}

function newSlot(key: string, id: string): Slot {
  return { key, id, over: 0, newerThan: 0, done: false };
}

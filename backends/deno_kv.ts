/**
 * Deno KV, as a store and as a lock.
 *
 * What it cannot do:
 *
 * - keep keys over 2 KiB or entries over 64 KiB: larger ones are refused
 * - forget on time: its own expiry may be late, so the time stands in the value
 * - run without `--unstable-kv` outside Deno Deploy
 *
 * @module
 */
import {
  type CacheBackend,
  type Lock,
  platformRuntime,
  refusal,
  type Runtime,
  type StoredEntry,
} from "../cache/mod.ts";

/** What Deno KV gives for one key. */
export interface DenoKvEntryLike {
  /** The key. */
  readonly key: readonly (
    | string
    | number
    | bigint
    | boolean
    | symbol
    | Uint8Array
  )[];
  /** The value, or `null`. */
  readonly value: unknown;
  /** The version of the value, or `null`. */
  readonly versionstamp: string | null;
}

/** The part of a transaction that is used here. */
export interface DenoKvAtomicLike {
  /** Commits only if the entry is still this one. */
  check(entry: DenoKvEntryLike): this;
  /** Stores a value. */
  set(key: string[], value: unknown, options?: { expireIn?: number }): this;
  /** Forgets a key. */
  delete(key: string[]): this;
  /** Whether all checks held. */
  commit(): Promise<{ readonly ok: boolean }>;
}

/** The part of a `Deno.Kv` that is used here. */
export interface DenoKvLike {
  /** One value. */
  get(key: string[]): Promise<DenoKvEntryLike>;
  /** Up to 10 values. */
  getMany(keys: string[][]): Promise<DenoKvEntryLike[]>;
  /** Starts a transaction. */
  atomic(): DenoKvAtomicLike;
  /** The values of these keys, again whenever one changes. */
  watch(keys: string[][]): ReadableStream<DenoKvEntryLike[]>;
}

/** Where in the store, and by which clock. */
export interface DenoKvOptions {
  /** The first part of every key. @default {"aludel"} */
  readonly prefix?: string;
  /** The platform. @default {platformRuntime()} */
  readonly runtime?: Runtime;
}

interface StoredValue extends StoredEntry {
  readonly until: number;
}

interface Lease {
  readonly token: string;
  readonly until: number;
}

const MAX_GET = 10;
const MAX_SET = 100;

/** Tells what the caller can mend from what the platform must. */
const refused = /* @__PURE__ */ refusal("deno-kv", /too large/i);

/** Entries in Deno KV; it brings its lock along. */
export function denoKv(
  store: DenoKvLike,
  options: DenoKvOptions = {},
): CacheBackend {
  const { prefix = "aludel", runtime = platformRuntime() } = options;
  const keyOf = (key: string) => [prefix, "entry", key];
  return {
    name: "deno-kv",
    client: store,
    capabilities: { scope: "global" },
    lock: denoKvLock(store, { prefix, runtime }),
    async get(keys) {
      const found = await Promise.all(
        chunks(keys, MAX_GET).map((chunk) => store.getMany(chunk.map(keyOf))),
      ).catch(refused);
      return found.flat().map(({ value }) => {
        const stored = value as StoredValue | null;
        if (!stored || runtime.now() >= stored.until) return undefined;
        return { meta: stored.meta, payload: stored.payload };
      });
    },
    async set(entries, { ttl = Infinity } = {}) {
      const until = runtime.now() + ttl * 1000;
      const expiry = ttl < Infinity ? { expireIn: ttl * 1000 } : {};
      for (const chunk of chunks(entries, MAX_SET)) {
        const atomic = store.atomic();
        for (const [key, { meta, payload }] of chunk) {
          atomic.set(keyOf(key), { meta, payload, until }, expiry);
        }
        await atomic.commit().catch(refused);
      }
    },
    async delete(keys) {
      for (const chunk of chunks(keys, MAX_SET)) {
        const atomic = store.atomic();
        for (const key of chunk) atomic.delete(keyOf(key));
        await atomic.commit().catch(refused);
      }
    },
  };
}

/**
 * A lock in Deno KV. Its end is in the lease itself; those who wait are woken by
 * `watch`, and read the store again.
 */
export function denoKvLock(
  store: DenoKvLike,
  options: DenoKvOptions = {},
): Lock {
  const { prefix = "aludel", runtime = platformRuntime() } = options;
  const keyOf = (key: string) => [prefix, "lock", key];
  const heldUntil = (entry: DenoKvEntryLike) =>
    (entry.value as Lease | null)?.until ?? 0;
  return {
    name: "deno-kv",
    client: store,
    isLocked: async (key) =>
      heldUntil(await store.get(keyOf(key))) > runtime.now(),
    async acquire(key, { wait, lease }) {
      const name = keyOf(key);
      const token = crypto.randomUUID();
      const current = await store.get(name).catch(refused);
      const until = runtime.now() + Math.min(lease, 1e9) * 1000;
      const granted = heldUntil(current) <= runtime.now() &&
        (await store.atomic().check(current)
          .set(name, { token, until }, { expireIn: until - runtime.now() })
          .commit()).ok;
      if (!granted) {
        return { outcome: freed(store, name, wait, runtime) };
      }
      const own = async () => {
        const entry = await store.get(name);
        return (entry.value as Lease | null)?.token === token
          ? entry
          : undefined;
      };
      return {
        commit: async () => runtime.now() < until || !!await own(),
        async release() {
          const entry = await own();
          if (entry) await store.atomic().check(entry).delete(name).commit();
        },
      };
    },
  };
}

/** Resolves when the lease has ended or gone, or the wait is over. */
async function freed(
  store: DenoKvLike,
  name: string[],
  wait: number,
  runtime: Runtime,
): Promise<Record<never, never>> {
  if (wait <= 0) return {};
  const over = Promise.withResolvers<boolean>();
  const reader = store.watch([name]).getReader();
  const end = runtime.now() + wait * 1000;
  try {
    for (;;) {
      const { value } = await reader.read();
      const until = (value?.[0]?.value as Lease | null | undefined)?.until ?? 0;
      if (until <= runtime.now() || runtime.now() >= end) return {};
      // A lease that runs out changes nothing: its end has to be waited for.
      const left = Math.min(until, end) - runtime.now();
      runtime.within(left / 1000, over.promise)
        .then(() => reader.cancel()).catch(() => {});
    }
  } catch {
    return {};
  } finally {
    over.resolve(true);
    await reader.cancel().catch(() => {});
  }
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const all: T[][] = [];
  for (let i = 0; i < items.length; i += size) {
    all.push(items.slice(i, i + size));
  }
  return all;
}

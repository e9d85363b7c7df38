/**
 * Workers KV: values near every location of the network, metadata beside them.
 *
 * What it cannot do:
 *
 * - show a write to other locations at once: an old value, or the memory that
 *   there was none, may be answered for 60 seconds
 * - lock, compare or count: pair it with `durableObjectLock`
 * - take more than one write a second for a key: the write is dropped then, as
 *   another one was just made
 * - forget in less than 60 seconds: shorter times are raised to that
 * - keep keys over 512 bytes, values over 25 MiB, or tags beyond about 900 bytes
 * - store or delete many keys in one operation; it reads 100 in one, of no more
 *   than 25 MiB together
 *
 * @module
 */
import {
  bindingOf,
  type CacheBackend,
  type EntryMetadata,
  refusal,
} from "../cache/mod.ts";

/** What KV gives for one key. */
export interface KvEntryLike {
  /** The value, or `null`. */
  readonly value: string | null;
  /** Its metadata, or `null`. */
  readonly metadata: unknown;
}

/** The part of a KV namespace that is used here. */
export interface KvNamespaceLike {
  /** Up to 100 values with their metadata, as one operation. */
  getWithMetadata(
    keys: string[],
    options: { cacheTtl?: number },
  ): Promise<Map<string, KvEntryLike | null>>;
  /** Stores a value. */
  put(
    key: string,
    value: string,
    options: { metadata: unknown; expirationTtl?: number },
  ): Promise<void>;
  /** Forgets a key. */
  delete(key: string): Promise<void>;
}

/** How to use a namespace. */
export interface KvOptions {
  /**
   * Seconds during which a location may answer from its own copy, at least 30.
   * @default {60, by the platform}
   */
  readonly cacheTtl?: number;
}

/** What KV gives for a key that a region wrote; for another's, who knows. */
interface Found {
  readonly metadata: EntryMetadata | null;
  readonly value: string | null;
}

const MAX_KEYS = 100;
const MIN_TTL = 60;

/** Entries in a KV namespace. */
export function kv(
  namespace: KvNamespaceLike,
  options: KvOptions = {},
): CacheBackend {
  // Too long a key, too large a value, too many tags.
  const refused = refusal("kv", /\b41[34]\b/);
  return {
    name: "kv",
    client: bindingOf("kv", namespace),
    capabilities: {
      scope: "global",
      propagation: Math.max(MIN_TTL, options.cacheTtl ?? 0),
    },
    async get(keys) {
      const found = await Promise.all(
        Map.groupBy(keys, (_, i) => i / MAX_KEYS | 0).values()
          .map((chunk) => namespace.getWithMetadata(chunk, options)),
      ).catch(refused);
      return keys.map((key, i) => {
        const { metadata: meta, value: payload } =
          (found[i / MAX_KEYS | 0]!.get(key) ?? {}) as Partial<Found>;
        return meta?.ct ? { meta, payload } : undefined;
      });
    },
    async set(entries, { ttl = Infinity } = {}) {
      const written = entries.map(([key, { meta, payload }]) =>
        namespace.put(key, payload as string, {
          metadata: meta,
          ...ttl < Infinity &&
            { expirationTtl: Math.max(MIN_TTL, Math.ceil(ttl)) },
        }).catch((error) =>
          // Too many writes: another was made within this second.
          !/\b429\b/.test(error) && refused(error)
        )
      );
      return !(await Promise.all(written)).includes(false);
    },
    delete: (keys) =>
      Promise.all(keys.map((key) => namespace.delete(key))).catch(refused),
  };
}

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
 * - store or delete many keys in one operation; it reads 100 in one
 *
 * @module
 */
import {
  type CacheBackend,
  CacheInputError,
  fromText,
  type StoredEntry,
  type TextMetadata,
  toText,
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
  /** One value with its metadata. */
  getWithMetadata(
    key: string,
    options: { type: "text"; cacheTtl?: number },
  ): Promise<KvEntryLike>;
  /** Up to 100 values with their metadata, as one operation. */
  getWithMetadata(
    keys: string[],
    options: { type: "text"; cacheTtl?: number },
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

const MAX_KEYS = 100;
const MIN_TTL = 60;
const MAX_METADATA = 1024;

/** Entries in a KV namespace. */
export function kv(
  namespace: KvNamespaceLike,
  options: KvOptions = {},
): CacheBackend {
  const read = { type: "text", ...options } as const;
  return {
    name: "kv",
    client: namespace,
    capabilities: {
      scope: "global",
      propagation: Math.max(60, options.cacheTtl ?? 0),
      maxKeyBytes: 512,
      maxValueBytes: 25 << 20,
    },
    async get(key) {
      return entryOf(await namespace.getWithMetadata(key, read));
    },
    async getMulti(keys) {
      const found = [];
      for (let i = 0; i < keys.length; i += MAX_KEYS) {
        const chunk = keys.slice(i, i + MAX_KEYS);
        found.push(
          namespace.getWithMetadata(chunk, read)
            .then((values) => chunk.map((key) => entryOf(values.get(key)))),
        );
      }
      return (await Promise.all(found)).flat();
    },
    async set(key, entry, { ttl = Infinity } = {}) {
      const { meta: metadata, text } = toText(entry);
      if (metadata.g && JSON.stringify(metadata).length > MAX_METADATA) {
        throw new CacheInputError(
          "tags-too-long",
          `Cannot store "${key}": KV keeps ${MAX_METADATA} bytes of tags; use fewer or shorter ones`,
        );
      }
      try {
        await namespace.put(key, text, {
          metadata,
          ...ttl < Infinity &&
            { expirationTtl: Math.max(MIN_TTL, Math.ceil(ttl)) },
        });
        return true;
      } catch (error) {
        if (!/\b429\b/.test(String(error))) throw error;
        return false;
      }
    },
    delete: (key) => namespace.delete(key),
  };
}

function entryOf(
  found: KvEntryLike | null | undefined,
): StoredEntry | undefined {
  const metadata = found?.metadata as TextMetadata | null;
  if (metadata?.ct === undefined || found!.value === null) return undefined;
  return fromText(metadata, found!.value);
}

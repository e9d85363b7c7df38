import type { Codec } from "./codec.ts";
import type { KeyMangler } from "./key.ts";
import type { Lock } from "./lock.ts";

/** A value, or the promise of one. */
export type Awaitable<T> = T | Promise<T>;

/**
 * What is known of an entry without reading its payload. It is plain JSON, with
 * short names, because some platforms keep no more than 1024 bytes of it.
 */
export interface EntryMetadata {
  /** Creation time: when the creator had finished. Seconds of a hybrid clock. */
  readonly ct: number;
  /** The region's version; another one makes the entry a miss. */
  readonly v: number | string;
  /** What the creation took, in seconds: it began at `ct - c`. */
  readonly c?: number | undefined;
  /** The value was `null` or `undefined`. */
  readonly n?: true | undefined;
  /** The tags it can be invalidated by. */
  readonly g?: readonly string[] | undefined;
}

/** An entry as a backend stores it. It is never changed once made. */
export interface StoredEntry {
  /** Beside the payload, readable on its own. */
  readonly meta: EntryMetadata;
  /**
   * The value as its codec encoded it, which is text; or the value itself, in a
   * backend that is `live`.
   */
  readonly payload: unknown;
}

/** Options of one write. */
export interface WriteOptions {
  /**
   * Seconds after which the backend may forget the entry. It has nothing to do
   * with expiration, which the reader decides.
   * @default {Infinity}
   */
  readonly ttl?: number | undefined;
}

/** What a backend can and cannot do, as data. */
export interface BackendCapabilities {
  /** Keeps values as they are, so no codec is needed. @default {false} */
  readonly live?: boolean;
  /** How far its entries are seen. */
  readonly scope: "isolate" | "location" | "global";
  /**
   * Seconds during which a reader may still find an old value, or nothing, after
   * a write. Locks keep the value for that time. @default {0}
   */
  readonly propagation?: number;
}

/** A key and what is stored under it. */
export type KeyedEntry = readonly [key: string, entry: StoredEntry];

/** What a region would do besides with an entry: anything here is more than to take it. */
export interface PeekingRegion {
  /** Decodes values. */
  readonly codec?: Codec | undefined;
  /** Changes keys. */
  readonly keyMangler?: KeyMangler | false | undefined;
  /** Takes events. */
  readonly trace?: unknown;
  /** Reads records of invalidation, if it has a `read`. */
  readonly invalidation?: { readonly read?: unknown };
}

/**
 * A place to keep entries: three methods, each over many keys, so that a backend
 * answers them in as few operations as its platform has, and a proxy needs one
 * method to see everything.
 *
 * A backend knows nothing of expiration, versions or codecs: it gives back what
 * it was given, or nothing. `@aludel/aludel/testing` proves one.
 */
export interface CacheBackend {
  /** For messages and events, such as `"kv"`. */
  readonly name: string;
  /**
   * The binding or client it stands on. Two backends of one name and one client
   * are the same to `region.configure`.
   */
  readonly client?: unknown;
  /** What it can do. */
  readonly capabilities: BackendCapabilities;
  /** Used if the region has no codec. */
  readonly codec?: Codec | undefined;
  /** Used if the region has no key mangler. */
  readonly keyMangler?: KeyMangler | undefined;
  /** Used if the region is configured without a lock. */
  readonly lock?: Lock | undefined;

  /** The entries in the order of the keys; `undefined` where there is none. */
  get(keys: readonly string[]): Awaitable<readonly (StoredEntry | undefined)[]>;
  /**
   * Writes over what is there. Answers `false` if the platform refused a write
   * because the key was written a moment ago.
   */
  set(
    entries: readonly KeyedEntry[],
    options?: WriteOptions,
  ): Awaitable<void | boolean>;
  /** Forgets keys, known or not. */
  delete(keys: readonly string[]): Awaitable<unknown>;
  /**
   * As `get` for one key, if it can be told without waiting; nothing to a region
   * that has more to do than to take what lies there.
   */
  peek?(key: string, region?: PeekingRegion): StoredEntry | undefined;
}

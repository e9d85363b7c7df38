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
  /** Creation time: when the creator had finished. Milliseconds of a hybrid clock. */
  readonly ct: number;
  /** The region's version; another one makes the entry a miss. */
  readonly v: number | string;
  /** What the creation took, in milliseconds: it began at `ct - c`. */
  readonly c?: number;
  /** Present if the value was `null` or `undefined`. */
  readonly n?: 1;
  /** The tags it can be invalidated by. */
  readonly g?: readonly string[];
}

/** An entry as a backend stores it. It is never changed once made. */
export interface StoredEntry {
  /** Beside the payload, readable on its own. */
  readonly meta: EntryMetadata;
  /**
   * The value as its codec encoded it (text or bytes), or the value itself in a
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
  readonly ttl?: number;
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
  /** Longest key, in bytes of UTF-8. @default {Infinity} */
  readonly maxKeyBytes?: number;
  /** Largest payload, in bytes. @default {Infinity} */
  readonly maxValueBytes?: number;
}

/**
 * A place to keep entries. Three methods are required; the others are for speed,
 * or because the platform gives them for nothing.
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

  /** The entry, or `undefined`. It may answer at once, without a promise. */
  get(key: string): Awaitable<StoredEntry | undefined>;
  /**
   * Writes over what is there. Answers `false` if the platform refused the write
   * because the key was written a moment ago.
   */
  set(
    key: string,
    entry: StoredEntry,
    options?: WriteOptions,
  ): Awaitable<void | boolean>;
  /** Forgets the key, known or not. */
  delete(key: string): Awaitable<void>;

  /** As `get`, in the order of the keys. Never called without keys. */
  getMulti?(
    keys: readonly string[],
  ): Awaitable<readonly (StoredEntry | undefined)[]>;
  /** As `set` for each. Never called without entries. */
  setMulti?(
    entries: readonly (readonly [key: string, entry: StoredEntry])[],
    options?: WriteOptions,
  ): Awaitable<void>;
  /** As `delete` for each. Never called without keys. */
  deleteMulti?(keys: readonly string[]): Awaitable<void>;
}

/** Reads many keys, in one operation if the backend has one. */
export function readMulti(
  backend: CacheBackend,
  keys: readonly string[],
): Awaitable<readonly (StoredEntry | undefined)[]> {
  return keys[1] !== undefined && backend.getMulti
    ? backend.getMulti(keys)
    : Promise.all(keys.map((key) => backend.get(key)));
}

/** Writes many entries, in one operation if the backend has one. */
export async function writeMulti(
  backend: CacheBackend,
  entries: readonly (readonly [key: string, entry: StoredEntry])[],
  options?: WriteOptions,
): Promise<void> {
  await (entries[1] && backend.setMulti
    ? backend.setMulti(entries, options)
    : Promise.all(
      entries.map(([key, entry]) => backend.set(key, entry, options)),
    ));
}

/** Forgets many keys, in one operation if the backend has one. */
export async function removeMulti(
  backend: CacheBackend,
  keys: readonly string[],
): Promise<void> {
  await (keys[1] !== undefined && backend.deleteMulti
    ? backend.deleteMulti(keys)
    : Promise.all(keys.map((key) => backend.delete(key))));
}

/** Whether two parts of a configuration are the same, bindings considered. */
export function sameClient(
  a: { readonly name: string; readonly client?: unknown } | undefined,
  b: { readonly name: string; readonly client?: unknown } | undefined,
): boolean {
  return a === b ||
    !!a && !!b && a.name === b.name && a.client !== undefined &&
      a.client === b.client;
}

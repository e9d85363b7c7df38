/**
 * Entries in the memory of one isolate (or process), the least recently used
 * dropped first.
 *
 * What it cannot do:
 *
 * - be seen by another isolate: on Workers, expect one for each machine of a
 *   location, and none that lives long
 * - keep callers from changing what they were given, unless it has a codec
 * - know the size of values that no codec has encoded: give `sizeOf`
 *
 * @module
 */
import type {
  BackendCapabilities,
  CacheBackend,
  Codec,
  KeyedEntry,
  PeekingRegion,
  Runtime,
  StoredEntry,
  WriteOptions,
} from "../cache/mod.ts";

/** How much to keep. */
export interface MemoryOptions {
  /** How many entries. @default {1000} */
  readonly maxItems?: number;
  /** How many bytes of payloads and keys. @default {Infinity} */
  readonly maxBytes?: number;
  /**
   * The size of a payload in bytes.
   * @default {two for each character of text, the length of bytes, else 0}
   */
  readonly sizeOf?: (payload: unknown) => number;
  /** Encodes values, so that every reader gets a copy of its own. */
  readonly codec?: Codec;
  /** The clock by which a `ttl` ends. @default {Date.now} */
  readonly now?: Runtime["now"];
}

/** One entry in the list, from the most recently used to the least. */
interface Node {
  readonly key: string;
  entry: StoredEntry;
  size: number;
  until: number;
  newer: Node;
  older: Node;
}

/** Entries in memory. */
export function memory(options: MemoryOptions = {}): CacheBackend {
  return new MemoryBackend(options);
}

class MemoryBackend implements CacheBackend {
  readonly name = "memory";
  readonly capabilities: BackendCapabilities = { live: true, scope: "isolate" };
  readonly codec?: Codec;
  readonly #nodes = new Map<string, Node>();
  /** Stands between the newest and the oldest, so no end is special. */
  readonly #ring: Node = ring();
  readonly #maxItems: number;
  readonly #maxBytes: number;
  readonly #sizeOf: (payload: unknown) => number;
  readonly #now: () => number;
  #bytes = 0;

  constructor(options: MemoryOptions) {
    const { codec, maxItems = 1000, maxBytes = Infinity } = options;
    if (codec) this.codec = codec;
    this.#maxItems = maxItems;
    this.#maxBytes = maxBytes;
    this.#sizeOf = options.sizeOf ?? sizeOf;
    this.#now = options.now ?? (() => Date.now());
  }

  get(keys: readonly string[]): (StoredEntry | undefined)[] {
    return keys.map((key) => this.peek(key));
  }

  peek(key: string, region?: PeekingRegion): StoredEntry | undefined {
    if (
      region &&
      (region.codec || region.keyMangler || region.trace ||
        region.invalidation?.read)
    ) return undefined;
    const node = this.#nodes.get(key);
    if (node === undefined) return undefined;
    if (node.until !== Infinity && this.#now() >= node.until) {
      this.#remove(node);
      return undefined;
    }
    if (this.#ring.older !== node) {
      unlink(node);
      this.#link(node);
    }
    return node.entry;
  }

  set(
    entries: readonly KeyedEntry[],
    { ttl = Infinity }: WriteOptions = {},
  ): void {
    const until = ttl === Infinity ? ttl : this.#now() + ttl * 1000;
    for (const [key, entry] of entries) this.#put(key, entry, until);
  }

  delete(keys: readonly string[]): void {
    for (const key of keys) {
      const node = this.#nodes.get(key);
      if (node) this.#remove(node);
    }
  }

  #put(key: string, entry: StoredEntry, until: number): void {
    this.delete([key]);
    const size = this.#sizeOf(entry.payload) + 2 * key.length;
    if (size > this.#maxBytes) return;
    const ring = this.#ring;
    const node = { key, entry, size, until, newer: ring, older: ring };
    this.#nodes.set(key, node);
    this.#link(node);
    this.#bytes += size;
    while (this.#bytes > this.#maxBytes || this.#nodes.size > this.#maxItems) {
      this.#remove(ring.newer);
    }
  }

  #remove(node: Node): void {
    this.#nodes.delete(node.key);
    this.#bytes -= node.size;
    unlink(node);
  }

  #link(node: Node): void {
    const ring = this.#ring;
    node.newer = ring;
    node.older = ring.older;
    ring.older.newer = node;
    ring.older = node;
  }
}

function ring(): Node {
  const node = { key: "", size: 0, until: Infinity } as Node;
  return node.newer = node.older = node;
}

function unlink(node: Node): void {
  node.newer.older = node.older;
  node.older.newer = node.newer;
}

function sizeOf(payload: unknown): number {
  if (typeof payload === "string") return payload.length * 2;
  return payload instanceof Uint8Array ? payload.byteLength : 0;
}

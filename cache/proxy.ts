import type {
  Awaitable,
  BackendCapabilities,
  CacheBackend,
  KeyedEntry,
  StoredEntry,
  WriteOptions,
} from "./backend.ts";
import type { Codec } from "./codec.ts";
import type { KeyMangler } from "./key.ts";
import type { Lock } from "./lock.ts";

/** What stands around a backend. */
export interface Proxying {
  /** Takes its place around `proxied`, once, and gives what stands there now. */
  wrap(proxied: CacheBackend): CacheBackend;
}

/**
 * A backend around another one: override a method at a time, and call
 * `this.proxied` for the rest. A method not overridden goes straight through.
 *
 * It sees stored entries, metadata and all, under mangled keys.
 *
 * @example Counting reads
 * ```ts
 * import { createRegion, ProxyBackend, wrapBackend } from "@aludel/aludel/cache";
 * import { memory } from "@aludel/aludel/backends/memory";
 * import { equal } from "node:assert/strict";
 *
 * class CountReads extends ProxyBackend {
 *   reads = 0;
 *   override get(keys: readonly string[]) {
 *     this.reads++;
 *     return this.proxied.get(keys);
 *   }
 * }
 *
 * const counter = new CountReads();
 * const region = createRegion()
 *   .configure({ backend: wrapBackend(memory(), [counter]) });
 * await region.getOrCreate("k", () => 1);
 * await region.getOrCreate("k", () => 2);
 * equal(counter.reads, 3); // missed, missed again after the lock, hit
 * ```
 */
export class ProxyBackend implements CacheBackend, Proxying {
  #proxied: CacheBackend | undefined;

  /** What this one stands around. */
  get proxied(): CacheBackend {
    return this.#proxied!;
  }

  /** Takes its place around `proxied`. */
  wrap(proxied: CacheBackend): CacheBackend {
    this.#proxied = proxied;
    return this;
  }

  /** As proxied. */
  get name(): string {
    return this.proxied.name;
  }

  /** As proxied. */
  get client(): unknown {
    return this.proxied.client;
  }

  /** As proxied. */
  get capabilities(): BackendCapabilities {
    return this.proxied.capabilities;
  }

  /** As proxied. */
  get codec(): Codec | undefined {
    return this.proxied.codec;
  }

  /** As proxied. */
  get keyMangler(): KeyMangler | undefined {
    return this.proxied.keyMangler;
  }

  /** As proxied. */
  get lock(): Lock | undefined {
    return this.proxied.lock;
  }

  /** As proxied. */
  get(
    keys: readonly string[],
  ): Awaitable<readonly (StoredEntry | undefined)[]> {
    return this.proxied.get(keys);
  }

  /** As proxied. */
  set(
    entries: readonly KeyedEntry[],
    options?: WriteOptions,
  ): Awaitable<void | boolean> {
    return this.proxied.set(entries, options);
  }

  /** As proxied. */
  delete(keys: readonly string[]): Awaitable<unknown> {
    return this.proxied.delete(keys);
  }
}

/** A backend in proxies; the first is the outermost. */
export function wrapBackend(
  backend: CacheBackend,
  proxies: readonly (Proxying | (new () => Proxying))[],
): CacheBackend {
  return proxies.reduceRight(
    (inner, proxy) =>
      (typeof proxy === "function" ? new proxy() : proxy).wrap(inner),
    backend,
  );
}

/** The backend behind all proxies. */
export function actualBackend(backend: CacheBackend): CacheBackend {
  return backend instanceof ProxyBackend
    ? actualBackend(backend.proxied)
    : backend;
}

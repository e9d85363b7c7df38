import type {
  CacheBackend,
  EntryMetadata,
  KeyedEntry,
  StoredEntry,
} from "./backend.ts";
import { platformRuntime, type Runtime } from "./runtime.ts";

/** One tier of several. */
export interface Tier {
  /** Where it keeps its entries. */
  readonly backend: CacheBackend;
  /**
   * Seconds after which this tier's copy no longer counts, and the next one is
   * asked. The last tier's copy always counts.
   * @default {Infinity}
   */
  readonly maxAge?: number;
}

/** How tiers are stacked. */
export interface TieredOptions {
  /** From the nearest to the farthest. */
  readonly tiers: readonly [Tier, ...Tier[]];
  /** Where time comes from. @default {platformRuntime()} */
  readonly runtime?: Runtime;
}

/** Metadata of a copy, with the time it came to its tier. */
interface CopyMetadata extends EntryMetadata {
  readonly copied?: number;
}

/**
 * Backends in a stack: a read asks the nearest first, and what a farther one had
 * is copied to those above it. Writes and deletions go to all.
 *
 * @example
 * ```ts
 * import { createRegion, tiered } from "@aludel/aludel/cache";
 * import { memory } from "@aludel/aludel/backends/memory";
 * import { equal } from "node:assert/strict";
 *
 * const far = memory(), near = memory();
 * const stack = tiered({ tiers: [{ backend: near, maxAge: 5 }, { backend: far }] });
 * const region = createRegion().configure({ backend: stack });
 * await region.set("k", "v");
 * await near.delete(["k"]);
 * equal(await region.get("k"), "v");
 * ```
 */
export function tiered(options: TieredOptions): CacheBackend;
/** As above, from the nearest to the farthest, none with an age of its own. */
export function tiered(
  ...backends: [CacheBackend, ...CacheBackend[]]
): CacheBackend;
export function tiered(
  ...given: [TieredOptions] | CacheBackend[]
): CacheBackend {
  const [first] = given;
  const { tiers, runtime = platformRuntime() }: TieredOptions =
    first && "tiers" in first ? first : {
      tiers: (given as CacheBackend[]).map((backend) => ({
        backend,
      })) as unknown as TieredOptions["tiers"], // one at least, by the signature
    };
  const last = tiers.at(-1)!.backend;
  const capabilities = tiers.map(({ backend }) => backend.capabilities);
  const now = () => runtime.now() / 1000;
  return {
    name: `tiered(${tiers.map(({ backend }) => backend.name).join(", ")})`,
    client: last.client,
    capabilities: {
      live: capabilities.every(({ live }) => live),
      scope: last.capabilities.scope,
      propagation: Math.max(
        ...capabilities.map(({ propagation = 0 }) => propagation),
        ...tiers.slice(0, -1).map(({ maxAge = 0 }) => maxAge),
      ),
    },
    codec: last.codec,
    keyMangler: last.keyMangler,
    lock: last.lock,
    async get(keys) {
      const found = new Map<string, StoredEntry>();
      for (const [depth, { backend, maxAge = Infinity }] of tiers.entries()) {
        const wanted = keys.filter((key) => !found.has(key));
        if (!wanted.length) break;
        const entries = await backend.get(wanted);
        const fill: KeyedEntry[] = [];
        for (const [i, key] of wanted.entries()) {
          const entry = entries[i];
          if (!entry || backend !== last && !counts(entry, maxAge, now())) {
            continue;
          }
          found.set(key, original(entry));
          fill.push([key, copy(entry, now())]);
        }
        if (!fill.length) continue;
        for (const above of tiers.slice(0, depth)) {
          await above.backend.set(fill);
        }
      }
      return keys.map((key) => found.get(key));
    },
    async set(entries, write) {
      const copies = entries.map(([key, entry]): KeyedEntry => [
        key,
        copy(entry, now()),
      ]);
      const answers = await Promise.all(
        tiers.map(({ backend }) =>
          backend.set(backend === last ? entries : copies, write)
        ),
      );
      return answers.at(-1) !== false;
    },
    async delete(keys) {
      await Promise.all(tiers.map(({ backend }) => backend.delete(keys)));
    },
  };
}

function copy({ meta, payload }: StoredEntry, copied: number): StoredEntry {
  const own: CopyMetadata = { ...meta, copied };
  return { meta: own, payload };
}

function original({ meta, payload }: StoredEntry): StoredEntry {
  const { copied: _, ...rest }: CopyMetadata = meta;
  return { meta: rest, payload };
}

function counts({ meta }: StoredEntry, maxAge: number, now: number): boolean {
  const { copied = meta.ct }: CopyMetadata = meta;
  return now - copied <= maxAge;
}

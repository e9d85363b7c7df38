/**
 * The Cache API: entries in one data centre of Workers, or in Deno's own store.
 *
 * What it cannot do:
 *
 * - be seen by another location: use it as a tier above a global store
 * - work in the dashboard's preview, or behind Access: it is always empty there
 * - read or write many keys in one operation
 * - lock
 *
 * @module
 */
import type {
  CacheBackend,
  EntryMetadata,
  Runtime,
  StoredEntry,
} from "../cache/mod.ts";

/** The part of a `Cache` that is used here. */
export interface CacheLike {
  /** The stored response. */
  match(url: string): Promise<Response | undefined>;
  /** Stores a response. */
  put(url: string, response: Response): Promise<void>;
  /** Forgets a response. */
  delete(url: string): Promise<boolean>;
}

/** Which cache to use, and how. */
export interface CacheApiOptions {
  /** Gives the cache. @default {caches.default, or a named one where there is none} */
  readonly open?: () => CacheLike | Promise<CacheLike>;
  /** The host of the addresses that stand for keys. @default {"aludel.invalid"} */
  readonly host?: string;
  /** The clock by which a `ttl` ends. @default {Date.now} */
  readonly now?: Runtime["now"];
}

const META = "x-aludel-meta";
const UNTIL = "x-aludel-until";
const YEAR = 31_536_000;

/** Entries in a `Cache`; the metadata stands in a header. */
export function cacheApi(options: CacheApiOptions = {}): CacheBackend {
  const { open = openDefault, host = "aludel.invalid", now = Date.now } =
    options;
  const addressOf = (key: string) =>
    `https://${host}/${encodeURIComponent(key)}`;
  return {
    name: "cache-api",
    client: options.open ?? host,
    capabilities: { scope: "location" },
    async get(keys) {
      const cache = await open();
      return Promise.all(keys.map(async (key) => {
        const response = await cache.match(addressOf(key));
        if (!response) return undefined;
        // An unread body would keep its connection.
        const payload = await response.text();
        return entryOf(response.headers, payload, now());
      }));
    },
    async set(entries, { ttl = Infinity } = {}) {
      const cache = await open();
      await Promise.all(entries.map(([key, { meta, payload }]) =>
        cache.put(
          addressOf(key),
          new Response(payload as string, {
            headers: {
              [META]: encodeURIComponent(JSON.stringify(meta)),
              [UNTIL]: String(now() + ttl * 1000),
              "cache-control": `max-age=${Math.ceil(Math.min(ttl, YEAR))}`,
            },
          }),
        )
      ));
    },
    async delete(keys) {
      const cache = await open();
      await Promise.all(keys.map((key) => cache.delete(addressOf(key))));
    },
  };
}

/** Not every platform minds the header that limits the age. */
function entryOf(
  headers: Headers,
  payload: string,
  now: number,
): StoredEntry | undefined {
  const meta = headers.get(META);
  if (!meta || now >= Number(headers.get(UNTIL))) return undefined;
  return {
    meta: JSON.parse(decodeURIComponent(meta)) as EntryMetadata,
    payload,
  };
}

async function openDefault(): Promise<CacheLike> {
  const { caches } = globalThis as unknown as {
    // Workers add a cache that needs no name.
    caches: { default?: CacheLike; open(name: string): Promise<CacheLike> };
  };
  return caches.default ?? await caches.open("aludel");
}

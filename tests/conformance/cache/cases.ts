import {
  type CacheBackend,
  createRegion,
  NO_VALUE,
  ProxyBackend,
  type StoredEntry,
  wrapBackend,
} from "../../../cache/mod.ts";

/** One behaviour that every backend shows, as data: it runs wherever the backend runs. */
export interface CacheBackendCase {
  /** What holds. */
  readonly name: string;
  /** Throws if it does not. Its keys are its own. */
  run(backend: CacheBackend, keep: CacheBackendTraits): Promise<void>;
}

/** What a backend is meant not to do. */
export interface CacheBackendTraits {
  /** It keeps nothing at all. @default {false} */
  readonly empty?: boolean;
}

/** Passes everything on: a backend in it must behave as without. */
export class PassThrough extends ProxyBackend {}

/** Everything that a backend is held to. */
export const cacheBackendCases = (): readonly CacheBackendCase[] => [
  {
    name: "an unknown key has no entry, and can be deleted twice",
    async run(backend) {
      const [key] = keys(1);
      same(await backend.get([key!]), [undefined]);
      await backend.delete([key!]);
      await backend.delete([key!]);
    },
  },
  {
    name: "an entry comes back as it was stored, metadata and payload",
    async run(backend, { empty }) {
      const [key] = keys(1);
      const stored = entry('a|b "c" \n zażółć 🜁', { g: ["x|y", "ü"], c: 0.5 });
      await backend.set([[key!, stored]]);
      same(await backend.get([key!]), [empty ? undefined : stored]);
      await backend.delete([key!]);
      same(await backend.get([key!]), [undefined]);
    },
  },
  {
    name: "many keys keep their order, and their holes",
    async run(backend, { empty }) {
      const [a, b, c] = keys(3) as [string, string, string];
      const first = entry("1");
      const third = entry("3");
      await backend.set([[a, first], [c, third]]);
      same(
        await backend.get([c, b, a]),
        empty ? [undefined, undefined, undefined] : [third, undefined, first],
      );
      await backend.delete([a, b, c]);
      same(await backend.get([a, c]), [undefined, undefined]);
    },
  },
  {
    name: "more keys than any platform reads at once are read",
    async run(backend, { empty }) {
      const many = keys(120);
      await backend.set(many.map((key, i) => [key, entry(String(i))]));
      const found = await backend.get(many);
      same(
        found.map((one) => one?.payload),
        many.map((_, i) => empty ? undefined : String(i)),
      );
      await backend.delete(many);
    },
  },
  {
    name: "the last write is the one that is read",
    async run(backend, { empty }) {
      const [key] = keys(1);
      await backend.set([[key!, entry("old")]]);
      await backend.set([[key!, entry("new")]], { ttl: 3600 });
      const [found] = await backend.get([key!]);
      same(found?.payload, empty ? undefined : "new");
    },
  },
  {
    name: "keys with odd characters are told apart",
    async run(backend, { empty }) {
      const [key] = keys(1);
      const odd = ["a/b", "a:b", "a b", "a%20b", "ä", "🜁"].map((x) => key + x);
      await backend.set(odd.map((key) => [key, entry(key)]));
      const found = await backend.get(odd);
      same(
        found.map((one) => one?.payload),
        odd.map((key) => empty ? undefined : key),
      );
    },
  },
  {
    name: "a region stores null, undefined, 0, empty text and false as values",
    async run(backend, { empty }) {
      const region = regionOn(backend);
      const [key] = keys(1);
      for (const value of [null, undefined, 0, "", false]) {
        await region.set(key!, value);
        same(await region.get(key!), empty ? NO_VALUE : value);
      }
      await region.delete(key!);
      same(await region.get(key!), NO_VALUE);
    },
  },
  {
    name: "a region creates once, and answers many",
    async run(backend, { empty }) {
      const region = regionOn(backend);
      const [key] = keys(1);
      let calls = 0;
      const create = async () => {
        calls++;
        await new Promise((resolve) => setTimeout(resolve, 20));
        return { calls };
      };
      const values = await Promise.all(
        Array.from({ length: 10 }, () => region.getOrCreate(key!, create)),
      );
      if (empty) return;
      same(values, Array(10).fill({ calls: 1 }));
      same(await region.getOrCreate(key!, create), { calls: 1 });
    },
  },
  {
    name: "a region lets values expire for the reader, and keeps them",
    async run(backend, { empty }) {
      const region = regionOn(backend);
      const [key] = keys(1);
      await region.set(key!, "v");
      await new Promise((resolve) => setTimeout(resolve, 5));
      same(await region.get(key!, { expirationTime: 0.001 }), NO_VALUE);
      same(await region.get(key!), empty ? NO_VALUE : "v");
    },
  },
  {
    name: "a region creates what is missing of many",
    async run(backend, { empty }) {
      const region = regionOn(backend);
      const [a, b] = keys(2) as [string, string];
      await region.set(b, "stored");
      const asked: (readonly string[])[] = [];
      const values = await region.getOrCreateMulti([b, a, b], (missing) => {
        asked.push(missing);
        return missing.map(() => "created");
      });
      if (empty) return;
      same(values, ["stored", "created", "stored"]);
      same(asked, [[a]]);
    },
  },
  {
    name: "a cached function is called once for the same arguments",
    async run(backend, { empty }) {
      const region = regionOn(backend);
      let calls = 0;
      const [namespace] = keys(1);
      const twice = region.cacheOnArguments(
        (n: number) => (calls++, n * 2),
        { namespace: namespace! },
      );
      same([await twice(2), await twice(2), await twice(3)], [4, 4, 6]);
      same(calls, empty ? 3 : 2);
      await twice.invalidate(2);
      same(await twice.get(2), NO_VALUE);
    },
  },
];

/** How the suite is run. */
export interface TestCacheBackendOptions extends CacheBackendTraits {
  /** Registers a test. @default `Deno.test`, or the `test` of the runner */
  readonly test?: (name: string, run: () => Promise<void>) => void;
}

/**
 * Registers the backend suite: each case as it is, and once more through a proxy
 * that passes everything on.
 *
 * @param name What the backend is called in the names of tests.
 * @param open Gives the backend, for each case anew.
 */
export function testCacheBackend(
  name: string,
  open: () => CacheBackend | Promise<CacheBackend>,
  options: TestCacheBackendOptions = {},
): void {
  const register = options.test ?? (globalThis as unknown as {
    Deno: { test: (name: string, run: () => Promise<void>) => void };
  }).Deno.test;
  for (const one of cacheBackendCases()) {
    register(
      `${name}: ${one.name}`,
      async () => await one.run(await open(), options),
    );
    register(
      `${name}, proxied: ${one.name}`,
      async () =>
        await one.run(wrapBackend(await open(), [PassThrough]), options),
    );
  }
}

let made = 0;

/** Keys that no other case has used, also of an earlier run. */
function keys(count: number): string[] {
  const run = `${Date.now().toString(36)}-${made++}`;
  return Array.from({ length: count }, (_, i) => `case-${run}-${i}`);
}

function entry(
  payload: string,
  more: Partial<StoredEntry["meta"]> = {},
): StoredEntry {
  return { meta: { ct: Date.now() / 1000, v: 1, ...more }, payload };
}

function regionOn(backend: CacheBackend) {
  return createRegion({ name: "conformance" }).configure({ backend });
}

/** It runs where no assertion library does. */
function same(actual: unknown, expected: unknown): void {
  const [a, b] = [text(actual), text(expected)];
  if (a !== b) throw new Error(`Got ${a}, and not ${b}`);
}

function text(value: unknown): string {
  return JSON.stringify(
    value,
    (_, part) =>
      part === undefined || typeof part === "symbol" ? String(part) : part,
  );
}

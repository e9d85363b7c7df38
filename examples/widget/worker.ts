/**
 * The widget program: an object whose encodings and decodings are counted, in a
 * region over Workers KV with a Durable Object as dogpile lock.
 */
import { durableObjectLock } from "@aludel/aludel/backends/durable-object";
import type { DurableObjectNamespaceLike } from "@aludel/aludel/backends/durable-object";
import { kv, type KvNamespaceLike } from "@aludel/aludel/backends/kv";
import { createRegion, sha1MangleKey } from "@aludel/aludel/cache";

export { CacheCoordinator } from "@aludel/aludel/backends/durable-object";

/** What the Worker is bound to. */
interface Env {
  readonly CACHE: KvNamespaceLike;
  readonly LOCKS: DurableObjectNamespaceLike;
}

const counts = { encodes: 0, decodes: 0, creations: 0 };

const region = createRegion({
  name: "widgets",
  keyMangler: sha1MangleKey,
  codec: {
    encode: (value) => {
      counts.encodes++;
      return JSON.stringify(value);
    },
    decode: (stored) => {
      counts.decodes++;
      return JSON.parse(String(stored));
    },
  },
});

const getWidget = region.cacheOnArguments(
  (id: number) => Promise.resolve({ id }),
  { namespace: "widget" },
);

/** Stores an object, retrieves it, waits two seconds, exercises a regeneration. */
async function run(): Promise<Response> {
  Object.assign(counts, { encodes: 0, decodes: 0 });
  await getWidget(2);
  await getWidget(2);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  await getWidget(2);
  return Response.json(counts);
}

/** 25 callers miss one key at the same time; the creator takes 250 ms. */
async function stampede(): Promise<Response> {
  counts.creations = 0;
  const values = await Promise.all(
    Array.from(
      { length: 25 },
      () =>
        region.getOrCreate("stampede", async () => {
          counts.creations++;
          await new Promise((resolve) => setTimeout(resolve, 250));
          return crypto.randomUUID();
        }, { expirationTime: 60 }),
    ),
  );
  return Response.json({
    creations: counts.creations,
    values: [...new Set(values)],
  });
}

export default {
  fetch(request: Request, env: Env): Promise<Response> {
    region.configure({
      backend: kv(env.CACHE),
      lock: durableObjectLock(env.LOCKS),
      expirationTime: 1,
    });
    return new URL(request.url).pathname === "/stampede" ? stampede() : run();
  },
};

import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { denoKv } from "../../backends/deno_kv.ts";
import {
  durableObject,
  durableObjectLock,
} from "../../backends/durable_object.ts";
import { kv } from "../../backends/kv.ts";
import { memory } from "../../backends/memory.ts";
import { upstash, upstashLock } from "../../backends/upstash.ts";
import {
  type CacheBackend,
  CacheInputError,
  createRegion,
  keyIsLocked,
  NO_VALUE,
  pause,
  platformRuntime,
  tiered,
} from "../../cache/mod.ts";
import { localCoordinator } from "./coordinator.ts";
import { LaggyKv } from "./laggy_kv.ts";
import { redisStore } from "./redis.ts";
import { FakeRuntime } from "./support.ts";

const store = await Deno.openKv(":memory:");
const redis = await redisStore();
Deno.test.afterAll(() => store.close());

const stores: Record<string, () => CacheBackend> = {
  "deno-kv": () => denoKv(store),
  "durable-object": () => durableObject(localCoordinator()),
  upstash: () => redis.open({ sleep: 0.02 }),
};

for (const [name, open] of Object.entries(stores)) {
  const ignore = name === "upstash" && !!redis.missing;
  const key = crypto.randomUUID();
  const isolate = (backend: CacheBackend, more = {}) =>
    createRegion({ name: "shared", expirationTime: 60, ...more })
      .configure({ backend });

  Deno.test({
    name:
      `${name}: its lock lets one of 8 isolates create, and the others get the value`,
    ignore,
    async fn() {
      const backend = open();
      let creations = 0;
      const values = await Promise.all(Array.from({ length: 8 }, () => {
        const region = isolate(backend);
        return region.getOrCreate(key, async () => {
          await new Promise((resolve) => setTimeout(resolve, 60));
          return ++creations;
        });
      }));
      deepEqual(values, Array(8).fill(1));
      equal(await keyIsLocked(isolate(backend), key), false);
    },
  });

  Deno.test({
    name:
      `${name}: the lease of a leader that never comes back ends, and its late value is not stored`,
    ignore,
    async fn() {
      const backend = open();
      const dead = isolate(backend, { leaseTime: 0.2 });
      const slow = Promise.withResolvers<string>();
      const first = dead.getOrCreate(`${key}/dead`, () => slow.promise);
      await new Promise((resolve) => setTimeout(resolve, 50));
      const alive = isolate(backend, { waitTimeout: 2 });
      equal(await keyIsLocked(alive, `${key}/dead`), true);
      equal(await alive.getOrCreate(`${key}/dead`, () => "alive"), "alive");
      slow.resolve("late");
      equal(await first, "late");
      equal(await alive.get(`${key}/dead`), "alive");
    },
  });
}

Deno.test("deno-kv: an entry over 64 KiB is refused with a typed error", async () => {
  const region = createRegion({ name: "r" })
    .configure({ backend: denoKv(store) });
  await rejects(region.set("big", "x".repeat(70_000)), CacheInputError);
});

Deno.test("deno-kv: what has had its time is gone, though the store still has it", async () => {
  const runtime = new FakeRuntime();
  const backend = denoKv(store, { runtime });
  const entry = { meta: { ct: 1, v: 1 }, payload: "x" };
  await backend.set([["brief", entry]], { ttl: 60 });
  deepEqual(await backend.get(["brief"]), [entry]);
  runtime.time += 60_000;
  deepEqual(await backend.get(["brief"]), [undefined]);
});

Deno.test("memory: the least recently used goes first, by items and by bytes, and a time ends without a timer", () => {
  let now = 0;
  const entry = (payload: string) => ({ meta: { ct: 1, v: 1 }, payload });
  const kept = (backend: CacheBackend, keys: string) =>
    [...keys].filter((key) => backend.peek!(key)).join("");
  const few = memory({ maxItems: 2, now: () => now });
  few.set([["a", entry("")], ["b", entry("")]]);
  few.peek!("a");
  few.set([["c", entry("")]]);
  equal(kept(few, "abc"), "ac");
  few.set([["d", entry("")]], { ttl: 10 });
  now = 9999;
  equal(kept(few, "d"), "d");
  now = 10_000;
  equal(kept(few, "d"), "");
  const small = memory({ maxBytes: 50 });
  small.set([["a", entry("0123456789")], ["b", entry("0123456789")]]);
  equal(kept(small, "ab"), "ab");
  small.set([["c", entry("0123")]]);
  equal(kept(small, "abc"), "bc");
  small.set([["huge", entry("x".repeat(100))]]);
  equal(kept(small, "bc"), "bc");
});

Deno.test("tiered: the nearest answers, a farther one fills it, and each copy has its own age", async () => {
  const runtime = new FakeRuntime();
  const [near, far] = [memory(), memory()];
  const region = createRegion({ runtime }).configure({
    backend: tiered({
      tiers: [{ backend: near, maxAge: 5 }, { backend: far }],
      runtime,
    }),
  });
  await region.set("k", "old");
  await far.delete(["k"]);
  equal(await region.get("k"), "old");
  runtime.time += 6000;
  equal(await region.get("k"), NO_VALUE);
  await region.set("k", "new");
  await near.delete(["k"]);
  equal(await region.get("k"), "new");
  equal(near.peek!("k")?.payload, "new");
  await region.delete("k");
  deepEqual([near.peek!("k"), far.peek!("k")], [undefined, undefined]);
});

Deno.test("kv: a second write within a second is dropped, and times under a minute are raised", async () => {
  const namespace = new LaggyKv({ lag: 0 });
  const backend = kv(namespace);
  const entry = { meta: { ct: 1, v: 1 }, payload: "x" };
  equal(await backend.set([["k", entry]], { ttl: 1 }), true);
  equal(await backend.set([["k", entry]], { ttl: 1 }), false);
  deepEqual(namespace.operations, { reads: 0, writes: 1, refused: 1 });
});

Deno.test("a coordinator drops what it held by its alarm", async () => {
  const { CacheCoordinator } = await import("../../backends/durable_object.ts");
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(":memory:");
  let alarm: number | null = null;
  const object = new CacheCoordinator({
    waitUntil() {},
    storage: {
      sql: {
        exec: (query, ...bindings) => {
          const rows = database.prepare(query).all(...bindings);
          return { toArray: () => rows as Record<string, unknown>[] };
        },
      },
      getAlarm: () => Promise.resolve(alarm),
      setAlarm: (time) => Promise.resolve(void (alarm = time)),
    },
  });
  const entries = [["k", 1, "{}"]];
  await object.fetch(
    new Request("https://cache/set", {
      method: "POST",
      body: JSON.stringify({ ttl: 0.01, entries }),
    }),
  );
  equal(typeof alarm, "number");
  await pause(platformRuntime(), 0.02);
  await object.alarm();
  deepEqual(database.prepare("SELECT * FROM entries").all(), []);
});

Deno.test({
  name: "upstash: an error of the client is told without the command's values",
  ignore: !!redis.missing,
  async fn() {
    const backend = redis.open();
    const wrong = { meta: { ct: 1, v: 1 }, payload: "secret" };
    await rejects(
      async () => await backend.set([["k", wrong]], { ttl: 1e30 }),
      (error: Error) => !error.message.includes("secret"),
    );
  },
});

Deno.test("a store or lock whose binding is not there is refused when it is made", () => {
  const env: Readonly<Record<string, never>> = {};
  const made: Record<string, () => unknown> = {
    kv: () => kv(env.CACHE!),
    "durable-object": () => durableObject(env.STORE!),
    upstash: () => upstash(env.REDIS!),
  };
  const locks: Record<string, () => unknown> = {
    "durable-object": () => durableObjectLock(env.LOCKS!),
    upstash: () => upstashLock(env.REDIS!),
  };
  for (const [name, make] of [made, locks].flatMap(Object.entries)) {
    throws(make as () => unknown, {
      name: "CacheConfigurationError",
      code: "cache/no-binding",
      message:
        `Cannot use "${name}": its binding is not there; check its name in \`env\``,
    });
  }
});

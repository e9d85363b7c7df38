import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { durableObjectLock } from "../../backends/durable_object.ts";
import { kv } from "../../backends/kv.ts";
import { memory } from "../../backends/memory.ts";
import {
  asyncCreationRunner,
  type CacheBackend,
  chainRunners,
  createRegion,
  earlyRefresh,
  jitter,
  keyIsLocked,
  type Lock,
  mutexLock,
  mutexRegistry,
  negativeExpiration,
  NO_VALUE,
  ProxyBackend,
  type RegionOptions,
  type RunnerMutex,
  sharedInvalidation,
  staleIfError,
  timeouts,
  wrapBackend,
} from "../../cache/mod.ts";
import { localCoordinator } from "./coordinator.ts";
import { LaggyKv } from "./laggy_kv.ts";
import {
  countingCodec,
  FakeRuntime,
  gate,
  recorder,
  settled,
} from "./support.ts";

/** Answers later, as every store over a network does. */
class Remote extends ProxyBackend {
  override async get(keys: readonly string[]) {
    await Promise.resolve();
    return this.proxied.get(keys);
  }
}

function setUp(
  options: RegionOptions = {},
  configuration: { backend?: CacheBackend; lock?: Lock } = {},
) {
  const runtime = new FakeRuntime();
  const record = recorder();
  const backend = configuration.backend ??
    wrapBackend(memory({ now: runtime.now }), [Remote]);
  const region = createRegion({
    name: "r",
    expirationTime: 10,
    runtime,
    trace: record.trace,
    ...options,
  }).configure({ ...configuration, backend });
  return { region, runtime, backend, ...record };
}

Deno.test("cache 38, 39: a fresh hit asks no lock, and an expired value is read once before its creation", async () => {
  const { region, runtime, counter } = setUp();
  await region.set("k", 1);
  counter.reset();
  await region.getOrCreate("k", () => 2);
  deepEqual([counter.counts.read, counter.counts.lead, counter.counts.wait], [
    1,
    0,
    0,
  ]);
  runtime.time += 11_000;
  counter.reset();
  equal(await region.getOrCreate("k", () => 2), 2);
  deepEqual(
    [counter.counts.read, counter.counts.write, counter.counts.create],
    [1, 1, 1],
  );
});

Deno.test("cache 40, 81: while one creates, others get the stale value at once, expired or softly invalidated", async () => {
  const { region, runtime } = setUp();
  for (
    const expire of [
      () => void (runtime.time += 11_000),
      () => region.invalidate({ hard: false }),
    ]
  ) {
    await region.set("k", "old");
    await expire();
    const { promise, resolve } = gate<string>();
    const first = region.getOrCreate("k", () => promise);
    await settled();
    equal(
      await region.getOrCreate("k", () => Promise.reject(new Error("called"))),
      "old",
    );
    equal(await region.get("k"), NO_VALUE);
    resolve("new");
    equal(await first, "new");
    equal(await region.getOrCreate("k", () => "other"), "new");
  }
});

Deno.test("cache 41, 42: who waits for an absent value gets the leader's, and the leader has read again before creating", async () => {
  const { region, counter } = setUp();
  let calls = 0;
  const values = await Promise.all(
    Array.from({ length: 5 }, () =>
      region.getOrCreate("k", async () => {
        await settled();
        return ++calls;
      })),
  );
  deepEqual(values, [1, 1, 1, 1, 1]);
  equal(counter.counts.create, 1);
  equal(counter.counts.wait, 4);
  equal(counter.counts.read, 6);
});

Deno.test("cache 43, 45: over many expiries there is one creation for each, and only the first ever waits", async () => {
  const { region, runtime, counter } = setUp();
  let calls = 0;
  for (let round = 0; round < 20; round++) {
    await Promise.all(
      Array.from({ length: 8 }, () =>
        region.getOrCreate("k", async () => {
          await settled();
          return ++calls;
        })),
    );
    runtime.time += 4000;
  }
  // 80 seconds at 10 an expiration, looked at every 4.
  equal(calls, 7);
  equal(counter.counts.wait, 7);
});

Deno.test("cache 44, 55: a store that forgets early still never has two creators of a key at once", async () => {
  const { region, backend } = setUp();
  let running = 0;
  let most = 0;
  for (let round = 0; round < 10; round++) {
    await Promise.all(Array.from({ length: 10 }, async () => {
      await region.getOrCreate("k", async () => {
        most = Math.max(most, ++running);
        await settled();
        running--;
        return 1;
      });
      await backend.delete(["k"]);
    }));
  }
  equal(most, 1);
});

Deno.test("cache 46, 48: a creator's error reaches its caller and those who wait, unchanged; then the key is free", async () => {
  const { region, counter } = setUp();
  const boom = new Error("boom");
  const results = await Promise.allSettled(
    Array.from({ length: 5 }, () =>
      region.getOrCreate("k", async () => {
        await settled();
        throw boom;
      })),
  );
  for (const result of results) {
    equal(result.status === "rejected" && result.reason, boom);
  }
  equal(counter.counts.create, 0);
  equal(counter.counts.lead, 1);
  equal(await keyIsLocked(region, "k"), false);
  equal(await region.get("k"), NO_VALUE);
  equal(await region.getOrCreate("k", () => "ok"), "ok");
});

Deno.test("cache 47: with a stale value the winner sees the error and the value stays; staleIfError answers it within its bound", async () => {
  const { region, runtime } = setUp();
  await region.set("k", "old");
  runtime.time += 11_000;
  const fail = () => Promise.reject(new Error("boom"));
  await rejects(region.getOrCreate("k", fail), { message: "boom" });
  equal(await region.get("k", { ignoreExpiration: true }), "old");
  const creationRunner = staleIfError(5);
  equal(await region.getOrCreate("k", fail, { creationRunner }), "old");
  runtime.time += 5000;
  await rejects(region.getOrCreate("k", fail, { creationRunner }), {
    message: "boom",
  });
});

Deno.test("cache 50, 53: a creator may create another key, and two keys lock independently", async () => {
  const { region } = setUp();
  equal(
    await region.getOrCreate(
      "a",
      async () => 1 + await region.getOrCreate("b", () => 1),
    ),
    2,
  );
  const { promise, resolve } = gate<number>();
  const held = region.getOrCreate("c", () => promise);
  await settled();
  equal(await region.getOrCreate("d", () => 4), 4);
  resolve(3);
  equal(await held, 3);
});

Deno.test("cache 51: keyIsLocked tells without acquiring, also under a mangler", async () => {
  const { region } = setUp({ keyMangler: (key) => `m${key}` });
  equal(await keyIsLocked(region, "k"), false);
  const { promise, resolve } = gate<number>();
  const held = region.getOrCreate("k", () => promise);
  await settled();
  equal(await keyIsLocked(region, "k"), true);
  equal(await keyIsLocked(region, "k"), true);
  resolve(1);
  await held;
  equal(await keyIsLocked(region, "k"), false);
});

Deno.test("cache 52, 54, 56: a mutex answers whether it could be had, throws when nobody holds it, and its name is dropped when unused", async () => {
  const registry = mutexRegistry();
  const mutex = registry.get("a");
  equal(registry.get("a"), mutex);
  equal(await mutex.acquire(false), true);
  equal(await mutex.locked(), true);
  equal(await mutex.acquire(false), false);
  equal(await registry.get("b").acquire(false), true);
  equal(registry.size, 2);
  await mutex.release();
  equal(await mutex.acquire(false), true);
  await mutex.release();
  throws(() => mutex.release(), { code: "cache/not-held" });
  await registry.get("b").release();
  equal(registry.size, 0);
});

Deno.test("cache 105: any mutex serves as a region's lock, and may be released elsewhere than it was taken", async () => {
  const registry = mutexRegistry();
  const one = setUp({}, { lock: mutexLock(registry.get) });
  const backend = one.backend;
  const two = setUp({}, { backend, lock: mutexLock(registry.get) });
  let calls = 0;
  const create = async () => {
    await settled();
    return ++calls;
  };
  deepEqual(
    await Promise.all([
      one.region.getOrCreate("k", create),
      two.region.getOrCreate("k", create),
    ]),
    [1, 1],
  );
  equal(registry.size, 0);
  let freed: RunnerMutex | undefined;
  await one.region.set("k", 5);
  one.runtime.time += 11_000;
  await one.region.getOrCreate("k", create, {
    creationRunner: asyncCreationRunner((_region, _key, _create, mutex) => {
      freed = mutex;
    }),
  });
  equal(registry.size, 1);
  setTimeout(() => freed!.release(), 0);
  await settled();
  equal(registry.size, 0);
});

Deno.test("cache 57: when a lease ends another may lead, and the one that outlived it may not overwrite", async () => {
  const { region, runtime, events } = setUp({ leaseTime: 5, waitTimeout: 60 });
  const slow = gate<string>();
  const first = region.getOrCreate("k", () => slow.promise);
  await settled();
  await runtime.pass(6);
  equal(await region.getOrCreate("k", () => "second"), "second");
  slow.resolve("first");
  equal(await first, "first");
  equal(await region.get("k"), "second");
  equal(events.filter(({ type }) => type === "lead").length, 2);
});

Deno.test("cache 64, 65: many at once: no key has two creators, and a waiter does not create again", async () => {
  const { region, counter } = setUp();
  const running = new Set<string>();
  const create = async (keys: readonly string[]) => {
    for (const key of keys) {
      equal(running.has(key), false);
      running.add(key);
    }
    await settled();
    for (const key of keys) running.delete(key);
    return keys;
  };
  const wanted = [["a", "b"], ["b", "c"], ["c", "a"], ["a", "b", "c"], ["c"]];
  const all = await Promise.all(
    wanted.map((keys) => region.getOrCreateMulti(keys, create)),
  );
  deepEqual(all, wanted);
  const created = counter.counts.lead;
  equal(created, 2); // [a, b], then [c]
});

Deno.test("cache 101, 102, 103, 104: a runner is used for stale values only, with what it needs; its lock is freed by it, or for it", async () => {
  const { region, runtime } = setUp();
  const runs: unknown[][] = [];
  const creationRunner = asyncCreationRunner((...args) => void runs.push(args));
  let calls = 0;
  const fn = region.cacheOnArguments((x: number) => x * 10 + ++calls, {
    namespace: "f",
    creationRunner,
  });
  equal(await fn(1), 11);
  equal(runs.length, 0);
  for (
    const expire of [
      () => void (runtime.time += 11_000),
      () => region.invalidate({ hard: false }),
    ]
  ) {
    const stale = calls + 10;
    await expire();
    equal(await fn(1), stale);
    equal(await fn(1), stale);
    equal(runs.length, 1);
    const [itsRegion, key, create, mutex] = runs.pop() as [
      unknown,
      string,
      () => Promise<void>,
      RunnerMutex,
    ];
    equal(itsRegion, region);
    equal(key, "f|1");
    await create();
    await mutex.release();
    equal(await fn(1), stale + 1);
  }
  runtime.time += 11_000;
  const throwing = asyncCreationRunner(() => {
    throw new Error("no queue");
  });
  await rejects(
    region.getOrCreate("f|1", () => 0, { creationRunner: throwing }),
    { message: "no queue" },
  );
  equal(await keyIsLocked(region, "f|1"), false);
});

Deno.test("cache 106: many values are refreshed in the background as one is", async () => {
  const { region, runtime } = setUp({ staleWhileRevalidate: true });
  await region.setMulti({ a: 1, b: 2 });
  runtime.time += 11_000;
  const fresh = (keys: readonly string[]) => keys.map(() => 9);
  deepEqual(await region.getOrCreateMulti(["a", "b", "c"], fresh), [1, 2, 9]);
  await runtime.idle();
  deepEqual(await region.getMulti(["a", "b", "c"]), [9, 9, 9]);
});

Deno.test("cache 109: a leader that never comes back keeps nobody beyond the wait, and the key recovers", async () => {
  const { region, runtime, counter } = setUp({ waitTimeout: 5 });
  const never = new Promise<string>(() => {});
  region.getOrCreate("k", () => never).catch(() => {});
  await settled();
  const followers = Array.from(
    { length: 10 },
    () => region.getOrCreate("k", () => "alive"),
  );
  await runtime.pass(4.9);
  equal(counter.counts.create, 0);
  await runtime.pass(0.2);
  deepEqual(await Promise.all(followers), Array(10).fill("alive"));
  equal(counter.counts.create, 1);
  equal(await region.getOrCreate("k", () => "no"), "alive");
});

Deno.test("timeouts: a soft one answers the stale value, a hard one throws, and the creation goes on", async () => {
  const { region, runtime } = setUp();
  await region.set("k", "old");
  runtime.time += 11_000;
  const slow = gate<string>();
  const creationRunner = timeouts({ soft: 1, hard: 3, runtime });
  const caller = region.getOrCreate("k", () => slow.promise, {
    creationRunner,
  });
  await runtime.pass(1.5);
  equal(await caller, "old");
  slow.resolve("new");
  await runtime.idle();
  equal(await region.get("k"), "new");
  const late = gate<string>();
  const absent = region.getOrCreate("none", () => late.promise, {
    creationRunner,
  });
  const failed = rejects(absent, { code: "cache/timeout" });
  await runtime.pass(3.5);
  await failed;
  late.resolve("after all");
  await runtime.idle();
  equal(await region.get("none"), "after all");
  const both = chainRunners(staleIfError(), timeouts({ runtime }));
  runtime.time += 11_000;
  equal(
    await region.getOrCreate("k", () => Promise.reject(new Error("x")), {
      creationRunner: both,
    }),
    "new",
  );
});

Deno.test("jitter, early refresh and negative expiration change when a value is created anew", async () => {
  const { region, runtime } = setUp();
  await region.set("k", 1);
  await region.set("none", null);
  runtime.time += 6000;
  equal(
    await region.get("none", { expirationPolicy: negativeExpiration(5) }),
    NO_VALUE,
  );
  equal(await region.get("k", { expirationPolicy: negativeExpiration(5) }), 1);
  equal(
    await region.getOrCreate("k", () => 2, { expirationPolicy: jitter(1) }) !==
      undefined,
    true,
  );
  let chance = 0.999999;
  await region.getOrCreate("slow", () => {
    runtime.time += 3000;
    return 1;
  });
  equal(
    await region.getOrCreate("slow", () => 2, {
      expirationPolicy: earlyRefresh(1, () => chance),
    }),
    2,
  );
  chance = 0;
  equal(
    await region.getOrCreate("slow", () => 3, {
      expirationPolicy: earlyRefresh(1, () => chance),
    }),
    2,
  );
});

Deno.test("what each operation costs, as whole numbers, on KV with a coordinator", async () => {
  const runtime = new FakeRuntime();
  const codec = countingCodec();
  const namespace = localCoordinator();
  const { region, counter } = setUp({ runtime, codec }, {
    backend: kv(
      new LaggyKv({ lag: 0, writesPerSecond: Infinity, now: runtime.now }),
    ),
    lock: durableObjectLock(namespace),
  });
  const cost = async (work: () => Promise<unknown>, idle = true) => {
    counter.reset();
    codec.encodes = codec.decodes = namespace.requests = 0;
    await work();
    if (idle) await runtime.idle();
    const { read, write, hop, create } = counter.counts;
    equal(namespace.requests, hop);
    return [read, write, hop, codec.encodes, codec.decodes, create];
  };
  //                                                       reads, writes, hops, encodes, decodes, creations
  const create = () => "v";
  deepEqual(await cost(() => region.getOrCreate("k", create)), [
    1,
    1,
    1,
    1,
    0,
    1,
  ]);
  deepEqual(await cost(() => region.getOrCreate("k", create)), [
    1,
    0,
    0,
    0,
    1,
    0,
  ]);
  runtime.time += 70_000;
  deepEqual(await cost(() => region.get("k")), [1, 0, 0, 0, 0, 0]);
  deepEqual(await cost(() => region.getOrCreate("k", create)), [
    1,
    1,
    1,
    1,
    0,
    1,
  ]);
  runtime.time += 70_000;
  const slow = gate<string>();
  const elected = region.getOrCreate("k", () => slow.promise);
  await settled();
  deepEqual(
    await cost(() => region.getOrCreate("k", create), false),
    [1, 0, 0, 0, 1, 0],
  );
  slow.resolve("w");
  await elected;
  await region.invalidate();
  deepEqual(await cost(() => region.getOrCreate("k", create)), [
    1,
    1,
    1,
    1,
    0,
    1,
  ]);
  const keys = Array.from({ length: 100 }, (_, i) => `key${i}`);
  await region.setMulti(
    Object.fromEntries(keys.slice(10).map((key) => [key, key])),
  );
  deepEqual(
    await cost(() => region.getOrCreateMulti(keys, (missing) => missing)),
    [1, 1, 10, 10, 90, 1],
  );
});

Deno.test("what was set or deleted by hand is not answered from what the isolate holds of a creation", async () => {
  const { region, runtime } = setUp({}, {
    backend: kv(new LaggyKv({ writesPerSecond: Infinity })),
  });
  equal(await region.getOrCreate("k", () => 1), 1);
  equal(await region.getOrCreate("k", () => 2), 1);
  await region.delete("k");
  runtime.time += 11_000;
  equal(await region.getOrCreate("k", () => 3), 3);
  await region.set("k", 4);
  equal(await region.getOrCreate("k", () => 5) > 3, true);
});

Deno.test("more keys in one call than an isolate remembers are all created once, and stored", async () => {
  const { region, counter } = setUp();
  const keys = Array.from({ length: 250 }, (_, i) => `key${i}`);
  const create = async (missing: readonly string[]) => {
    await settled();
    return missing;
  };
  const both = [1, 2].map(() => region.getOrCreateMulti(keys, create));
  deepEqual(await Promise.all(both), [keys, keys]);
  equal(counter.counts.create, 1);
  deepEqual(await region.getMulti(keys), keys);
});

Deno.test("who waits for a value that came meanwhile hears nothing of an error in the creation of others", async () => {
  const place = memory();
  const { promise: isAsked, resolve: ask } = gate();
  let reads = 0;
  class Late extends Remote {
    override async get(keys: readonly string[]) {
      if (keys.includes("b") && ++reads === 2) {
        await isAsked;
        const meta = { ct: 1_700_000_000, v: 1 };
        await place.set([["a", { meta, payload: "came" }]]);
      }
      return await super.get(keys);
    }
  }
  const { region } = setUp({}, { backend: wrapBackend(place, [Late]) });
  const slow = gate<string[]>();
  const failed = rejects(
    region.getOrCreateMulti(["a", "b"], (missing) => {
      deepEqual(missing, ["b"]);
      return slow.promise;
    }),
    { message: "boom" },
  );
  await settled();
  const follower = region.getOrCreate("a", () => "no");
  await settled();
  ask();
  await settled();
  slow.reject(new Error("boom"));
  await failed;
  equal(await follower, "came");
});

Deno.test("cache 111: 8 isolates x 25 misses on a KV that lags and remembers misses: one creation with a coordinator, 8 without", async () => {
  for (const coordinated of [true, false]) {
    const central = new LaggyKv();
    const lock = durableObjectLock(localCoordinator());
    let creations = 0;
    const isolates = Array.from(
      { length: 8 },
      () =>
        createRegion({ name: "shared", expirationTime: 60 }).configure({
          backend: kv(central.elsewhere()),
          ...coordinated && { lock },
        }),
    );
    const create = async () => {
      creations++;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { creations };
    };
    const ask = () =>
      Promise.all(
        isolates.flatMap((region) =>
          Array.from({ length: 25 }, () => region.getOrCreate("k", create))
        ),
      );
    const values = await ask();
    equal(values.length, 200);
    equal(creations, coordinated ? 1 : 8);
    // Each location goes on remembering the miss; the lock holds the value.
    await ask();
    equal(creations, coordinated ? 1 : 8);
  }
});

Deno.test("8 isolates x 25 misses whose creator throws: few attempts, none of them together, and the key recovers", async () => {
  const central = new LaggyKv();
  const lock = durableObjectLock(localCoordinator());
  let attempts = 0;
  let running = 0;
  let most = 0;
  const isolates = Array.from(
    { length: 8 },
    () =>
      createRegion({ name: "shared", expirationTime: 60 })
        .configure({ backend: kv(central.elsewhere()), lock }),
  );
  const results = await Promise.allSettled(
    isolates.flatMap((region) =>
      Array.from({ length: 25 }, () =>
        region.getOrCreate("k", async () => {
          attempts++;
          most = Math.max(most, ++running);
          await new Promise((resolve) => setTimeout(resolve, 50));
          running--;
          throw new Error("boom");
        }))
    ),
  );
  equal(results.every(({ status }) => status === "rejected"), true);
  equal(attempts, 1);
  equal(most, 1);
  equal(await isolates[3]!.getOrCreate("k", () => "ok"), "ok");
});

Deno.test("a leader that outlived its lease at the coordinator answers its value, and stores nothing", async () => {
  const central = new LaggyKv({ lag: 0, writesPerSecond: Infinity });
  const lock = durableObjectLock(localCoordinator());
  const make = () =>
    createRegion({ name: "shared", expirationTime: 60, leaseTime: 0.05 })
      .configure({ backend: kv(central.elsewhere()), lock });
  const [one, two] = [make(), make()];
  const slow = gate<string>();
  const first = one.getOrCreate("k", () => slow.promise);
  await new Promise((resolve) => setTimeout(resolve, 20));
  equal(await two.getOrCreate("k", () => "second"), "second");
  slow.resolve("first");
  equal(await first, "first");
  equal(await one.get("k"), "second");
});

Deno.test("a coordinator that fails is gone around: stale is answered, and what is absent is created, once for the isolate", async () => {
  const broken: Lock = {
    name: "broken",
    acquire: () => Promise.reject(new Error("overloaded")),
    isLocked: () => false,
  };
  const { region, runtime, counter } = setUp({}, { lock: broken });
  const create = async () => {
    await settled();
    return "v";
  };
  await Promise.all(
    Array.from({ length: 10 }, () => region.getOrCreate("k", create)),
  );
  equal(counter.counts.create, 1);
  runtime.time += 11_000;
  equal(await region.getOrCreate("k", () => "new"), "v");
  equal(counter.counts.create, 1);
});

Deno.test("a coordinator whose answer breaks off is asked again a few times, and gone around", async () => {
  let requests = 0;
  const broken = () =>
    new ReadableStream({
      pull: (controller) => controller.error(new Error("gone")),
    });
  const lock = durableObjectLock({
    getByName: () => ({
      fetch: () => {
        requests++;
        return Promise.resolve(new Response(broken(), { status: 202 }));
      },
    }),
  });
  const { region, runtime } = setUp({}, { lock });
  equal(await region.getOrCreate("k", () => "v"), "v");
  equal(requests, 10);
  runtime.time += 11_000;
  equal(await region.getOrCreate("k", () => "new"), "v");
});

Deno.test("a shared invalidation is seen by every isolate, in the same read as the value", async () => {
  const runtime = new FakeRuntime();
  const central = new LaggyKv({ lag: 0, now: runtime.now });
  const make = () => {
    const place = central.elsewhere();
    const { region, counter } = setUp(
      { runtime, invalidation: sharedInvalidation({ name: "r", runtime }) },
      { backend: kv(place) },
    );
    return { region, counter, place };
  };
  const [one, two] = [make(), make()];
  await one.region.set("k", 1, { tags: ["user:1"] });
  await one.region.set("other", 2, { tags: ["user:2"] });
  equal(await two.region.get("k", { tags: ["user:1"] }), 1);
  runtime.time += 2000;
  await one.region.invalidateTags(["user:1"]);
  two.place.operations.reads = 0;
  equal(await two.region.get("k", { tags: ["user:1"] }), NO_VALUE);
  equal(two.place.operations.reads, 1);
  equal(await two.region.get("other"), 2);
  runtime.time += 2000;
  await two.region.invalidate();
  equal(await one.region.get("other", { tags: ["user:2"] }), NO_VALUE);
});

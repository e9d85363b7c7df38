import { deepEqual, equal, match, rejects, throws } from "node:assert/strict";
import { memory } from "../../backends/memory.ts";
import { nullBackend } from "../../backends/null.ts";
import { kv } from "../../backends/kv.ts";
import { upstashLock } from "../../backends/upstash.ts";
import {
  actualBackend,
  CacheConfigurationError,
  CacheInputError,
  cacheMapOnArguments,
  cacheMultiOnArguments,
  CannotDecodeError,
  configureFromConfig,
  createRegion,
  formatEvent,
  functionKeyGenerator,
  functionMultiKeyGenerator,
  getValueMetadata,
  jsonCodec,
  keyIsLocked,
  keyText,
  kwargFunctionKeyGenerator,
  lengthConditionalMangler,
  localInvalidation,
  NO_VALUE,
  packEntry,
  ProxyBackend,
  type RegionOptions,
  seconds,
  sha1MangleKey,
  type StoredEntry,
  wrapBackend,
} from "../../cache/mod.ts";
import { LaggyKv } from "./laggy_kv.ts";
import { countingCodec, FakeRuntime, recorder } from "./support.ts";

function setUp(options: RegionOptions = {}, expirationTime?: number) {
  const runtime = new FakeRuntime();
  const record = recorder();
  const backend = memory({ now: runtime.now });
  const region = createRegion({
    name: "r",
    runtime,
    trace: record.trace,
    ...options,
  }).configure({
    backend,
    ...expirationTime !== undefined && { expirationTime },
  });
  return { region, runtime, backend, ...record };
}

Deno.test("cache 1, 2, 3: NO_VALUE is unique with a stable text; stored null, undefined, 0, empty and false are hits; a region keeps its name", async () => {
  equal(String(NO_VALUE), "Symbol(aludel.NO_VALUE)");
  const { region } = setUp();
  equal(region.name, "r");
  for (const value of [null, undefined, 0, "", false]) {
    await region.set("k", value);
    equal(await region.get("k"), value);
    equal(await region.getOrCreate<unknown>("k", () => "created"), value);
  }
});

Deno.test("cache 4: a mangler is applied to every operation, and the backend sees mangled keys only", async () => {
  const { region, backend } = setUp({ keyMangler: (key) => `m:${key}` });
  await region.set("a", 1);
  await region.getOrCreate("b", () => 2);
  equal((await backend.get(["m:a"]))[0]?.payload, 1);
  equal((await backend.get(["m:b"]))[0]?.payload, 2);
  deepEqual(await backend.get(["a", "b"]), [undefined, undefined]);
  equal(await region.get("b"), 2);
  await region.delete("a");
  deepEqual(await backend.get(["m:a"]), [undefined]);
});

Deno.test("cache 5, 6: the backend's mangler is used without one of the region's, and again after a replacement", async () => {
  const mangling = (prefix: string) => {
    const backend = memory();
    return Object.assign(
      wrapBackend(backend, [
        class extends ProxyBackend {
          override get keyMangler() {
            return (key: string) => prefix + key;
          }
        },
      ]),
      { inner: backend },
    );
  };
  const [x, y] = [mangling("x"), mangling("y")];
  const region = createRegion().configure({ backend: x });
  await region.set("k", 1);
  equal((await x.inner.get(["xk"]))[0]?.payload, 1);
  region.configure({ backend: y, replace: true });
  await region.set("k", 2);
  equal((await y.inner.get(["yk"]))[0]?.payload, 2);

  const own = createRegion({ keyMangler: (key) => `own${key}` })
    .configure({ backend: x });
  own.configure({ backend: y, replace: true });
  await own.set("k", 3);
  equal((await y.inner.get(["ownk"]))[0]?.payload, 3);

  const off = createRegion({ keyMangler: false }).configure({ backend: x });
  await off.set("k", 4);
  equal((await x.inner.get(["k"]))[0]?.payload, 4);
});

Deno.test("cache 7: the SHA-1 mangler takes text and bytes, and gives the known digest", async () => {
  const digest = "53def077a4264bd3183d4eb21b1f56f883e1b572";
  equal(await sha1MangleKey("some_key"), digest);
  equal(await sha1MangleKey(new TextEncoder().encode("some_key")), digest);
  const short = lengthConditionalMangler(9, sha1MangleKey);
  equal(await short("some_key"), "some_key");
  equal((await short("some_key1")).length, 40);
});

Deno.test("cache 8, 9, 12, 13: default keys are namespace and arguments, nothing collides, and toStr is asked for each", () => {
  const key = functionKeyGenerator("fn|ns");
  equal(key("a", "b"), "fn|ns|a b");
  equal(key(null, undefined), "fn|ns|null undefined");
  equal(key("zażółć"), "fn|ns|zażółć");
  equal(functionKeyGenerator("f", (arg) => `<${arg}>`)(1, 2), "f|<1> <2>");
  const different = [1, "1", 1n, "1n", true, "true", null, "null", undefined]
    .concat(["undefined", "", "a b", '"a b"', "NaN", NaN, -1, "-1"] as never[]);
  equal(new Set(different.map(keyText)).size, different.length);
  const pairs = [["a b", "c"], ["a", "b c"], ["a", "b", "c"], ['a" "b', "c"]];
  equal(new Set(pairs.map((args) => key(...args))).size, pairs.length);
});

Deno.test("cache 10: objects are refused loudly, and the keyword generator gives one key for every form", () => {
  throws(() => functionKeyGenerator("f")({ a: 1 }), CacheInputError);
  const key = kwargFunctionKeyGenerator(["b", "a"], { a: 9 })("f");
  equal(key(1, 2), "f|2 1");
  equal(key({ b: 1, a: 2 }), key(1, 2));
  equal(key(1, { a: 2 }), key(1, 2));
  equal(key(1), key(1, { a: 9 }));
  throws(() => key(1, { b: 2 }), CacheInputError);
  throws(() => key(1, { c: 2 }), CacheInputError);
});

Deno.test("cache 11: the multi generator gives one key for each argument", () => {
  deepEqual(functionMultiKeyGenerator("f")(1, "x"), ["f|1", "f|x"]);
});

Deno.test("cache 14: the receiver takes no part in the key, and one cached method may call another of its name", async () => {
  const { region } = setUp();
  class Inner {
    value = region.cacheOnArguments((x: number) => x * 10, {
      namespace: "Inner.value",
    });
  }
  class Outer {
    base = 1;
    value = region.cacheOnArguments(
      async function (this: Outer, x: number): Promise<number> {
        return this.base + await new Inner().value(x);
      },
      { namespace: "Outer.value" },
    );
  }
  const one = new Outer();
  equal(await one.value(2), 21);
  const other = new Outer();
  other.base = 5;
  equal(await other.value(2), 21);
});

Deno.test("cache 15, 16, 22: an unconfigured region says so, a second configuration too, and configure chains", async () => {
  const region = createRegion({ name: "late" });
  equal(region.isConfigured, false);
  await rejects(region.get("k"), {
    code: "cache/not-configured",
    message: /"late"/,
  });
  throws(() => region.backend, CacheConfigurationError);
  equal(region.configure({ backend: memory() }), region);
  equal(region.isConfigured, true);
  throws(() => region.configure({ backend: memory() }), {
    code: "cache/already-configured",
    message: /"memory"/,
  });
  region.configure({ backend: nullBackend(), replace: true });
  equal(region.backend.name, "null");
  const binding = new LaggyKv();
  region.configure({ backend: kv(binding), expirationTime: 5, replace: true });
  region.configure({ backend: kv(binding), expirationTime: 5 });
  throws(
    () => region.configure({ backend: kv(binding), expirationTime: 6 }),
    CacheConfigurationError,
  );
});

Deno.test("cache 17, 20, 21: flat settings are coerced, an unknown backend leaves the region as it was, and nothing given is changed", () => {
  const region = createRegion();
  throws(
    () =>
      configureFromConfig(region, { "c.backend": "none-such" }, "c.", {
        memory,
      }),
    { code: "cache/unknown-backend" },
  );
  equal(region.isConfigured, false);
  const settings = Object.freeze({
    "c.backend": "m",
    "c.expirationTime": "3.5e2",
    "c.arguments.i": "5",
    "c.arguments.f": "-1.5",
    "c.arguments.no": "false",
    "c.arguments.none": "None",
    "c.arguments.text": "5 apples",
    "other.arguments.x": "1",
  });
  let given: unknown;
  configureFromConfig(region, settings, "c.", {
    m: (args) => {
      given = args;
      return memory();
    },
  });
  deepEqual(given, {
    i: 5,
    f: -1.5,
    no: false,
    none: undefined,
    text: "5 apples",
  });
});

Deno.test("cache 18, 19: what is no time is refused, and a duration keeps its fractions", () => {
  for (const wrong of ["300", NaN, -2, {}, null]) {
    throws(
      () => createRegion({ expirationTime: wrong as number }),
      CacheConfigurationError,
    );
  }
  equal(seconds({ hours: 32 }), 115_200);
  equal(seconds({ milliseconds: 250 }), 0.25);
  throws(() => seconds({}), CacheConfigurationError);
});

Deno.test("cache 23, 24, 25: set and get, deletion twice, and many with holes", async () => {
  const { region } = setUp({}, 10);
  await region.set("a", { x: 1 });
  deepEqual(await region.get("a"), { x: 1 });
  equal(await region.get("none", { expirationTime: 5 }), NO_VALUE);
  await region.invalidate();
  equal(await region.get("none"), NO_VALUE);
  await region.setMulti({ a: 1, b: 2, c: 3 });
  equal(await region.get("b"), 2);
  deepEqual(await region.getMulti(["c", "none", "a"]), [3, NO_VALUE, 1]);
  await region.delete("a");
  await region.delete("a");
  equal(await region.get("a"), NO_VALUE);
});

Deno.test("cache 26, 27, 28: nothing asked is nothing sent, unknown keys are ignored, and one set_multi has one time", async () => {
  const { region, counter } = setUp();
  deepEqual(await region.getMulti([]), []);
  await region.setMulti({});
  await region.deleteMulti([]);
  deepEqual(await region.getOrCreateMulti([], () => []), []);
  equal(counter.counts.read + counter.counts.write, 0);
  await region.setMulti({ a: 1, b: 2 });
  await region.deleteMulti(["none", "also none"]);
  const [a, b] = [
    await getValueMetadata(region, "a"),
    await getValueMetadata(region, "b"),
  ];
  equal(a!.meta.ct, b!.meta.ct);
});

Deno.test("cache 29, 30, 33, 35: an expired value is nothing to a reader, whole to another, and stays where it is", async () => {
  const { region, runtime, backend } = setUp({}, 10);
  await region.set("k", "v");
  runtime.time += 10_000;
  equal(await region.get("k"), "v");
  runtime.time += 1;
  equal(await region.get("k"), NO_VALUE);
  equal(await region.get("k", { ignoreExpiration: true }), "v");
  equal(await region.get("k", { expirationTime: 20 }), "v");
  equal(await region.get("k"), NO_VALUE);
  equal((await backend.get(["k"]))[0]?.payload, "v");
});

Deno.test("cache 31, 32: a call's expiration decides for it, and never is never for get and getOrCreate alike", async () => {
  const { region, runtime } = setUp({}, 10);
  await region.set("k", "old");
  runtime.time += 5000;
  equal(
    await region.getOrCreate("k", () => "new", { expirationTime: 4 }),
    "new",
  );
  runtime.time += 1_000_000;
  for (const expirationTime of [-1, Infinity]) {
    equal(await region.get("k", { expirationTime }), "new");
    equal(
      await region.getOrCreate("k", () => "no", { expirationTime }),
      "new",
    );
  }
});

Deno.test("cache 34, 72: the function's expiration beats the region's, is asked at every call, and counts for .get", async () => {
  const { region, runtime } = setUp({}, 1000);
  let time = 5;
  let calls = 0;
  const fn = region.cacheOnArguments((x: number) => x + calls++, {
    namespace: "f",
    expirationTime: () => time,
  });
  equal(await fn(0), 0);
  runtime.time += 4000;
  equal(await fn(0), 0);
  equal(await fn.get(0), 0);
  runtime.time += 2000;
  equal(await fn.get(0), NO_VALUE);
  equal(calls, 1);
  equal(await fn(0), 1);
  time = 0;
  runtime.time += 1;
  equal(await fn(0), 2);
  time = 100;
  equal(await fn(0), 2);
});

Deno.test("cache 36, 37: the time is taken after the creator, which is called once", async () => {
  const { region, runtime } = setUp({}, 10);
  let calls = 0;
  const create = () => {
    calls++;
    runtime.time += 3000;
    return "v";
  };
  await region.getOrCreate("k", create);
  await region.getOrCreate("k", create);
  equal(calls, 1);
  const { meta, age } = (await getValueMetadata(region, "k"))!;
  equal(age, 0);
  equal(Math.round(meta.c!), 3);
});

Deno.test("cache 49: arguments reach the creator through its closure, and it is called as it is", async () => {
  const { region } = setUp();
  const args = [1, 2];
  equal(await region.getOrCreate("k", () => args.join("+")), "1+2");
});

Deno.test("cache 58: a refused value is answered, and the stored one stays", async () => {
  const { region, runtime } = setUp({}, 1);
  await region.set("k", "old");
  runtime.time += 2000;
  const shouldCache = (value: string) => value !== "bad";
  equal(await region.getOrCreate("k", () => "bad", { shouldCache }), "bad");
  equal(await region.get("k", { ignoreExpiration: true }), "old");
});

Deno.test("cache 59: refusal is by value among many, and if all are refused nothing is written", async () => {
  const { region, counter } = setUp();
  const shouldCache = (value: number) => value > 1;
  deepEqual(
    await region.getOrCreateMulti(["a", "b"], () => [1, 2], { shouldCache }),
    [1, 2],
  );
  deepEqual(await region.getMulti(["a", "b"]), [NO_VALUE, 2]);
  const before = counter.counts.write;
  await region.getOrCreateMulti(["c", "d"], () => [0, 1], { shouldCache });
  equal(counter.counts.write, before);
});

Deno.test("cache 60, 61, 62: the creator gets what is missing, sorted, once, unmangled; answers keep the caller's order", async () => {
  const { region } = setUp({ keyMangler: (key) => `m:${key}` });
  await region.set("b", "B");
  const asked: (readonly string[])[] = [];
  const create = (keys: readonly string[]) => {
    asked.push(keys);
    return keys.map((key) => key.toUpperCase());
  };
  deepEqual(
    await region.getOrCreateMulti(["c", "a", "c", "b"], create),
    ["C", "A", "C", "B"],
  );
  deepEqual(asked, [["a", "c"]]);
});

Deno.test("cache 63: many of none calls no creator", async () => {
  const { region } = setUp();
  const none = cacheMultiOnArguments(region, (): number[] => {
    throw new Error("called");
  }, { namespace: "f" });
  deepEqual(await none(), []);
});

Deno.test("cache 66, 67: a creator that gives too few is told so, and the locks are free again", async () => {
  const { region } = setUp();
  await rejects(region.getOrCreateMulti(["a", "b"], () => [1]), {
    code: "cache/creator-result",
    message: /a, b/,
  });
  equal(await keyIsLocked(region, "a"), false);
  deepEqual(await region.getMulti(["a", "b"]), [NO_VALUE, NO_VALUE]);
  await rejects(
    region.getOrCreateMulti(["a"], () => Promise.reject(new Error("boom"))),
    { message: "boom" },
  );
  deepEqual(await region.getOrCreateMulti(["a", "b"], (keys) => keys), [
    "a",
    "b",
  ]);
});

Deno.test("cache 69, 70, 71, 73, 74, 75: a cached function and its verbs", async () => {
  const { region } = setUp();
  let calls = 0;
  function add(a: number, b: number): number {
    calls++;
    return a + b + calls * 100;
  }
  const cached = region.cacheOnArguments(add, { namespace: "add" });
  equal(await cached(1, 2), 103);
  equal(await cached(1, 2), 103);
  equal(await cached(2, 2), 204);
  await cached.invalidate(1, 2);
  equal(await cached(1, 2), 303);
  await cached.set(0, 1, 2);
  equal(await cached(1, 2), 0);
  equal(await cached.refresh(1, 2), 403);
  equal(await cached.refresh(1, 2), 503);
  equal(await cached.get(1, 2), 503);
  equal(cached.original, add);
  equal((cached as unknown as { name: string }).name, "add");
  equal((cached as unknown as { length: number }).length, 2);
});

Deno.test("cache 76: a function's own key generator beats the region's", async () => {
  const generator =
    (mark: string) => (namespace: string) => (...args: readonly unknown[]) =>
      `${mark}${namespace}${args}`;
  const { region, backend } = setUp({ functionKeyGenerator: generator("R") });
  await region.cacheOnArguments((x: number) => x, { namespace: "f" })(1);
  await region.cacheOnArguments((x: number) => x, {
    namespace: "f",
    functionKeyGenerator: generator("D"),
  })(1);
  deepEqual(
    (await backend.get(["Rf1", "Df1"])).map((entry) => entry?.payload),
    [1, 1],
  );
  const chosen = region.cacheOnArguments(
    (session: object, id: number) => [typeof session, id],
    { namespace: "g", key: (_, id) => [id] },
  );
  deepEqual(await chosen({}, 5), ["object", 5]);
});

Deno.test("cache 77: a cached function of many keys and its verbs", async () => {
  const { region } = setUp();
  let n = 0;
  const fn = cacheMultiOnArguments(region, (...ids: number[]) => {
    n++;
    return ids.map((id) => id * 10 + n);
  }, { namespace: "m" });
  deepEqual(await fn(1, 2), [11, 21]);
  deepEqual(await fn.get(2, 3), [21, NO_VALUE]);
  await fn.set(new Map([[3, 0]]));
  deepEqual(await fn(3), [0]);
  await fn.invalidate(1);
  deepEqual(await fn.get(1), [NO_VALUE]);
  deepEqual(await fn.refresh(1, 2), [12, 22]);
  deepEqual(await fn.get(1, 2), [12, 22]);
});

Deno.test("cache 78, 79: a function that gives a map may leave keys out, which are neither cached nor returned", async () => {
  const { region } = setUp();
  const asked: number[][] = [];
  const fn = cacheMapOnArguments(region, (...ids: number[]) => {
    asked.push(ids);
    return new Map(ids.filter((id) => id < 3).map((id) => [id, id * 10]));
  }, { namespace: "m", shouldCache: (value) => value !== 20 });
  deepEqual(await fn(1, 2, 3), new Map([[1, 10], [2, 20]]));
  deepEqual(await fn(1, 2, 3), new Map([[1, 10], [2, 20]]));
  deepEqual(asked, [[1, 2, 3], [2, 3]]);
  deepEqual(await fn.refresh(1, 3), new Map([[1, 10]]));
  deepEqual(await fn.get(1, 3), [10, NO_VALUE]);
});

Deno.test("cache 68, 80: hard invalidation is absence: each value is created once more, also of many", async () => {
  const { region } = setUp({}, 100);
  let calls = 0;
  const create = () => ++calls;
  for (const expected of [1, 2, 3]) {
    equal(await region.getOrCreate("k", create), expected);
    equal(await region.getOrCreate("k", create), expected);
    await region.invalidate();
    equal(await region.get("k"), NO_VALUE);
  }
  let batches = 0;
  const many = (keys: readonly string[]) =>
    keys.map(() => ++batches && keys.length);
  await region.getOrCreateMulti(["a", "b"], many);
  await region.invalidate();
  deepEqual(await region.getOrCreateMulti(["a", "b"], many), [2, 2]);
  deepEqual(await region.getOrCreateMulti(["a", "b"], many), [2, 2]);
  equal(batches, 4);
});

Deno.test("cache 82: soft invalidation without an expiration throws before any creator runs", async () => {
  const { region } = setUp();
  await region.set("present", 1);
  await region.invalidate({ hard: false });
  let calls = 0;
  for (const key of ["present", "missing"]) {
    await rejects(region.getOrCreate(key, () => ++calls), {
      code: "cache/soft-without-expiration",
    });
    await rejects(region.getOrCreateMulti([key], () => [++calls]), {
      code: "cache/soft-without-expiration",
    });
  }
  equal(calls, 0);
});

Deno.test("a value that a call says never expires can be invalidated softly: it is created anew", async () => {
  const { region } = setUp();
  await region.set("k", "old");
  await region.invalidate({ hard: false });
  for (const expirationTime of [Infinity, -1]) {
    equal(
      await region.getOrCreate("k", () => "new", { expirationTime }),
      "new",
    );
  }
});

Deno.test("cache 83: a strategy of one's own decides, and a pass-through proxy changes nothing", async () => {
  const own = localInvalidation();
  let asked = 0;
  const { region } = setUp({
    invalidation: {
      ...own,
      bound: (hard, tags, key) => {
        asked++;
        return key === "kept" ? 0 : own.bound(hard, tags, key);
      },
    },
  }, 10);
  await region.setMulti({ kept: 1, gone: 2 });
  await region.invalidate();
  deepEqual(await region.getMulti(["kept", "gone"]), [1, NO_VALUE]);
  equal(asked > 0, true);
  const proxied = createRegion().configure({
    backend: wrapBackend(memory(), [ProxyBackend]),
  });
  await proxied.getOrCreateMulti(["a"], () => [1]);
  equal(await proxied.getOrCreate("a", () => 2), 1);
});

Deno.test("cache 84: on a clock that stands still, before an invalidation is invalid and after it is valid", async () => {
  const { region } = setUp({}, 10);
  await region.set("before", 1);
  await region.invalidate();
  await region.set("after", 2);
  deepEqual(await region.getMulti(["before", "after"]), [NO_VALUE, 2]);
  // What began before counts as before, whenever it ended.
  await region.getOrCreate("began", async () => {
    await region.invalidate();
    return 3;
  });
  equal(await region.get("began"), NO_VALUE);
});

Deno.test("cache 85: a soft invalidation after a hard one revives nothing", async () => {
  const { region } = setUp({}, 10);
  await region.set("k", "old");
  await region.invalidate({ hard: true });
  await region.invalidate({ hard: false });
  equal(await region.getOrCreate("k", () => "new"), "new");
});

Deno.test("invalidating a tag ends what has it and nothing else", async () => {
  const { region } = setUp({}, 10);
  await region.getOrCreate("a", () => 1, { tags: ["user:1"] });
  await region.set("b", 2, { tags: ["user:2"] });
  await region.invalidateTags(["user:1"]);
  deepEqual(await region.getMulti(["a", "b"]), [NO_VALUE, 2]);
  equal(await region.getOrCreate("a", () => 9, { tags: ["user:1"] }), 9);
});

Deno.test("cache 86: metadata gives value, time and age, nothing when expired, and honours ignoring", async () => {
  const { region, runtime } = setUp({}, 10);
  await region.set("k", "v");
  const { ct } = (await getValueMetadata(region, "k"))!.meta;
  equal(Math.round(ct), Math.round(runtime.time / 1000));
  runtime.time += 4000;
  const found = (await getValueMetadata(region, "k"))!;
  equal(found.value, "v");
  equal(Math.round(found.age), 4);
  equal(await getValueMetadata(region, "none"), null);
  runtime.time += 7000;
  equal(await getValueMetadata(region, "k"), null);
  equal(
    (await getValueMetadata(region, "k", { ignoreExpiration: true }))!.value,
    "v",
  );
});

Deno.test("cache 87: stored text is metadata, a pipe and what the codec gave; the codec sees the value alone", async () => {
  const meta = { ct: 1, v: 1, g: ["a|b"] };
  equal(
    packEntry({ meta, payload: '{"x":"|"}' }),
    '{"ct":1,"v":1,"g":["a\\u007cb"]}|{"x":"|"}',
  );
  const seen: unknown[] = [];
  const { region } = setUp({
    codec: {
      encode: (value) => (seen.push(value), "E"),
      decode: (text) => (seen.push(text), "D"),
    },
  });
  await region.set("k", 5);
  equal(await region.get("k"), "D");
  deepEqual(seen, [5, "E"]);
});

Deno.test("cache 88: what cannot be decoded is a miss, and is written anew; another error reaches the caller", async () => {
  const { region, backend } = setUp({ codec: jsonCodec });
  await region.set("k", 1);
  const [{ meta }] = await backend.get(["k"]) as [StoredEntry];
  await backend.set([["k", { meta, payload: "{corrupt" }]]);
  equal(await region.get("k"), NO_VALUE);
  equal(await region.getOrCreate("k", () => 2), 2);
  equal(await region.get("k"), 2);
  const broken = createRegion({
    codec: {
      encode: () => "",
      decode() {
        throw new RangeError("own");
      },
    },
  }).configure({ backend: memory() });
  await broken.set("k", 1);
  await rejects(broken.get("k"), RangeError);
  equal(new CannotDecodeError("x", "y").code, "cache/x");
});

Deno.test("cache 89, 91: the region's codec beats the backend's, a serialising memory gives copies, and a plain one the value itself", async () => {
  const own = countingCodec();
  const backends = countingCodec();
  const value = { x: 1 };
  const both = createRegion({ codec: own })
    .configure({ backend: memory({ codec: backends }) });
  await both.set("k", value);
  deepEqual(await both.get("k"), value);
  deepEqual([own.encodes, own.decodes, backends.encodes], [1, 1, 0]);
  const copies = createRegion()
    .configure({ backend: memory({ codec: backends }) });
  await copies.set("k", value);
  equal(await copies.get("k") === value, false);
  equal(backends.decodes, 1);
  const plain = createRegion().configure({ backend: memory() });
  await plain.set("k", value);
  equal(await plain.get("k"), value);
});

Deno.test("cache 90: another version is a miss for getOrCreate and for get", async () => {
  const backend = memory();
  const { trace, events } = recorder();
  const one = createRegion({ version: 1 }).configure({ backend });
  const two = createRegion({ version: "2", trace }).configure({ backend });
  await one.set("k", "shape 1");
  equal(await two.get("k"), NO_VALUE);
  equal(await two.getOrCreate("k", () => "shape 2"), "shape 2");
  equal(events.some((event) => event.reason === "version"), true);
});

Deno.test("a call's options change how its values are treated, and nothing that the region is made of", async () => {
  const { region } = setUp({ version: 1 }, 10);
  const odd: object = {
    version: 2,
    codec: countingCodec(),
    backend: nullBackend(),
    keyMangler: (key: string) => `m:${key}`,
    storageTime: undefined,
  };
  await region.set("k", "v", odd);
  equal(await region.get("k", odd), "v");
  equal(await region.get("k"), "v");
  equal(await region.getOrCreate("k", () => "no", odd), "v");
  equal(await region.get("k", { expirationTime: () => 20 }), "v");
  await rejects(region.get("k", { expirationTime: NaN }), {
    code: "cache/invalid-time",
  });
});

Deno.test("cache 92, 93, 94, 95, 96: proxies see what passes, keep their own state, stand in order, and can be looked behind", async () => {
  const seen: string[] = [];
  class Named extends ProxyBackend {
    reads = 0;
    writes: unknown[] = [];
    constructor(readonly mark: string) {
      super();
    }
    override get(keys: readonly string[]) {
      this.reads++;
      seen.push(this.mark);
      return this.proxied.get(keys);
    }
    override set(...args: Parameters<ProxyBackend["set"]>) {
      this.writes.push(args[0]);
      return this.proxied.set(...args);
    }
  }
  const [outer, inner] = [new Named("outer"), new Named("inner")];
  const backend = memory();
  const region = createRegion()
    .configure({ backend: wrapBackend(backend, [outer, inner]) });
  await region.set("k", "v");
  equal(await region.get("k"), "v");
  deepEqual(seen, ["outer", "inner"]);
  deepEqual([outer.reads, inner.reads, outer.writes.length], [1, 1, 1]);
  const [[key, entry]] = outer.writes[0] as [[string, StoredEntry]];
  deepEqual([key, entry.payload, entry.meta.v], ["k", "v", 1]);
  await region.delete("k");
  equal(await region.get("k"), NO_VALUE);
  const other = new Named("other");
  other.wrap(memory());
  equal(other.reads, 0);
  equal(actualBackend(region.backend), backend);
  const next = memory();
  region.configure({ backend: next, replace: true });
  equal(actualBackend(region.backend), next);
});

Deno.test("cache 97: the null backend never hits, and every call creates", async () => {
  const region = createRegion().configure({ backend: nullBackend() });
  let calls = 0;
  const fn = region.cacheOnArguments(() => ++calls, { namespace: "f" });
  deepEqual([await fn(), await fn()], [1, 2]);
  equal(await keyIsLocked(region, "f|"), false);
});

Deno.test("cache 99: the storage time reaches the backend on one write and on many, whatever the expiration", async () => {
  const ttls: unknown[] = [];
  class Watch extends ProxyBackend {
    override set(...args: Parameters<ProxyBackend["set"]>) {
      ttls.push(args[1]?.ttl);
      return this.proxied.set(...args);
    }
  }
  const region = createRegion({ storageTime: 120, expirationTime: 5 })
    .configure({ backend: wrapBackend(memory(), [Watch]) });
  await region.set("a", 1);
  await region.setMulti({ b: 1, c: 2 });
  await region.getOrCreate("d", () => 1);
  await region.set("e", 1, { storageTime: 7 });
  deepEqual(ttls, [120, 120, 120, 7]);
});

Deno.test("cache 100: the prefix of a lock is validated", () => {
  for (const prefix of ["x", "a b", "elevenchars", "é_"]) {
    throws(() => upstashLock({} as never, { prefix }), CacheConfigurationError);
  }
  equal(upstashLock({} as never, { prefix: "lock:" }).name, "upstash");
});

Deno.test("cache 107: events name the reason, the duration and the keys, and long lists are cut near 300 characters", async () => {
  const { region, runtime, events } = setUp({}, 10);
  await region.getOrCreate("k", () => void (runtime.time += 1500));
  await region.invalidate();
  await region.get("k");
  await region.getOrCreate("k", () => 1);
  const lines = events.map(formatEvent);
  equal(lines.includes('aludel.cache.r miss "k" absent'), true);
  equal(lines.includes('aludel.cache.r miss "k" invalidated'), true);
  equal(lines.includes('aludel.cache.r create "k" 1.500 s'), true);
  equal(lines.includes('aludel.cache.r invalidate "" hard'), true);
  const keys = Array.from({ length: 200 }, (_, i) => `key number ${i}`);
  const long = formatEvent({ type: "miss", region: "r", keys });
  equal(long.length < 350, true);
  match(long, /… \(200 keys\)$/);
});

Deno.test("bad input: an unserialisable value, a long key, a large value and long tags are typed errors, and nothing is stored", async () => {
  const region = createRegion().configure({ backend: kv(new LaggyKv()) });
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  for (const value of [circular, 1n, () => {}]) {
    await rejects(region.set("k", value), CacheInputError);
    await rejects(region.getOrCreate("k", () => value), CacheInputError);
  }
  await rejects(region.get("k".repeat(600)), CacheInputError);
  await rejects(region.set("k", "x".repeat(26214401)), CacheInputError);
  await rejects(
    region.set("k", 1, { tags: ["t".repeat(1100)] }),
    CacheInputError,
  );
  equal(await region.get("k"), NO_VALUE);
});

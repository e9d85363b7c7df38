import { cacheApi } from "../../backends/cache_api.ts";
import { denoKv } from "../../backends/deno_kv.ts";
import { memory } from "../../backends/memory.ts";
import { nullBackend } from "../../backends/null.ts";
import { jsonCodec, tiered } from "../../cache/mod.ts";
import { testCacheBackend } from "../conformance/mod.ts";
import { localCoordinator } from "./coordinator.ts";
import { LaggyKv } from "./laggy_kv.ts";
import { redisStore } from "./redis.ts";
import { durableObject } from "../../backends/durable_object.ts";
import { kv } from "../../backends/kv.ts";

const store = await Deno.openKv(":memory:");
const redis = await redisStore();
Deno.test.afterAll(() => store.close());

testCacheBackend("memory", () => memory());
testCacheBackend("memory with a codec", () => memory({ codec: jsonCodec }));
testCacheBackend("null", () => nullBackend(), { empty: true });
testCacheBackend("tiered", () => tiered(memory(), memory()));
testCacheBackend("cache-api", () => cacheApi());
testCacheBackend("deno-kv", () => denoKv(store));
testCacheBackend(
  "kv",
  () => kv(new LaggyKv({ lag: 0, writesPerSecond: Infinity })),
);
testCacheBackend("durable-object", () => durableObject(localCoordinator()));
testCacheBackend(
  redis.missing ? `upstash (skipped: ${redis.missing})` : "upstash",
  () => redis.open(),
  {
    test: (name, fn) => Deno.test({ name, ignore: !!redis.missing, fn }),
  },
);

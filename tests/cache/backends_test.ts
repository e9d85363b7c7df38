import { Redis } from "@upstash/redis";
import { cacheApi } from "../../backends/cache_api.ts";
import { denoKv } from "../../backends/deno_kv.ts";
import { memory } from "../../backends/memory.ts";
import { nullBackend } from "../../backends/null.ts";
import { type RedisLike, upstash } from "../../backends/upstash.ts";
import { jsonCodec, tiered } from "../../cache/mod.ts";
import { testCacheBackend } from "../conformance/mod.ts";
import {
  redisAvailable,
  startRedis,
  startUpstashServer,
} from "../services/mod.ts";
import { localCoordinator } from "./coordinator.ts";
import { LaggyKv } from "./laggy_kv.ts";
import { durableObject } from "../../backends/durable_object.ts";
import { kv } from "../../backends/kv.ts";

const store = await Deno.openKv(":memory:");
const available = await redisAvailable();
const redis = available.ok ? await startRedis() : undefined;
const server = redis ? await startUpstashServer(redis) : undefined;
Deno.test.afterAll(async () => {
  store.close();
  await server?.dispose();
  await redis?.dispose();
});

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
  available.ok ? "upstash" : `upstash (skipped: ${available.reason})`,
  () => {
    const { url, token } = server!;
    const client = new Redis({ url, token, enableTelemetry: false });
    return upstash(client as unknown as RedisLike);
  },
  {
    test: (name, fn) => Deno.test({ name, ignore: !available.ok, fn }),
  },
);

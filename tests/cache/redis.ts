import { Redis } from "@upstash/redis";
import {
  type RedisLike,
  type RedisLockOptions,
  upstash,
} from "../../backends/upstash.ts";
import type { CacheBackend } from "../../cache/mod.ts";
import {
  redisAvailable,
  startRedis,
  startUpstashServer,
} from "../services/mod.ts";

/** A real Redis behind Upstash's protocol, for one test file. */
export interface RedisStore {
  /** Why there is none, if there is none. */
  readonly missing: string | undefined;
  /** The backend, on the unmodified client. */
  open(options?: RedisLockOptions): CacheBackend;
}

/** Starts it, and ends it after the file's tests. */
export async function redisStore(): Promise<RedisStore> {
  const available = await redisAvailable();
  if (!available.ok) {
    return {
      missing: available.reason,
      open: () => {
        throw new Error(available.reason);
      },
    };
  }
  const redis = await startRedis();
  const server = await startUpstashServer(redis);
  Deno.test.afterAll(async () => {
    await server.dispose();
    await redis.dispose();
  });
  const { url, token } = server;
  return {
    missing: undefined,
    open(options) {
      const client = new Redis({ url, token, enableTelemetry: false });
      // Its overloads take more than the backend ever gives.
      return upstash(client as unknown as RedisLike, options);
    },
  };
}

/**
 * Redis over HTTP, through an `@upstash/redis` client that the user made.
 *
 * What it cannot do:
 *
 * - wake those who wait for a lock: they ask again, a command each time, so pair
 *   it with `durableObjectLock` where there is one
 * - keep a waiter from reading an old value on a replica, for a moment
 * - be free of charge: every command is billed, also in a pipeline
 *
 * @module
 */
import {
  bindingOf,
  type CacheBackend,
  CacheBackendError,
  CacheConfigurationError,
  type Lock,
  packEntry,
  pause,
  platformRuntime,
  type Runtime,
  unpackEntry,
} from "../cache/mod.ts";

/** Commands sent in one request. */
export interface RedisPipelineLike {
  /** Adds a `SET`. */
  set(key: string, value: string, options?: { px: number }): unknown;
  /** Sends them. */
  exec(): Promise<unknown[]>;
}

/** The part of an `@upstash/redis` client that is used here. */
export interface RedisLike {
  /** `GET`. */
  get(key: string): Promise<unknown>;
  /** `MGET`. */
  mget(...keys: string[]): Promise<unknown[]>;
  /** `SET NX PX`. */
  set(
    key: string,
    value: string,
    options: { nx: true; px: number },
  ): Promise<unknown>;
  /** `DEL`. */
  del(...keys: string[]): Promise<number>;
  /** `EVAL`. */
  eval(script: string, keys: string[], args: string[]): Promise<unknown>;
  /** Starts a pipeline. */
  pipeline(): RedisPipelineLike;
}

/** How a Redis lock behaves. */
export interface RedisLockOptions {
  /**
   * Stands before the key of a lock: 2 to 10 letters, digits or `_.:-`.
   * @default {"_lock"}
   */
  readonly prefix?: string;
  /** Seconds before a waiter asks again, at first; up to ten times that. @default {0.1} */
  readonly sleep?: number;
  /** At least 0, below 1: spreads the asking. @default {Math.random} */
  readonly random?: () => number;
  /** The platform. @default {platformRuntime()} */
  readonly runtime?: Runtime;
}

const RELEASE =
  'if redis.call("get",KEYS[1])==ARGV[1] then return redis.call("del",KEYS[1]) end return 0';

/** Entries in Redis, each as one text; it brings its lock along. */
export function upstash(
  redis: RedisLike,
  options: RedisLockOptions = {},
): CacheBackend {
  return {
    name: "upstash",
    client: bindingOf("upstash", redis),
    capabilities: { scope: "global" },
    lock: upstashLock(redis, options),
    async get(keys) {
      const found = await asked(redis.mget(...keys));
      return found.map((packed) =>
        typeof packed === "string" && packed.includes("|")
          ? unpackEntry(packed)
          : undefined
      );
    },
    async set(entries, { ttl = Infinity } = {}) {
      const pipeline = redis.pipeline();
      for (const [key, entry] of entries) {
        const px = Math.max(1, Math.ceil(ttl * 1000));
        if (ttl < Infinity) pipeline.set(key, packEntry(entry), { px });
        else pipeline.set(key, packEntry(entry));
      }
      await asked(pipeline.exec());
    },
    async delete(keys) {
      await asked(redis.del(...keys));
    },
  };
}

/**
 * A lock in Redis: `SET NX PX` with a token that only its owner can delete. It
 * holds no values, so those who waited read the store again.
 *
 * @throws {CacheConfigurationError} If the prefix is not one.
 */
export function upstashLock(
  redis: RedisLike,
  {
    prefix = "_lock",
    sleep = 0.1,
    random = Math.random,
    runtime = platformRuntime(),
  }: RedisLockOptions = {},
): Lock {
  if (!/^[\w.:-]{2,10}$/.test(prefix)) {
    throw new CacheConfigurationError(
      "invalid-prefix",
      `Cannot use "${prefix}" before lock keys: give 2 to 10 letters, digits or _.:-`,
    );
  }
  return {
    name: "upstash",
    client: bindingOf("upstash", redis),
    isLocked: async (key) => await asked(redis.get(prefix + key)) !== null,
    async acquire(key, { wait, lease }) {
      const name = prefix + key;
      const token = `t-${crypto.randomUUID()}`;
      const px = Math.ceil(Math.min(lease, 1e9) * 1000);
      const until = runtime.now() + px;
      const granted = await asked(redis.set(name, token, { nx: true, px }));
      // The client may have sent it twice, and have been granted it at first.
      const holder = granted ? token : await asked(redis.get(name));
      if (holder === token) {
        return {
          async commit() {
            // Within the lease nobody else can have been elected.
            return runtime.now() < until ||
              await asked(redis.get(name)) === token;
          },
          async release() {
            await asked(redis.eval(RELEASE, [name], [token]));
          },
        };
      }
      return {
        outcome: (async () => {
          const end = runtime.now() + wait * 1000;
          let seconds = sleep;
          while (holder !== null && runtime.now() < end) {
            const left = (end - runtime.now()) / 1000;
            await pause(
              runtime,
              Math.min(left, seconds * (0.75 + random() / 2)),
            );
            seconds = Math.min(seconds * 1.5, sleep * 10);
            if (await asked(redis.get(name)) !== holder) break;
          }
          return {};
        })().catch(() => ({})),
      };
    },
  };
}

/** The client's errors repeat the whole command, values and all. */
async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw new CacheBackendError(
      "upstash",
      String(error instanceof Error ? error.message : error)
        .split(/,? *command was/i)[0]!,
    );
  }
}

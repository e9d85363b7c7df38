/**
 * A Durable Object as dogpile lock, or as a store of its own. The Worker exports
 * the class that its bindings name:
 *
 * ```ts ignore
 * export { CacheCoordinator } from "@aludel/aludel/backends/durable-object";
 * ```
 *
 * What it cannot do:
 *
 * - answer near every reader: each shard lives in one place, so a lock is asked
 *   only when a value is missing or expired, and a store costs the way there
 * - keep entries over 1.9 MB; larger ones are handed to those who wait, and not
 *   kept after that
 * - serve more than about 1000 requests a second for each shard: give more `shards`
 *
 * @module
 */
import {
  type CacheBackend,
  CacheBackendError,
  CacheCreationError,
  hashKey,
  type Lock,
  packEntry,
  unpackEntry,
} from "../cache/mod.ts";

export {
  CacheCoordinator,
  type CoordinatorState,
  type CoordinatorStorage,
} from "./durable_object_coordinator.ts";

/** The part of a Durable Object namespace that is used here. */
export interface DurableObjectNamespaceLike {
  /** The id of the object of that name. */
  idFromName(name: string): object;
  /** A stub of the object. */
  get(id: object, options?: { locationHint?: string }): DurableObjectStubLike;
}

/** The part of a stub that is used here. */
export interface DurableObjectStubLike {
  /** Sends a request to the object. */
  fetch(
    url: string,
    init: {
      method: string;
      headers: Record<string, string>;
      body?: ReadableStream<Uint8Array> | string;
    },
  ): Promise<Response>;
}

/** Which objects to use. */
export interface DurableObjectOptions {
  /**
   * Over how many objects the keys are spread. All who share a namespace need
   * the same number.
   * @default {16}
   */
  readonly shards?: number;
  /** Where new objects are to live, such as `"weur"`. */
  readonly locationHint?: string;
}

type Send = (
  operation: string,
  body?: ReadableStream<Uint8Array> | string,
  parameters?: unknown,
) => Promise<Response>;

/**
 * A lock in a Durable Object. The leader's one request stays open while it
 * creates: its end, good or bad, is known at once, and the value goes from it to
 * those who wait, whatever the store shows by then.
 */
export function durableObjectLock(
  namespace: DurableObjectNamespaceLike,
  options: DurableObjectOptions = {},
): Lock {
  const at = (key: string) =>
    sender(namespace, "lock", shardOf(key, options), options);
  return {
    name: "durable-object",
    client: namespace,
    async isLocked(key) {
      return await (await at(key)("locked", key)).text() === "1";
    },
    async forget(keys) {
      await sharded(keys, (key) => key, options, async (shard, group) => {
        const send = sender(namespace, "lock", shard, options);
        await send("delete", JSON.stringify(group));
      });
    },
    async acquire(key, request) {
      const { readable, writable } = new TransformStream<Uint8Array>();
      const writer = writable.getWriter();
      const response = await at(key)("acquire", readable, { key, ...request });
      const say = async (text: string) => {
        // Nobody may be there to read it: the answer tells.
        writer.write(new TextEncoder().encode(text)).catch(() => {});
        writer.close().catch(() => {});
        return await response.text();
      };
      if (response.headers.get("state") !== "lead") {
        return {
          leads: false,
          outcome: say("").then(
            (text) => {
              const rest = text.slice(1);
              if (text[0] === "v") return { entry: unpackEntry(rest) };
              return text
                ? { error: new CacheCreationError("elsewhere", rest) }
                : {};
            },
            () => ({}),
          ),
        };
      }
      let over = false;
      return {
        leads: true,
        reread: false,
        async commit(entry, hold) {
          over = true;
          // If the coordinator is gone, nobody else can have been elected by it.
          return await say(`v${hold}|${packEntry(entry)}`)
            .catch(() => "1") === "1";
        },
        async release(error) {
          if (over) return;
          over = true;
          await say(error === undefined ? "n" : `e${error}`).catch(() => {});
        },
      };
    },
  };
}

/**
 * A store in Durable Objects: what was written is read at once, everywhere. It
 * brings its lock along.
 */
export function durableObject(
  namespace: DurableObjectNamespaceLike,
  options: DurableObjectOptions = {},
): CacheBackend {
  const groups = <T>(
    items: readonly T[],
    keyOf: (item: T) => string,
    operation: string,
    bodyOf: (group: readonly T[]) => unknown,
  ) =>
    sharded(items, keyOf, options, async (shard, group) => {
      const send = sender(namespace, "data", shard, options);
      const response = await send(operation, JSON.stringify(bodyOf(group)));
      return [group, await response.json()] as const;
    });
  const getMulti = async (keys: readonly string[]) => {
    const found = new Map<string, string | null>();
    for (
      const [group, packed] of await groups(
        keys,
        (k) => k,
        "get",
        (g) => g,
      )
    ) {
      group.forEach((key, i) => found.set(key, packed[i]));
    }
    return keys.map((key) => {
      const packed = found.get(key);
      return packed ? unpackEntry(packed) : undefined;
    });
  };
  const setMulti: NonNullable<CacheBackend["setMulti"]> = async (
    entries,
    { ttl = Infinity } = {},
  ) => {
    await groups(entries, ([key]) => key, "set", (group) => ({
      ttl: ttl < Infinity ? ttl : null,
      entries: group.map((
        [key, entry],
      ) => [key, entry.meta.ct, packEntry(entry)]),
    }));
  };
  const deleteMulti = async (keys: readonly string[]) => {
    await groups(keys, (key) => key, "delete", (group) => group);
  };
  return {
    name: "durable-object",
    client: namespace,
    capabilities: {
      scope: "global",
      maxKeyBytes: 2000,
      maxValueBytes: 1_900_000,
    },
    lock: durableObjectLock(namespace, options),
    get: async (key) => (await getMulti([key]))[0],
    set: (key, entry, write) => setMulti([[key, entry]], write),
    delete: (key) => deleteMulti([key]),
    getMulti,
    setMulti,
    deleteMulti,
  };
}

function shardOf(key: string, { shards = 16 }: DurableObjectOptions): number {
  return hashKey(key) % shards;
}

/** Runs `work` for the items of each shard. */
function sharded<T, R>(
  items: readonly T[],
  keyOf: (item: T) => string,
  options: DurableObjectOptions,
  work: (shard: number, group: readonly T[]) => Promise<R>,
): Promise<R[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const shard = shardOf(keyOf(item), options);
    groups.set(shard, [...groups.get(shard) ?? [], item]);
  }
  return Promise.all([...groups].map(([shard, group]) => work(shard, group)));
}

function sender(
  namespace: DurableObjectNamespaceLike,
  role: string,
  shard: number,
  { locationHint }: DurableObjectOptions,
): Send {
  return async (operation, body, parameters) => {
    // A stub that has failed stays broken, so each request has its own.
    const stub = namespace.get(
      namespace.idFromName(`${role}/${shard}`),
      locationHint ? { locationHint } : {},
    );
    const response = await stub.fetch(`https://cache/${operation}`, {
      method: "POST",
      headers: {
        parameters: encodeURIComponent(JSON.stringify(parameters ?? null)),
      },
      ...body !== undefined && { body },
    });
    if (response.ok) return response;
    throw new CacheBackendError(
      "durable-object",
      `Cannot ${operation}: the Durable Object answered ${response.status}; see its log`,
    );
  };
}

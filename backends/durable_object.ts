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
  CacheInputError,
  hashKey,
  type Lock,
  type LockRequest,
  type StoredEntry,
} from "../cache/mod.ts";

export {
  CacheCoordinator,
  type CoordinatorState,
  type CoordinatorStorage,
} from "./durable_object_coordinator.ts";

/** The status by which a coordinator tells a follower from a leader. */
const FOLLOW = 202;
/** Longest entry, under the 2 MB of a row. */
const MAX_ENTRY = 1_900_000;

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
      body: ReadableStream<Uint8Array> | string;
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

/**
 * A lock in a Durable Object. The leader's one request stays open while it
 * creates: its end, good or bad, is known at once, and the value goes from it to
 * those who wait, whatever the store shows by then.
 */
export function durableObjectLock(
  namespace: DurableObjectNamespaceLike,
  options: DurableObjectOptions = {},
): Lock {
  const send = sender(namespace, "lock", options);
  return {
    name: "durable-object",
    client: namespace,
    isLocked: async (key) =>
      await (await send("locked", key, key)).text() === "1",
    async forget(keys) {
      await Promise.all(
        [...byShard(keys, options)].map(([first, group]) =>
          send("delete", first, JSON.stringify(group))
        ),
      );
    },
    async acquire(key, request) {
      const { readable, writable } = new TransformStream<Uint8Array>();
      const response = await send("acquire", key, readable, request);
      const say = async (text: string) => {
        const writer = writable.getWriter();
        // Whether anybody has read it, the answer tells.
        writer.write(new TextEncoder().encode(text)).catch(() => {});
        writer.close().catch(() => {});
        return await response.text();
      };
      if (response.status === FOLLOW) {
        return {
          leads: false,
          outcome: say("").then(
            (text) =>
              text[0] === "{"
                ? { entry: JSON.parse(text) }
                : text
                ? { error: new CacheCreationError("elsewhere", text) }
                : {},
            () => ({}),
          ),
        };
      }
      let over = false;
      return {
        leads: true,
        async commit(entry, hold) {
          over = true;
          // Without a coordinator, nobody else was elected by it.
          return await say(
            `${hold} ${entry.meta.ct} ${JSON.stringify(entry)}`,
          ).catch(() => "") !== "lost";
        },
        async release(error) {
          if (over) return;
          over = true;
          await say(error === undefined ? "" : `!${error}`).catch(() => {});
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
  const send = sender(namespace, "data", options);
  /** One request for each shard. */
  const each = <R>(
    keys: readonly string[],
    operation: string,
    bodyOf: (group: readonly string[]) => unknown,
  ): Promise<(readonly [group: readonly string[], answer: R])[]> =>
    Promise.all(
      [...byShard(keys, options)].map(async ([first, group]) => {
        const body = JSON.stringify(bodyOf(group));
        const response = await send(operation, first, body);
        return [group, await response.json() as R] as const;
      }),
    );
  return {
    name: "durable-object",
    client: namespace,
    capabilities: { scope: "global" },
    lock: durableObjectLock(namespace, options),
    async get(keys) {
      const found = new Map<string, string | null>();
      const answers = await each<(string | null)[]>(
        keys,
        "get",
        (group) => group,
      );
      for (const [group, entries] of answers) {
        group.forEach((key, i) => found.set(key, entries[i]!));
      }
      return keys.map((key) =>
        JSON.parse(found.get(key) ?? "null") as StoredEntry ?? undefined
      );
    },
    async set(entries, { ttl = Infinity } = {}) {
      const given = new Map(entries);
      await each([...given.keys()], "set", (group) => ({
        ttl,
        entries: group.map((key) => {
          const entry = given.get(key)!;
          const text = JSON.stringify(entry);
          if (text.length <= MAX_ENTRY) return [key, entry.meta.ct, text];
          throw new CacheInputError(
            "value-too-large",
            `Cannot store "${key}": a Durable Object takes ${MAX_ENTRY} characters`,
          );
        }),
      }));
    },
    async delete(keys) {
      await each(keys, "delete", (group) => group);
    },
  };
}

function shardOf(key: string, { shards = 16 }: DurableObjectOptions): number {
  return hashKey(key) % shards;
}

/** The keys of each shard, under the first of them. */
function byShard(
  keys: readonly string[],
  options: DurableObjectOptions,
): Iterable<readonly [first: string, group: readonly string[]]> {
  return Map.groupBy(keys, (key) => shardOf(key, options)).values()
    .map((group) => [group[0]!, group] as const);
}

/** Sends requests to the objects of one role, by the key they are about. */
function sender(
  namespace: DurableObjectNamespaceLike,
  role: string,
  options: DurableObjectOptions,
): (
  operation: string,
  key: string,
  body: ReadableStream<Uint8Array> | string,
  request?: LockRequest,
) => Promise<Response> {
  return async (operation, key, body, request) => {
    // A stub that has failed stays broken, so each request has its own.
    const stub = namespace.get(
      namespace.idFromName(`${role}/${shardOf(key, options)}`),
      options,
    );
    const query = encodeURIComponent(JSON.stringify({ key, ...request }));
    const response = await stub.fetch(`https://cache/${operation}?${query}`, {
      method: "POST",
      body,
    });
    if (response.ok) return response;
    throw new CacheBackendError(
      "durable-object",
      `Cannot ${operation}: the Durable Object answered ${response.status}`,
    );
  };
}

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
  bindingOf,
  type CacheBackend,
  CacheCreationError,
  CacheInputError,
  hashKey,
  type Lock,
  refusal,
  type StoredEntry,
} from "../cache/mod.ts";

export {
  CacheCoordinator,
  type CoordinatorState,
  type CoordinatorStorage,
} from "./durable_object_coordinator.ts";

/** Longest entry, under the 2 MB of a row. */
const MAX_ENTRY = 1_900_000;

/** The part of a Durable Object namespace that is used here. */
export interface DurableObjectNamespaceLike {
  /** A stub of the object of that name. */
  getByName(
    name: string,
    options?: { locationHint?: string },
  ): DurableObjectStubLike;
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
  const ask = asker(namespace, "lock", options);
  return {
    name: "durable-object",
    client: bindingOf("durable-object", namespace),
    holds: true,

    forget: (keys) => ask("delete", keys),
    async acquire(key, request) {
      const { readable, writable } = new TransformStream<Uint8Array>();
      const [response] = await ask(
        `acquire?${new URLSearchParams({ key, ...request as object })}`,
        [key],
        () => readable,
      );
      /** Ends the request. Whether anybody has read it, the answer tells. */
      const say = (outcome: object) => {
        Response.json(outcome).body!.pipeTo(writable).catch(() => {});
        return response!.json().catch(() => true);
      };
      // So a coordinator tells a follower from a leader.
      return response!.status === 202
        ? {
          outcome: say({}).then(({ entry, error }) => ({
            entry,
            error: error && new CacheCreationError("elsewhere", error),
          })),
        }
        : {
          // Without a coordinator, nobody else was elected by it.
          commit: (entry, hold) => say({ entry, hold }),
          release: (error) => say({ error: error && `${error}` }),
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
  const ask = asker(namespace, "data", options);
  return {
    name: "durable-object",
    client: bindingOf("durable-object", namespace),
    capabilities: { scope: "global" },
    lock: durableObjectLock(namespace, options),
    async get(keys) {
      const answers = await ask("get", keys);
      const found = new Map<string, string>(
        (await Promise.all(answers.map((answer) => answer.json()))).flat(),
      );
      return keys.map((key) => {
        const text = found.get(key);
        return text === undefined ? undefined : JSON.parse(text) as StoredEntry;
      });
    },
    async set(entries, { ttl = Infinity } = {}) {
      const given = new Map(entries);
      await ask("set", [...given.keys()], (group) =>
        JSON.stringify({
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
    delete: (keys) => ask("delete", keys),
  };
}

/** Sends one request to each object that some of the keys belong to. */
function asker(
  namespace: DurableObjectNamespaceLike,
  role: string,
  { shards = 16, ...hint }: DurableObjectOptions,
): (
  path: string,
  keys: readonly string[],
  bodyOf?: (group: readonly string[]) => ReadableStream<Uint8Array> | string,
) => Promise<readonly Response[]> {
  return (path, keys, bodyOf = JSON.stringify) =>
    Promise.all(
      [...Map.groupBy(keys, (key) => hashKey(key) % shards)].map(
        ([shard, group]) =>
          // A stub that has failed stays broken, so each request has its own.
          namespace.getByName(`${role}/${shard}`, hint).fetch(
            `https://cache/${path}`,
            { method: "POST", body: bodyOf(group) },
          ).catch(refusal("durable-object")),
      ),
    );
}

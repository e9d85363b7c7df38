import type { CacheBackend, StoredEntry } from "./backend.ts";
import { localInvalidation } from "./invalidation.ts";
import type { InvalidationStrategy } from "./invalidation.ts";
import { pause, platformRuntime, type Runtime } from "./runtime.ts";

/** How invalidation is shared. */
export interface SharedInvalidationOptions {
  /** Stands before the keys of the records; regions that share it, share all. */
  readonly name: string;
  /** The platform. @default {platformRuntime()} */
  readonly runtime?: Runtime;
}

/** How often a record is written again if the platform refuses it. */
const MAX_TRIES = 5;
/** Seconds: a little more than KV asks for between writes of a key. */
const PAUSE = 1.1;
const KINDS = ["hard", "soft"] as const;

/**
 * Invalidation known to all who share the backend: a small record for the region
 * and for each tag, read in the same operation as the values. This isolate knows
 * at once; others as soon as the backend shows them the record (on KV, up to a
 * minute).
 *
 * Tags named in the call cost no read; tags known from the entry alone cost one.
 */
export function sharedInvalidation(
  { name, runtime = platformRuntime() }: SharedInvalidationOptions,
): InvalidationStrategy {
  const local = localInvalidation();
  const keyOf = (kind: string, tag: string) => `!${name}:${kind}:${tag}`;
  /** Takes in records; an older one, from another place, changes nothing. */
  const absorb = (
    tags: readonly string[],
    records: readonly (StoredEntry | undefined)[],
  ) => {
    for (const [i, tag] of tags.entries()) {
      for (const [j, kind] of KINDS.entries()) {
        const at = records[2 * i + j]?.meta.ct ?? 0;
        const hard = kind === "hard";
        const known = local.bound(hard, [tag], "");
        if (at > known) local.invalidate(hard, [tag], at);
      }
    }
  };
  const keysOf = (tags: readonly string[]) =>
    tags.flatMap((tag) => KINDS.map((kind) => keyOf(kind, tag)));
  return {
    bound: local.bound,
    async invalidate(hard, tags, at, backend) {
      await local.invalidate(hard, tags, at);
      await Promise.all(
        tags.map((tag) =>
          publish(backend, keyOf(hard ? "hard" : "soft", tag), at, runtime)
        ),
      );
    },
    async read(backend, keys, tags = []) {
      const named = ["", ...tags];
      const found = await backend.get([...keys, ...keysOf(named)]);
      const entries = found.slice(0, keys.length);
      absorb(named, found.slice(keys.length));
      const unnamed = [
        ...new Set(entries.flatMap((entry) => entry?.meta.g ?? [])),
      ].filter((tag) => !named.includes(tag));
      if (unnamed.length) absorb(unnamed, await backend.get(keysOf(unnamed)));
      return entries;
    },
  };
}

async function publish(
  backend: CacheBackend | undefined,
  key: string,
  at: number,
  runtime: Runtime,
): Promise<void> {
  const record = { meta: { ct: at, v: "invalidation" }, payload: "" };
  for (let tries = 1;; tries++) {
    // A refused value may be lost; a refused invalidation may not.
    if (await backend?.set([[key, record]]) !== false || tries >= MAX_TRIES) {
      return;
    }
    await pause(runtime, PAUSE);
  }
}

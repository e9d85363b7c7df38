/**
 * Keeps nothing: turns a cache off without touching the code that uses it.
 *
 * What it cannot do:
 *
 * - hit
 * - keep callers in two isolates from creating at once
 *
 * @module
 */
import type { CacheBackend } from "../cache/mod.ts";

/** A backend that is always empty. */
export function nullBackend(): CacheBackend {
  return {
    name: "null",
    capabilities: { live: true, scope: "isolate" },
    get: (keys) => keys.map(() => undefined),
    set() {},
    delete() {},
  };
}

/**
 * Keeps nothing: turns a cache off without touching the code that uses it.
 *
 * What it cannot do:
 *
 * - hit
 * - keep two callers from creating at once: its lock is always granted
 *
 * @module
 */
import type { CacheBackend } from "../cache/mod.ts";

/** A backend that is always empty. */
export function nullBackend(): CacheBackend {
  return {
    name: "null",
    capabilities: { live: true, scope: "isolate" },
    get: () => undefined,
    set() {},
    delete() {},
    lock: {
      name: "null",
      isLocked: () => false,
      acquire: () => ({
        leads: true,
        reread: false,
        commit: () => true,
        release() {},
      }),
    },
  };
}

import type { Awaitable } from "./backend.ts";
import { CacheError } from "./errors.ts";
import type { Lock } from "./lock.ts";

/** What any lock offers that can only be held by one. */
export interface Mutex {
  /** Takes it. Without `wait`, answers at once whether it could. */
  acquire(wait: boolean): Awaitable<boolean>;
  /** Gives it back. */
  release(): Awaitable<void>;
  /** Whether somebody holds it. */
  locked(): Awaitable<boolean>;
}

/** The mutex of a name. */
export type GetMutex = (name: string) => Mutex;

/**
 * A region's lock from any mutex. It holds no values: those who waited read the
 * store again.
 */
export function mutexLock(getMutex: GetMutex, name = "mutex"): Lock {
  return {
    name,
    client: getMutex,
    isLocked: (key) => getMutex(key).locked(),
    async acquire(key, { wait }) {
      const mutex = getMutex(key);
      if (!await mutex.acquire(false)) {
        return {
          outcome: (async () => {
            if (wait > 0 && await mutex.acquire(true)) await mutex.release();
            return {};
          })().catch(() => ({})),
        };
      }
      let held = true;
      return {
        commit: () => held,
        async release() {
          if (!held) return;
          held = false;
          await mutex.release();
        },
      };
    },
  };
}

/** Mutexes of one isolate, by name; one that nobody holds or awaits is dropped. */
export interface MutexRegistry {
  /** The mutex of a name: the same one while anybody uses it. */
  readonly get: GetMutex;
  /** How many names are in use. */
  readonly size: number;
}

/** Makes mutexes that wake those who wait in the order they came. */
export function mutexRegistry(): MutexRegistry {
  /** Those who wait for a name, while somebody holds it. */
  const held = new Map<string, (() => void)[]>();
  const mutexes = new Map<string, WeakRef<Mutex>>();
  const make = (name: string): Mutex => ({
    locked: () => held.has(name),
    async acquire(wait) {
      const queue = held.get(name);
      if (!queue) held.set(name, []);
      else if (wait) await new Promise<void>((wake) => queue.push(wake));
      return !queue || wait;
    },
    release() {
      const queue = held.get(name);
      if (!queue) {
        throw new CacheError(
          "not-held",
          `Cannot release "${name}": nobody holds it`,
        );
      }
      const next = queue.shift();
      if (next) next();
      else {
        held.delete(name);
        mutexes.delete(name);
      }
    },
  });
  return {
    get(name) {
      const known = mutexes.get(name)?.deref();
      if (known) return known;
      const mutex = make(name);
      mutexes.set(name, new WeakRef(mutex));
      return mutex;
    },
    get size() {
      return held.size;
    },
  };
}

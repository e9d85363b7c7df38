import type { Awaitable, StoredEntry } from "./backend.ts";
import { type Runtime, within } from "./runtime.ts";

/** What a caller asks of a lock. Times are in milliseconds. */
export interface LockRequest {
  /** An entry created after this will do, if the lock still holds one. */
  readonly newerThan: number;
  /** How long to wait for the leader. At 0 the answer comes at once. */
  readonly wait: number;
  /** How long the leader may take before another may lead. */
  readonly lease: number;
}

/** What a leader left to those who waited. Neither: look again, or lead. */
export interface Outcome {
  /** The entry it created. */
  readonly entry?: StoredEntry;
  /** Why it created none. */
  readonly error?: unknown;
}

/** The caller creates the value. */
export interface Leader {
  /** Tells it from a follower. */
  readonly leads: true;
  /** Whether what was stored must be read again before creating. */
  readonly reread: boolean;
  /**
   * Hands the entry to those who wait, and keeps it for `hold` milliseconds.
   * Answers `false` if the lease was lost to another: then nothing may be stored.
   */
  commit(entry: StoredEntry, hold: number): Awaitable<boolean>;
  /** Why a lock farther away could not be asked: this one leads here alone. */
  readonly failure?: unknown;
  /** Ends leadership; with an error, those who wait share it. Harmless twice. */
  release(error?: unknown): Awaitable<void>;
}

/** Another caller creates the value. */
export interface Follower {
  /** Tells it from a leader. */
  readonly leads: false;
  /** What the leader leaves, or nothing once the wait is over. It never rejects. */
  readonly outcome: Promise<Outcome>;
}

/**
 * Elects one creator for a key, and hands its value over: the port between a
 * region and the platform. After the lock is won elsewhere, reading again is not
 * enough on a store that is eventually consistent.
 */
export interface Lock {
  /** For messages and events, such as `"durable-object"`. */
  readonly name: string;
  /** As of a backend: what makes two locks the same to `region.configure`. */
  readonly client?: unknown;
  /** Asks to lead. It must not wait for another leader: that is `outcome`. */
  acquire(key: string, request: LockRequest): Awaitable<Leader | Follower>;
  /** Whether somebody leads. Asking acquires nothing. */
  isLocked(key: string): Awaitable<boolean>;
  /** Drops what is held for a key that was written or deleted by hand. */
  forget?(keys: readonly string[]): Awaitable<void>;
}

interface Flight {
  /** When it may be replaced: the lease's end, then the hold's. */
  until: number;
  entry?: StoredEntry;
  readonly landed: Promise<Outcome>;
}

/** How many entries an isolate holds on to after their creation. */
const MAX_HELD = 100;

/**
 * The lock of one isolate (or process). Its followers wait on their own timer,
 * never on the leader's life alone: the leader's request may end at any time.
 */
export function isolateLock(runtime: Runtime): Lock {
  const flights = new Map<string, Flight>();
  return {
    name: "isolate",
    isLocked(key) {
      const flight = flights.get(key);
      return !!flight && !flight.entry && runtime.now() < flight.until;
    },
    forget(keys) {
      for (const key of keys) if (flights.get(key)?.entry) flights.delete(key);
    },
    acquire(key, { newerThan, wait, lease }) {
      const now = runtime.now();
      const current = flights.get(key);
      if (current && now < current.until) {
        const { entry } = current;
        if (!entry) {
          return {
            leads: false,
            outcome: (async () => {
              const outcome = wait > 0 &&
                await within(runtime, wait, current.landed);
              if (outcome) return outcome;
              // Its leader may be dead: the next caller need not wait as well.
              if (wait > 0 && flights.get(key) === current) flights.delete(key);
              return {};
            })(),
          };
        }
        if (entry.meta.ct > newerThan) {
          return { leads: false, outcome: Promise.resolve({ entry }) };
        }
      }
      let land!: (outcome: Outcome) => void;
      const flight: Flight = {
        until: now + lease,
        landed: new Promise((resolve) => land = resolve),
      };
      flights.set(key, flight);
      return {
        leads: true,
        reread: true,
        commit(entry, hold) {
          land({ entry });
          const mine = flights.get(key) === flight;
          if (mine) {
            flights.delete(key);
            if (hold) {
              flights.set(
                key,
                { ...flight, entry, until: runtime.now() + hold },
              );
              if (flights.size > MAX_HELD) prune(flights, runtime.now());
            }
          }
          return mine;
        },
        release(error) {
          land(error === undefined ? {} : { error });
          if (flights.get(key) === flight) flights.delete(key);
        },
      };
    },
  };
}

/** Drops held entries, the oldest first, and never a flight under way. */
function prune(flights: Map<string, Flight>, now: number): void {
  for (const [key, flight] of flights) {
    if (flights.size <= MAX_HELD && now < flight.until) return;
    if (flight.entry) flights.delete(key);
  }
}

/**
 * Two locks as one: who leads near by asks to lead far away, and what comes from
 * there is handed on to those who wait near by.
 */
export function chainLocks(near: Lock, far: Lock): Lock {
  return {
    ...near,
    isLocked: (key) => far.isLocked(key),
    async forget(keys) {
      await near.forget?.(keys);
      await far.forget?.(keys);
    },
    async acquire(key, request) {
      const mine = await near.acquire(key, request);
      if (!mine.leads) return mine;
      let theirs;
      try {
        theirs = await far.acquire(key, request);
      } catch (failure) {
        return { ...mine, failure };
      }
      if (!theirs.leads) {
        return {
          leads: false,
          outcome: theirs.outcome.then((outcome) => {
            if (outcome.entry) mine.commit(outcome.entry, 0);
            else mine.release(outcome.error);
            return outcome;
          }),
        };
      }
      const { reread, commit, release } = theirs;
      return {
        leads: true,
        reread,
        async commit(entry, hold) {
          const valid = await commit(entry, hold);
          await mine.commit(entry, hold);
          return valid;
        },
        async release(error) {
          await mine.release(error);
          await release(error);
        },
      };
    },
  };
}

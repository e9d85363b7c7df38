import type { Awaitable, StoredEntry } from "./backend.ts";

/** What a caller asks of a lock. Times are in seconds. */
export interface LockRequest {
  /** An entry created after this will do, if the lock still holds one. */
  readonly newerThan: number;
  /** How long to wait for the leader. At 0 the answer comes at once. */
  readonly wait: number;
  /** How long the leader may take before another may lead. At 0, nobody leads. */
  readonly lease: number;
}

/** What a leader left to those who waited. Neither: look again, or lead. */
export interface Outcome {
  /** The entry it created. */
  readonly entry?: StoredEntry | undefined;
  /** Why it created none. */
  readonly error?: unknown;
}

/** The caller creates the value. */
export interface Leader {
  /** Tells it from a follower. */
  readonly outcome?: undefined;
  /**
   * Hands the entry to those who wait, and keeps it for `hold` seconds. Answers
   * `false` if the lease was lost to another: then nothing may be stored.
   */
  commit(entry: StoredEntry, hold: number): Awaitable<boolean>;
  /** Ends leadership; with an error, those who wait share it. Harmless twice. */
  release(error?: unknown): Awaitable<unknown>;
}

/** Another caller creates the value. */
export interface Follower {
  /** What the leader leaves, or nothing once the wait is over. It never rejects. */
  readonly outcome: Promise<Outcome | undefined>;
}

/**
 * Elects one creator for a key, and hands its value over: the port between a
 * region and the platform. After the lock was won elsewhere, reading again is not
 * enough on a store that is eventually consistent.
 */
export interface Lock {
  /** For messages and events, such as `"durable-object"`. */
  readonly name: string;
  /** As of a backend: what makes two locks the same to `region.configure`. */
  readonly client?: unknown;
  /**
   * It keeps what was committed for as long as it was asked to, so a leader need
   * not look at the store again.
   * @default {false}
   */
  readonly holds?: boolean;
  /** Asks to lead. It must not wait for another leader: that is `outcome`. */
  acquire(key: string, request: LockRequest): Promise<Leader | Follower>;
  /**
   * Whether somebody leads. Asking acquires nothing.
   * @default {whether a request with no lease would have led}
   */
  isLocked?(key: string): Awaitable<boolean>;
  /** Drops what is held for keys that were written or deleted by hand. */
  forget?(keys: readonly string[]): Awaitable<unknown>;
}

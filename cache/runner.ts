import { CacheCreationError } from "./errors.ts";
import type { CacheRegion } from "./region.ts";
import { platformRuntime, type Runtime } from "./runtime.ts";

/** One key of a creation. */
export interface CreationSlot {
  /** As the caller gave it. */
  readonly key: string;
  /** There is a stale value, good enough to be answered. */
  readonly usable?: boolean;
  /** For how many seconds what there is has been expired. */
  readonly over?: number;
}

/** A creation that a caller was elected for. */
export interface Creation {
  /** The region. */
  readonly region: CacheRegion;
  /** What is to be created. */
  readonly slots: readonly CreationSlot[];
  /** Calls the creator, stores its values and hands them over. */
  create(): Promise<void>;
  /** Lets another lead, if `create` is not to be called. Harmless after it. */
  release(): Promise<unknown>;
}

/**
 * For how many seconds the oldest of the stale values at hand has been expired;
 * `undefined` if a value is missing altogether.
 */
function staleFor({ slots }: Creation): number | undefined {
  return slots.every(({ usable }) => usable)
    ? Math.max(...slots.map(({ over }) => over!))
    : undefined;
}

/**
 * Runs a creation. If it is done before `create` is, the caller gets the stale
 * value; without one it looks again. What it throws reaches the caller.
 */
export type CreationRunner = (creation: Creation) => Promise<void> | void;

/** `outer` around `inner`. */
export function chainRunners(
  outer: CreationRunner,
  inner: CreationRunner,
): CreationRunner {
  return (creation) =>
    outer({ ...creation, create: async () => await inner(creation) });
}

/**
 * Answers a stale value in place of its creator's error, up to `seconds` past its
 * expiration.
 */
export function staleIfError(seconds: number = Infinity): CreationRunner {
  return async (creation) => {
    try {
      await creation.create();
    } catch (error) {
      if (!(staleFor(creation)! <= seconds)) throw error;
    }
  };
}

/** How long a creator may keep its caller. The creation itself goes on. */
export interface Timeouts {
  /** Seconds after which a stale value is answered, if there is one. */
  readonly soft?: number;
  /** Seconds after which a {@linkcode CacheCreationError} is thrown. */
  readonly hard?: number;
  /** Where time comes from. @default {platformRuntime()} */
  readonly runtime?: Runtime;
}

/** Limits how long a creator keeps its caller. */
export function timeouts(
  { soft = Infinity, hard = Infinity, runtime = platformRuntime() }: Timeouts,
): CreationRunner {
  return async (creation) => {
    const stale = staleFor(creation);
    const work = creation.create().then(() => true);
    // It may go on after its caller has gone.
    await runtime.waitUntil(work.catch(() => {}));
    const limit = stale === undefined ? hard : Math.min(soft, hard);
    if (await runtime.within(limit, work) || stale !== undefined) return;
    throw new CacheCreationError(
      "timeout",
      `Cannot wait for the creator of "${
        creation.slots[0]!.key
      }": it took over ${hard} s; it goes on in the background`,
    );
  };
}

/** What a background runner gives back when its work is done. */
export interface RunnerMutex {
  /** Lets another lead. Harmless twice. */
  release(): Promise<unknown>;
}

/**
 * Starts a creation outside the call that found a stale value, such as in a queue.
 * It gets the key as the caller gave it (the first of `keys`), and a `create` that
 * creates and stores; it must release the mutex, now or later.
 */
export type AsyncCreationRunner = (
  region: CacheRegion,
  key: string,
  create: () => Promise<void>,
  mutex: RunnerMutex,
  keys: readonly string[],
) => void;

/**
 * Gives creations to `runner` when there is a stale value to answer meanwhile;
 * without one, the caller waits.
 */
export function asyncCreationRunner(
  runner: AsyncCreationRunner,
): CreationRunner {
  return async (creation) => {
    const { region, slots, create, release } = creation;
    if (staleFor(creation) === undefined) return await create();
    const keys = slots.map(({ key }) => key);
    try {
      runner(region, keys[0]!, create, { release }, keys);
    } catch (error) {
      await release();
      throw error;
    }
  };
}

import type { RunResult } from "./runner/run.ts";

/** How one database of several fared. */
export type FanOutEntry =
  | {
    /** The database's name. */
    readonly name: string;
    /** Whether it arrived. */
    readonly ok: true;
    /** What was done. */
    readonly result: RunResult;
  }
  | {
    /** The database's name. */
    readonly name: string;
    /** Whether it arrived. */
    readonly ok: false;
    /** Why it did not. */
    readonly error: unknown;
  };

/** How a fan-out goes. */
export interface FanOutOptions {
  /** Databases at work at once. @default {4} */
  readonly concurrency?: number;
  /** Is told as each is done. */
  readonly onDone?: (entry: FanOutEntry) => void;
}

/**
 * Runs the same work on many databases, such as one per tenant.
 *
 * One that fails does not stop the others. Each database keeps its own version
 * rows, so after a crash the same call goes on with those that are behind.
 *
 * @param run Brings one database where it should be: `(name) => migratorOf(name).upgrade()`.
 */
export async function fanOut(
  names: Iterable<string>,
  run: (name: string) => Promise<RunResult>,
  options: FanOutOptions = {},
): Promise<FanOutEntry[]> {
  const todo = [...names];
  const entries: FanOutEntry[] = new Array(todo.length);
  let next = 0;
  const work = async () => {
    for (let at = next++; at < todo.length; at = next++) {
      const name = todo[at]!;
      const entry = await attempt(name, run);
      entries[at] = entry;
      options.onDone?.(entry);
    }
  };
  const { concurrency = 4 } = options;
  await Promise.all(Array.from({ length: Math.max(1, concurrency) }, work));
  return entries;
}

async function attempt(
  name: string,
  run: (name: string) => Promise<RunResult>,
): Promise<FanOutEntry> {
  try {
    return { name, ok: true, result: await run(name) };
  } catch (error) {
    return { name, ok: false, error };
  }
}

/**
 * The only door between a region and the platform's clock, timers, chance and
 * background work. Nothing in the cache goes around it.
 */
export interface Runtime {
  /** Milliseconds since the epoch. It may stand still while code runs. */
  now(): number;
  /**
   * Keeps the current request alive until `work` has settled. If it answers with
   * a promise, the binding holds once that has resolved.
   */
  waitUntil(work: Promise<unknown>): void | Promise<void>;
  /**
   * Resolves after `milliseconds`, or as soon as `signal` is aborted. The timer
   * belongs to the request that asks for it, and only that request waits for it.
   */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** At least 0, below 1. */
  random(): number;
}

type WaitUntil = (work: Promise<unknown>) => void;

/**
 * The runtime of the platform at hand: Workers bind background work to the
 * request at hand, without a `ctx` from the user; elsewhere (Deno, Node, a
 * browser) a promise needs nobody to live.
 */
export function platformRuntime(): Runtime {
  // Only the function is kept: a promise of one request is of no use to another.
  let bind: WaitUntil | undefined;
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    waitUntil: (work) =>
      bind ? bind(work) : import("cloudflare:workers").then(
        (module: { waitUntil: WaitUntil }) => (bind = module.waitUntil)(work),
        () => {
          bind = () => {};
        },
      ),
    sleep: (milliseconds, signal) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        signal?.addEventListener("abort", () => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
}

/**
 * `work`, or `undefined` if it takes longer. What it comes to later is left to
 * its owner.
 */
export async function within<T>(
  runtime: Runtime,
  seconds: number,
  work: Promise<T>,
): Promise<T | undefined> {
  // A timer holds at most 24 days; who asks for more waits for good.
  if (seconds > 2e6) return work;
  const over = new AbortController();
  try {
    return await Promise.race([
      work,
      runtime.sleep(seconds * 1000, over.signal) as Promise<undefined>,
    ]);
  } finally {
    over.abort();
  }
}

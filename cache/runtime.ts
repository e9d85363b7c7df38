/**
 * The only door between a region and the platform's clock, timers and background
 * work. Nothing in the cache goes around it.
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
   * `work`, or `undefined` if it takes longer than `seconds`; what it comes to
   * later is left to its owner. The timer belongs to the request that asks for
   * it, only that request waits for it, and it ends with the work.
   */
  within<T>(seconds: number, work: Promise<T>): Promise<T | undefined>;
}

/** Longest time of a timer, in milliseconds: 23 days. */
const LONGEST = 2e9;

/**
 * The runtime of the platform at hand: Workers bind background work to the
 * request at hand, without a `ctx` from the user; elsewhere (Deno, Node, a
 * browser) a promise needs nobody to live.
 */
export function platformRuntime(): Runtime {
  return {
    now: () => Date.now(),
    waitUntil: (work) =>
      // Asked for anew, as a promise of one request is of no use to another.
      import("cloudflare:workers")
        .then((platform: { waitUntil(work: Promise<unknown>): void }) =>
          platform.waitUntil(work)
        )
        // Where there is nobody to bind it to, it lives by itself.
        .catch(() => {}),
    within(seconds, work) {
      let timer: ReturnType<typeof setTimeout>;
      return Promise.race([
        work,
        new Promise<undefined>((resolve) => {
          timer = setTimeout(
            resolve as () => void,
            Math.min(seconds * 1000, LONGEST),
          );
        }),
      ]).finally(() => clearTimeout(timer));
    },
  };
}

/** Resolves after some seconds. */
export async function pause(runtime: Runtime, seconds: number): Promise<void> {
  await runtime.within(seconds, new Promise(() => {}));
}

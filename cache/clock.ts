/** A step between two readings of one moment: a microsecond. */
const STEP = 1e-6;

/**
 * A clock that never shows the same time twice, though the platform's stands
 * still between I/O: seconds since the epoch, with a counter in the fraction.
 *
 * So what was created before an invalidation can be told from what was created
 * after it, within the same millisecond.
 */
export function hybridClock(now: () => number): () => number {
  let last = 0;
  return () => last = Math.max(now(), last + STEP);
}

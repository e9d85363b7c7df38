import { hashKey } from "./hash.ts";
import type { ExpirationPolicy } from "./policy.ts";

/**
 * Creates up to `fraction` of the expiration time early, by an amount fixed for
 * each key: what was stored together does not expire together.
 */
export function jitter(fraction: number): ExpirationPolicy {
  return (time, { key, creating }) =>
    creating ? time * (1 - fraction * hashKey(key) / 2 ** 32) : time;
}

/**
 * Creates early by chance, the likelier the nearer expiration is and the longer
 * the last creation took (XFetch): one caller refreshes before all find it stale.
 *
 * @param beta Above 1 earlier, below 1 later.
 * @param random At least 0, below 1.
 */
export function earlyRefresh(
  beta = 1,
  random: () => number = Math.random,
): ExpirationPolicy {
  return (time, { meta, creating }) =>
    creating ? time + (meta.c ?? 0) * beta * Math.log(1 - random()) : time;
}

/** Another expiration time for values that are `null` or `undefined`. */
export function negativeExpiration(seconds: number): ExpirationPolicy {
  return (time, { meta }) => meta.n ? seconds : time;
}

/** Policies one after the other, each on the time the one before gave. */
export function chainExpirations(
  ...policies: readonly ExpirationPolicy[]
): ExpirationPolicy {
  return (time, entry) =>
    policies.reduce((time, policy) => policy(time, entry), time);
}

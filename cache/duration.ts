import { CacheConfigurationError } from "./errors.ts";

/** Units that add up, as a `Temporal.Duration` has them. Fractions count. */
export interface DurationFields {
  /** Days of 24 hours. */
  readonly days?: number;
  /** Hours. */
  readonly hours?: number;
  /** Minutes. */
  readonly minutes?: number;
  /** Seconds. */
  readonly seconds?: number;
  /** Milliseconds. */
  readonly milliseconds?: number;
}

/** Seconds in each unit. */
const UNITS = {
  days: 86_400,
  hours: 3600,
  minutes: 60,
  seconds: 1,
  milliseconds: 0.001,
} as const;

/**
 * The seconds of a duration, for every option that is a time.
 *
 * @example
 * ```ts
 * import { seconds } from "@aludel/aludel/cache";
 * import { equal } from "node:assert/strict";
 *
 * equal(seconds({ hours: 32 }), 115_200);
 * equal(seconds({ seconds: 1, milliseconds: 500 }), 1.5);
 * ```
 *
 * @throws {CacheConfigurationError} If it has no unit, or comes to less than 0.
 */
export function seconds(duration: DurationFields): number {
  let sum = NaN;
  for (const [unit, factor] of Object.entries(UNITS)) {
    const amount = duration[unit as keyof DurationFields];
    if (amount !== undefined) sum = (sum || 0) + amount * factor;
  }
  if (sum >= 0) return sum;
  throw new CacheConfigurationError(
    "invalid-time",
    `Cannot use a duration of ${sum} seconds; give units of 0 or more`,
  );
}

import { CacheConfigurationError } from "./errors.ts";

/**
 * A length of time: seconds, or a record of units such as `{ hours: 32 }` (a
 * `Temporal.Duration` of days and smaller units has that form). Fractions count.
 *
 * `Infinity` means never; `-1`, its old name in dogpile.cache, means the same.
 */
export type Duration = number | DurationFields;

/** Units that add up. */
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

/**
 * Milliseconds of a duration.
 *
 * @param option The name of the option, for the message.
 * @throws {CacheConfigurationError} If it is no duration, or below zero.
 */
export function toMilliseconds(duration: unknown, option: string): number {
  if (duration === -1) return Infinity;
  let seconds = duration;
  if (typeof duration === "object" && duration) {
    const { days, hours, minutes, seconds: s, milliseconds } =
      duration as DurationFields;
    seconds = days ?? hours ?? minutes ?? s ?? milliseconds;
    if (seconds !== undefined) {
      seconds = (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 +
        (s ?? 0) + (milliseconds ?? 0) / 1000;
    }
  }
  if (typeof seconds === "number" && seconds >= 0) return seconds * 1000;
  throw new CacheConfigurationError(
    "invalid-duration",
    `Cannot use "${option}": not a duration; give seconds of 0 or more, or units`,
  );
}

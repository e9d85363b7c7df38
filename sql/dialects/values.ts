import { TypeConversionError } from "../errors.ts";
import type { SqlType } from "../types.ts";

// Values that databases would change without a word are refused here.

function refuse(message: string): never {
  throw new TypeConversionError(message);
}

/** Bytes as hexadecimal digits. */
export function hex(bytes: Uint8Array): string {
  let digits = "";
  for (const byte of bytes) digits += byte.toString(16).padStart(2, "0");
  return digits;
}

/** A whole number that a double holds exactly. */
export function safeInteger(value: number): number {
  return Number.isSafeInteger(value) ? value : refuse(
    "Cannot bind as an integer what is no whole number up to 2^53; use bigint() or real()",
  );
}

/** A whole number as it comes, refused where a double would round it. */
export function readInteger(value: unknown): number {
  const number = Number(value);
  return Number.isInteger(number) && !Number.isSafeInteger(number)
    ? refuse("Cannot read an integer beyond 2^53 exactly; use bigint()")
    : number;
}

/** An instant as ISO 8601 text. */
export function isoOf(value: Date): string {
  return value instanceof Date && !Number.isNaN(value.getTime())
    ? value.toISOString()
    : refuse("Cannot bind an invalid Date; check it before");
}

/** A document as JSON text. */
export function jsonOf(value: unknown): string {
  return JSON.stringify(value) ??
    refuse("Cannot bind as JSON what JSON cannot say; give a plain value");
}

/**
 * A decimal as text, with as many digits behind the point as its type asks
 * for; `rounds` also takes away those that are more.
 */
export function decimal(
  value: string | number,
  { args }: SqlType,
  rounds = false,
): string {
  const text = String(value).trim();
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,4}))?$/i.exec(text);
  if (!match || !/\d/.test(text)) {
    return refuse(
      'Cannot use as a decimal what is no number; give digits, as "10.50"',
    );
  }
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  // All digits as one whole number, and how many stand behind the point.
  let digits = BigInt(whole + fraction);
  let places = fraction.length - Number(exponent);
  const scale = typeof args[0] === "number" ? Number(args[1] ?? 0) : places;
  const wanted = Math.max(scale, rounds ? 0 : places, 0);
  if (places < wanted) digits *= 10n ** BigInt(wanted - places);
  else if (places > wanted) {
    const unit = 10n ** BigInt(places - wanted);
    digits = (digits + unit / 2n) / unit;
  }
  places = wanted;
  const all = String(digits).padStart(places + 1, "0");
  const minus = sign === "-" && digits !== 0n ? "-" : "";
  const point = all.length - places;
  return minus + all.slice(0, point) + (places ? `.${all.slice(point)}` : "");
}

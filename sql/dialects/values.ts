import { TypeConversionError } from "../errors.ts";
import type { SqlType, SqlValue } from "../types.ts";

// Values that databases would change without a word are refused here.

/** Refuses a value. */
export function refuse(message: string): never {
  throw new TypeConversionError(message);
}

/** Bytes as hexadecimal digits. */
export function hex(bytes: Uint8Array): string {
  let digits = "";
  for (const byte of bytes) digits += byte.toString(16).padStart(2, "0");
  return digits;
}

/** Bound values as a JSON list: bytes as their digits. */
export function jsonList(values: readonly SqlValue[]): string {
  return JSON.stringify(
    values.map((value) => value instanceof Uint8Array ? hex(value) : value),
  );
}

/** A number that SQLite would not take for NULL. */
export function finite(value: number): number {
  return Number.isFinite(value)
    ? value
    : refuse("Cannot bind a number that is not finite; check it before");
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
    : refuse("Cannot bind what is no valid Date; give a Date");
}

/** A document as JSON text. */
export function jsonOf(value: unknown): string {
  return JSON.stringify(value) ??
    refuse("Cannot bind as JSON what JSON cannot say; give a plain value");
}

/** A decimal as text, with at least as many digits behind the point as its type says. */
export function decimal(value: string | number, { args }: SqlType): string {
  const scale = typeof args[0] === "number" ? Number(args[1] ?? 0) : undefined;
  // What a database reckoned with is a double.
  const isNumber = typeof value === "number" && Number.isFinite(value);
  if (isNumber && scale === undefined) return String(value);
  const text = isNumber ? value.toFixed(scale) : String(value);
  const [, whole, fraction = ""] = /^([+-]?\d+)(?:\.(\d+))?$/.exec(text) ??
    refuse('Cannot use as a decimal what is no number; give digits: "10.50"');
  const digits = fraction.padEnd(scale ?? 0, "0");
  return digits ? `${whole}.${digits}` : `${whole}`;
}

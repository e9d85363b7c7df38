import { CacheInputError } from "./errors.ts";

/** Turns a key into the one the backend sees, such as a digest of bounded length. */
export type KeyMangler = (key: string) => string | Promise<string>;

/** Gives the key of a call from its arguments. */
export type KeyGenerator = (...args: readonly unknown[]) => string;

/** Gives one key for each argument. */
export type MultiKeyGenerator = (...keys: readonly unknown[]) => string[];

/** Gives the text of one argument, for a key. */
export type ToStr = (argument: unknown) => string;

/** Text that reads as itself in a key; all else that is text stands in quotes. */
const BARE = /^(?!true|false|null|undefined|NaN|Infinity)[^\s\d"|-][^\s"|]*$/;

/**
 * The text of one argument: no two different arguments have the same. Plain text
 * stays as it is unless it could be taken for something else, so keys stay
 * readable: `ed`, `42`, `"42"`, `"two words"`, `null`, `10n`.
 *
 * @throws {CacheInputError} If the argument is an object or a function; choose a
 * key from it with `key`, or use `kwargFunctionKeyGenerator`.
 */
export function keyText(argument: unknown): string {
  if (Object(argument) === argument) {
    throw new CacheInputError(
      "no-key",
      "Cannot make a key of an object: give `key` or `toStr`",
    );
  }
  return typeof argument === "string"
    ? BARE.test(argument) ? argument : JSON.stringify(argument)
    : `${argument}` + (typeof argument === "bigint" ? "n" : "");
}

/**
 * The default key of a cached function: its namespace, a pipe, and the arguments
 * with a space between.
 *
 * @example
 * ```ts
 * import { functionKeyGenerator } from "@aludel/aludel/cache";
 * import { equal } from "node:assert/strict";
 *
 * const key = functionKeyGenerator("widget");
 * equal(key(2, "a b"), 'widget|2 "a b"');
 * ```
 */
export function functionKeyGenerator(
  namespace: string,
  toStr: ToStr = keyText,
): KeyGenerator {
  return (...args) => `${namespace}|${args.map((a) => toStr(a)).join(" ")}`;
}

/** As {@linkcode functionKeyGenerator}, with one key for each argument. */
export function functionMultiKeyGenerator(
  namespace: string,
  toStr: ToStr = keyText,
): MultiKeyGenerator {
  return (...keys) => keys.map((key) => `${namespace}|${toStr(key)}`);
}

/**
 * The SHA-1 of a key in hexadecimal: 40 characters, whatever the key.
 *
 * @example
 * ```ts
 * import { sha1MangleKey } from "@aludel/aludel/cache";
 * import { equal } from "node:assert/strict";
 *
 * equal(await sha1MangleKey("some_key"), "53def077a4264bd3183d4eb21b1f56f883e1b572");
 * ```
 */
export function sha1MangleKey(
  key: string | Uint8Array<ArrayBuffer>,
): Promise<string> {
  return digest("SHA-1", key);
}

/** The SHA-256 of a key in hexadecimal: 64 characters, for keys that strangers choose. */
export function sha256MangleKey(
  key: string | Uint8Array<ArrayBuffer>,
): Promise<string> {
  return digest("SHA-256", key);
}

async function digest(
  algorithm: string,
  key: string | Uint8Array<ArrayBuffer>,
): Promise<string> {
  const bytes = typeof key === "string" ? new TextEncoder().encode(key) : key;
  return Array.from(
    new Uint8Array(await crypto.subtle.digest(algorithm, bytes)),
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join("");
}

/** Mangles only keys of `length` characters or more; shorter ones stay readable. */
export function lengthConditionalMangler(
  length: number,
  mangler: KeyMangler,
): KeyMangler {
  return (key) => key.length >= length ? mangler(key) : key;
}

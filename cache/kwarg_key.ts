import { CacheInputError } from "./errors.ts";
import { type KeyGenerator, keyText, type ToStr } from "./key.ts";

/**
 * A key generator for functions called by position, by name, or both: the
 * parameters' values, ordered by name, make one key for every form of a call.
 * A plain object as last argument is taken for named values.
 *
 * @param parameters The names, in the order of the positions.
 * @param defaults Values of those that may be left out.
 *
 * @example
 * ```ts
 * import { kwargFunctionKeyGenerator } from "@aludel/aludel/cache";
 * import { equal } from "node:assert/strict";
 *
 * const key = kwargFunctionKeyGenerator(["id", "lang"], { lang: "en" })("page");
 * equal(key(1), key({ id: 1, lang: "en" }));
 * equal(key(1, "fr"), key(1, { lang: "fr" }));
 * ```
 */
export function kwargFunctionKeyGenerator(
  parameters: readonly string[],
  defaults: Readonly<Record<string, unknown>> = {},
): (namespace: string, toStr?: ToStr) => KeyGenerator {
  return (namespace, toStr = keyText) => (...args) => {
    const last = args.at(-1);
    const named = isPlain(last) ? last : {};
    const positional = isPlain(last) ? args.slice(0, -1) : args;
    for (const name of Object.keys(named)) {
      if (parameters.indexOf(name) >= positional.length) continue;
      throw new CacheInputError(
        "no-key",
        `Cannot make a key: "${name}" is unknown, or given twice`,
      );
    }
    if (positional.length > parameters.length) {
      throw new CacheInputError(
        "no-key",
        `Cannot make a key of ${positional.length} arguments: ${parameters.length} are named`,
      );
    }
    const values: Record<string, unknown> = { ...defaults, ...named };
    positional.forEach((value, i) => values[parameters[i]!] = value);
    return `${namespace}|${
      [...parameters].sort().map((name) => toStr(values[name])).join(" ")
    }`;
  };
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null &&
    Object.getPrototypeOf(value) === Object.prototype;
}

import { CannotDecodeError } from "./errors.ts";

/**
 * Turns values into stored text and back. It sees the value alone: creation time
 * and version are stored beside it, so an expired entry is never decoded.
 */
export interface Codec {
  /**
   * The text of a value.
   * @throws If the value cannot be stored; reported as a `CacheInputError`.
   */
  encode(value: unknown): string | Promise<string>;
  /**
   * The value of a text.
   * @throws {CannotDecodeError} If the text is not readable, which makes the
   * entry a miss; so does a `SyntaxError`. Anything else reaches the caller.
   */
  decode(text: string): unknown;
}

/** The pair of functions that most serialisation libraries export. */
export interface Stringifier {
  /** Gives text, or `undefined` if the value has no text form. */
  stringify(value: unknown): string | undefined;
  /** The reverse; throws on text that is not of its making. */
  parse(text: string): unknown;
}

/**
 * A codec from any `stringify` and `parse`. With a richer library than JSON it
 * keeps dates, maps, sets, big integers and cycles:
 *
 * @example Rich values
 * ```ts
 * import { textCodec } from "@aludel/aludel/cache";
 * import * as devalue from "devalue";
 * import { deepEqual } from "node:assert/strict";
 *
 * const rich = textCodec(devalue);
 * const value = new Map([["since", new Date(0)]]);
 * deepEqual(rich.decode(await rich.encode(value)), value);
 * ```
 */
export function textCodec(library: Stringifier): Codec {
  return {
    encode(value) {
      // No text is undefined: a stored `undefined` is still a hit.
      const text = value === undefined ? "" : library.stringify(value);
      if (text === undefined) throw new TypeError("No text form");
      return text;
    },
    decode(text) {
      try {
        return text === "" ? undefined : library.parse(text);
      } catch (cause) {
        throw new CannotDecodeError(
          "cannot-decode",
          "Cannot decode a stored value",
          { cause },
        );
      }
    },
  };
}

/** The default: JSON, and `undefined` besides. */
export const jsonCodec: Codec = {
  // A function has no text, which is a TypeError here.
  encode: (value) =>
    value === undefined ? "" : JSON.stringify(value).toString(),
  decode: (text) => text ? JSON.parse(text) : undefined,
};

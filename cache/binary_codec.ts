import type { Codec } from "./codec.ts";
import { CannotDecodeError } from "./errors.ts";

/** Turns values into bytes and back, such as MessagePack or compression does. */
export interface BinaryFormat {
  /** Gives bytes. */
  encode(value: unknown): Uint8Array | Promise<Uint8Array>;
  /** The reverse; throws on bytes that are not of its making. */
  decode(bytes: Uint8Array): unknown;
}

/**
 * A codec from a format of bytes, kept as base64: every backend takes it, also
 * those that keep text alone.
 *
 * @example
 * ```ts
 * import { binaryCodec } from "@aludel/aludel/cache";
 * import { deepEqual } from "node:assert/strict";
 *
 * const bytes = binaryCodec({
 *   encode: (value) => value as Uint8Array,
 *   decode: (bytes) => bytes,
 * });
 * const value = new Uint8Array([0, 255, 124]);
 * deepEqual(bytes.decode(await bytes.encode(value)), value);
 * ```
 */
export function binaryCodec(format: BinaryFormat): Codec {
  return {
    async encode(value) {
      let binary = "";
      for (const byte of await format.encode(value)) {
        binary += String.fromCharCode(byte);
      }
      return btoa(binary);
    },
    decode(text) {
      try {
        const binary = atob(text);
        return format.decode(
          Uint8Array.from(binary, (char) => char.charCodeAt(0)),
        );
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

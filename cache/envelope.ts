import type { StoredEntry } from "./backend.ts";
import { CannotDecodeError } from "./errors.ts";

/**
 * An entry as one text, for a store that keeps no metadata of its own: JSON
 * metadata, a pipe, and the payload as it is. In the metadata there is no pipe.
 */
export function packEntry({ meta, payload }: StoredEntry): string {
  return `${JSON.stringify(meta).replaceAll("|", "\\u007c")}|${payload}`;
}

/**
 * The reverse of {@linkcode packEntry}.
 * @throws {CannotDecodeError} If the text is not of its making.
 */
export function unpackEntry(packed: string): StoredEntry {
  const at = packed.indexOf("|");
  try {
    const meta = JSON.parse(packed.slice(0, at));
    if (typeof meta.ct !== "number") throw new TypeError("No creation time");
    return { meta, payload: packed.slice(at + 1) };
  } catch (cause) {
    throw new CannotDecodeError(
      "cannot-decode",
      "Cannot read a stored entry",
      { cause },
    );
  }
}

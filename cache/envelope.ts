import type { EntryMetadata, StoredEntry } from "./backend.ts";
import { CannotDecodeError } from "./errors.ts";

/** Bytes as text, for a store that keeps text alone. */
export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** The reverse of {@linkcode toBase64}. */
export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

/** Metadata of an entry whose payload is kept as text. */
export interface TextMetadata extends EntryMetadata {
  /** The text is the base64 of bytes. */
  readonly b?: 1;
}

/** An entry for a store that keeps text, and metadata beside it. */
export function toText(
  { meta, payload }: StoredEntry,
): { readonly meta: TextMetadata; readonly text: string } {
  return typeof payload === "string"
    ? { meta, text: payload }
    : { meta: { ...meta, b: 1 }, text: toBase64(payload as Uint8Array) };
}

/** The reverse of {@linkcode toText}. */
export function fromText(meta: TextMetadata, text: string): StoredEntry {
  const { b, ...rest } = meta;
  return b
    ? { meta: rest, payload: fromBase64(text) }
    : { meta, payload: text };
}

/**
 * An entry as one text: JSON metadata, a pipe, and the payload as it is (bytes as
 * base64). The first pipe is the separator; in the metadata there is none.
 */
export function packEntry(entry: StoredEntry): string {
  const { meta, text } = toText(entry);
  return `${JSON.stringify(meta).replaceAll("|", "\\u007c")}|${text}`;
}

/**
 * The reverse of {@linkcode packEntry}.
 * @throws {CannotDecodeError} If the text is not of its making.
 */
export function unpackEntry(packed: string): StoredEntry {
  const at = packed.indexOf("|");
  try {
    const meta = JSON.parse(packed.slice(0, at));
    if (typeof meta.ct === "number") {
      return fromText(meta, packed.slice(at + 1));
    }
  } catch (cause) {
    throw new CannotDecodeError("Cannot read a stored entry", { cause });
  }
  throw new CannotDecodeError("Cannot read a stored entry: it has no time");
}

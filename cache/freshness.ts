import type { EntryMetadata, StoredEntry } from "./backend.ts";
import type { Call, Slot } from "./call.ts";
import { CacheConfigurationError } from "./errors.ts";
import type { MissReason } from "./trace.ts";

/**
 * Decides from its metadata alone whether an entry is fresh, stale or nothing,
 * and notes it: expiration is the reader's opinion, and this is all of it.
 *
 * @param creating Whether the caller would create the value, or only reads.
 * @returns Why the entry is not fresh; `undefined` if it is.
 * @throws {CacheConfigurationError} If a value is to be created as it was
 * invalidated softly, but never expires.
 */
export function judge(
  call: Call,
  slot: Slot,
  entry: StoredEntry | undefined,
  creating: boolean,
): MissReason | undefined {
  const { expirationTime = Infinity, invalidation } = call;
  const { key } = slot;
  const meta = entry?.meta ?? {} as EntryMetadata;
  const tags = meta.g ?? call.tags;
  const began = meta.ct - (meta.c ?? 0);
  const soft = invalidation.bound(false, tags, key);
  const over = slot.over = call.now() - meta.ct -
    (call.expirationPolicy?.(expirationTime, { key, meta, creating }) ??
      expirationTime);
  const why = slot.why = !entry
    ? "absent"
    : meta.v !== call.version
    ? "version"
    : call.ignoreExpiration
    ? undefined
    : began <= invalidation.bound(true, tags, key)
    ? "invalidated"
    : over > 0 || began <= soft
    ? "expired"
    : undefined;
  slot.entry = entry;
  slot.usable = why === "expired" && !(over > call.staleTime!);
  if (why && creating && soft && call.expirationTime === undefined) {
    throw new CacheConfigurationError(
      "soft-without-expiration",
      `Cannot invalidate "${key}" softly: give \`expirationTime\``,
    );
  }
  return why;
}

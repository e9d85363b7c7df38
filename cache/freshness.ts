import type { EntryMetadata, StoredEntry } from "./backend.ts";
import type { Bound, Policy, Slot } from "./bound.ts";
import type { MissReason } from "./trace.ts";

/**
 * Decides from its metadata alone whether an entry is fresh, stale or nothing,
 * and notes it: expiration is the reader's opinion, and this is all of it.
 *
 * @param creating Whether the caller would create the value, or only reads.
 * @returns Why the entry is not fresh; `undefined` if it is.
 */
export function judge(
  bound: Bound,
  policy: Policy,
  slot: Slot,
  entry: StoredEntry | undefined,
  creating: boolean,
): MissReason | undefined {
  const { expirationTime = Infinity, expirationPolicy } = policy;
  const { key } = slot;
  const meta = entry?.meta ?? {} as EntryMetadata;
  const tags = meta.g ?? policy.tags;
  const began = meta.ct - (meta.c ?? 0);
  const over = slot.over = bound.now() - meta.ct -
    (expirationPolicy?.(expirationTime, { key, meta, creating }) ??
      expirationTime);
  const why = slot.why = !entry
    ? "absent"
    : meta.v !== bound.version
    ? "version"
    : policy.ignoreExpiration
    ? undefined
    : began <= bound.invalidation.bound(true, tags, key)
    ? "invalidated"
    : over > 0 || began <= bound.invalidation.bound(false, tags, key)
    ? "expired"
    : undefined;
  slot.entry = entry;
  slot.usable = why === "expired" && !(over > policy.staleTime!);
  return why;
}

import type { StoredEntry } from "./backend.ts";
import { type Call, NO_TAGS, type Slot, type Verdict } from "./call.ts";
import type { MissReason } from "./trace.ts";

/**
 * Decides from its metadata alone whether an entry is fresh, stale or nothing.
 * It changes nothing: expiration is the reader's opinion, and this is all of it.
 *
 * @param creating Whether the caller would create the value, or only reads.
 */
export function judge(
  call: Call,
  { key, newerThan }: Slot,
  entry: StoredEntry | undefined,
  creating: boolean,
): Required<Verdict> {
  const { expirationTime = Infinity, invalidation } = call;
  const verdict = (why?: MissReason, over = 0) => ({ entry, why, over });
  if (!entry) return verdict("absent");
  const { meta } = entry;
  if (meta.v !== call.version) return verdict("version");
  // Read again, though it was found to be of no use.
  if (meta.ct <= newerThan) return verdict("corrupt");
  if (call.ignoreExpiration) return verdict();
  const tags = meta.g ?? call.tags ?? NO_TAGS;
  const began = meta.ct - (meta.c ?? 0);
  if (began <= invalidation.hardBound(tags, key)) return verdict("invalidated");
  const over = call.now() - meta.ct - (
    call.expirationPolicy?.(expirationTime, {
      key,
      meta,
      creating,
    }) ?? expirationTime
  );
  const expired = over > 0 || began <= invalidation.softBound(tags, key);
  return verdict(expired ? "expired" : undefined, over);
}

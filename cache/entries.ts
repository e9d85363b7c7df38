import type { StoredEntry } from "./backend.ts";
import { type Bound, emit, type Policy, type Slot } from "./bound.ts";
import { CacheInputError, CannotDecodeError } from "./errors.ts";
import { judge } from "./freshness.ts";

/** Reads and judges. A creator makes good for a backend that fails. */
export async function load(
  bound: Bound,
  policy: Policy,
  slots: readonly Slot[],
  creating: boolean,
): Promise<void> {
  if (!slots.length) return;
  let found: readonly (StoredEntry | undefined)[] = [];
  emit(bound, "read", slots);
  try {
    const ids = slots.map(({ id }) => id);
    found = await (
      bound.invalidation.read?.(bound.backend, ids, policy.tags) ??
        bound.backend.get(ids)
    );
  } catch (error) {
    emit(bound, "error", slots, { error });
    if (!creating) throw error;
  }
  slots.forEach((slot, i) => judge(bound, policy, slot, found[i], creating));
}

/** Decodes a slot's entry. One that cannot be read is a miss. */
export async function settle(bound: Bound, slot: Slot): Promise<void> {
  const { codec } = bound;
  const { payload } = slot.entry!;
  try {
    if (codec) emit(bound, "decode", [slot]);
    slot.value = codec ? await codec.decode(payload as string) : payload;
    emit(bound, slot.why ? "stale" : "hit", [slot]);
    slot.done = true;
  } catch (error) {
    if (
      !(error instanceof CannotDecodeError) && !(error instanceof SyntaxError)
    ) throw error;
    slot.why = "corrupt";
    slot.usable = false;
  }
}

/**
 * The entry of a value.
 *
 * @param ct Its creation time.
 * @param c What its creation took, in seconds.
 * @throws {CacheInputError} If the value cannot be encoded.
 */
export async function entryOf(
  bound: Bound,
  { tags }: Policy,
  slot: Slot,
  value: unknown,
  ct: number,
  c?: number,
): Promise<StoredEntry> {
  const { codec } = bound;
  const meta = {
    ct,
    v: bound.version,
    c,
    n: value == null || undefined,
    g: tags,
  };
  if (codec) emit(bound, "encode", [slot]);
  try {
    return { meta, payload: codec ? await codec.encode(value) : value };
  } catch (cause) {
    throw new CacheInputError(
      "not-encodable",
      `Cannot store "${slot.key}": give plain data`,
      { cause },
    );
  }
}

/** Writes all entries in one operation. */
export async function write(
  bound: Bound,
  { storageTime }: Policy,
  slots: readonly Slot[],
): Promise<void> {
  if (!slots.length) return;
  emit(bound, "write", slots);
  await bound.backend.set(
    slots.map(({ id, entry }) => [id, entry!]),
    { ttl: storageTime },
  );
}

import type { KeyedEntry, StoredEntry } from "./backend.ts";
import { CacheInputError, CannotDecodeError } from "./errors.ts";
import { judge } from "./freshness.ts";
import { type Call, emit, NO_TAGS, sharedKey, type Slot } from "./call.ts";

/** Reads and judges. A creator makes good for a backend that fails. */
export async function load(
  call: Call,
  slots: readonly Slot[],
  creating: boolean,
): Promise<void> {
  const { backend } = call;
  let found: readonly (StoredEntry | undefined)[] = [];
  emit(call, "read", slots);
  try {
    const ids = slots.map(({ id }) => id);
    found = await (
      call.invalidation.read?.(backend, ids, call.tags ?? NO_TAGS) ??
        backend.get(ids)
    );
  } catch (error) {
    emit(call, "error", slots, { error });
    if (!creating) throw error;
  }
  slots.forEach((slot, i) =>
    Object.assign(slot, judge(call, slot, found[i], creating))
  );
}

/** Decodes a slot's entry. One that cannot be read is a miss. */
export async function settle(call: Call, slot: Slot): Promise<void> {
  const { codec } = call;
  const { payload, meta } = slot.entry!;
  try {
    if (!slot.quiet) {
      if (codec) emit(call, "decode", [slot]);
      slot.value = codec ? await codec.decode(payload as string) : payload;
      emit(call, slot.why ? "stale" : "hit", [slot]);
    }
    slot.done = true;
  } catch (error) {
    if (!(error instanceof CannotDecodeError)) throw error;
    slot.why = "corrupt";
    slot.newerThan = meta.ct;
    slot.usable = false;
  }
}

/**
 * The entry of a value.
 *
 * @param ct Its creation time.
 * @param cost What its creation took, in seconds.
 * @throws {CacheInputError} If the value cannot be encoded.
 */
export async function entryOf(
  call: Call,
  key: string,
  value: unknown,
  ct: number,
  cost: number,
): Promise<StoredEntry> {
  const { codec } = call;
  const meta = {
    ct,
    v: call.version,
    c: cost || undefined,
    n: value == null || undefined,
    g: call.tags,
  };
  if (!codec) return { meta, payload: value };
  emit(call, "encode", [key]);
  try {
    return { meta, payload: await codec.encode(value) };
  } catch (cause) {
    throw new CacheInputError(
      "not-encodable",
      `Cannot store "${key}": its value cannot be encoded; give plain data`,
      { cause },
    );
  }
}

/** Writes all in one operation. */
export async function write(
  call: Call,
  entries: readonly KeyedEntry[],
): Promise<void> {
  const { storageTime: ttl } = call;
  emit(call, "write", entries.map(([key]) => key));
  await call.backend.set(entries, ttl ? { ttl } : {});
}

/** Drops what isolate and lock hold of keys that were written by hand. */
export async function forget(
  call: Call,
  ids: readonly string[],
): Promise<void> {
  const { flights, lock } = call;
  for (const id of ids) if (flights.get(id)?.ct) flights.delete(id);
  if (!lock?.forget) return;
  emit(call, "hop", []);
  await lock.forget(ids.map((id) => sharedKey(call, id)));
}

import type { StoredEntry } from "./backend.ts";
import { ask, type Call, emit, type Slot } from "./call.ts";
import { CacheInputError, CannotDecodeError } from "./errors.ts";
import { judge } from "./freshness.ts";
import { NO_VALUE } from "./no_value.ts";

/** Reads, and takes what is fresh. A creator makes good for a backend that fails. */
export async function load(
  call: Call,
  slots: readonly Slot[],
  creating: boolean,
): Promise<void> {
  const { backend } = call;
  const found = await ask(
    call,
    "read",
    slots,
    (ids) =>
      call.invalidation.read?.(backend, ids, call.tags) ?? backend.get(ids),
  ).catch((error) => {
    if (!creating) throw error;
  });
  await Promise.all(
    slots.map((slot, i) => take(call, slot, found?.[i], creating)),
  );
}

/** Judges what was found or handed over, and takes its value if it is fresh. */
export async function take(
  call: Call,
  slot: Slot,
  entry: StoredEntry | undefined,
  creating: boolean,
): Promise<void> {
  if (!judge(call, slot, entry, creating)) await settle(call, slot);
}

/** Decodes a slot's entry. One that cannot be read is a miss. */
export async function settle(call: Call, slot: Slot): Promise<void> {
  const { codec } = call;
  const { payload } = slot.entry!;
  try {
    slot.value = codec
      ? await ask(call, "decode", [slot], () => codec.decode(payload as string))
      : payload;
    emit(call, slot.why ? "stale" : "hit", [slot]);
  } catch (error) {
    if (
      !(error instanceof CannotDecodeError || error instanceof SyntaxError)
    ) throw error;
    slot.why = "corrupt";
    slot.usable = false;
  }
}

/** Answers what is stale. */
export async function answer(
  call: Call,
  slots: readonly Slot[],
): Promise<void> {
  await Promise.all(
    slots.map((slot) =>
      slot.why && slot.usable && slot.value === NO_VALUE && settle(call, slot)
    ),
  );
}

/**
 * The entry of a value.
 *
 * @param ct Its creation time.
 * @param c What its creation took, in seconds.
 * @throws {CacheInputError} If the value cannot be encoded.
 */
export async function entryOf(
  call: Call,
  slot: Slot,
  value: unknown,
  ct: number,
  c?: number,
): Promise<StoredEntry> {
  const { codec } = call;
  const meta = {
    ct,
    v: call.version,
    c,
    n: value == null || undefined,
    g: call.tags,
  };
  try {
    return {
      meta,
      payload: codec
        ? await ask(call, "encode", [slot], () => codec.encode(value))
        : value,
    };
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
  call: Call,
  slots: readonly Slot[],
): Promise<void> {
  await ask(
    call,
    "write",
    slots,
    () =>
      call.backend.set(
        slots.map(({ id, entry }) => [id, entry!]),
        { ttl: call.storageTime },
      ),
  );
}

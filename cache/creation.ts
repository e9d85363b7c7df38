import { ask, type Call, emit, type Slot } from "./call.ts";
import { answer, entryOf, load, write } from "./entries.ts";
import { CacheInputError } from "./errors.ts";
import { land } from "./flights.ts";
import { NO_VALUE } from "./no_value.ts";

/** Gives the values of keys, in order. */
export type Creator = (
  keys: readonly string[],
) => readonly unknown[] | Promise<readonly unknown[]>;

/**
 * Creates for those elected, unless what they want came meanwhile; stores what
 * was created, and hands it to those who wait. However it ends, every leadership
 * is released.
 */
export async function create(
  call: Call,
  elected: readonly Slot[],
  creator: Creator,
): Promise<void> {
  const { creationRunner = ({ create }) => create() } = call;
  if (!elected.length) return;
  const release = (error?: unknown) =>
    Promise.all(elected.map((slot) => free(call, slot, error)));
  await creationRunner({
    region: call.region,
    slots: elected,
    release,
    create: async () => {
      try {
        if (!call.lock?.holds) {
          const again = elected.filter(({ why }) => why !== "expired");
          await load(call, again, true);
        }
        // What came meanwhile is free at once, whatever becomes of the rest.
        await Promise.all(elected.map((slot) => slot.why ?? free(call, slot)));
        await fill(call, elected.filter(({ why }) => why), creator);
        await release();
      } catch (error) {
        await release(error);
        throw error;
      }
    },
  });
  // Whoever stands around it may not have waited for it.
  await answer(call, elected);
}

/** Ends a leadership: with what the slot has, or with an error. Harmless twice. */
async function free(call: Call, slot: Slot, error?: unknown): Promise<void> {
  await land(call, slot, error ? { error } : slot);
  await slot.leader!.release?.(error);
}

/** Gives slots new values, and writes those that may be stored in one operation. */
async function fill(
  call: Call,
  slots: readonly Slot[],
  creator: Creator,
): Promise<void> {
  const { tick } = call;
  await ask(call, "lead", slots, async () => {
    const began = tick();
    const keys = slots.map(({ key }) => key);
    const values = await creator(keys);
    if (values.length !== keys.length) {
      throw new CacheInputError(
        "creator-result",
        `Cannot use ${values.length} values for "${
          keys.slice(0, 9).join(", ")
        }": give one for each`,
      );
    }
    const ct = tick();
    const seconds = ct - began;
    emit(call, "create", slots, { seconds });
    const kept = await Promise.all(
      slots.map((slot, i) => keep(call, slot, values[i], ct, seconds)),
    );
    await write(call, slots.filter((_, i) => kept[i])).catch((error) => {
      // The value is good, though it could not be kept.
      if (error instanceof CacheInputError) throw error;
    });
  });
}

/**
 * Gives a slot its new value, and hands it to those who wait.
 * @returns Whether to store it: wanted, and nobody else was elected since.
 */
async function keep(
  call: Call,
  slot: Slot,
  value: unknown,
  ct: number,
  c: number,
): Promise<unknown> {
  const { shouldCache } = call;
  const wanted = !shouldCache || shouldCache(value as never);
  const entry = slot.entry = await entryOf(call, slot, value, ct, c)
    .catch((error) => {
      // Neither stored nor shared: those who wait create their own.
      if (wanted) throw error;
      return undefined;
    });
  // Unless it was answered with the stale one.
  if (slot.value === NO_VALUE) slot.value = value;
  slot.why = undefined;
  slot.hold = wanted && call.backend.capabilities.propagation || 0;
  return entry &&
    // A lock tells who leads; without one, whoever took off last.
    (await slot.leader!.commit?.(entry, slot.hold) ??
      call.flights.get(slot.id) === slot.flight) &&
    wanted;
}

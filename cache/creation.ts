import { type Bound, emit, type Policy, type Slot } from "./bound.ts";
import { entryOf, load, write } from "./entries.ts";
import { CacheInputError } from "./errors.ts";
import type { Leader } from "./lock.ts";

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
  bound: Bound,
  policy: Policy,
  elected: readonly Slot[],
  creator: Creator,
): Promise<void> {
  const { creationRunner, shouldCache } = policy;
  const { backend, lock, region, tick } = bound;
  const again = elected.filter(({ why }) =>
    why !== "expired" && why !== "corrupt"
  );
  if (!lock?.holds) await load(bound, policy, again, true);
  await Promise.all(
    elected.map((slot) => slot.why ?? leaderOf(slot).release()),
  );
  const slots = elected.filter(({ why }) => why);
  if (!slots.length) return;
  const release = async (error?: unknown) => {
    await Promise.all(slots.map((slot) => leaderOf(slot).release(error)));
  };
  const create = async () => {
    emit(bound, "lead", slots);
    try {
      const began = tick();
      const keys = slots.map(({ key }) => key);
      const values = await creator(keys);
      if (values.length !== keys.length) {
        throw new CacheInputError(
          "creator-result",
          `Cannot use ${values.length} values for "${
            keys.slice(0, MAX_NAMED).join(", ")
          }": give one for each`,
        );
      }
      const ct = tick();
      const seconds = ct - began;
      emit(bound, "create", slots, { seconds });
      const stored: Slot[] = [];
      await Promise.all(slots.map(async (slot, i) => {
        const value = values[i];
        // Unless it was answered with the stale one.
        if (!slot.done) slot.value = value;
        const wanted = !shouldCache || shouldCache(value as never);
        slot.entry = await entryOf(bound, policy, slot, value, ct, seconds)
          .catch((error) => {
            // Neither stored nor shared: those who wait create their own.
            if (wanted) throw error;
            return undefined;
          });
        slot.done = true;
        const hold = wanted && backend.capabilities.propagation || 0;
        if (
          slot.entry && await leaderOf(slot).commit(slot.entry, hold) && wanted
        ) stored.push(slot);
      }));
      await write(bound, policy, stored).catch((error) => {
        if (error instanceof CacheInputError) throw error;
        // The value is good, though it could not be kept.
        emit(bound, "error", slots, { error });
      });
      await release();
    } catch (error) {
      emit(bound, "error", slots, { error });
      await release(error);
      throw error;
    }
  };
  await (creationRunner
    ? creationRunner({ region, slots, create, release })
    : create());
}

/** How many keys a message names. */
const MAX_NAMED = 9;

function leaderOf({ ticket }: Slot): Leader {
  return ticket as Leader;
}

import { type Bound, emit, type Policy, type Slot } from "./bound.ts";
import { entryOf, load, write } from "./entries.ts";
import { CacheInputError } from "./errors.ts";
import type { Leader } from "./lock.ts";

/** A slot whose caller leads. */
export interface Led extends Slot {
  ticket: Leader;
}

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
  elected: readonly Led[],
  creator: Creator,
): Promise<void> {
  const again = elected.filter(({ why }) =>
    why !== "expired" && why !== "corrupt"
  );
  if (!bound.lock?.holds) await load(bound, policy, again, true);
  await Promise.all(
    elected.map((slot) => slot.why ?? slot.ticket.release()),
  );
  const slots = elected.filter(({ why }) => why);
  if (!slots.length) return;
  const release = (error?: unknown) =>
    Promise.all(slots.map(({ ticket }) => ticket.release(error)));
  const work = async () => {
    emit(bound, "lead", slots);
    try {
      const began = bound.tick();
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
      const ct = bound.tick();
      const seconds = ct - began;
      emit(bound, "create", slots, { seconds });
      const stored: Led[] = [];
      await Promise.all(slots.map(async (slot, i) => {
        const value = values[i];
        // Unless it was answered with the stale one.
        if (!slot.done) slot.value = value;
        const wanted = !policy.shouldCache ||
          policy.shouldCache(value as never);
        slot.entry = await entryOf(bound, policy, slot, value, ct, seconds)
          .catch((error) => {
            // Neither stored nor shared: those who wait create their own.
            if (wanted) throw error;
            return undefined;
          });
        slot.done = true;
        const hold = wanted && bound.backend.capabilities.propagation || 0;
        if (
          slot.entry && await slot.ticket.commit(slot.entry, hold) && wanted
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
  await (policy.creationRunner
    ? policy.creationRunner({
      region: bound.region,
      slots,
      create: work,
      release,
    })
    : work());
}

import type { KeyedEntry } from "./backend.ts";
import { entryOf, load, settle, write } from "./entries.ts";
import { CacheInputError } from "./errors.ts";
import { type Flight, land, UNLOCKED } from "./flights.ts";
import type { Leader, Outcome } from "./lock.ts";
import { type Call, type Create, emit } from "./call.ts";

/**
 * Creates for those elected, unless what they want came meanwhile; stores what
 * was created, and hands it to those who wait. However it ends, every flight
 * lands and every leadership is released.
 */
export async function elected(
  call: Call,
  flights: readonly Flight[],
  create: Create,
): Promise<void> {
  const { creationRunner, shouldCache } = call;
  const again = flights.filter(({ slot, ticket }) =>
    (ticket as Leader).reread && slot.why !== "expired"
  );
  if (again.length) {
    await load(call, again.map(({ slot }) => slot), true);
  }
  const own: Flight[] = [];
  const end = async (flight: Flight, outcome: Outcome) => {
    land(call, flight, outcome);
    await (flight.ticket as Leader).release(outcome.error);
  };
  for (const flight of flights) {
    if (flight.slot.why) own.push(flight);
    else await end(flight, { entry: flight.slot.entry! });
  }
  if (!own.length) return;
  const slots = own.map(({ slot }) => slot);
  const endAll = async (outcome: Outcome) => {
    for (const flight of own) await end(flight, outcome);
  };
  const creation = {
    region: call.region,
    keys: slots.map(({ key }) => key),
    stale: slots.every(({ usable }) => usable)
      ? Math.max(...slots.map(({ over }) => over))
      : undefined,
    release: () => endAll({}),
    async create() {
      const began = call.tick();
      emit(call, "lead", slots);
      try {
        const values = await create(slots);
        const ct = call.tick();
        const seconds = ct - began;
        emit(call, "create", slots, { seconds });
        const entries: KeyedEntry[] = [];
        const { propagation = 0 } = call.backend.capabilities;
        const landings = await Promise.all(own.map(async (flight, i) => {
          const { slot } = flight;
          const value = slot.value = values[i];
          const wanted = !shouldCache || shouldCache(value as never);
          const entry = await entryOf(
            call,
            slot.key,
            value,
            ct,
            seconds,
          ).catch((error) => {
            if (wanted) throw error;
          });
          slot.done = true;
          // Neither stored nor shared: those who wait create their own.
          if (!entry) return;
          const hold = wanted ? propagation : 0;
          const valid = await (flight.ticket as Leader).commit(entry, hold);
          // A lock tells who leads; without one, whoever took off last.
          const leads = flight.ticket !== UNLOCKED ||
            call.flights.get(slot.id) === flight;
          if (valid && wanted && leads) entries.push([slot.id, entry]);
          return () => land(call, flight, { entry }, hold);
        }));
        if (entries.length) {
          await write(call, entries).catch((error) => {
            if (error instanceof CacheInputError) throw error;
            // The value is good, though it could not be kept.
            emit(call, "error", slots, { error });
          });
        }
        for (const landing of landings) landing?.();
        await endAll({});
      } catch (error) {
        emit(call, "error", slots, { error });
        await endAll({ error });
        throw error;
      }
    },
  };
  await (creationRunner ? creationRunner(creation) : creation.create());
  for (const slot of slots) {
    if (!slot.done && slot.usable) await settle(call, slot);
  }
}

import { type Bound, emit, type Policy, type Slot } from "./bound.ts";
import type { Follower, Leader, Outcome } from "./lock.ts";

/** The creation of one key, as this isolate knows it. */
export interface Flight {
  /** Resolved when it has landed, by whoever leads. */
  readonly promise: Promise<Outcome | undefined>;
  /** Lands it. */
  readonly resolve: (
    outcome: Follower["outcome"] | Outcome | undefined,
  ) => void;
  /** When others need not respect it any more: the end of the lease, or of the hold. */
  until: number;
  /** The creation time of what it holds, once landed. */
  ct?: number;
}

/** The caller leads; or follows, if there is anything to wait for. */
export type Ticket = Leader | (Partial<Flight> & { readonly commit?: never });

/** How many landed flights an isolate holds before it drops them. */
const MAX_HELD = 100;

/** The name of a key among those of other regions, for a lock they share. */
export function sharedKey({ name }: Bound, { id }: Slot): string {
  return `${name}/${id}`;
}

/**
 * Asks who creates a value: in this isolate first, and then the lock. Nothing is
 * waited for before the isolate has decided.
 *
 * @param wait For how many seconds others are still respected.
 */
export async function elect(
  bound: Bound,
  { leaseTime: lease }: Policy,
  slot: Slot,
  wait: number,
): Promise<Ticket> {
  const { flights, held, lock, now, runtime } = bound;
  const { id, usable } = slot;
  const newerThan = slot.entry?.meta.ct ?? 0;
  if (wait > 0) {
    const landed = held.get(id);
    if (landed?.until! > now() && landed!.ct! > newerThan) return landed!;
    const known = flights.get(id);
    if (known?.until! > now()) {
      if (usable) return {};
      emit(bound, "wait", [slot]);
      return known!;
    }
  }
  const flight: Flight = {
    ...Promise.withResolvers<Outcome | undefined>(),
    until: now() + lease,
  };
  flights.set(id, flight);
  let beyond!: Leader | Follower | void;
  if (lock && wait > 0) {
    emit(bound, "hop", [slot]);
    beyond = await runtime.within(
      wait,
      lock.acquire(sharedKey(bound, slot), {
        newerThan,
        wait: usable ? 0 : wait,
        lease,
      }).catch((error) => emit(bound, "error", [slot], { error })),
    );
    // Nobody answers: stale is good enough, else this isolate leads alone.
    if (beyond ? beyond.outcome : usable) {
      flight.resolve(beyond?.outcome ?? {});
      return flight;
    }
  }
  let made: Outcome & { readonly hold?: number } = {};
  return {
    async commit(entry, hold) {
      made = { entry, hold };
      // A lock tells who leads; without one, whoever took off last.
      return await (beyond as Leader | undefined)?.commit(entry, hold) ??
        flights.get(id) === flight;
    },
    async release(error) {
      flight.resolve(error ? { error } : made);
      if (flights.get(id) === flight) {
        flights.delete(id);
        if (made.hold && !error) {
          flight.ct = made.entry!.meta.ct;
          flight.until = now() + made.hold;
          if (held.size >= MAX_HELD) held.clear();
          held.set(id, flight);
        }
      }
      await (beyond as Leader | undefined)?.release(error);
    },
  };
}

/** Drops what isolate and lock hold of keys that were written by hand. */
export async function forget(
  bound: Bound,
  slots: readonly Slot[],
): Promise<void> {
  const { held, lock } = bound;
  for (const { id } of slots) held.delete(id);
  if (!lock?.forget || !slots.length) return;
  emit(bound, "hop", slots);
  await lock.forget(slots.map((slot) => sharedKey(bound, slot)));
}

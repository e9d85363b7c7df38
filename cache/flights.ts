import { ask, type Call, type Slot } from "./call.ts";
import type { Leader, Outcome } from "./lock.ts";

/** The creation of one key, as this isolate knows it. */
export interface Flight {
  /** Resolved when it has landed, by whoever leads. */
  readonly promise: Promise<Outcome>;
  /** Lands it. */
  readonly resolve: (outcome: Outcome) => void;
  /** When others need not respect it any more: the end of the lease, or of the hold. */
  until: number;
  /** The creation time of what it holds, once landed. */
  ct?: number;
}

/** How it ended, and for how many seconds to go on showing that. */
export interface Landing extends Outcome {
  readonly hold?: number;
}

/** That it ended already, or will end, without this caller. */
interface Ending {
  readonly outcome: Landing | Promise<Landing | undefined> | undefined;
}

/** How many flights an isolate knows before it drops those that have landed. */
const MAX_FLIGHTS = 100;

/** The name of a key among those of other regions, for a lock they share. */
export function sharedKey({ name }: Call, { id }: Slot): string {
  return `${name}/${id}`;
}

/**
 * Asks who creates a value: in this isolate first, and then the lock. Nothing is
 * waited for before the isolate has decided. Who is elected gets a `leader`.
 *
 * @param wait For how many seconds others are still respected.
 * @returns The flight to wait for, if there is one.
 */
export async function elect(
  call: Call,
  slot: Slot,
  wait: number,
): Promise<Flight | undefined> {
  const { flights, leaseTime: lease, lock, now } = call;
  const { id, usable } = slot;
  const newerThan = slot.entry?.meta.ct ?? 0;
  slot.leader = undefined;
  const known = flights.get(id);
  if (wait > 0 && known?.until! > now() && !(known!.ct! <= newerThan)) {
    return usable && !known!.ct ? undefined : known;
  }
  if (flights.size > MAX_FLIGHTS) {
    for (const [id, { ct }] of flights) if (ct) flights.delete(id);
  }
  const flight = slot.flight = {
    ...Promise.withResolvers<Outcome>(),
    until: now() + lease,
  };
  flights.set(id, flight);
  const answer: Partial<Leader> | Ending = lock && wait > 0
    ? await call.runtime.within(
      wait,
      ask(
        call,
        "hop",
        [slot],
        () =>
          lock.acquire(sharedKey(call, slot), {
            newerThan,
            wait: usable ? 0 : wait,
            lease,
          }),
      ).catch(() => undefined),
    ) ??
      // Nobody answers: stale is good enough, else this isolate leads alone.
      { outcome: usable ? {} : undefined }
    : {};
  if (answer.outcome) {
    land(call, slot, answer.outcome);
    return flight;
  }
  slot.leader = answer as Partial<Leader>;
  return undefined;
}

/** Ends a flight: those who wait get its outcome, and so does who comes while it is held. */
export async function land(
  { flights, now }: Call,
  { flight, id }: Slot,
  outcome: Landing | Promise<Landing | undefined>,
): Promise<void> {
  const { entry, error, hold } = await outcome ?? {};
  flight!.resolve({ entry, error });
  if (flights.get(id) !== flight) return;
  if (hold) {
    flight!.ct = entry!.meta.ct;
    flight!.until = now() + hold;
  } else flights.delete(id);
}

/** Drops what isolate and lock hold of keys that were written by hand. */
export async function forget(
  call: Call,
  slots: readonly Slot[],
): Promise<void> {
  const { flights, lock } = call;
  for (const { id } of slots) if (flights.get(id)?.ct) flights.delete(id);
  if (!lock?.forget) return;
  await ask(
    call,
    "hop",
    slots,
    () => lock.forget!(slots.map((slot) => sharedKey(call, slot))),
  );
}

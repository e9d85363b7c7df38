import type { Follower, Leader, Outcome } from "./lock.ts";
import type { Call, Slot } from "./call.ts";

/** The creation of one key, as this isolate knows it. */
export interface Flight {
  /** The key, and what the leader wants. */
  readonly slot: Slot;
  /** Resolved when it has landed, by whoever leads. */
  readonly promise: Promise<Outcome>;
  /** Lands it. */
  readonly resolve: (outcome: Outcome) => void;
  /** Whether its caller leads beyond this isolate as well. */
  ticket: Leader | Follower;
  /** When others need not respect it any more: the end of the lease, or of the hold. */
  until: number;
  /** The creation time of what it holds, once landed. */
  ct?: number;
}

/** How many landed flights an isolate keeps. */
const MAX_HELD = 100;

/** Leads without asking anybody. */
export const UNLOCKED: Leader = {
  leads: true,
  reread: true,
  commit: () => true,
  release() {},
};

/** Those who come after this wait for it, up to the end of the lease. */
export function takeOff(
  call: Call,
  slot: Slot,
): Flight {
  const flight: Flight = {
    ...Promise.withResolvers<Outcome>(),
    slot,
    until: call.now() + call.leaseTime,
    ticket: UNLOCKED,
  };
  call.flights.set(slot.id, flight);
  return flight;
}

/** The flight that will bring what a slot wants, or holds it already. */
export function flightFor(
  call: Call,
  { id, newerThan }: Pick<Slot, "id" | "newerThan">,
): Flight | undefined {
  const flight = call.flights.get(id);
  return flight && flight.until > call.now() && !(flight.ct! <= newerThan)
    ? flight
    : undefined;
}

/** Tells those who wait in this isolate; and keeps it for those who read late. */
export function land(
  { flights, now }: Call,
  flight: Flight,
  outcome: Outcome,
  hold = 0,
): void {
  const { slot: { id } } = flight;
  flight.resolve(outcome);
  if (flights.get(id) !== flight || flight.ct) return;
  flights.delete(id);
  if (!hold) return;
  flight.ct = outcome.entry!.meta.ct;
  flight.until = now() + hold;
  flights.set(id, flight);
  if (flights.size <= MAX_HELD) return;
  for (const [id, { ct }] of flights) {
    if (ct) return void flights.delete(id);
  }
}

import { elected } from "./elected.ts";
import { load, settle } from "./entries.ts";
import { CacheConfigurationError } from "./errors.ts";
import { type Flight, flightFor, land, takeOff, UNLOCKED } from "./flights.ts";
import { judge } from "./freshness.ts";
import type { Outcome } from "./lock.ts";
import {
  type Call,
  type Create,
  emit,
  NO_TAGS,
  sharedKey,
  type Slot,
} from "./call.ts";

/**
 * Brings every slot to a value: from what was read, from another, or by `create`.
 * Each turn settles what is fresh; of the rest, some wait for a flight and all
 * others are led by this caller. What has no value after that takes another turn.
 */
export async function resolve(
  call: Call,
  slots: readonly Slot[],
  create: Create,
): Promise<void> {
  let end = call.now() + call.waitTimeout;
  let patience = 2;
  for (let open = slots;;) {
    await Promise.all(open.map((slot) => slot.why ?? settle(call, slot)));
    open = open.filter(({ done }) => !done);
    if (!open.length) return;
    if (call.now() >= end) {
      end = call.now() + call.waitTimeout;
      patience--;
    }
    const mine: Slot[] = [];
    const waits = open.map(async (slot) => {
      narrow(call, slot);
      if (slot.usable && call.staleWhileRevalidate && !slot.quiet) {
        await settle(call, slot);
        // Until it is bound, it could end with this request.
        if (slot.done) {
          await keep(
            call,
            resolve(
              call,
              [{ ...slot, done: false, quiet: true }],
              create,
            ),
          );
        }
        return;
      }
      const flight = patience && flightFor(call, slot);
      if (!flight) {
        mine.push(slot);
        return;
      }
      if (!slot.usable) emit(call, "wait", [slot]);
      const outcome = slot.usable && !flight.ct
        ? {}
        : await call.runtime.within(end - call.now(), flight.promise);
      // Its leader may be dead: the next caller need not wait as well.
      if (!outcome) flight.until = 0;
      await take(call, slot, outcome);
    });
    // Nothing above waits before it has decided.
    if (mine.length) {
      const work = lead(call, mine, create, patience && end - call.now());
      keep(call, work);
      waits.push(work);
    }
    await Promise.all(waits);
  }
}

/** Notes what a slot that missed will take: how new, or the stale value at hand. */
function narrow(
  call: Call,
  slot: Slot,
): void {
  const { invalidation, tags = NO_TAGS, expirationTime } = call;
  emit(call, "miss", [slot], { reason: slot.why! });
  const soft = invalidation.softBound(tags, slot.key);
  if (soft && expirationTime === undefined) {
    throw new CacheConfigurationError(
      "soft-without-expiration",
      `Cannot invalidate "${slot.key}" softly: it has no \`expirationTime\``,
    );
  }
  slot.newerThan = Math.max(
    slot.newerThan,
    soft,
    invalidation.hardBound(tags, slot.key),
    call.now() - (expirationTime ?? Infinity),
  );
  slot.usable = slot.why === "expired" && slot.over <= call.staleTime;
}

/** Lets work outlive its caller. Once that resolves, it does. */
function keep(
  call: Call,
  work: Promise<unknown>,
): void | Promise<void> {
  return call.runtime.waitUntil(work.catch(() => {}));
}

/** Makes what it can of another's outcome. */
async function take(
  call: Call,
  slot: Slot,
  outcome: Outcome = {},
): Promise<void> {
  const { entry } = outcome;
  if (entry) {
    const verdict = judge(call, slot, entry, false);
    slot.newerThan = entry.meta.ct;
    // One of no use to this caller is no reason to stay with the stale value.
    if (!verdict.why) Object.assign(slot, verdict);
  } else if (slot.usable) await settle(call, slot);
  else if ("error" in outcome) throw outcome.error;
  else await load(call, [slot], true);
}

/** Leads in this isolate: asks to lead beyond it, and creates or waits. */
async function lead(
  call: Call,
  slots: readonly Slot[],
  create: Create,
  wait: number,
): Promise<void> {
  const all = await Promise.all(
    slots.map((slot) => elect(call, slot, wait)),
  );
  await Promise.all([
    elected(call, all.filter(({ ticket }) => ticket.leads), create),
    ...all.map(async (flight) => {
      const { ticket, slot } = flight;
      if (ticket.leads) return;
      const outcome =
        await call.runtime.within(wait || call.waitTimeout, ticket.outcome) ??
          {};
      land(call, flight, outcome);
      await take(call, slot, outcome);
    }),
  ]);
}

/** Takes off, and asks the lock who leads; without one, or patience, this isolate. */
async function elect(
  call: Call,
  slot: Slot,
  wait: number,
): Promise<Flight> {
  const { lock } = call;
  const flight = takeOff(call, slot);
  if (lock && wait) {
    emit(call, "hop", [slot]);
    const asked = lock.acquire(sharedKey(call, slot.id), {
      newerThan: slot.newerThan,
      wait: slot.usable ? 0 : wait,
      lease: call.leaseTime,
    }).catch((error) => emit(call, "error", [slot], { error }));
    flight.ticket = await call.runtime.within(call.waitTimeout, asked) ??
      // Nobody answers: stale is good enough, else this isolate leads alone.
      (slot.usable ? { leads: false, outcome: Promise.resolve({}) } : UNLOCKED);
  }
  return flight;
}

import { type Call, emit, type Slot } from "./call.ts";
import { create, type Creator } from "./creation.ts";
import { answer, load, settle, take } from "./entries.ts";
import { elect, type Flight } from "./flights.ts";
import type { Outcome } from "./lock.ts";
import { NO_VALUE } from "./no_value.ts";

/**
 * Brings slots to their values: from what was read, from another, or by a
 * creator if there is one. Each turn creates, waits, or answers what is stale once
 * somebody was asked to renew it; what is left after it is looked at again.
 */
export async function resolve(
  call: Call,
  slots: readonly Slot[],
  creator?: Creator,
): Promise<void> {
  const { now, waitTimeout } = call;
  // Time for two others, and ten turns: then this caller leads on its own.
  const end = now() + 2 * waitTimeout;
  await load(call, slots, !!creator);
  let open = slots;
  for (let turns = 10;; turns--) {
    open = open.filter(({ why, value }) => why && value === NO_VALUE);
    for (const slot of open) emit(call, "miss", [slot], { reason: slot.why! });
    if (!creator || !open.length) return;
    if (call.staleWhileRevalidate) await answer(call, open);
    const wait = turns > 0 ? Math.min(waitTimeout, end - now()) : 0;
    const work = lead(call, open, creator, wait);
    // It may outlive its caller. Until it is bound, it could end with the request.
    await call.runtime.waitUntil(work.catch(() => {}));
    if (open.some(({ value }) => value === NO_VALUE)) await work;
  }
}

/** Creates for slots that are elected, while the others wait, for some seconds. */
async function lead(
  call: Call,
  slots: readonly Slot[],
  creator: Creator,
  wait: number,
): Promise<void> {
  const flights = await Promise.all(
    slots.map((slot) => elect(call, slot, wait)),
  );
  await Promise.all([
    create(call, slots.filter(({ leader }) => leader), creator),
    ...slots.map((slot, i) => follow(call, slot, flights[i], wait)),
  ]);
}

/** Waits for another, if it has to, and makes what it can of the outcome. */
async function follow(
  call: Call,
  slot: Slot,
  flight: Flight | undefined,
  wait: number,
): Promise<void> {
  if (slot.leader) return;
  if (!slot.usable) emit(call, "wait", [slot]);
  const outcome: Outcome | undefined = flight
    ? await call.runtime.within(wait, flight.promise)
    : {};
  // Its leader may be dead: the next caller need not wait as well.
  if (!outcome) flight!.until = 0;
  const { entry, error } = outcome ?? {};
  if (entry) await take(call, slot, entry, false);
  else if (slot.usable) await settle(call, slot);
  else if (error) throw error;
  else await load(call, [slot], true);
}

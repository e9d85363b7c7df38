import { type Bound, emit, type Policy, type Slot } from "./bound.ts";
import { create, type Creator, type Led } from "./creation.ts";
import { load, settle } from "./entries.ts";
import { CacheConfigurationError } from "./errors.ts";
import { elect } from "./flights.ts";
import { judge } from "./freshness.ts";

/**
 * Brings slots to their values: from what was read, from another, or by a
 * creator if there is one. Each turn settles what is fresh, and what is stale
 * once somebody was asked to renew it; the rest is created, or waited for.
 *
 * @throws {CacheConfigurationError} If a value is to be created as it was
 * invalidated softly, but never expires.
 */
export async function resolve(
  bound: Bound,
  policy: Policy,
  slots: readonly Slot[],
  creator?: Creator,
): Promise<void> {
  const { staleWhileRevalidate, tags, waitTimeout } = policy;
  const never = policy.expirationTime === undefined;
  // Time for two others, and ten turns: then this caller leads on its own.
  const end = bound.now() + 2 * waitTimeout;
  let turns = 10;
  await load(bound, policy, slots, !!creator);
  for (let open = slots;;) {
    const answers = open.filter(({ done, ticket, usable, why }) =>
      !done && (!why || usable && (ticket || staleWhileRevalidate))
    );
    await Promise.all(answers.map((slot) => settle(bound, slot)));
    // What is answered though nobody was asked is still to be created.
    open = open.filter(({ done, why, ticket }) => !done || why && !ticket);
    for (const slot of open) {
      emit(bound, "miss", [slot], { reason: slot.why! });
      if (creator && never && bound.invalidation.bound(false, tags, slot.key)) {
        throw new CacheConfigurationError(
          "soft-without-expiration",
          `Cannot invalidate "${slot.key}" softly: give \`expirationTime\``,
        );
      }
    }
    if (!creator || !open.length) return;
    const wait = turns-- > 0 ? Math.min(waitTimeout, end - bound.now()) : 0;
    const work = lead(bound, policy, open, creator, wait);
    // It may outlive its caller. Until it is bound, it could end with the request.
    await bound.runtime.waitUntil(work.catch(() => {}));
    if (open.every(({ done }) => done)) return;
    await work;
  }
}

/** Creates for slots that are elected, while the others wait, for some seconds. */
async function lead(
  bound: Bound,
  policy: Policy,
  slots: readonly Slot[],
  creator: Creator,
  wait: number,
): Promise<unknown> {
  await Promise.all(slots.map(async (slot) => {
    slot.ticket = await elect(bound, policy, slot, wait);
  }));
  return Promise.all([
    create(
      bound,
      policy,
      slots.filter((slot): slot is Led => !!slot.ticket!.commit),
      creator,
    ),
    ...slots.map((slot) => follow(bound, policy, slot, wait)),
  ]);
}

/** Waits for another, if it has to, and makes what it can of the outcome. */
async function follow(
  bound: Bound,
  policy: Policy,
  slot: Slot,
  wait: number,
): Promise<void> {
  const { flights, runtime } = bound;
  const { id, usable } = slot;
  const ticket = slot.ticket!;
  if (ticket.commit) return;
  const outcome = ticket.promise && await runtime.within(wait, ticket.promise);
  // Its leader may be dead: the next caller need not wait as well.
  if (!outcome) ticket.until = 0;
  else if (flights.get(id) === ticket) flights.delete(id);
  const { entry, error } = outcome ?? {};
  if (!entry && usable) return;
  slot.ticket = undefined;
  if (entry) judge(bound, policy, slot, entry, false);
  else if (error) throw error;
  else await load(bound, policy, [slot], true);
}

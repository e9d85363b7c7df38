import type { EntryMetadata } from "./backend.ts";
import type { OpenRegion } from "./call.ts";
import { resolve } from "./dogpile.ts";
import { sharedKey } from "./flights.ts";
import type { CacheRegion, GetOptions } from "./region.ts";

/** A value and what is known of it. */
export interface CachedValue<T = unknown> {
  /** The value. */
  readonly value: T;
  /** What is stored beside it. */
  readonly meta: EntryMetadata;
  /** Seconds since its creation had finished. */
  readonly age: number;
}

/** As `region.get`, with what is known of the value; `null` if there is none. */
export async function getValueMetadata<T = unknown>(
  region: CacheRegion,
  key: string,
  options?: GetOptions,
): Promise<CachedValue<T> | null> {
  const [call, slots] = await (region as OpenRegion).open([key], options);
  await resolve(call, slots);
  const { entry, value, why } = slots[0]!;
  if (why) return null;
  const { meta } = entry!;
  return { value: value as T, meta, age: call.now() - meta.ct };
}

/**
 * Whether somebody creates this key now. Asking acquires nothing: a lock that
 * cannot tell is asked for a lease of no length.
 */
export async function keyIsLocked(
  region: CacheRegion,
  key: string,
): Promise<boolean> {
  const [call, slots] = await (region as OpenRegion).open([key]);
  const { flights, lock, now } = call;
  const flight = flights.get(slots[0]!.id);
  if (flight && !flight.ct && flight.until > now()) return true;
  if (!lock) return false;
  const name = sharedKey(call, slots[0]!);
  if (lock.isLocked) return await lock.isLocked(name);
  const answer = await lock.acquire(name, {
    newerThan: Infinity,
    wait: 0,
    lease: 0,
  });
  if (answer.outcome) return true;
  await answer.release();
  return false;
}

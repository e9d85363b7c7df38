import type { EntryMetadata } from "./backend.ts";
import type { OpenRegion } from "./bound.ts";
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
  const [bound, policy, slots] = await (region as OpenRegion)
    .open([key], options);
  await resolve(bound, policy, slots);
  const [slot] = slots;
  if (!slot!.done) return null;
  const { meta } = slot!.entry!;
  return { value: slot!.value as T, meta, age: bound.now() - meta.ct };
}

/** Whether somebody creates this key now. Asking acquires nothing. */
export async function keyIsLocked(
  region: CacheRegion,
  key: string,
): Promise<boolean> {
  const [bound, , [slot]] = await (region as OpenRegion).open([key]);
  const flight = bound.flights.get(slot!.id);
  return !!flight && flight.until > bound.now() ||
    !!await bound.lock?.isLocked(sharedKey(bound, slot!));
}

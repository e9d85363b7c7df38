import type { CacheBackend, StoredEntry } from "./backend.ts";
import type { Codec } from "./codec.ts";
import type { Flight } from "./flights.ts";
import type { InvalidationStrategy } from "./invalidation.ts";
import type { KeyMangler } from "./key.ts";
import type { Leader, Lock } from "./lock.ts";
import type { CachePolicy } from "./policy.ts";
import type { CacheRegion, GetOptions } from "./region.ts";
import type { CreationSlot } from "./runner.ts";
import type { Runtime } from "./runtime.ts";
import type { CacheEvent, MissReason } from "./trace.ts";

/** What a region is made of, once it is configured; no option of a call changes it. */
export interface Bound {
  /** The region itself, for those who stand around a creation. */
  readonly region: CacheRegion;
  /** The shape of its values. */
  readonly version: number | string;
  /** Seconds since the epoch. */
  readonly now: () => number;
  /** As `now`, never the same twice. */
  readonly tick: () => number;
  /** Where entries are stored. */
  readonly backend: CacheBackend;
  /** Elects beyond this isolate. */
  readonly lock: Lock | undefined;
  /** None if values are stored as they are. */
  readonly codec: Codec | undefined;
  /** None if keys are stored as they are. */
  readonly keyMangler: KeyMangler | false | undefined;
  /** The creations that this isolate knows of, by the key the backend sees. */
  readonly flights: Map<string, Flight>;
}

/**
 * One call of a region, as all who take part in it see it: its options over those
 * of the region, around what the region is made of. It ends on what it began
 * with, even if the region is configured anew meanwhile.
 */
export interface Call
  extends Bound, CachePolicy, Pick<GetOptions, "ignoreExpiration" | "tags"> {
  /** Names it in errors, events and shared locks. */
  readonly name: string;
  /** Takes every event. */
  readonly trace?: (event: CacheEvent) => void;
  /** Decides what is invalid. */
  readonly invalidation: InvalidationStrategy;
  /** The platform. */
  readonly runtime: Runtime;
  /** How long to wait for another, in seconds. */
  readonly waitTimeout: number;
  /** How long a creator may take, in seconds. */
  readonly leaseTime: number;
  /** Whether to store what was created. */
  readonly shouldCache?: (value: never) => boolean;
}

/** One key on its way to a value. */
export interface Slot extends CreationSlot {
  /** As the backend sees it. */
  readonly id: string;
  /** What was read or created, of use or not. */
  entry?: StoredEntry | undefined;
  /** Why it is not fresh; `undefined` if it is. */
  why?: MissReason | undefined;
  /** As of a `CreationSlot`, and to be changed. */
  over?: number;
  /** As of a `CreationSlot`, and to be changed. */
  usable?: boolean;
  /** The creation that its caller announced in this isolate. */
  flight?: Flight;
  /** There if its caller was elected; empty if no lock was asked. */
  leader?: Partial<Leader> | undefined;
  /** For how many seconds what was created is handed on. */
  hold?: number;
  /** For its caller: `NO_VALUE` until it is done. */
  value: unknown;
}

/** Any region that `createRegion` made, as functions over a region see it. */
export interface OpenRegion extends CacheRegion {
  /** How a call is treated, and its keys on their way. */
  open(
    keys: readonly string[],
    options?: GetOptions,
  ): Promise<readonly [call: Call, slots: Slot[]]>;
}

/** Tells whoever traces the region what happened to some of its keys. */
export function emit(
  { name, trace }: Pick<Call, "name" | "trace">,
  type: CacheEvent["type"],
  of: readonly (string | Slot)[],
  more?: Partial<CacheEvent>,
): void {
  trace?.({
    type,
    region: name,
    keys: of.map((one) => (one as Slot).key ?? one),
    ...more,
  });
}

/**
 * Asks something outside for some keys, if there are any, and tells of it.
 * Nothing outside is asked in another way.
 */
export async function ask<T>(
  call: Call,
  type: CacheEvent["type"],
  slots: readonly Slot[],
  work: (ids: string[]) => T | Promise<T>,
): Promise<T | undefined> {
  if (!slots.length) return;
  emit(call, type, slots);
  try {
    return await work(slots.map(({ id }) => id));
  } catch (error) {
    emit(call, "error", slots, { error });
    throw error;
  }
}

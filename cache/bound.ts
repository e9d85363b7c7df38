import type { CacheBackend, StoredEntry } from "./backend.ts";
import type { Codec } from "./codec.ts";
import type { Flight, Ticket } from "./flights.ts";
import type { InvalidationStrategy } from "./invalidation.ts";
import type { KeyMangler } from "./key.ts";
import type { Lock } from "./lock.ts";
import type { CachePolicy } from "./policy.ts";
import type { CacheRegion, GetOptions } from "./region.ts";
import type { CreationSlot } from "./runner.ts";
import type { Runtime } from "./runtime.ts";
import type { CacheEvent, MissReason } from "./trace.ts";

/**
 * A configured region, as its parts see it. They take it first, so that a call
 * ends on what it began with, even if the region is configured anew meanwhile.
 */
export interface Bound {
  /** The region itself, for those who stand around a creation. */
  readonly region: CacheRegion;
  /** Names it in errors, events and shared locks. */
  readonly name: string;
  /** The shape of its values. */
  readonly version: number | string;
  /** Takes every event. */
  readonly trace?: (event: CacheEvent) => void;
  /** Decides what is invalid. */
  readonly invalidation: InvalidationStrategy;
  /** The platform. */
  readonly runtime: Runtime;
  /** Seconds since the epoch. */
  readonly now: () => number;
  /** As `now`, never the same twice. */
  readonly tick: () => number;
  /** What makes two configurations the same, bindings considered. */
  readonly identity: readonly unknown[];
  /** Where entries are stored. */
  readonly backend: CacheBackend;
  /** Elects beyond this isolate. */
  readonly lock: Lock | undefined;
  /** None if values are stored as they are. */
  readonly codec: Codec | undefined;
  /** None if keys are stored as they are. */
  readonly keyMangler: KeyMangler | false | undefined;
  /** How its values are treated, unless a call says otherwise. */
  readonly policy: Policy;
  /** The creations under way in this isolate, by the key the backend sees. */
  readonly flights: Map<string, Flight>;
  /** Those that have landed where a store may not show their value yet. */
  readonly held: Map<string, Flight>;
}

/** The options of a call over those of the region. */
export interface Policy
  extends CachePolicy, Pick<GetOptions, "ignoreExpiration" | "tags"> {
  /** How long to wait for another, in seconds. */
  readonly waitTimeout: number;
  /** How long a creator may take, in seconds. */
  readonly leaseTime: number;
  /** Whether to store what was created. */
  readonly shouldCache?: (value: never) => boolean;
}

/** Any region that `createRegion` made, as functions over a region see it. */
export interface OpenRegion extends CacheRegion {
  /** What it is bound to, how a call is treated, and its keys on their way. */
  open(
    keys: readonly string[],
    options?: GetOptions,
  ): Promise<readonly [bound: Bound, policy: Policy, slots: Slot[]]>;
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
  /** Who creates it, once that was asked. */
  ticket?: Ticket | undefined;
  /** It has its value. */
  done?: boolean;
  /** For its caller: `NO_VALUE` until it is done. */
  value: unknown;
}

/** Tells whoever traces the region what happened to some of its keys. */
export function emit(
  { name, trace }: Pick<Bound, "name" | "trace">,
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

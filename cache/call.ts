import type { CacheBackend, StoredEntry } from "./backend.ts";
import type { Codec } from "./codec.ts";
import type { Flight } from "./flights.ts";
import type { InvalidationStrategy } from "./invalidation.ts";
import type { KeyMangler } from "./key.ts";
import type { Lock } from "./lock.ts";
import type { CachePolicy } from "./policy.ts";
import type { CacheRegion, GetOptions } from "./region.ts";
import type { Runtime } from "./runtime.ts";
import type { CacheEvent, MissReason } from "./trace.ts";

/** What the parts of one region share from its making on, and its policy. */
export interface Unbound
  extends CachePolicy, Pick<GetOptions, "ignoreExpiration" | "tags"> {
  /** Names it in errors, events and shared locks. */
  readonly name: string;
  /** The shape of its values. */
  readonly version: number | string;
  /** Decides what is invalid. */
  readonly invalidation: InvalidationStrategy;
  /** The platform. */
  readonly runtime: Runtime;
  /** Takes every event. */
  readonly trace?: (event: CacheEvent) => void;
  /** The region, for those who stand around a creation. */
  readonly region: CacheRegion;
  /** Seconds since the epoch. */
  readonly now: () => number;
  /** As `now`, never the same twice. */
  readonly tick: () => number;
  /** The creations that this isolate knows of, by the key the backend sees. */
  readonly flights: Map<string, Flight>;
  /** As of a `CachePolicy`, with its default in place; so are the others. */
  readonly staleTime: number;
  /** How long to wait for another, in seconds. */
  readonly waitTimeout: number;
  /** How long a creator may take, in seconds. */
  readonly leaseTime: number;
  /** Whether to store what was created. */
  readonly shouldCache?: (value: never) => boolean;
}

/**
 * One call: the region, what it was configured with, and the call's own options
 * over its policy. Every part takes it first.
 */
export interface Call extends Unbound {
  /** Where entries are stored. */
  readonly backend: CacheBackend;
  /** Elects beyond this isolate. */
  readonly lock: Lock | undefined;
  /** None if values are stored as they are. */
  readonly codec: Codec | undefined;
  /** None if keys are stored as they are. */
  readonly mangler: KeyMangler | undefined;
}

/** What a read makes of one entry. */
export interface Verdict {
  /** What was read, of use or not. */
  entry?: StoredEntry | undefined;
  /** Why it is not fresh; `undefined` if it is. */
  why?: MissReason | undefined;
  /** Seconds past its expiration. */
  over: number;
}

/** One key on its way to a value. */
export interface Slot extends Verdict {
  /** As the caller gave it. */
  readonly key: string;
  /** As the backend sees it. */
  readonly id: string;
  /** Works for nobody who waits: no value is wanted. */
  readonly quiet?: boolean;
  /** Stale, and good enough to be answered. */
  usable?: boolean;
  /** Only what was created after this will do. */
  newerThan: number;
  /** It has its value. */
  done?: boolean;
  /** For its caller, once done. */
  value?: unknown;
}

/** Gives the values of slots, in order. */
export type Create = (slots: readonly Slot[]) => Promise<readonly unknown[]>;

/** An entry without tags has these. */
export const NO_TAGS: readonly string[] = [];

/** The name of a key among those of other regions, for a lock they share. */
export function sharedKey({ name }: Unbound, id: string): string {
  return `${name}/${id}`;
}

/** Tells whoever traces the region what happened to some of its keys. */
export function emit(
  { name, trace }: Unbound,
  type: CacheEvent["type"],
  of: readonly (string | { readonly key: string })[],
  more?: Partial<CacheEvent>,
): void {
  trace?.({
    type,
    region: name,
    keys: of.map((slot) => (slot as Slot).key ?? slot),
    ...more,
  });
}

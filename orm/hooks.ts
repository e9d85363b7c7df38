import type { Column } from "../sql/mod.ts";
import type { Read } from "./loading/loader.ts";
import type { OpenUnit, SessionCore } from "./session_unit.ts";
import type { InstanceState, ObjectState } from "./state.ts";
import type { Plan } from "./unit_of_work.ts";

/** What happens to rows when a unit of work is written. */
export interface RowHook {
  /** Hears of rows before they are planned; gives who hears of them when they are written. */
  (
    inserted: Iterable<InstanceState>,
    updated: Iterable<InstanceState>,
    deleted: Iterable<InstanceState>,
  ): (generated: Iterable<InstanceState>) => void;
}

/** Stands around what a session does: work is done once, and its answer given back. */
export interface WorkHook {
  /** A step: `"commit"`, `"flush"`, `"rollback"` and so on. */
  step<T>(unit: OpenUnit, what: string, work: () => Promise<T>): Promise<T>;
  /** What a flush or commit is about to write. */
  planned(unit: OpenUnit, plan: Plan): void;
  /** Statements that are about to be sent. */
  send<T>(
    core: SessionCore,
    reads: readonly Read[],
    work: () => Promise<T>,
  ): Promise<T>;
}

/** Who hears what the mapper announces. */
export interface Hooks {
  /**
   * Hears an event of an object or session; what it gives back may replace
   * the last detail. Set by `listen()`, so that nobody else carries it.
   */
  hear?: (event: string, subject: object, ...details: unknown[]) => unknown;
  /** Hears of an object that its constructor is about to give its values. */
  made?: (object: object, values: object, give: () => void) => void;
  /** Hears that an object left a state for another. */
  crossed?: (
    object: object,
    from: ObjectState,
    to: ObjectState,
    set: object,
  ) => unknown;
  /** Makes reading a column of an object an error until it has a value; set by what leaves columns out. */
  unload?: (state: InstanceState, column: Column<unknown>) => void;
  /** Hears of rows that are written. */
  rows?: RowHook;
  /** Stands around what sessions do. */
  around?: WorkHook;
}

/** The one ear of this room: absent until somebody listens. */
export const hooks: Hooks = {};

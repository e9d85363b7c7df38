import type { Engine, NamingConvention, Statement } from "../sql/mod.ts";
import type { MigrationDialect } from "./dialects/implementation.ts";
import type { RevisionMap, RevisionSet } from "./graph/revision_map.ts";
import type { Planner, Step } from "./planner/plan.ts";
import type { PlannedStatement } from "./planner/statement.ts";
import type { Revision } from "./revision.ts";
import type { VersionStore } from "./store/version_store.ts";
import type { VersionTableOptions } from "./store/options.ts";

/** What is told about a run, as it happens. */
export type MigrationEvent =
  | {
    /** A step begins, or is done. */
    readonly type: "step" | "applied";
    /** The step. */
    readonly step: Step;
    /** Its place in the run, from 1. */
    readonly index: number;
    /** How many steps the run has. */
    readonly total: number;
  }
  | {
    /** A chunk of rows is done. */
    readonly type: "chunk";
    /** The step. */
    readonly step: Step;
    /** How many chunks are done. */
    readonly chunks: number;
  }
  | {
    /** Another runner was faster; the plan is made anew. */
    readonly type: "outdated";
    /** What was found. */
    readonly reason: Error;
  };

/** Everything a migrator needs. */
export interface MigratorOptions extends VersionTableOptions {
  /** The revisions: a list, or a generated module's record by id. */
  readonly revisions: RevisionSet<Revision> | RevisionMap<Revision>;
  /** The database. */
  readonly engine: Engine;
  /** Who is written into the history. @default {"aludel"} */
  readonly appliedBy?: string;
  /** The user's own switches, handed to `upgrade(op, { x })`. */
  readonly x?: Readonly<Record<string, string>>;
  /** Names for constraints that are given none. */
  readonly naming?: NamingConvention;
  /**
   * Whether each revision is a transaction of its own, or the whole run is one.
   *
   * @default {true}
   */
  readonly transactionPerMigration?: boolean;
  /**
   * Whether revisions that were edited after they were applied are let through.
   *
   * @default {false}
   */
  readonly allowEdited?: boolean;
  /**
   * When a step looks for rows that name missing rows: after operations that
   * can leave some, always, or never.
   *
   * @default {"auto"}
   */
  readonly foreignKeyGuard?: "auto" | "always" | "never";
  /** How long an interrupted step of several parts is kept for its runner. @default {60000} */
  readonly leaseMs?: number;
  /** How long to wait for another runner's step of several parts. @default {30000} */
  readonly waitMs?: number;
  /**
   * Is asked for further statements of each step's transaction, in order, with
   * the heads after the step; stamps included.
   */
  readonly onVersionApply?: (
    step: Step,
  ) => readonly Statement<unknown>[] | void;
  /** Is told how the run goes. */
  readonly onProgress?: (event: MigrationEvent) => void;
  /** What migrations must know of a dialect that is not one of ours. */
  readonly migrationDialect?: MigrationDialect;
  /** Waits. @default a timer */
  readonly sleep?: (milliseconds: number) => Promise<void>;
}

/** What everything that a migrator does stands on. */
export interface MigratorParts {
  /** The settings. */
  readonly options: MigratorOptions;
  /** The graph. */
  readonly map: RevisionMap<Revision>;
  /** The tables of heads and history. */
  readonly store: VersionStore;
  /** Plans without a database. */
  readonly planner: Planner;
  /** The database. */
  readonly engine: Engine;
  /** Statements that make concurrent runners wait. */
  readonly lock: readonly PlannedStatement[];
}

import type { Engine } from "../sql/mod.ts";
import {
  checkOf,
  type CheckResult,
  currentOf,
  type CurrentState,
  repairOf,
  type RepairResult,
} from "./condition.ts";
import {
  type MigrationDialect,
  migrationDialect,
} from "./dialects/implementation.ts";
import { MultipleHeadsError } from "./graph/errors.ts";
import type { Identifier } from "./graph/identifiers.ts";
import { createRevisionMap, type RevisionMap } from "./graph/revision_map.ts";
import type { MigratorOptions, MigratorParts } from "./migrator_options.ts";
import { Planner } from "./planner/plan.ts";
import { planStatement } from "./planner/statement.ts";
import type { Revision } from "./revision.ts";
import { Run, type RunResult } from "./runner/run.ts";
import { StepRunner } from "./runner/runner.ts";
import type { HistoryRow } from "./store/history.ts";
import { VersionStore } from "./store/version_store.ts";

/** A set of revisions and a database to bring to one of them. */
export interface Migrator {
  /** The graph. */
  readonly map: RevisionMap<Revision>;
  /** The tables of heads and history. */
  readonly store: VersionStore;
  /** What migrations know of the database's language. */
  readonly migrations: MigrationDialect;
  /** Plans without a database. */
  readonly planner: Planner;
  /** The database. */
  readonly engine: Engine;
  /** The settings. */
  readonly options: MigratorOptions;
  /**
   * Applies revisions up to a target: `"head"`, `"heads"`, an id or its
   * beginning, `"label@head"`, `"+1"`.
   *
   * Safe under concurrent runners: each revision is applied once, and whoever
   * comes second finds it done.
   *
   * @default target `"head"`
   * @throws {StepFailedError} If a statement fails; its step is undone.
   */
  upgrade(target?: Identifier): Promise<RunResult>;
  /**
   * Undoes revisions down to a target: `"-1"`, `"base"`, an id, `"label@base"`.
   *
   * @throws {StepFailedError} If a statement fails; its step is undone.
   */
  downgrade(target: string): Promise<RunResult>;
  /**
   * Writes other version rows and runs nothing.
   *
   * @param options.purge Empties the table first, whatever it holds.
   */
  stamp(
    targets: Identifier,
    options?: { readonly purge?: boolean },
  ): Promise<RunResult>;
  /** Reads what the database holds. Nothing is made or changed. */
  current(): Promise<CurrentState>;
  /**
   * Reads the one revision the database stands at; `null` for none.
   *
   * @throws {MultipleHeadsError} If it stands at several.
   */
  currentRevision(): Promise<string | null>;
  /** Reads what was done, oldest first. */
  history(): Promise<readonly HistoryRow[]>;
  /** Makes the version tables where they are not there. */
  ensureVersion(): Promise<void>;
  /**
   * Compares the database with the revisions. Nothing is changed.
   *
   * In a Worker, ask once per isolate and answer 503 unless `isCurrent`.
   */
  check(): Promise<CheckResult>;
  /**
   * Takes the revisions as they are now for what was applied, lets go of an
   * interrupted step, and removes version rows that are there twice or that no
   * revision bears.
   */
  repair(): Promise<RepairResult>;
}

/**
 * Brings together revisions and a database.
 *
 * @example
 * ```ts
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createMigrator, revision } from "@aludel/aludel/migrate";
 * import { createEngine, integer, text } from "@aludel/aludel/sql";
 * import { deepEqual } from "node:assert/strict";
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * const users = revision({
 *   revision: "1e0c77aa90b1",
 *   upgrade(op) {
 *     op.createTable("users", { id: integer().primaryKey(), mail: text() });
 *   },
 *   downgrade: "reverse",
 * });
 * const migrator = createMigrator({ revisions: [users], engine });
 *
 * deepEqual((await migrator.upgrade("head")).heads, ["1e0c77aa90b1"]);
 * deepEqual((await migrator.downgrade("-1")).heads, []);
 * ```
 *
 * @throws {MigrateError} If the revisions are no valid graph.
 */
export function createMigrator(options: MigratorOptions): Migrator {
  const { engine } = options;
  const map = isMap(options.revisions)
    ? options.revisions
    : createRevisionMap(options.revisions);
  const migrations = migrationDialect(engine.dialect, options.migrationDialect);
  const store = new VersionStore(engine.dialect, migrations, options);
  const planner = new Planner({
    map,
    dialect: engine.dialect,
    migrations,
    limits: engine.capabilities.limits,
    context: { engine: engine.name, x: options.x ?? {} },
    ...(options.naming ? { naming: options.naming } : {}),
  });
  const lock = migrations.lock(store.versions.name, engine.dialect);
  const runner = new StepRunner(engine, store, {
    appliedBy: options.appliedBy ?? "aludel",
    leaseMs: options.leaseMs ?? 60_000,
    foreignKeyGuard: options.foreignKeyGuard ?? "auto",
    lock,
    extra: (step) =>
      (options.onVersionApply?.(step) ?? []).map((statement) =>
        planStatement(statement, engine.dialect)
      ),
  });
  const parts: MigratorParts = { options, map, store, planner, engine, lock };
  const run = new Run({ ...parts, runner });
  return {
    map,
    store,
    migrations,
    planner,
    engine,
    options,
    upgrade: (target = "head") => run.upgrade(target),
    downgrade: (target) => run.downgrade(target),
    stamp: (targets, { purge = false } = {}) => run.stamp(targets, purge),
    current: () => currentOf(parts),
    currentRevision: async () => {
      const { heads } = await currentOf(parts);
      if (heads.length > 1) throw new MultipleHeadsError("current", heads);
      return heads[0] ?? null;
    },
    check: () => checkOf(parts),
    repair: () => repairOf(parts),
    history: async () => await store.history?.read(engine) ?? [],
    ensureVersion: async () => {
      await engine.sendBatch([...lock, ...store.create()]);
    },
  };
}

function isMap(
  revisions: MigratorOptions["revisions"],
): revisions is RevisionMap<Revision> {
  return "byId" in revisions && revisions.byId instanceof Map;
}

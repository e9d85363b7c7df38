import type { Engine, NamingConvention, Statement } from "../sql/mod.ts";
import {
  type MigrationDialect,
  migrationDialect,
} from "./dialects/implementation.ts";
import {
  EditedRevisionError,
  MigrateError,
  MultipleHeadsError,
  RevisionRangeError,
  UnknownVersionError,
} from "./errors.ts";
import { type Identifier, ids } from "./graph/identifiers.ts";
import {
  createRevisionMap,
  type RevisionMap,
  type RevisionSet,
} from "./graph/revision_map.ts";
import { upgradePath } from "./graph/paths.ts";
import { absoluteDowngradeTarget, upgradeTargets } from "./graph/targets.ts";
import { Planner, type Step } from "./planner/plan.ts";
import { type PlannedStatement, planStatement } from "./planner/statement.ts";
import type { Revision } from "./revision.ts";
import { PlanOutdated, StepRunner } from "./runner/runner.ts";
import {
  type HistoryEntry,
  type HistoryRow,
  type StoredState,
  VersionStore,
  type VersionTableOptions,
} from "./version_store.ts";

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

/** What a run did. */
export interface RunResult {
  /** The version rows before. */
  readonly from: readonly string[];
  /** The version rows after. */
  readonly heads: readonly string[];
  /** The steps this runner applied, in order. */
  readonly steps: readonly Step[];
}

/** What a database holds. */
export interface CurrentState {
  /** The rows of the version table; empty where there is none. */
  readonly heads: readonly string[];
  /** The heads and every revision another stream depends on that is one's own head there. */
  readonly implied: readonly string[];
  /** Whether the version table is there. */
  readonly hasVersionTable: boolean;
}

/** How a database compares with the revisions. */
export interface CheckResult {
  /** Whether it holds every revision, each as it is now. */
  readonly isCurrent: boolean;
  /** The rows of the version table. */
  readonly heads: readonly string[];
  /** Revisions that are not applied, oldest first. */
  readonly pending: readonly string[];
  /** Applied revisions that were edited afterwards. */
  readonly edited: readonly string[];
  /** Version rows that no revision bears. */
  readonly unknown: readonly string[];
  /** The revision of a step that is under way or was interrupted. */
  readonly running: string | undefined;
}

/** What a repair did. */
export interface RepairResult {
  /** Revisions whose digest was taken anew. */
  readonly accepted: readonly string[];
  /** Version rows that were removed. */
  readonly removed: readonly string[];
  /** The revision of the step that was let go. */
  readonly released: string | undefined;
}

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

/** How often a run is planned anew before it gives up. */
const MAX_PLANS = 100;

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
  const lock = migrations.lock(store.versionTable, engine.dialect);
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
  const run = new Run({
    options,
    map,
    store,
    planner,
    runner,
    engine,
    lock,
  });
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
    current: () => run.current(),
    currentRevision: async () => {
      const { heads } = await run.current();
      if (heads.length > 1) throw new MultipleHeadsError("current", heads);
      return heads[0] ?? null;
    },
    check: () => run.check(),
    repair: () => run.repair(),
    history: () => store.history(engine),
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

interface RunParts {
  readonly options: MigratorOptions;
  readonly map: RevisionMap<Revision>;
  readonly store: VersionStore;
  readonly planner: Planner;
  readonly runner: StepRunner;
  readonly engine: Engine;
  readonly lock: readonly PlannedStatement[];
}

/** Plans, sends, and plans anew where another runner was faster. */
class Run {
  readonly #parts: RunParts;

  constructor(parts: RunParts) {
    this.#parts = parts;
  }

  async upgrade(target: Identifier): Promise<RunResult> {
    refuseRange(target);
    const { map, planner, options } = this.#parts;
    let absolute: string[] | undefined;
    return await this.#repeat("upgrade", async ({ heads, history }) => {
      if (absolute === undefined) {
        // A relative target means the place it had when it was asked for.
        absolute = ids(upgradeTargets(map, { target, current: heads }));
        if (!options.allowEdited) await this.#refuseEdited(heads, history);
      }
      return planner.upgrade(heads, absolute);
    });
  }

  async downgrade(target: string): Promise<RunResult> {
    refuseRange(target);
    const { map, planner } = this.#parts;
    let absolute: string | undefined;
    return await this.#repeat("downgrade", ({ heads }) => {
      if (absolute === undefined) {
        absolute = absoluteDowngradeTarget(map, { target, current: heads });
        return planner.downgrade(heads, absolute);
      }
      try {
        return planner.downgrade(heads, absolute);
      } catch (error) {
        // Someone else went below the target meanwhile.
        if (error instanceof RevisionRangeError) return [];
        throw error;
      }
    });
  }

  async stamp(targets: Identifier, purge: boolean): Promise<RunResult> {
    const { engine, store, planner } = this.#parts;
    if (!purge) {
      return await this.#repeat(
        "stamp",
        ({ heads }) => planner.stamp(heads, targets),
      );
    }
    const steps = planner.stamp([], targets);
    const from = await store.heads(engine) ?? [];
    await engine.sendBatch([
      ...this.#parts.lock,
      ...store.create(),
      store.purge(),
      ...steps.flatMap((step) => store.change(step.change)),
      ...steps.flatMap((step) =>
        store.record({
          version: step.revision,
          direction: "stamp",
          checksum: null,
          appliedBy: this.#parts.options.appliedBy ?? "aludel",
          statements: 0,
        })
      ),
    ]);
    return { from, heads: steps.at(-1)?.change.heads ?? [], steps };
  }

  async current(): Promise<CurrentState> {
    const { engine, store, map, planner } = this.#parts;
    const heads = await store.heads(engine);
    this.#refuseUnknown(heads ?? []);
    const applied = planner.applied(heads ?? []);
    // A stream that another one stands on has no row, but it is there.
    const implied = map.nodes.filter((node) =>
      applied.has(node) &&
      !node.nextRevisions.some((next) => applied.has(next))
    );
    return {
      heads: heads ?? [],
      implied: ids(implied),
      hasVersionTable: heads !== undefined,
    };
  }

  async check(): Promise<CheckResult> {
    const { engine, store, map, planner } = this.#parts;
    const { heads, history } = await store.read(engine);
    const unknown = heads.filter((head) => !map.byId.has(head));
    const known = heads.filter((head) => map.byId.has(head));
    const pending = ids(upgradePath(map, known, "heads"));
    const edited = await editedRevisions(map, planner, known, history);
    const running = history.find(({ state }) => state === "running")?.version;
    return {
      isCurrent:
        [pending, edited, unknown].every((list) => list.length === 0) &&
        running === undefined,
      heads,
      pending,
      edited,
      unknown,
      running,
    };
  }

  async repair(): Promise<RepairResult> {
    const { engine, store, map, planner, options, lock } = this.#parts;
    const { heads, history } = await store.read(engine);
    const { edited, unknown } = await this.check();
    const known = new Set(heads.filter((head) => map.byId.has(head)));
    const twice = heads.filter((head, at) => heads.indexOf(head) !== at);
    const { appliedBy = "aludel" } = options;
    const entry = (version: string, checksum: string | null): HistoryEntry => ({
      version,
      direction: "repair",
      checksum,
      appliedBy,
      statements: 0,
    });
    const running = history.find(({ state }) => state === "running");
    const statements: PlannedStatement[] = [];
    if (unknown.length > 0 || twice.length > 0) {
      statements.push(
        store.purge(),
        ...store.change({ deletes: [], inserts: [...known], heads: [] }),
      );
    }
    for (const version of edited) {
      const checksum = await planner.checksum(map.byId.get(version)!);
      statements.push(...store.record(entry(version, checksum)));
    }
    for (const version of unknown) {
      statements.push(...store.record(entry(version, null)));
    }
    if (running) statements.push(store.release(entry(running.version, null)));
    if (statements.length > 0) {
      await engine.sendBatch([
        ...lock,
        store.expectHeads(heads),
        ...statements,
      ]);
    }
    return {
      accepted: edited,
      removed: [...unknown, ...twice],
      released: running?.version,
    };
  }

  async #repeat(
    direction: Step["direction"],
    plan: (state: StoredState) => Step[] | Promise<Step[]>,
  ): Promise<RunResult> {
    const { store, engine } = this.#parts;
    const done: Step[] = [];
    let from: readonly string[] | undefined;
    let waited = 0;
    for (let attempt = 0;; attempt++) {
      const state = await store.read(engine);
      const { heads } = state;
      from ??= heads;
      this.#refuseUnknown(heads);
      try {
        if (direction !== "stamp" && await this.#takeUp(state, done)) continue;
        const steps = await plan(state);
        if (steps.length === 0) return { from, heads, steps: done };
        await this.#apply(steps, !state.isComplete, done);
        return {
          from,
          heads: steps.at(-1)!.change.heads,
          steps: done,
        };
      } catch (error) {
        if (!(error instanceof PlanOutdated)) throw error;
        const { reason } = error;
        this.#parts.options.onProgress?.({ type: "outdated", reason });
        const { waitMs = 30_000 } = this.#parts.options;
        if (attempt >= MAX_PLANS || waited > waitMs) throw reason;
        // Whoever was faster is at work: give way, a little longer each time.
        const longest = Math.min(1000, 10 * 2 ** attempt);
        const pause = attempt === 0 ? 0 : longest * (0.5 + Math.random() / 2);
        waited += pause;
        await this.#sleep(pause);
      }
    }
  }

  /**
   * Takes up a step that was interrupted.
   *
   * @returns Whether there was one; what the database holds is another then.
   * @throws {PlanOutdated} If another runner holds it.
   */
  async #takeUp(
    { heads, history }: StoredState,
    done: Step[],
  ): Promise<boolean> {
    const { store, planner, runner, map } = this.#parts;
    const row = history.find(({ state }) => state === "running");
    if (!row) return false;
    const node = map.byId.get(row.version);
    if (!node) throw new UnknownVersionError([row.version], store.versionTable);
    const steps = row.direction === "upgrade"
      ? planner.upgrade(heads, row.version)
      : planner.downgrade(heads, belowOf(row.version, node));
    const step = steps.find((one) => one.revision === row.version);
    if (!step) return false;
    this.#tell("step", step, 0, 1);
    await runner.resume(step, row, this.#rows(step));
    done.push(step);
    this.#tell("applied", step, 0, 1);
    return true;
  }

  async #apply(
    steps: readonly Step[],
    createsTables: boolean,
    done: Step[],
  ): Promise<void> {
    const { store, runner, options } = this.#parts;
    const first = createsTables ? store.create() : [];
    if (options.transactionPerMigration === false) {
      steps.forEach((step, at) => this.#tell("step", step, at, steps.length));
      await runner.runTogether(steps, first);
      done.push(...steps);
      steps.forEach((step, at) =>
        this.#tell("applied", step, at, steps.length)
      );
      return;
    }
    for (const [at, step] of steps.entries()) {
      this.#tell("step", step, at, steps.length);
      await runner.run(step, at === 0 ? first : [], this.#rows(step));
      done.push(step);
      this.#tell("applied", step, at, steps.length);
    }
  }

  #rows(step: Step): (rows: { readonly chunks: number }) => void {
    return ({ chunks }) =>
      this.#parts.options.onProgress?.({ type: "chunk", step, chunks });
  }

  #tell(type: "step" | "applied", step: Step, at: number, total: number): void {
    this.#parts.options.onProgress?.({ type, step, index: at + 1, total });
  }

  #refuseUnknown(heads: readonly string[]): void {
    const { map, store } = this.#parts;
    const unknown = heads.filter((head) => !map.byId.has(head));
    if (unknown.length > 0) {
      throw new UnknownVersionError(unknown, store.versionTable);
    }
  }

  /** Compares what applied revisions do now with what they did then. */
  async #refuseEdited(
    heads: readonly string[],
    history: readonly HistoryRow[],
  ): Promise<void> {
    const { planner, map } = this.#parts;
    const edited = await editedRevisions(map, planner, heads, history);
    if (edited.length > 0) throw new EditedRevisionError(edited);
  }

  #sleep(milliseconds: number): Promise<void> {
    const { sleep = pause } = this.#parts.options;
    return sleep(milliseconds);
  }
}

/** The applied revisions that do something else now than when they were applied. */
export async function editedRevisions(
  map: RevisionMap<Revision>,
  planner: Planner,
  heads: readonly string[],
  history: readonly HistoryRow[],
): Promise<string[]> {
  const applied = planner.applied(heads);
  const last = new Map(history.map((row) => [row.version, row]));
  const edited: string[] = [];
  for (const [version, row] of last) {
    const node = map.byId.get(version);
    // What was squashed is something else by intent, under the last one's id.
    const counts = node && !node.declaration.replaces?.includes(version) &&
      applied.has(node) && row.checksum !== null &&
      row.direction !== "downgrade" && row.state === "applied";
    if (counts && await planner.checksum(node) !== row.checksum) {
      edited.push(version);
    }
  }
  return edited;
}

function refuseRange(target: Identifier): void {
  if (typeof target !== "string" || !target.includes(":")) return;
  throw new MigrateError(
    "range-online",
    `Cannot run '${target}': a range is for scripts, a database says itself where it stands; name the target alone`,
  );
}

function belowOf(
  version: string,
  node: { readonly downRevisions: readonly { readonly revision: string }[] },
): string {
  const [parent] = node.downRevisions;
  return `${version}@${parent?.revision ?? "base"}`;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

import type { Engine } from "../../sql/mod.ts";
import {
  HeadsMovedError,
  OrphanRowsError,
  ReferredTableError,
  SchemaDriftError,
  StepFailedError,
  StepRunningError,
} from "./errors.ts";
import { MigrateError } from "../errors.ts";
import type { Step } from "../planner/plan.ts";
import type { PlannedStatement } from "../planner/statement.ts";
import {
  DRIFT_LABEL,
  HEADS_LABEL,
  ORPHANS_LABEL,
  REFERRED_LABEL,
  RUNNING_LABEL,
} from "../dialects/_guard_labels.ts";
import type { HistoryEntry, HistoryRow } from "../store/history.ts";
import type { HistoryTable } from "../store/history_table.ts";
import type { VersionStore } from "../store/version_store.ts";
import { runChunks } from "./chunks.ts";
import { findGuard } from "./guards.ts";
import {
  historyEntry,
  isWhole,
  type StepPart,
  stepParts,
  type StepSettings,
} from "./step_batches.ts";

/** Someone else moved the version table: the plan must be made anew. */
export class PlanOutdated extends Error {
  override readonly name = "PlanOutdated";
  /** What was found instead. */
  readonly reason: MigrateError;

  /** @internal */
  constructor(reason: MigrateError) {
    super(reason.message, { cause: reason });
    this.reason = reason;
  }
}

/** What is told while rows are walked. */
export type ReportRows = (rows: { readonly chunks: number }) => void;

/** A step with everything that its parts need. */
interface StepWork {
  readonly step: Step;
  readonly entry: HistoryEntry;
  readonly parts: readonly StepPart[];
  readonly report: ReportRows;
  /** Where an interrupted step was found. */
  readonly resumedAt: string | undefined;
}

/** Sends steps to one engine. */
export class StepRunner {
  readonly #engine: Engine;
  readonly #store: VersionStore;
  readonly #settings: StepSettings;

  /** Runs with the given settings. */
  constructor(engine: Engine, store: VersionStore, settings: StepSettings) {
    this.#engine = engine;
    this.#store = store;
    this.#settings = settings;
  }

  /**
   * Applies one step.
   *
   * @param first Statements that go before the first guard, such as the tables' creation.
   * @throws {PlanOutdated} If another runner was faster; nothing was done.
   */
  async run(
    step: Step,
    first: readonly PlannedStatement[],
    report: ReportRows = () => {},
  ): Promise<void> {
    const work = await this.#work(step, report);
    await this.#part(work, 0, first);
    await this.#rest(work, 1);
  }

  /**
   * Applies several whole steps as one transaction.
   *
   * @throws {PlanOutdated} If another runner was faster; nothing was done.
   */
  async runTogether(
    steps: readonly Step[],
    first: readonly PlannedStatement[],
  ): Promise<void> {
    const mixed = steps.find((step) => !isWhole(step));
    if (mixed) {
      throw new MigrateError(
        "not-one-transaction",
        `Cannot run the steps as one transaction: revision '${mixed.revision}' holds what a transaction cannot; run it with transactionPerMigration`,
      );
    }
    const statements: PlannedStatement[] = [];
    for (const step of steps) {
      for (const part of (await this.#work(step)).parts) {
        if (part.kind === "batch") statements.push(...part.statements);
      }
    }
    await this.#send(steps[0]!, [...this.#opening(first), ...statements]);
  }

  /** Tables are made under the lock too: two runners making one would collide. */
  #opening(first: readonly PlannedStatement[]): readonly PlannedStatement[] {
    return first.length > 0 ? [...this.#settings.lock, ...first] : [];
  }

  /**
   * Takes up a step that was interrupted, if its runner's time is over.
   *
   * @throws {PlanOutdated} If it is still held, or went on meanwhile.
   */
  async resume(
    step: Step,
    row: HistoryRow,
    report: ReportRows = () => {},
  ): Promise<void> {
    const checkpoint = row.checkpoint ?? "1";
    const work = await this.#work(step, report, checkpoint);
    const { entry } = work;
    const history = this.#history(step);
    await this.#send(step, [
      history.expectExpired(row),
      history.expectCheckpoint(
        { ...entry, appliedBy: row.appliedBy },
        checkpoint,
      ),
      history.advance(entry, checkpoint, this.#settings.leaseMs),
    ]);
    await this.#rest(work, parseInt(checkpoint, 10));
  }

  async #rest(work: StepWork, from: number): Promise<void> {
    try {
      for (let at = from; at < work.parts.length; at++) {
        await this.#part(work, at, []);
      }
    } catch (error) {
      const isTaken = error instanceof PlanOutdated &&
        error.reason instanceof StepRunningError;
      // What failed here may be taken up by anyone; if this does not arrive,
      // the time limit lets them.
      if (!isTaken) {
        const release = this.#history(work.step).release(work.entry);
        await this.#engine.send(release).catch(
          () => {},
        );
      }
      throw error;
    }
  }

  async #work(
    step: Step,
    report: ReportRows = () => {},
    resumedAt?: string,
  ): Promise<StepWork> {
    if (!isWhole(step)) this.#history(step);
    const entry = await historyEntry(step, this.#settings.appliedBy);
    const parts = stepParts(step, entry, this.#store, this.#settings);
    return { step, entry, parts, report, resumedAt };
  }

  /** Where it is noted how far a step of several parts has come. */
  #history(step: Step): HistoryTable {
    const { history } = this.#store;
    if (history) return history;
    throw new MigrateError(
      "history-needed",
      `Cannot apply revision '${step.revision}' in parts: there is no history table to note how far it has come; allow one`,
    );
  }

  async #part(
    { step, entry, parts, report, resumedAt }: StepWork,
    at: number,
    first: readonly PlannedStatement[],
  ): Promise<void> {
    const part = parts[at]!;
    const { leaseMs } = this.#settings;
    const here = String(at);
    const next = String(at + 1);
    if (at === 0 && part.kind === "batch") {
      return await this.#send(step, [
        ...this.#opening(first),
        ...part.statements,
      ]);
    }
    const isLast = at === parts.length - 1;
    const history = this.#history(step);
    switch (part.kind) {
      case "batch":
        return await this.#send(step, [
          history.expectCheckpoint(entry, here),
          ...part.statements,
          ...(isLast ? [] : [history.advance(entry, next, leaseMs)]),
        ]);
      case "outside": {
        const { again, statements } = part.segment;
        for (const statement of resumedAt === here && again || statements) {
          await this.#sendAlone(step, statement);
        }
        return await this.#send(step, [
          history.expectCheckpoint(entry, here),
          history.advance(entry, next, leaseMs),
        ]);
      }
      case "data":
        return await runChunks(part.data, {
          engine: this.#engine,
          send: (statements) => this.#send(step, statements),
          report,
          from: resumedAt?.startsWith(`${here}:`)
            ? JSON.parse(resumedAt.slice(here.length + 1))
            : null,
          expect: (after) =>
            history.expectCheckpoint(entry, chunkMark(here, after)),
          advance: (upTo) =>
            history.advance(
              entry,
              upTo === undefined ? next : chunkMark(here, upTo),
              leaseMs,
            ),
        });
    }
  }

  async #sendAlone(step: Step, statement: PlannedStatement): Promise<void> {
    this.#engine.echo(statement);
    try {
      await this.#engine.send(statement);
    } catch (error) {
      throw this.#named(error, step);
    }
  }

  async #send(
    step: Step,
    statements: readonly PlannedStatement[],
  ): Promise<void> {
    this.#engine.log("BEGIN (implicit)");
    for (const statement of statements) this.#engine.echo(statement);
    try {
      await this.#engine.sendBatch(statements);
    } catch (error) {
      this.#engine.log("ROLLBACK");
      throw this.#named(error, step);
    }
    this.#engine.log("COMMIT");
  }

  #named(error: unknown, step: Step): Error {
    const guard = findGuard(error);
    switch (guard?.label) {
      case HEADS_LABEL:
        return new PlanOutdated(
          new HeadsMovedError(
            this.#store.versions.name,
            step.headsBefore,
            guard.detail === "" ? [] : guard.detail.split(","),
          ),
        );
      case RUNNING_LABEL:
        return new PlanOutdated(
          new StepRunningError(guard.detail, "another runner", null),
        );
      case ORPHANS_LABEL:
        return new OrphanRowsError(
          step.revision,
          guard.detail.split(","),
          error,
        );
      case REFERRED_LABEL: {
        const [table = "", references = ""] = guard.detail.split(" ");
        return new ReferredTableError(
          step.revision,
          table,
          references.split(","),
          error,
        );
      }
      case DRIFT_LABEL:
        return new SchemaDriftError(step.revision, guard.detail, error);
    }
    // A batch is all or nothing and opens with a guard, so sending it again
    // after a broken connection cannot apply it twice.
    if (isRetryable(error)) {
      return new PlanOutdated(
        new StepFailedError(step.revision, step.direction, error),
      );
    }
    return new StepFailedError(step.revision, step.direction, error);
  }
}

function isRetryable(error: unknown): boolean {
  return error instanceof Error && "isRetryable" in error &&
    error.isRetryable === true;
}

/** How the progress of a walk over rows is noted. */
function chunkMark(part: string, after: string | number | null): string {
  return after === null ? part : `${part}:${JSON.stringify(after)}`;
}

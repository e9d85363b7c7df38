import { editedRevisions, refuseUnknown } from "../condition.ts";
import { EditedRevisionError, UnknownVersionError } from "./errors.ts";
import { MigrateError } from "../errors.ts";
import { RevisionRangeError } from "../graph/errors.ts";
import { type Identifier, ids } from "../graph/identifiers.ts";
import { absoluteDowngradeTarget, upgradeTargets } from "../graph/targets.ts";
import type { MigratorParts } from "../migrator_options.ts";
import type { Step } from "../planner/plan.ts";
import type { HistoryRow } from "../store/history.ts";
import type { StoredState } from "../store/version_store.ts";
import { PlanOutdated, type StepRunner } from "./runner.ts";

/** What a run did. */
export interface RunResult {
  /** The version rows before. */
  readonly from: readonly string[];
  /** The version rows after. */
  readonly heads: readonly string[];
  /** The steps this runner applied, in order. */
  readonly steps: readonly Step[];
}

/** How often a run is planned anew before it gives up. */
const MAX_PLANS = 100;

/** Plans, sends, and plans anew where another runner was faster. */
export class Run {
  readonly #parts: MigratorParts & { readonly runner: StepRunner };

  /** Works on one database. */
  constructor(parts: MigratorParts & { readonly runner: StepRunner }) {
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
    const from = await store.versions.read(engine) ?? [];
    await engine.sendBatch([
      ...this.#parts.lock,
      ...store.create(),
      store.versions.purge(),
      ...steps.flatMap((step) => store.versions.change(step.change)),
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
      refuseUnknown(this.#parts, heads);
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
    if (!node) {
      throw new UnknownVersionError([row.version], store.versions.name);
    }
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

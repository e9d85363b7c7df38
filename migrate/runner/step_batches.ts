import type { DataMigration } from "../data_migration.ts";
import type { Segment, Step } from "../planner/plan.ts";
import type { PlannedStatement } from "../planner/statement.ts";
import type { HistoryEntry } from "../store/history.ts";
import type { VersionStore } from "../store/version_store.ts";

/** How steps are sent. */
export interface StepSettings {
  /** Who is written into the history. */
  readonly appliedBy: string;
  /** How long a step of several parts is kept for its runner. */
  readonly leaseMs: number;
  /** When rows that name missing rows are looked for. */
  readonly foreignKeyGuard: "auto" | "always" | "never";
  /** Statements that make concurrent runners wait. */
  readonly lock: readonly PlannedStatement[];
  /** Statements that the user adds to a step's transaction. */
  readonly extra: (step: Step) => readonly PlannedStatement[];
}

/** One trip of a step, or the walk over its rows. */
export type StepPart =
  | { readonly kind: "batch"; readonly statements: readonly PlannedStatement[] }
  | { readonly kind: "outside"; readonly segment: Segment }
  | { readonly kind: "data"; readonly data: DataMigration };

/** The row that a step leaves in the history. */
export async function historyEntry(
  step: Step,
  appliedBy: string,
): Promise<HistoryEntry> {
  let statements = 0;
  for (const segment of step.segments) statements += segment.statements.length;
  const { revision: version, direction } = step;
  const checksum = await step.checksum();
  return { version, direction, checksum, appliedBy, statements };
}

/**
 * The parts of a step, each of which is one trip.
 *
 * One part is the rule: guard on the heads, history row, operations, version
 * rows, guard on foreign keys. A step that holds something which a transaction
 * cannot is several parts, each of which notes how far the step has come.
 */
export function stepParts(
  step: Step,
  entry: HistoryEntry,
  store: VersionStore,
  settings: StepSettings,
): StepPart[] {
  const { history } = store;
  const countOrphans = checksForeignKeys(step, settings);
  const open = (isWhole: boolean, statements: readonly PlannedStatement[]) => [
    ...settings.lock,
    store.versions.expect(step.headsBefore),
    ...(history
      ? [
        history.expectNoneRunning(),
        history.begin(entry, {
          isWhole,
          countOrphans,
          leaseMs: settings.leaseMs,
        }),
      ]
      : []),
    ...statements,
  ];
  const close = [
    ...store.versions.change(step.change),
    ...settings.extra(step),
    ...(countOrphans ? store.expectNoNewOrphans() : []),
    ...(history ? [history.finish(entry)] : []),
  ];
  if (isWhole(step)) {
    const statements = step.segments[0]?.statements ?? [];
    return [{
      kind: "batch",
      statements: [...open(true, statements), ...close],
    }];
  }
  const rest = [...step.segments];
  const first = rest[0]?.isOutside === false ? rest.shift() : undefined;
  const parts: StepPart[] = [
    { kind: "batch", statements: open(false, first?.statements ?? []) },
  ];
  for (const segment of rest) {
    parts.push(
      segment.isOutside
        ? { kind: "outside", segment }
        : { kind: "batch", statements: segment.statements },
    );
  }
  if (step.data) parts.push({ kind: "data", data: step.data });
  parts.push({
    kind: "batch",
    statements: [
      ...settings.lock,
      store.versions.expect(step.headsBefore),
      ...close,
    ],
  });
  return parts;
}

/** Tells whether a step is one transaction. */
export function isWhole(step: Step): boolean {
  return step.data === undefined &&
    step.segments.every((segment) => !segment.isOutside);
}

function checksForeignKeys(step: Step, settings: StepSettings): boolean {
  if (settings.foreignKeyGuard !== "auto") {
    return settings.foreignKeyGuard === "always";
  }
  // Other operations cannot part a row from the one it names: the database
  // refuses at once, and a rebuild brings a guard of its own.
  return step.operations.some(({ kind }) =>
    kind === "dropTable" || kind === "execute"
  );
}

import { UnknownVersionError } from "./runner/errors.ts";
import { ids } from "./graph/identifiers.ts";
import { upgradePath } from "./graph/paths.ts";
import type { RevisionMap } from "./graph/revision_map.ts";
import type { MigratorParts } from "./migrator_options.ts";
import type { Planner } from "./planner/plan.ts";
import type { PlannedStatement } from "./planner/statement.ts";
import type { Revision } from "./revision.ts";
import type { HistoryEntry, HistoryRow } from "./store/history.ts";

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

/** Reads what a database holds. */
export async function currentOf(parts: MigratorParts): Promise<CurrentState> {
  const { engine, store, map, planner } = parts;
  const heads = await store.versions.read(engine);
  refuseUnknown(parts, heads ?? []);
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

/** Compares a database with the revisions. */
export async function checkOf(parts: MigratorParts): Promise<CheckResult> {
  const { engine, store, map, planner } = parts;
  const { heads, history } = await store.read(engine);
  const unknown = heads.filter((head) => !map.byId.has(head));
  const known = heads.filter((head) => map.byId.has(head));
  const pending = ids(upgradePath(map, known, "heads"));
  const edited = await editedRevisions(map, planner, known, history);
  const running = history.find(({ state }) => state === "running")?.version;
  return {
    isCurrent: [pending, edited, unknown].every((list) => list.length === 0) &&
      running === undefined,
    heads,
    pending,
    edited,
    unknown,
    running,
  };
}

/** Sets right what a check has found. */
export async function repairOf(parts: MigratorParts): Promise<RepairResult> {
  const { engine, store, map, planner, options, lock } = parts;
  const { heads, history } = await store.read(engine);
  const { edited, unknown } = await checkOf(parts);
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
      store.versions.purge(),
      ...store.versions.change({ deletes: [], inserts: [...known], heads: [] }),
    );
  }
  for (const version of edited) {
    const checksum = await planner.checksum(map.byId.get(version)!);
    statements.push(...store.record(entry(version, checksum)));
  }
  for (const version of unknown) {
    statements.push(...store.record(entry(version, null)));
  }
  if (running && store.history) {
    statements.push(store.history.release(entry(running.version, null)));
  }
  if (statements.length > 0) {
    await engine.sendBatch([
      ...lock,
      store.versions.expect(heads),
      ...statements,
    ]);
  }
  return {
    accepted: edited,
    removed: [...unknown, ...twice],
    released: running?.version,
  };
}

/**
 * Refuses rows that no revision bears.
 *
 * @throws {UnknownVersionError} If there are some.
 */
export function refuseUnknown(
  { map, store }: MigratorParts,
  heads: readonly string[],
): void {
  const unknown = heads.filter((head) => !map.byId.has(head));
  if (unknown.length > 0) {
    throw new UnknownVersionError(unknown, store.versions.name);
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

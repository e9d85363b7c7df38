import { exchangeRows, type HeadChange } from "./heads.ts";
import {
  filterForLineage,
  getRevisions,
  type Identifier,
} from "./identifiers.ts";
import type { RevisionDeclaration, RevisionNode } from "./node.ts";
import type { RevisionMap } from "./revision_map.ts";
import { ancestors, descendants, refuseOverlaps } from "./traversal.ts";

/** One movement of a stamp: the rows change, nothing else runs. */
export interface StampStep {
  /** The rows it leaves. */
  readonly from: readonly string[];
  /** The row it arrives at; none when a branch is wiped. */
  readonly to: readonly string[];
  /** Whether it goes up. */
  readonly isUpgrade: boolean;
  /** The rows it changes. */
  readonly change: HeadChange;
}

/**
 * Plans how to write other rows into the version table without running
 * anything.
 *
 * @param heads The rows of the version table.
 * @param targets Where the database is to be declared to stand.
 * @throws {RevisionRangeError} If one target already implies another.
 */
export function stampSteps<R extends RevisionDeclaration>(
  map: RevisionMap<R>,
  heads: readonly string[],
  targets: Identifier,
): StampStep[] {
  const asked: readonly (string | null)[] = Array.isArray(targets)
    ? targets
    : [targets as string | null];
  refuseOverlaps(getRevisions(map, asked));
  const here = getRevisions(map, heads);
  const rows = new Set(here.map((node) => node.revision));
  const steps: StampStep[] = [];
  for (const target of asked) {
    if (isBaseSymbol(target)) {
      const branch = filterForLineage(map, here, target ?? "base", {
        includeDependencies: true,
      });
      for (const node of branch) {
        const change = exchangeRows(rows, [node.revision], []);
        steps.push({ from: [node.revision], to: [], isUpgrade: false, change });
      }
      continue;
    }
    for (const node of getRevisions(map, target)) {
      const step = stampOne(node, here, rows);
      if (step) steps.push(step);
    }
  }
  return steps;
}

function isBaseSymbol(target: string | null): boolean {
  return target === null || target === "base" || target.endsWith("@base");
}

function stampOne<R extends RevisionDeclaration>(
  node: RevisionNode<R>,
  here: readonly RevisionNode<R>[],
  rows: Set<string>,
): StampStep | undefined {
  if (rows.has(node.revision)) return undefined;
  const above = descendants([node]);
  const below = ancestors([node]);
  const higher = here.filter((head) => above.has(head));
  const lower = here.filter((head) => below.has(head));
  const from = [...higher, ...lower].map((head) => head.revision);
  return {
    from,
    to: [node.revision],
    isUpgrade: higher.length === 0,
    change: exchangeRows(rows, from, [node.revision]),
  };
}

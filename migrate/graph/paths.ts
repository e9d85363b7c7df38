import { RevisionRangeError } from "./errors.ts";
import {
  getRevisions,
  type Identifier,
  ids,
  resolveBranch,
} from "./identifiers.ts";
import type { RevisionDeclaration, RevisionNode } from "./node.ts";
import type { RevisionMap } from "./revision_map.ts";
import { downgradeTarget, parseRelative, upgradeTargets } from "./targets.ts";
import {
  ancestors,
  descendants,
  refuseOverlaps,
  topologicalSort,
} from "./traversal.ts";

/**
 * The revisions an upgrade runs, in the order it runs them.
 *
 * Everything the target stands on and the database does not yet hold,
 * dependencies of other branches included.
 *
 * @param current The rows of the version table.
 * @param target Absolute or relative, one or several.
 * @throws {MigrateError} If the target cannot be located.
 */
export function upgradePath<R extends RevisionDeclaration>(
  map: RevisionMap<R>,
  current: readonly string[],
  target: Identifier,
): RevisionNode<R>[] {
  const targets = upgradeTargets(map, { target, current });
  refuseOverlaps(targets);
  const here = getRevisions(map, current);
  const held = ancestors(here);
  const needed = new Set<RevisionNode<R>>();
  for (const node of ancestors(targets)) if (!held.has(node)) needed.add(node);
  return topologicalSort(needed).reverse();
}

/**
 * The revisions a downgrade undoes, in the order it undoes them.
 *
 * Everything above the target that the database holds, and whatever depends
 * on it.
 *
 * @throws {RevisionRangeError} If the target is not below what the database holds.
 */
export function downgradePath<R extends RevisionDeclaration>(
  map: RevisionMap<R>,
  current: readonly string[],
  target: string | null,
): RevisionNode<R>[] {
  const { branch, revision } = downgradeTarget(map, { target, current });
  const invalid = (problem: string) =>
    new RevisionRangeError(
      current,
      [String(target)],
      `Cannot downgrade to '${target}': ${problem}`,
    );
  let roots = revision === null ? map.bases : revision.nextRevisions;
  if (branch !== undefined && roots.length > 1) {
    const below = ancestors([resolveBranch(map, branch)], {
      includeDependencies: false,
    });
    roots = roots.filter((root) => below.has(root));
    if (roots.length === 0) {
      throw invalid("it is not a valid downgrade target from current heads");
    }
  }
  const active = ancestors(getRevisions(map, current));
  const drop = new Set<RevisionNode<R>>();
  for (const node of descendants(roots)) if (active.has(node)) drop.add(node);
  if (revision !== null && drop.size === 0 && !active.has(revision)) {
    throw invalid(
      `it is not a valid downgrade target from current head(s) (${
        current.join(", ") || "base"
      })`,
    );
  }
  return topologicalSort(drop);
}

/** A stretch of history. */
export interface RangeRequest {
  /** The upper end; relative ends count from the lower one. */
  readonly upper: Identifier;
  /** The lower end; relative ends count from the upper one. */
  readonly lower: Identifier;
  /**
   * Whether the lower end belongs to the result.
   *
   * @default {false}
   */
  readonly inclusive?: boolean;
  /**
   * Whether dependencies and branches beside the lower end belong to the
   * result, or only what descends from it.
   *
   * @default {false}
   */
  readonly implicitBase?: boolean;
  /**
   * Whether a relative end beyond the graph is an error.
   *
   * @default {true}
   */
  readonly assertRelativeLength?: boolean;
}

/**
 * The revisions between two ends, children before parents.
 *
 * @throws {RevisionRangeError} If the lower end is not an ancestor of the upper.
 */
export function iterateRevisions<R extends RevisionDeclaration>(
  map: RevisionMap<R>,
  {
    upper,
    lower,
    inclusive = false,
    implicitBase = false,
    assertRelativeLength = true,
  }: RangeRequest,
): RevisionNode<R>[] {
  const below = lowerEnd(map, upper, lower, assertRelativeLength);
  let targets = upgradeTargets(map, {
    target: upper,
    current: ids(below),
    assertRelativeLength,
  });
  if (typeof lower === "string" && lower.includes("@")) {
    targets = onBranch(map, targets, lower.slice(0, lower.indexOf("@")));
  }
  refuseOverlaps(targets);
  refuseOverlaps(below);
  const required = ancestors(targets);
  const strangers = below.filter((node) => !required.has(node));
  if (!implicitBase && strangers.length > 0) {
    throw new RevisionRangeError(
      ids(targets),
      ids(strangers),
      `Cannot list from '${ids(below).join(", ")}' to '${
        ids(targets).join(", ") || "base"
      }': the first is not an ancestor of the second; exchange the ends or name another`,
    );
  }
  const held = ancestors(below);
  const wanted = new Set<RevisionNode<R>>();
  for (const node of required) if (!held.has(node)) wanted.add(node);
  if (inclusive) { for (const node of below) wanted.add(node); }
  if (below.length > 0 && !implicitBase) {
    const above = descendants(below, { includeDependencies: false });
    for (const node of wanted) if (!above.has(node)) wanted.delete(node);
  }
  return topologicalSort(wanted);
}

function lowerEnd<R extends RevisionDeclaration>(
  map: RevisionMap<R>,
  upper: Identifier,
  lower: Identifier,
  assertRelativeLength: boolean,
): RevisionNode<R>[] {
  if (typeof lower !== "string" || !parseRelative(lower)) {
    return getRevisions(map, lower);
  }
  const { revision } = downgradeTarget(map, {
    target: lower,
    current: ids(getRevisions(map, upper)),
    assertRelativeLength,
  });
  return revision ? [revision] : [];
}

function onBranch<R extends RevisionDeclaration>(
  map: RevisionMap<R>,
  targets: RevisionNode<R>[],
  branch: string,
): RevisionNode<R>[] {
  const above = descendants([resolveBranch(map, branch)], {
    includeDependencies: false,
  });
  return targets.filter((node) =>
    node.branchLabels.has(branch) || above.has(node)
  );
}

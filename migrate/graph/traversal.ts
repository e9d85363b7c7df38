import { MigrateError } from "../errors.ts";
import { RevisionRangeError } from "./errors.ts";
import type { RevisionDeclaration, RevisionNode } from "./node.ts";

/** Which edges a walk follows. */
export interface WalkOptions {
  /**
   * Whether `dependsOn` counts as an edge.
   *
   * @default {true}
   */
  readonly includeDependencies?: boolean;
}

function reach<N>(starts: Iterable<N>, next: (node: N) => readonly N[]) {
  const seen = new Set<N>();
  const todo = [...starts];
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    for (const other of next(node)) todo.push(other);
  }
  return seen;
}

/** The given revisions and everything they stand on. */
export function ancestors<R extends RevisionDeclaration>(
  starts: Iterable<RevisionNode<R>>,
  options: WalkOptions = {},
): Set<RevisionNode<R>> {
  return reach(
    starts,
    options.includeDependencies === false
      ? (node) => node.downRevisions
      : (node) => node.allDownRevisions,
  );
}

/** The given revisions and everything that stands on them. */
export function descendants<R extends RevisionDeclaration>(
  starts: Iterable<RevisionNode<R>>,
  options: WalkOptions = {},
): Set<RevisionNode<R>> {
  return reach(
    starts,
    options.includeDependencies === false
      ? (node) => node.nextRevisions
      : (node) => node.allNextRevisions,
  );
}

/**
 * Refuses targets of which one already contains another.
 *
 * @throws {RevisionRangeError} If one target is an ancestor of another.
 */
export function refuseOverlaps<R extends RevisionDeclaration>(
  targets: readonly RevisionNode<R>[],
): void {
  if (targets.length < 2) return;
  const unique = new Set(targets);
  // One walk tells that all is well; who is below whom is asked only if not.
  const all = ancestors(targets.flatMap((node) => node.allDownRevisions));
  if (!targets.some((target) => all.has(target))) return;
  for (const target of unique) {
    const below = ancestors(target.allDownRevisions);
    const overlaps = [...unique].filter((other) => below.has(other));
    if (overlaps.length > 0) {
      throw new RevisionRangeError(
        [target.revision],
        overlaps.map((node) => node.revision),
        `Cannot ask for revision '${target.revision}': it overlaps with other requested revisions (${
          overlaps.map((node) => node.revision).join(", ")
        }); name only the uppermost`,
      );
    }
  }
}

/** What the sort needs to know of a node. */
export interface Sortable<N> {
  /** Breaks ties. */
  readonly index: number;
  /** Must come after this node. */
  readonly allDownRevisions: readonly N[];
  /** Must come before this node. */
  readonly allNextRevisions: readonly N[];
}

/**
 * Orders a part of the graph so that children come before their parents.
 *
 * Walks one branch as deep as it can, and waits at a branch point until the
 * other branches that end there are done. Ties go by load order, so equal
 * graphs give equal lists. Linear in nodes and edges.
 */
export function topologicalSort<N extends Sortable<N>>(
  part: ReadonlySet<N>,
): N[] {
  // How many children of a node, within the part, are not yet in the output.
  const waitingFor = new Map<N, number>();
  const ready: N[] = [];
  for (const node of part) {
    let count = 0;
    for (const child of node.allNextRevisions) if (part.has(child)) count++;
    waitingFor.set(node, count);
    if (count === 0) ready.push(node);
  }
  ready.sort((a, b) => b.index - a.index);

  const output: N[] = [];
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    output.push(node);
    const parents = node.allDownRevisions;
    // The first parent must end on top of the stack: it continues the branch.
    for (let i = parents.length - 1; i >= 0; i--) {
      const parent = parents[i]!;
      const count = waitingFor.get(parent);
      if (count === undefined) continue;
      waitingFor.set(parent, count - 1);
      if (count === 1) ready.push(parent);
    }
  }
  if (output.length !== part.size) {
    throw new MigrateError(
      "broken-map",
      "Cannot order the revisions: Dependency resolution failed; the graph is broken",
    );
  }
  return output;
}

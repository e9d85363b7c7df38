import { InvalidRevisionError, RevisionCycleError } from "./errors.ts";
import {
  type MutableNode,
  names,
  type RevisionDeclaration,
  type RevisionNode,
} from "./node.ts";

const ILLEGAL = ["@", "-", "+", ":"];

/**
 * Checks what can be checked of one declaration alone.
 *
 * @throws {InvalidRevisionError} If the id is empty, no string, or holds a character that identifiers use.
 * @throws {RevisionCycleError} If it names itself.
 */
export function validateDeclaration(declaration: RevisionDeclaration): void {
  const { revision } = declaration;
  if (typeof revision !== "string" || revision === "") {
    throw new InvalidRevisionError(
      String(revision),
      "an id is a string of at least one character",
    );
  }
  for (const name of [revision, ...names(declaration.branchLabels)]) {
    const found = ILLEGAL.filter((character) => name.includes(character));
    if (found.length > 0) {
      throw new InvalidRevisionError(
        name,
        `character(s) '${
          found.join(", ")
        }' not allowed in a revision identifier or label; identifiers such as 'label@head' and 'rev+2' use them`,
      );
    }
  }
  if (names(declaration.downRevision).includes(revision)) {
    throw new RevisionCycleError("Self-loop", [revision]);
  }
  if (names(declaration.dependsOn).includes(revision)) {
    throw new RevisionCycleError("Dependency self-loop", [revision]);
  }
}

/**
 * Refuses a graph that goes round in a circle.
 *
 * @throws {RevisionCycleError} With kind `"Cycle"` if parents close it, `"Dependency cycle"` if only `dependsOn` does.
 */
export function refuseCycles<R extends RevisionDeclaration>(
  nodes: readonly MutableNode<R>[],
): void {
  // Parents are among all that a revision stands on: where those form no circle, they do not.
  const all = findCycle(nodes, allDownRevisions, allNextRevisions);
  if (!all) return;
  const parents = findCycle(nodes, downRevisions, nextRevisions);
  throw parents
    ? new RevisionCycleError("Cycle", parents)
    : new RevisionCycleError("Dependency cycle", all);
}

type Edges = (node: RevisionNode) => readonly RevisionNode[];
const downRevisions: Edges = (node) => node.downRevisions;
const nextRevisions: Edges = (node) => node.nextRevisions;
const allDownRevisions: Edges = (node) => node.allDownRevisions;
const allNextRevisions: Edges = (node) => node.allNextRevisions;

function findCycle(
  nodes: readonly RevisionNode[],
  down: Edges,
  up: Edges,
): string[] | undefined {
  const stuckUpwards = stuck(nodes, down, up);
  if (stuckUpwards.size === 0) return undefined;
  const stuckDownwards = stuck(nodes, up, down);
  // Whoever is in a circle is stuck from both sides. Beyond those, name the
  // revisions that a circle cuts off from every base or every head.
  const fromBases = reached(nodes, down, up);
  const fromHeads = reached(nodes, up, down);
  return nodes
    .filter((node) =>
      (stuckUpwards.has(node) && stuckDownwards.has(node)) ||
      !fromBases.has(node) || !fromHeads.has(node)
    )
    .map((node) => node.revision)
    .sort();
}

/** Nodes that never get all their predecessors when peeled from one side. */
function stuck(
  nodes: readonly RevisionNode[],
  before: Edges,
  after: Edges,
): Set<RevisionNode> {
  const waitingFor = new Map<RevisionNode, number>();
  const left = new Set(nodes);
  const ready: RevisionNode[] = [];
  for (const node of nodes) {
    waitingFor.set(node, before(node).length);
    if (before(node).length === 0) ready.push(node);
  }
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    left.delete(node);
    for (const next of after(node)) {
      const count = waitingFor.get(next)! - 1;
      waitingFor.set(next, count);
      if (count === 0) ready.push(next);
    }
  }
  return left;
}

function reached(
  nodes: readonly RevisionNode[],
  before: Edges,
  after: Edges,
): Set<RevisionNode> {
  const seen = new Set<RevisionNode>();
  const todo = nodes.filter((node) => before(node).length === 0);
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    todo.push(...after(node));
  }
  return seen;
}

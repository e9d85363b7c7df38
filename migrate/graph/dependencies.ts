import type { MutableNode, RevisionDeclaration } from "./node.ts";

/**
 * Drops from each revision the dependencies that one of its ancestors already
 * declares, so that a dependency is counted where it first became true.
 *
 * @param parentsFirst Every node, parents before children.
 */
export function normalizeDependencies<R extends RevisionDeclaration>(
  parentsFirst: readonly MutableNode<R>[],
): void {
  const position = new Map(parentsFirst.map((node, at) => [node, at]));
  // Only a dependency that several revisions declare can be implied.
  const declarers = new Map<MutableNode<R>, MutableNode<R>[]>();
  for (const node of parentsFirst) {
    node.normalizedDependencies = node.dependencies;
    for (const dependency of node.dependencies) {
      const known = declarers.get(dependency);
      if (known) known.push(node);
      else declarers.set(dependency, [node]);
    }
  }
  for (const [dependency, declaring] of declarers) {
    if (declaring.length < 2) continue;
    for (const node of impliedAmong(declaring, position)) {
      node.normalizedDependencies = node.normalizedDependencies.filter(
        (other) => other !== dependency,
      );
    }
  }
}

/** Those of the given revisions that descend from another of them. */
function impliedAmong<R extends RevisionDeclaration>(
  declaring: readonly MutableNode<R>[],
  position: ReadonlyMap<MutableNode<R>, number>,
): Set<MutableNode<R>> {
  // Nothing beyond the last of them can lead back to one of them.
  const last = Math.max(...declaring.map((node) => position.get(node)!));
  const wanted = new Set(declaring);
  const implied = new Set<MutableNode<R>>();
  const seen = new Set<MutableNode<R>>();
  const todo = declaring.flatMap((node) => node.nextRevisions);
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    if (seen.has(node) || position.get(node)! > last) continue;
    seen.add(node);
    if (wanted.has(node)) implied.add(node);
    todo.push(...node.nextRevisions);
  }
  return implied;
}

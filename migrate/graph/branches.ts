import {
  isMergePoint,
  type MutableNode,
  type RevisionDeclaration,
} from "./node.ts";

/**
 * Gives every revision the labels of the branches it is on: all descendants
 * of the labelled revision, and its ancestors up to the nearest branch point
 * or merge.
 *
 * @param parentsFirst Every node, parents before children.
 */
export function propagateLabels<R extends RevisionDeclaration>(
  parentsFirst: readonly MutableNode<R>[],
  byLabel: ReadonlyMap<string, MutableNode<R>>,
): void {
  if (byLabel.size === 0) return;
  const own = new Map<MutableNode<R>, string[]>();
  for (const [label, node] of byLabel) {
    own.set(node, [...own.get(node) ?? [], label]);
  }
  for (const node of parentsFirst) {
    node.branchLabels = inherited(node, own.get(node) ?? []);
  }
  for (const [label, node] of byLabel) {
    let parent = onlyParent(node);
    while (parent && parent.allNextRevisions.length < 2) {
      parent.branchLabels = new Set([...parent.branchLabels, label]);
      parent = onlyParent(parent);
    }
  }
}

/** A revision with nothing to add shares its parent's set: long branches stay cheap. */
function inherited<R extends RevisionDeclaration>(
  node: MutableNode<R>,
  own: readonly string[],
): ReadonlySet<string> {
  const [first, ...others] = node.downRevisions;
  if (first && others.length === 0 && own.length === 0) {
    return first.branchLabels;
  }
  const labels = new Set(own);
  for (const parent of node.downRevisions) {
    for (const label of parent.branchLabels) labels.add(label);
  }
  return labels;
}

function onlyParent<R extends RevisionDeclaration>(
  node: MutableNode<R>,
): MutableNode<R> | undefined {
  return isMergePoint(node) ? undefined : node.downRevisions[0];
}

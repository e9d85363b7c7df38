/**
 * Ranks nodes so that what others need comes first; nodes that need each
 * other share a rank (Tarjan's strongly connected components).
 *
 * @param nodes In the order that decides between equals.
 * @param needs What a node needs.
 * @returns The rank of each node; ranks are consecutive from 0.
 */
export function rank<T>(
  nodes: readonly T[],
  needs: (node: T) => Iterable<T>,
): Map<T, number> {
  const ranks = new Map<T, number>();
  const index = new Map<T, number>();
  const low = new Map<T, number>();
  const stack: T[] = [];
  let next = 0;

  const visit = (node: T): number => {
    const own = index.size;
    index.set(node, own);
    stack.push(node);
    let lowest = own;
    for (const needed of needs(node)) {
      if (!index.has(needed)) lowest = Math.min(lowest, visit(needed));
      else if (!ranks.has(needed)) {
        lowest = Math.min(lowest, low.get(needed) ?? index.get(needed) ?? own);
      }
    }
    low.set(node, lowest);
    if (lowest === own) {
      const members = stack.splice(stack.lastIndexOf(node));
      for (const member of members) ranks.set(member, next);
      next++;
    }
    return lowest;
  };

  for (const node of nodes) if (!index.has(node)) visit(node);
  return ranks;
}

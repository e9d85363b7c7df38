/**
 * Ranks nodes so that what others need comes first: 0 for what needs nothing,
 * else one more than the highest that it needs. Nodes that need each other
 * share a rank (Tarjan's strongly connected components).
 *
 * @param nodes In the order that decides between equals.
 * @param needs What a node needs.
 * @param refuse Is handed nodes that need each other, where they may not.
 */
export function rank<T>(
  nodes: readonly T[],
  needs: (node: T) => readonly T[],
  refuse?: (circle: readonly T[]) => never,
): Map<T, number> {
  const ranks = new Map<T, number>();
  const lowest = new Map<T, number>();
  const open: T[] = [];

  const visit = (node: T): number => {
    const own = lowest.size;
    let low = own;
    lowest.set(node, own);
    open.push(node);
    for (const needed of needs(node)) {
      if (ranks.has(needed)) continue;
      low = Math.min(low, lowest.get(needed) ?? visit(needed));
      lowest.set(node, low);
    }
    if (low < own) return low;
    const circle = open.splice(open.lastIndexOf(node));
    if (circle.length > 1) refuse?.(circle);
    const below = circle.flatMap(needs).map((one) => ranks.get(one) ?? -1);
    for (const one of circle) ranks.set(one, Math.max(-1, ...below) + 1);
    return low;
  };

  for (const node of nodes) if (!ranks.has(node)) visit(node);
  return ranks;
}

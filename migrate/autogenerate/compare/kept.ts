import type { IndexConstraint, UniqueConstraint } from "../../../sql/mod.ts";
import type { CompareContext } from "../comparator.ts";

/** Whether two indexes, or the indexes of two constraints, are kept in one way. */
export function isKeptAlike<C extends IndexConstraint | UniqueConstraint>(
  wanted: C,
  actual: C,
  { comparison }: CompareContext,
): boolean {
  return !comparison.keepsIndexOptions ||
    keeping(wanted) === keeping(actual);
}

/** How an index is kept, with everything that may be left out said. */
function keeping(one: IndexConstraint | UniqueConstraint): string {
  const { include = [], nullsNotDistinct = false } = one;
  return JSON.stringify([
    [...include].sort(),
    nullsNotDistinct,
    one.kind === "index"
      ? one.using?.toLowerCase() ?? "btree"
      : [one.deferrable ?? false, one.initiallyDeferred ?? false],
  ]);
}

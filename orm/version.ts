import { type ColumnBuilder, integer } from "../sql/mod.ts";

/**
 * A column that counts an object's versions, so that of two writers who read
 * the same one only the first wins: Fowler's Optimistic Offline Lock.
 */
export function versionId(): ColumnBuilder<number, true> {
  return integer().with<number, true>({ info: { version: true } });
}

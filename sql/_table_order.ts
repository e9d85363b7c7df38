import type { ForeignKey, Table } from "./schema.ts";

/**
 * Tables, or `only` some of them, so that referenced ones come first; equal
 * input, equal output. Tables that reference each other stand in a circle,
 * which begins somewhere.
 */
export function sortTables(
  all: Iterable<Table>,
  only?: readonly Table[],
): Table[] {
  const tables = [...all].filter((table) => only?.includes(table) ?? true);
  const byName = new Map(tables.map((table) => [table.fullName, table]));
  const seen = new Set<Table>();
  const sorted: Table[] = [];
  const place = (table: Table | undefined): void => {
    if (!table || seen.has(table)) return;
    seen.add(table);
    for (const { targetTable } of table.foreignKeys) {
      place(byName.get(targetTable));
    }
    sorted.push(table);
  };
  tables.forEach(place);
  return sorted;
}

/** The foreign keys of sorted tables that point forward, since they close a circle. */
export function forwardKeys(sorted: readonly Table[]): Set<ForeignKey> {
  const later = new Set(sorted.map(({ fullName }) => fullName));
  const forward = new Set<ForeignKey>();
  for (const { fullName, foreignKeys } of sorted) {
    later.delete(fullName);
    for (const key of foreignKeys) {
      if (later.has(key.targetTable)) forward.add(key);
    }
  }
  return forward;
}

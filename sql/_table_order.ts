import type { ForeignKey, Table } from "./schema.ts";

/** Tables in an order in which they can be created, and what closes circles. */
export interface TableOrder {
  /** Referenced tables first. */
  readonly tables: Table[];
  /** Foreign keys that point forward, since tables reference each other. */
  readonly forward: Set<ForeignKey>;
}

/** Sorts tables so that referenced ones come first; equal input, equal output. */
export function sortTables(tables: readonly Table[]): TableOrder {
  const byName = new Map(tables.map((table) => [table.fullName, table]));
  const done = new Set<Table>();
  const open = new Set<Table>();
  const forward = new Set<ForeignKey>();
  const sorted: Table[] = [];
  const place = (table: Table): void => {
    open.add(table);
    for (const key of table.foreignKeys) {
      const target = byName.get(key.targetTable);
      if (!target || target === table || done.has(target)) continue;
      if (open.has(target)) forward.add(key);
      else place(target);
    }
    open.delete(table);
    done.add(table);
    sorted.push(table);
  };
  for (const table of tables) if (!done.has(table)) place(table);
  return { tables: sorted, forward };
}

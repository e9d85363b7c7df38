import { leavesOut } from "./absence.ts";
import { type Column, copyOf, type Select, select } from "../sql/mod.ts";
import type { Mapper, RowTable } from "./mapper.ts";

/** A query of one of the tables that objects' rows are spread over: their keys, and columns. */
export function columnsQuery(
  mapper: Mapper,
  { table, key }: RowTable,
  columns: readonly Column<unknown>[],
): Select<unknown> {
  leavesOut();
  const items = [{
    source: {
      from: table,
      columns: [...mapper.primaryKey, ...columns],
      owner: mapper,
    },
    expressions: [...key, ...columns],
  }];
  return copyOf(select(...key), { shape: { kind: "single", items } });
}

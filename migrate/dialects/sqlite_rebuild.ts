import type { Table } from "../../sql/mod.ts";
import { UnsupportedChangeError } from "../errors.ts";
import type { AlterTable } from "../operations/operation.ts";
import type { PlannedStatement } from "../planner/statement.ts";
import type { RenderContext } from "./implementation.ts";

/**
 * Rebuilds a table that ALTER cannot change.
 *
 * @throws {UnsupportedChangeError} If the table cannot be rebuilt without losing rows.
 */
export function rebuildTable(
  operation: AlterTable,
  _table: Table,
  _context: RenderContext,
): PlannedStatement[] {
  throw new UnsupportedChangeError(
    `Cannot alter table '${operation.table}': it would have to be rebuilt`,
  );
}

import type { Table } from "../../sql/mod.ts";
import type { Operation } from "../operations/operation.ts";
import { SchemaSnapshot } from "../schema/snapshot.ts";
import { describedTable, sideOf } from "./described.ts";
import type { TableComparison } from "./table_comparison.ts";

/**
 * Operations with what each table is before, so that they can be planned and
 * undone by whoever knows nothing of the schema.
 */
export function withOriginals(
  operations: readonly Operation[],
  there: readonly Table[],
  { context: { dialect, comparison }, writing }: TableComparison,
): Operation[] {
  const schema = new SchemaSnapshot(dialect, there);
  const describe = (table: Table) =>
    describedTable(sideOf(table), {
      ...writing,
      // Names that the database found itself it finds again.
      isDefaultNameLeftOut: comparison.namesConstraints,
    });
  return operations.map((operation): Operation => {
    const isAltered = operation.kind === "alterTable";
    if (!isAltered && operation.kind !== "dropTable") {
      schema.apply(operation);
      return operation;
    }
    const table = schema.table(operation);
    const referring = isAltered && comparison.rebuildsTables
      ? schema.referring(operation)
      : [];
    schema.apply(operation);
    return {
      ...operation,
      ...(table ? { original: describe(table) } : {}),
      ...(referring.length > 0 ? { referring: referring.map(describe) } : {}),
    };
  });
}

import type { BatchWrites } from "../dialect.ts";
import { literal, Raw } from "../expression.ts";
import { TYPES } from "../types.ts";
import { TextStatement } from "../text.ts";

/**
 * Others may insert in between, so keys are taken from the sequence before
 * the batch; a guard is a cast that fails with the label as its text.
 */
export const POSTGRES_WRITES: BatchWrites = {
  reserveKeys: (column, count) =>
    new TextStatement([
      new Raw("SELECT nextval(pg_get_serial_sequence("),
      literal(
        `"${column.table.labelPrefix.replaceAll('"', '""')}"`,
      ),
      new Raw(", "),
      literal(column.name),
      new Raw(")) AS key FROM generate_series(1, "),
      literal(count, TYPES.integer),
      new Raw(")"),
    ], true),
  expectRows: (write, count, label) => [
    new TextStatement([
      new Raw("WITH written AS ("),
      write,
      new Raw(" RETURNING 1) SELECT CASE WHEN count(*) = "),
      literal(count, TYPES.integer),
      // Not constant, or the planner would fold it and always fail.
      new Raw(" THEN 1 ELSE ("),
      literal(label, TYPES.text),
      new Raw(
        " || left(count(*)::text, 0))::integer END AS guard FROM written",
      ),
    ], false),
  ],
};

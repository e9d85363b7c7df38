import type { BatchWrites, Dialect, RowToInsert } from "./dialect.ts";
import type { Table } from "./schema.ts";
import { operand, Phrase, Raw } from "./expression.ts";
import { identifier } from "./identifier.ts";
import type { Column } from "./from.ts";
import { select } from "./select.ts";
import { INTEGER } from "./standard_types.ts";

/** How a unit of work knows keys, and checks its writes, inside one batch. */
export function batchWrites({ writes }: Dialect): BatchWrites {
  return writes ?? ALONE;
}

/** The key that the database makes, where a row leaves it out. */
export function generatedKey(
  { primaryKey, autoincrementColumn }: Table,
  values: RowToInsert["values"],
): Column<unknown> | undefined {
  const [only, ...more] = primaryKey;
  const column = autoincrementColumn ??
    (only?.spec.serverDefault !== undefined && more.length === 0
      ? only
      : undefined);
  return column && !values.has(column) ? column : undefined;
}

/**
 * A batch that has the database to itself, as on SQLite: keys that the database
 * makes follow each other, and later statements can count from the last one.
 */
const ALONE: BatchWrites = {
  keyAfterLast: (column, offset) => {
    const { name, table, type, spec: { autoincrement } } = column;
    const key = identifier(name);
    // What the database makes of a default is known of rows that are there.
    if (
      "autoincrementColumn" in table && table.autoincrementColumn !== column
    ) {
      return new Phrase("nthLastKey", [
        ...["(SELECT ", key, " FROM ", table],
        ...[" ORDER BY rowid DESC LIMIT 1 OFFSET ", operand(-offset), ")"],
      ], type);
    }
    const last = ["coalesce((SELECT max(", key, ") FROM ", table, "), 0)"];
    // AUTOINCREMENT never gives a key twice, also where its row is gone.
    const highest = autoincrement
      ? [
        ...["max(", ...last, ", coalesce((SELECT seq FROM sqlite_sequence"],
        ...[" WHERE name = ", operand(table.labelPrefix), "), 0))"],
      ]
      : last;
    return new Phrase("lastKey", [...highest, " + ", operand(offset)], type, 6);
  },
  eachRow: (json) => [new Raw("json_each("), json, new Raw(") AS aludel_rows")],
  expectRows: (write, count, label) => [
    write,
    // Only a false condition evaluates the path, whose text is the error's.
    select(
      new Phrase("guard", [
        ...["CASE WHEN changes() = ", operand(count), " THEN 1 ELSE"],
        ...[" json_extract('{}', ", operand(label), ") END"],
      ], INTEGER).as("guard"),
    ),
  ],
};

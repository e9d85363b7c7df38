import type { Compiler } from "./compiler.ts";
import type { BatchWrites, Dialect, RowToInsert } from "./dialect.ts";
import type { Table } from "./schema.ts";
import { Expression, literal, Raw } from "./expression.ts";
import { INTEGER } from "./standard_types.ts";
import type { Column } from "./from.ts";
import { TextStatement } from "./text.ts";

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
    const { table } = column;
    return "autoincrementColumn" in table &&
        table.autoincrementColumn !== column
      ? new NthLastKey(column, literal(-offset))
      : new LastKey(column).plus(literal(offset));
  },
  eachRow: (json) => [new Raw("json_each("), json, new Raw(") AS aludel_rows")],
  expectRows: (write, count, label) => [
    write,
    // Only a false condition evaluates the path, whose text is the error's.
    new TextStatement([
      new Raw("SELECT CASE WHEN changes() = "),
      literal(count),
      new Raw(" THEN 1 ELSE json_extract('{}', "),
      literal(label),
      new Raw(") END AS guard"),
    ], true),
  ],
};

/** The highest key of a table: that of its last row, or 0 while it is empty. */
class LastKey extends Expression<number> {
  readonly column: Column<unknown>;
  constructor(column: Column<unknown>) {
    super(INTEGER);
    this.column = column;
  }
  override get kind(): string {
    return "lastKey";
  }
  override compile(compiler: Compiler): void {
    const { name, table, spec } = this.column;
    if (spec.autoincrement) compiler.write("max(");
    compiler.write("coalesce((SELECT max(");
    compiler.name(name);
    compiler.write(") FROM ");
    table.reference(compiler);
    compiler.write("), 0)");
    if (!spec.autoincrement) return;
    // AUTOINCREMENT never gives a key twice, also where its row is gone.
    compiler.write(", coalesce((SELECT seq FROM sqlite_sequence WHERE name = ");
    compiler.write(compiler.dialect.literal(table.labelPrefix));
    compiler.write("), 0))");
  }
}

/** The key of one of the last rows, whatever the database makes of a default. */
class NthLastKey extends Expression<unknown> {
  readonly column: Column<unknown>;
  readonly place: Expression<number>;
  constructor(column: Column<unknown>, place: Expression<number>) {
    super(column.type);
    this.column = column;
    this.place = place;
  }
  override get kind(): string {
    return "nthLastKey";
  }
  override compile(compiler: Compiler): void {
    const { name, table } = this.column;
    compiler.write("(SELECT ");
    compiler.name(name);
    compiler.write(" FROM ");
    table.reference(compiler);
    compiler.write(" ORDER BY rowid DESC LIMIT 1 OFFSET ");
    compiler.visit(this.place);
    compiler.write(")");
  }
}

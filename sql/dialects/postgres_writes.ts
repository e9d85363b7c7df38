import { type Compiler, tableName } from "../compiler.ts";
import { generatedKey } from "../batch_writes.ts";
import type { BatchWrites, RowToInsert } from "../dialect.ts";
import { Expression, literal, Raw } from "../expression.ts";
import type { Column } from "../from.ts";
import { INTEGER, TEXT } from "../standard_types.ts";
import type { Table } from "../schema.ts";
import { TextStatement } from "../text.ts";
import { resultReader } from "../types.ts";

/**
 * Others may insert in between, so keys are taken from the sequence before
 * the batch; a guard is a cast that fails with the label as its text.
 */
export const POSTGRES_WRITES: BatchWrites = {
  async reserveKeys(rows, engine, send) {
    const wanted = Map.groupBy(
      rows,
      ({ table, values }) => generatedKey(table, values),
    );
    wanted.delete(undefined);
    if (wanted.size === 0) return;
    const asked = [...wanted] as [Column<unknown>, RowToInsert[]][];
    const statements = asked.map(([column, { length }]) =>
      engine.prepare(keys(column, length))
    );
    for (const one of statements) engine.echo(one);
    const results = await send(statements);
    asked.forEach(([column, rows], i) => {
      const read = resultReader(column.type, engine.dialect);
      rows.forEach(({ values }, at) => {
        const raw = results[i]?.rows[at]?.[0];
        values.set(column, read ? read(raw) : raw);
      });
    });
  },
  eachRow: (json) => [
    new Raw("json_array_elements("),
    json,
    new Raw("::json) WITH ORDINALITY AS aludel_rows(value, key)"),
  ],
  expectRows: (write, count, label) => [
    new TextStatement([
      new Raw("WITH written AS ("),
      write,
      new Raw(" RETURNING 1) SELECT CASE WHEN count(*) = "),
      literal(count, INTEGER),
      // Not constant, or the planner would fold it and always fail.
      new Raw(" THEN 1 ELSE ("),
      literal(label, TEXT),
      new Raw(
        " || left(count(*)::text, 0))::integer END AS guard FROM written",
      ),
    ], false),
  ],
};

/** A table's name as text, where the database parses it out of a string. */
class NameText extends Expression<string> {
  readonly table: Table;
  constructor(table: Table) {
    super(TEXT);
    this.table = table;
  }
  override get kind(): string {
    return "nameText";
  }
  override compile(compiler: Compiler): void {
    const name = tableName(this.table, compiler.dialect);
    compiler.write(`'${name.replaceAll("'", "''")}'`);
  }
}

/** A query of keys to come. */
function keys(column: Column<unknown>, count: number): TextStatement<unknown> {
  return new TextStatement([
    new Raw("SELECT ("),
    ...made(column),
    new Raw(") AS key FROM generate_series(1, "),
    literal(count, INTEGER),
    new Raw(")"),
  ], true);
}

/** What the database itself would put there. */
function made({ table, name, spec }: Column<unknown>): Expression<unknown>[] {
  const { serverDefault } = spec;
  if (serverDefault !== undefined) {
    return [
      serverDefault instanceof Expression
        ? serverDefault
        : literal(serverDefault),
    ];
  }
  return [
    new Raw("nextval(pg_get_serial_sequence("),
    new NameText(table as Table),
    new Raw(", "),
    literal(name),
    new Raw("))"),
  ];
}

import {
  Bind,
  type Column,
  type Compiler,
  type Expression,
  type RowShape,
  sqlType,
  Statement,
  type Table,
} from "../sql/mod.ts";

/** One column of a bulk insert: whether its cells are values or offsets of keys. */
export interface BulkColumn {
  /** The column. */
  readonly column: Column<unknown>;
  /** The last key of the referenced table, where cells count from it. */
  readonly lastKey: Expression<unknown> | undefined;
}

/**
 * INSERT of any number of rows as one JSON parameter (SQLite's `json_each`).
 * A key that the database makes is written out, so that rows are numbered in
 * the order in which they stand.
 */
export class JsonInsert extends Statement<unknown> {
  override readonly shape: RowShape | undefined;
  readonly table: Table;
  /** The numbered column and the last key of the table, if it is numbered. */
  readonly numbered: BulkColumn | undefined;
  readonly columns: readonly BulkColumn[];
  readonly rows: Bind;

  constructor(
    table: Table,
    numbered: BulkColumn | undefined,
    columns: readonly BulkColumn[],
    rows: string,
    returning: RowShape | undefined,
  ) {
    super();
    this.table = table;
    this.numbered = numbered;
    this.columns = columns;
    this.rows = new Bind(rows, sqlType("text"));
    this.shape = returning;
  }

  override get kind(): string {
    return "jsonInsert";
  }
  override get isRead(): boolean {
    return false;
  }
  override structure(): readonly unknown[] {
    return [
      this.table,
      [...(this.numbered ? [this.numbered] : []), ...this.columns].map((
        one,
      ) => [
        one.column,
        one.lastKey,
      ]),
      this.numbered === undefined,
      this.rows,
      this.shape?.items.map((item) => item.expressions),
    ];
  }
  override compile(compiler: Compiler): void {
    const { numbered, columns, shape } = this;
    compiler.nested([this.table], (outermost) => {
      compiler.write("INSERT INTO ");
      compiler.visit(this.table);
      compiler.write(" (");
      compiler.each(
        [...(numbered ? [numbered] : []), ...columns],
        ", ",
        ({ column }) => compiler.name(column.name),
      );
      compiler.write(") SELECT ");
      if (numbered?.lastKey) {
        compiler.visit(numbered.lastKey);
        compiler.write(" + key");
        if (columns.length > 0) compiler.write(", ");
      }
      columns.forEach(({ column, lastKey }, i) => {
        if (i > 0) compiler.write(", ");
        const cell = `(value ->> ${i})`;
        if (lastKey) {
          compiler.visit(lastKey);
          compiler.write(` + ${cell}`);
        } else compiler.write(compiler.typed(cell, column.spec.type));
      });
      compiler.write(" FROM json_each(");
      compiler.visit(this.rows);
      compiler.write(") ORDER BY key");
      if (shape) {
        compiler.write(" RETURNING ");
        compiler.results(
          shape.items.flatMap((item) => item.expressions),
          outermost,
        );
      }
    });
  }
}

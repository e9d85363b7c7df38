import {
  type Column,
  type Compiler,
  Expression,
  type Node,
  type RowShape,
  Statement,
  type Table,
} from "../sql/mod.ts";

/** A part of a write: text, something with SQL of its own, or columns by name alone. */
export type Part = string | Node | readonly Column<unknown>[];

/**
 * A statement that a unit of work sends. The Core's INSERT, UPDATE and DELETE
 * are for programs; this one carries nothing that only a program would ask for.
 */
export class Write extends Statement<unknown> {
  readonly table: Table;
  readonly parts: readonly Part[];
  readonly returning: readonly Column<unknown>[];
  override readonly shape: RowShape | undefined;

  constructor(
    table: Table,
    parts: readonly Part[],
    returning: readonly Column<unknown>[] = [],
  ) {
    super();
    this.table = table;
    this.parts = parts;
    this.returning = returning;
    this.shape = returning.length > 0
      ? {
        kind: "tuple",
        items: returning.map((column) => ({ expressions: [column] })),
      }
      : undefined;
  }
  override get kind(): string {
    return "write";
  }
  override get isRead(): boolean {
    return false;
  }
  override structure(): readonly unknown[] {
    return [this.table, this.parts, this.returning];
  }
  override compile(compiler: Compiler): void {
    compiler.nested([this.table], (outermost) => {
      for (const part of this.parts) {
        if (typeof part === "string") compiler.write(part);
        else if (Array.isArray(part)) {
          compiler.each(part, ", ", ({ name }) => compiler.name(name));
        } else compiler.visit(part as Node);
      }
      if (this.returning.length > 0) {
        compiler.write(" RETURNING ");
        compiler.results(this.returning, outermost);
      }
    });
  }
}

/** A cell of the rows of one JSON parameter (SQLite's `json_each`). */
export class Cell extends Expression<unknown> {
  readonly path: string;
  constructor(path: string, column: Column<unknown>) {
    super(column.type);
    this.path = path;
  }
  override get kind(): string {
    return "cell";
  }
  override structure(): readonly unknown[] {
    return [this.path, this.type];
  }
  override compile(compiler: Compiler): void {
    const { path, type } = this;
    const cell = `(value ->> ${path})`;
    compiler.write(type ? compiler.typed(cell, type) : cell);
  }
}

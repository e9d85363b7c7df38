import type { Compiler } from "./compiler.ts";
import {
  type Assignment,
  assignments,
  Dml,
  type Target,
  type Values,
  writeNames,
} from "./dml.ts";
import { CompileError } from "./errors.ts";
import type { Column } from "./from.ts";
import { halves } from "./_halves.ts";
import type { Node } from "./node.ts";
import type { SelectedRow, SelectItem, SelectRecord } from "./row_types.ts";
import { shapeOf } from "./select.ts";
import { copyOf } from "./statement.ts";
import { Rows } from "./value_rows.ts";

/** INSERT. Immutable: every method returns a new one. */
export class Insert<T extends Target, Row = never> extends Dml<T, Row> {
  /** The rows. */
  readonly rows: readonly (readonly Assignment[])[] = [];
  /** A query that gives the rows. */
  readonly query: Node | undefined;
  /** The columns that the query fills, in its order. */
  readonly into: readonly Column<unknown>[] | undefined;
  /** What is done about rows that are there already. */
  readonly conflict: Node | undefined;

  /** @ignore */
  override get kind(): string {
    return "insert";
  }

  /**
   * Adds a row, or several; client defaults fill what they leave out.
   *
   * @throws {CompileError} If the list is empty, which would insert a row of defaults.
   */
  values(rows: Values<T> | readonly Values<T>[]): Insert<T, Row> {
    const added = ([rows].flat() as object[]).map((row) =>
      assignments(this.target, row, "default")
    );
    if (added.length === 0) throw new CompileError("Cannot insert no rows");
    return copyOf<Insert<T, Row>>(this, { rows: [...this.rows, ...added] });
  }
  /** Gives back columns, or whole rows, of what was written. */
  returning<const A extends readonly (SelectItem | SelectRecord)[]>(
    ...things: A
  ): Insert<T, SelectedRow<A>> {
    return copyOf<Insert<T, Row>>(this, { shape: shapeOf(things) }) as Insert<
      T,
      never
    >;
  }

  /** @ignore */
  override halves(): readonly Node[] {
    return halves(this);
  }
  /** @ignore */
  override compile(compiler: Compiler): void {
    const { table, query, rows, conflict } = this;
    compiler.nested([table], (outermost) => {
      compiler.write("INSERT INTO ", table);
      // A row that leaves a column out gets its DEFAULT, so rows share one list.
      const columns = this.into ?? [...new Map(rows.flat()).keys()];
      if (columns.length === 0) compiler.write(" DEFAULT VALUES");
      else {
        compiler.write(" ");
        writeNames(columns, compiler);
        compiler.write(" ", query ?? rowsOf(columns, rows));
      }
      compiler.write(conflict ?? "");
      this.writeReturning(compiler, outermost);
    });
  }
}

function rowsOf(
  columns: readonly Column<unknown>[],
  rows: readonly (readonly Assignment[])[],
): Rows {
  return new Rows(
    columns,
    rows.map((row) => {
      const values = new Map(row);
      return columns.map((column) => values.get(column));
    }),
  );
}

/** Starts an INSERT into a table or mapped class. */
export function insert<T extends Target>(target: T): Insert<T> {
  return new Insert(target);
}

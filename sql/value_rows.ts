import type { Compiler } from "./compiler.ts";
import { jsonList } from "./dialects/values.ts";
import { Bind, type Expression, operand } from "./expression.ts";
import type { Column } from "./from.ts";
import { Node, type Part } from "./node.ts";

/** Rows of values: one parameter, where a platform takes no more. */
export class Rows extends Node {
  /** What the values are for. */
  readonly columns: readonly Expression<unknown>[];
  /** A value for each column of each row; what a row leaves out has none. */
  readonly rows: readonly (readonly (Expression<unknown> | undefined)[])[];
  /** Rows for columns. */
  constructor(
    columns: readonly Expression<unknown>[],
    rows: Rows["rows"],
  ) {
    super();
    this.columns = columns;
    this.rows = rows;
  }
  /** @ignore */
  override get kind(): string {
    return "rows";
  }
  /** @ignore */
  override compile(compiler: Compiler): void {
    const { columns, rows } = this;
    const { limits, features } = compiler.dialect;
    const values = rows.flat();
    if (
      values.length > (limits?.params ?? Infinity) && values.every(isBind)
    ) {
      return writeAsJson(columns, values, compiler);
    }
    compiler.write("VALUES ");
    compiler.each(rows, ", ", (row) => {
      compiler.write("(");
      compiler.each(row, ", ", (value, i) => {
        const column = columns[i] as Column<unknown>;
        compiler.write(
          value ?? (features.defaultInRows ? "DEFAULT" : missing(column)),
        );
      });
      compiler.write(")");
    });
  }
}

// Without a word for it, NULL numbers a lone integer key.
function missing({ spec: { serverDefault } }: Column<unknown>): Part {
  return serverDefault === undefined ? "NULL" : operand(serverDefault);
}

function isBind(value: unknown): value is Bind {
  return value instanceof Bind;
}

// Many rows of values travel as one JSON document.
function writeAsJson(
  columns: Rows["columns"],
  binds: readonly Bind[],
  compiler: Compiler,
): void {
  const width = columns.length;
  compiler.write("SELECT ");
  compiler.each(
    columns,
    ", ",
    ({ type }, i) => compiler.write(compiler.cell(`(value ->> ${i})`, type)),
  );
  compiler.write(" FROM json_each(");
  compiler.bindJoined(binds, (values) => {
    const lists: string[] = [];
    for (let from = 0; from < values.length; from += width) {
      lists.push(jsonList(values.slice(from, from + width)));
    }
    return `[${lists}]`;
  });
  // The WHERE keeps ON CONFLICT apart from a join's ON.
  compiler.write(") WHERE 1 ORDER BY key");
}

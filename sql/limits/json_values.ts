import {
  compile,
  type CompiledStatement,
  type Compiler,
  type Slot,
} from "../compiler.ts";
import type { Dialect, NodeRenderer } from "../dialect.ts";
import { jsonList } from "../dialects/values.ts";
import { Bind } from "../expression.ts";
import type { Rows } from "../insert.ts";
import type { Node } from "../node.ts";

/** Many rows of values travel as one JSON document. */
export function rowsAsJson(most: number): NodeRenderer {
  return (node: Rows, compiler: Compiler) => {
    const { columns, rows } = node;
    const binds = rows.flat();
    const isPlain = (value: unknown): value is Bind => value instanceof Bind;
    if (binds.length <= most || !binds.every(isPlain)) {
      return node.compile(compiler);
    }
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
  };
}

/**
 * All parameters as one JSON list, beside those that JSON cannot hold, or may
 * round, while there is room.
 */
export function restAsJson(
  statement: Node,
  dialect: Dialect,
  most: number,
): CompiledStatement {
  const of: Slot[] = [];
  const apart: Slot[] = [];
  const placeholder: Dialect["placeholder"] = (_slots, slot, type) => {
    const fromJson = type && dialect.rulesFor(type).fromJson;
    if (apart.length < most - 1 && (fromJson || !(slot instanceof Bind))) {
      return `?${apart.push(slot) + 1}`;
    }
    const cell = `(?1 ->> ${of.push(slot) - 1})`;
    return fromJson ? fromJson(cell) : cell;
  };
  // Not a copy, since a dialect may have been made of another one.
  const other = Object.create(dialect, { placeholder: { value: placeholder } });
  const compiled = compile(statement, other as Dialect);
  return { ...compiled, slots: [{ of, join: jsonList }, ...apart] };
}

import { compile, type CompiledStatement, type Slot } from "../compiler.ts";
import type { Dialect } from "../dialect.ts";
import { jsonList } from "../dialects/values.ts";
import { Bind } from "../expression.ts";
import type { Node } from "../node.ts";

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

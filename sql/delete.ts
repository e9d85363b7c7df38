import type { Compiler } from "./compiler.ts";
import { Dml, type Target } from "./dml.ts";
import type { Expression } from "./expression.ts";
import type { FromClause } from "./from.ts";
import { halves } from "./_halves.ts";
import type { Node } from "./node.ts";
import type { SelectedRow, SelectItem, SelectRecord } from "./row_types.ts";
import { allOf, shapeOf } from "./select.ts";
import { copyOf, rowSource } from "./statement.ts";

/** Writes the condition of a DELETE that sees further tables. */
export type WriteUsing = (
  others: readonly FromClause[],
  condition: Expression<unknown> | undefined,
  compiler: Compiler,
) => void;

/** DELETE. Immutable: every method returns a new one. */
export class Delete<T extends Target, Row = never> extends Dml<T, Row> {
  /** Which rows. */
  readonly condition: Expression<unknown> | undefined =
    this.target[rowSource].where;
  /** Further tables that the condition sees. */
  readonly others: readonly FromClause[] = [];
  /** Writes the condition where there are any. */
  readonly writeUsing: WriteUsing | undefined;

  /** @ignore */
  override get kind(): string {
    return "delete";
  }
  /** Only rows that meet all conditions. */
  where(...conditions: Expression<unknown>[]): Delete<T, Row> {
    return copyOf<Delete<T, Row>>(this, {
      condition: allOf(this.condition, ...conditions),
    });
  }
  /** Gives back columns, or whole rows, of what was deleted. */
  returning<const A extends readonly (SelectItem | SelectRecord)[]>(
    ...things: A
  ): Delete<T, SelectedRow<A>> {
    return copyOf<Delete<T, Row>>(this, { shape: shapeOf(things) }) as Delete<
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
    const { table, condition, others, writeUsing } = this;
    compiler.nested([table, ...others], (outermost) => {
      compiler.write("DELETE FROM ", table);
      if (writeUsing) writeUsing(others, condition, compiler);
      else compiler.clause(" WHERE ", condition);
      this.writeReturning(compiler, outermost);
    });
  }
}

/** Starts a DELETE from a table or mapped class. */
export function deleteFrom<T extends Target>(target: T): Delete<T> {
  return new Delete(target);
}

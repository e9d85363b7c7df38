import type { Compiler } from "./compiler.ts";
import { Dml, type Target } from "./dml.ts";
import type { Expression } from "./expression.ts";
import type { FromClause } from "./from.ts";
import type { SelectedRow, SelectItem, SelectRecord } from "./row_types.ts";
import { allOf, fromOf, shapeOf } from "./select.ts";
import { copyOf, rowSource, type Selectable } from "./statement.ts";

/** DELETE. Immutable: every method returns a new one. */
export class Delete<T extends Target, Row = never> extends Dml<T, Row> {
  /** Which rows. */
  readonly condition: Expression<unknown> | undefined =
    this.target[rowSource].where;
  /** Further tables that the condition sees. */
  readonly others: readonly FromClause[] = [];

  /** @ignore */
  override get kind(): string {
    return "delete";
  }
  /** Only rows that meet all conditions. */
  where(...conditions: Expression<unknown>[]): Delete<T, Row> {
    return copyOf<Delete<T, Row>>(this, {
      condition: allOf(this.condition, conditions),
    });
  }
  /** Lets conditions see further tables. */
  using(...others: Selectable[]): Delete<T, Row> {
    return copyOf<Delete<T, Row>>(this, {
      others: [...this.others, ...others.map(fromOf)],
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
  override structure(): readonly unknown[] {
    return this.parts(this.condition, this.others);
  }
  /** @ignore */
  override compile(compiler: Compiler): void {
    const { table, others } = this;
    // Without USING, whether there is such a row says the same.
    const asks = others.length > 0 && !compiler.dialect.features.deleteUsing;
    compiler.nested([table, ...others], (outermost) => {
      compiler.write("DELETE FROM ", table);
      compiler.clause(
        asks ? " WHERE EXISTS (SELECT 1 FROM " : " USING ",
        others,
      );
      compiler.clause(" WHERE ", this.condition);
      if (asks) compiler.write(")");
      this.writeReturning(compiler, outermost);
    });
  }
}

/** Starts a DELETE from a table or mapped class. */
export function deleteFrom<T extends Target>(target: T): Delete<T> {
  return new Delete(target);
}

import type { Compiler } from "./compiler.ts";
import {
  type Assignment,
  assignments,
  type Changes,
  Dml,
  type Target,
  writeAssignments,
} from "./dml.ts";
import type { Expression } from "./expression.ts";
import type { FromClause } from "./from.ts";
import type { SelectedRow, SelectItem, SelectRecord } from "./row_types.ts";
import { allOf, fromOf, shapeOf } from "./select.ts";
import { copyOf, rowSource, type Selectable } from "./statement.ts";

/** UPDATE. Immutable: every method returns a new one. */
export class Update<T extends Target, Row = never> extends Dml<T, Row> {
  /** The changes. */
  readonly set_: readonly Assignment[] = [];
  /** Which rows. */
  readonly condition: Expression<unknown> | undefined =
    this.target[rowSource].where;
  /** Further tables that the condition and values see. */
  readonly others: readonly FromClause[] = [];

  /** @ignore */
  override get kind(): string {
    return "update";
  }
  /** Sets columns; a later value of a column replaces an earlier one. */
  set(values: Changes<T>): Update<T, Row> {
    const known = Object.fromEntries(
      this.set_.map(([column, value]) => [column.key, value]),
    );
    return copyOf<Update<T, Row>>(this, {
      set_: assignments(
        this.target,
        { ...known, ...values },
        "onUpdate",
      ),
    });
  }
  /** Only rows that meet all conditions. */
  where(...conditions: Expression<unknown>[]): Update<T, Row> {
    return copyOf<Update<T, Row>>(this, {
      condition: allOf(this.condition, ...conditions),
    });
  }
  /** Lets conditions and values see further tables. */
  from(...others: Selectable[]): Update<T, Row> {
    return copyOf<Update<T, Row>>(this, {
      others: [...this.others, ...others.map(fromOf)],
    });
  }
  /** Gives back columns, or whole rows, of what was changed. */
  returning<const A extends readonly (SelectItem | SelectRecord)[]>(
    ...things: A
  ): Update<T, SelectedRow<A>> {
    return copyOf<Update<T, Row>>(this, { shape: shapeOf(things) }) as Update<
      T,
      never
    >;
  }
  /** @ignore */
  override compile(compiler: Compiler): void {
    const { table, others } = this;
    compiler.nested([table, ...others], (outermost) => {
      compiler.write("UPDATE ", table, " SET ");
      writeAssignments(this.set_, compiler);
      compiler.clause(" FROM ", others);
      compiler.clause(" WHERE ", this.condition);
      this.writeReturning(compiler, outermost);
    });
  }
}

/** Starts an UPDATE of a table or mapped class. */
export function update<T extends Target>(target: T): Update<T> {
  return new Update(target);
}

import type { Compiler } from "./compiler.ts";
import { Expression, In, operand, Raw } from "./expression.ts";
import { Node } from "./node.ts";
import { Rows } from "./value_rows.ts";

/** Several values in brackets: `(a, b)`. */
export class Tuple extends Expression<readonly unknown[]> {
  /** The values. */
  readonly items: readonly Expression<unknown>[];
  /** Brackets values. */
  constructor(items: readonly Expression<unknown>[]) {
    super(undefined);
    this.items = items;
  }
  /** @ignore */
  override get kind(): string {
    return "tuple";
  }
  /** Among lists of values, or among the rows of a query of as many columns. */
  override in(values: TupleOperand): Expression<boolean> {
    return new In(this, this.#right(values), false);
  }
  /** Not among lists of values, or not among the rows of a query. */
  override notIn(values: TupleOperand): Expression<boolean> {
    return new In(this, this.#right(values), true);
  }
  /** @ignore */
  override compile(compiler: Compiler): void {
    compiler.write("(", this.items, ")");
  }

  #right(values: TupleOperand): Node {
    if (values instanceof Node) return values;
    // No row, of as many columns as are asked for, is no simple thing to say.
    if (values.length === 0) {
      return new Raw("SELECT * FROM (VALUES (NULL)) AS v WHERE 1 = 0");
    }
    // SQLite takes no list of tuples, but it takes VALUES.
    const places = this.items.map((item) => item.as("value"));
    return new Rows(
      places,
      values.map((row) =>
        places.map((place, i) => operand(row[i] ?? null, place.type))
      ),
    );
  }
}

/** What a tuple can be among: lists of values, or a query. */
export type TupleOperand =
  | readonly (readonly unknown[])[]
  | (Node & { readonly isQuery: true });

/**
 * Several expressions as one, to be compared or looked up together:
 * `tuple(a, b).in([[1, 2], [3, 4]])`.
 */
export function tuple(...items: Expression<unknown>[]): Tuple {
  return new Tuple(items);
}

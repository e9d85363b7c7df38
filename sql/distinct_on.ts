import type { Compiler } from "./compiler.ts";
import { UnsupportedError } from "./errors.ts";
import type { Expression } from "./expression.ts";
import { Node } from "./node.ts";
import { changed, type Select } from "./select.ts";

/** `DISTINCT ON (…)`, for databases that have it. */
class DistinctOn extends Node {
  readonly on: readonly Expression<unknown>[];
  constructor(on: readonly Expression<unknown>[]) {
    super();
    this.on = on;
  }
  override get kind(): string {
    return "distinctOn";
  }
  override compile(compiler: Compiler): void {
    if (!compiler.dialect.features.distinctOn) {
      throw new UnsupportedError(
        "Cannot write DISTINCT ON: this database has none; use groupBy() or rowNumber()",
      );
    }
    compiler.clause("DISTINCT ON (", this.on);
    compiler.write(") ");
  }
}

/** The first row for each value of some expressions (Postgres). */
export function distinctOn<Row, Sources>(
  query: Select<Row, Sources>,
  ...on: readonly [Expression<unknown>, ...Expression<unknown>[]]
): Select<Row, Sources> {
  return changed(query, { distinct: new DistinctOn(on) });
}

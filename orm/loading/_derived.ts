import {
  Column,
  type Compiler,
  FromClause,
  type Select,
  select,
} from "../../sql/mod.ts";

/** A query in brackets, its columns known by their place. */
class Derived extends FromClause {
  readonly query: Select<unknown>;
  readonly c: Readonly<Record<string, Column<unknown>>>;
  constructor(query: Select<unknown>) {
    super();
    this.query = query;
    this.c = Object.fromEntries(
      query.expressions.map(({ type = { name: "any", args: [] } }, i) => [
        keyAt(i),
        new Column(keyAt(i), { type, nullable: true, primaryKey: false }, this),
      ]),
    );
  }
  override get kind(): string {
    return "derived";
  }
  override get labelPrefix(): string {
    return "anon";
  }
  override reference(compiler: Compiler): void {
    compiler.name(compiler.aliasOf(this, "anon"));
  }
  override structure(): readonly unknown[] {
    return [this.query];
  }
  override compile(compiler: Compiler): void {
    compiler.write("(");
    compiler.isolated(() => compiler.visit(this.query));
    compiler.write(") AS ");
    this.reference(compiler);
  }
}

const keyAt = (i: number): string => `c${i}`;

/**
 * Columns of a query's rows, as they are after DISTINCT and LIMIT: these look
 * at whole rows, so the columns cannot be chosen before them.
 */
export function columnsOfRows(
  query: Select<unknown>,
  columns: readonly Column<unknown>[],
): Select<unknown> {
  const { expressions } = query;
  const all = [
    ...expressions,
    ...columns.filter((column) => !expressions.includes(column)),
  ];
  const labelled = query.withOnlyColumns(
    ...all.map((expression, i) => expression.as(keyAt(i))),
  );
  const derived = new Derived(labelled);
  return select(
    ...columns.map((column) =>
      derived.c[keyAt(all.indexOf(column))] as Column<unknown>
    ),
  );
}

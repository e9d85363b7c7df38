import type { Compiler } from "./compiler.ts";
import type { Node } from "./node.ts";
import type { Column } from "./from.ts";
import { EMPTY, Select } from "./select.ts";
import {
  copyOf,
  type RowItem,
  type RowShape,
  type RowSource,
  Statement,
} from "./statement.ts";
import { type ColumnsOfRow, Subquery } from "./subquery.ts";

/** How the rows of two queries are put together. */
export type CompoundOperator = "UNION" | "UNION ALL" | "INTERSECT" | "EXCEPT";

/** Queries put together: a kind of its own, since platforms limit its terms. */
export class Compound<Row> extends Statement<Row> {
  /** What stands between the queries. */
  readonly operator: CompoundOperator;
  /** The queries. */
  readonly terms: readonly Node[];
  override readonly shape: RowShape | undefined;
  /** Use {@linkcode union} and its kin. */
  constructor(
    operator: CompoundOperator,
    terms: readonly Node[],
    shape: RowShape | undefined,
  ) {
    super();
    this.operator = operator;
    this.terms = terms;
    this.shape = shape;
  }
  /** @ignore */
  override get kind(): string {
    return "compound";
  }
  override get isRead(): boolean {
    return true;
  }
  /** @ignore */
  override compile(compiler: Compiler): void {
    writeTerms(
      compiler,
      this.operator,
      this.terms.map((term) => () => writeTerm(term, compiler)),
    );
  }
}

function writeTerm(term: Node, compiler: Compiler): void {
  // A term with an order or limit of its own needs brackets, and SQLite
  // takes none there.
  const wraps = term instanceof Select &&
    (term.state.orderBy.length > 0 || term.state.limit !== undefined ||
      term.state.offset !== undefined);
  if (wraps) compiler.write("SELECT * FROM (");
  compiler.nested([], () => compiler.visit(term), true);
  if (wraps) compiler.write(') AS "term"');
}

// Platforms limit how many terms stand side by side. Queries in brackets count
// anew; EXCEPT takes away all that come behind it.
function writeTerms(
  compiler: Compiler,
  operator: CompoundOperator,
  terms: readonly (() => void)[],
): void {
  const most = compiler.dialect.limits?.compound ?? Infinity;
  const [first, ...rest] = terms;
  if (!first || terms.length <= most) {
    return compiler.each(terms, ` ${operator} `, (write) => write());
  }
  const size = Math.ceil(rest.length / (most - 1));
  const inner = operator === "EXCEPT" ? "UNION ALL" : operator;
  const groups = [first];
  for (let at = 0; at < rest.length; at += size) {
    const group = rest.slice(at, at + size);
    groups.push(() => {
      compiler.write("SELECT * FROM (");
      writeTerms(compiler, inner, group);
      compiler.write(")");
    });
  }
  writeTerms(compiler, operator, groups);
}

/**
 * Rows of several queries: a query of its own, with `.c` for its columns, so
 * that it can be filtered, sorted and joined like any other.
 */
export class CompoundSelect<Row> extends Select<Row> {
  /** Its columns by key. */
  readonly c: ColumnsOfRow<Row>;
  /** Use {@linkcode union} and its kin. */
  constructor(
    operator: CompoundOperator,
    first: Select<Row>,
    others: readonly Select<Row>[],
  ) {
    const { shape } = first;
    const rows = new Subquery<ColumnsOfRow<Row>>(
      new Compound(operator, [first, ...others], shape),
    );
    let at = 0;
    // The same rows as the first query's, read from the columns of them all.
    const items = shape.items.map((item): RowItem => {
      const columns = rows.columns.slice(at, at += item.expressions.length);
      const { key, source } = item;
      return source
        ? {
          ...item,
          source: withoutConditions(source, rows, columns),
          expressions: columns,
        }
        : {
          ...item,
          expressions: key === undefined
            ? columns
            : columns.map((column) => column.as(key)),
        };
    });
    super({ kind: shape.kind, items }, { ...EMPTY, from: [rows] });
    this.c = rows.c;
  }
}

// The terms have met them already.
function withoutConditions(
  { owner, columns: named }: RowSource,
  from: Subquery,
  columns: readonly Column<unknown>[],
): RowSource {
  return {
    from,
    // Rows keep the keys of what they were.
    columns: columns.map((column, i) =>
      copyOf(column, { key: named[i]?.key ?? column.key, table: from })
    ),
    owner,
  };
}

/**
 * The rows of all queries, each once.
 *
 * @example
 * ```ts
 * import { integer, MetaData, select, table, text, union } from "@aludel/aludel/sql";
 *
 * const metadata = new MetaData();
 * const cats = table("cats", metadata, { id: integer().primaryKey(), name: text() });
 * const dogs = table("dogs", metadata, { id: integer().primaryKey(), name: text() });
 * const pets = union(select({ name: cats.c.name }), select({ name: dogs.c.name }));
 * pets.orderBy(pets.c.name).limit(10);
 * ```
 */
export function union<Row>(
  first: Select<Row>,
  ...others: readonly Select<Row>[]
): CompoundSelect<Row> {
  return new CompoundSelect("UNION", first, others);
}

/** The rows of all queries, as often as they come. */
export function unionAll<Row>(
  first: Select<Row>,
  ...others: readonly Select<Row>[]
): CompoundSelect<Row> {
  return new CompoundSelect("UNION ALL", first, others);
}

/** The rows that all queries have. */
export function intersect<Row>(
  first: Select<Row>,
  ...others: readonly Select<Row>[]
): CompoundSelect<Row> {
  return new CompoundSelect("INTERSECT", first, others);
}

/** The rows of the first query that no other has. */
export function except<Row>(
  first: Select<Row>,
  ...others: readonly Select<Row>[]
): CompoundSelect<Row> {
  return new CompoundSelect("EXCEPT", first, others);
}

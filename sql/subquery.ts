import { aliasName } from "./_alias_name.ts";
import type { Compiler } from "./compiler.ts";
import { labelsOf } from "./compiler.ts";
import { UnsupportedError } from "./errors.ts";
import { type Expression, Phrase } from "./expression.ts";
import { type AnyColumns, Column, FromClause } from "./from.ts";
import { changed, fromOf, type Select } from "./select.ts";
import type { Selectable, Statement } from "./statement.ts";
import { ANY, BOOLEAN } from "./standard_types.ts";
import { AskedQuery, packQuery, QueryColumn } from "./_wide_query.ts";

/** The columns of a query's rows, by key. */
export type ColumnsOfRow<Row, Name = unknown> = Row extends
  readonly unknown[] | Date | Uint8Array ? AnyColumns
  : Row extends object ? { readonly [K in keyof Row]: Column<Row[K], Name> }
  : AnyColumns;

/** What stands for a query's rows: its columns by key. */
export function columnsOfQuery<C>(
  query: Statement<unknown>,
  table: FromClause,
): C {
  const { expressions } = query;
  const columns = labelsOf(expressions, false).map((name, i) => {
    const expression = expressions[i];
    // A row of a table keeps its keys, whatever the names in the database.
    const key = expression instanceof Column ? expression.key : name;
    const type = expression?.type ?? ANY;
    const spec = { type, name, nullable: true, primaryKey: false };
    return [key, new QueryColumn(key, spec, table, i, expressions.length)];
  });
  return Object.fromEntries(columns) as C;
}

/** A query in brackets that rows come from. */
export class Subquery<C = unknown, Row = unknown, Name = unknown>
  extends FromClause<C, Row, Name> {
  /** The query. */
  readonly query: Statement<unknown>;
  /** The name; without one the compiler numbers it. */
  readonly alias: string | undefined;
  /** Whether it sees what stands before it. */
  readonly isLateral: boolean;
  /** Its columns by key. */
  override readonly c: C;
  /** Use {@linkcode subquery} or {@linkcode lateral}. */
  constructor(query: Statement<unknown>, name?: string, isLateral = false) {
    super();
    this.query = query;
    this.alias = name;
    this.isLateral = isLateral;
    this.c = columnsOfQuery(query, this);
  }
  /** @ignore */
  override get kind(): string {
    return "subquery";
  }
  /** The word that labels of its columns start with. */
  override get labelPrefix(): string {
    return this.alias ?? "anon";
  }
  /** Writes the name by which its columns are qualified. */
  override reference(compiler: Compiler): void {
    compiler.name(aliasName(this, compiler));
  }
  /** @ignore */
  override compile(compiler: Compiler): void {
    const visit = () => compiler.visit(this.query);
    if (this.isLateral) {
      if (!compiler.dialect.features.lateral) {
        throw new UnsupportedError(
          "Cannot write LATERAL: this database has none; use a scalar subquery or a window",
        );
      }
      compiler.write("LATERAL ");
    }
    compiler.packQuery = packQuery;
    compiler.write("(");
    compiler.nested([], visit, !this.isLateral);
    compiler.write(") AS ");
    this.reference(compiler);
  }
}

/**
 * A query as something that rows come from; its columns are in `.c`.
 *
 * @example
 * ```ts
 * import { count, integer, MetaData, select, subquery, table } from "@aludel/aludel/sql";
 *
 * const orders = table("orders", new MetaData(), {
 *   id: integer().primaryKey(),
 *   customer: integer(),
 * });
 * const busy = subquery(
 *   select({ customer: orders.c.customer, n: count() }).groupBy(orders.c.customer),
 *   "busy",
 * );
 * select(orders, busy.c.n).join(busy, busy.c.customer.eq(orders.c.customer));
 * ```
 */
export function subquery<Row, const Name extends string = string>(
  query: Statement<Row>,
  name?: Name,
): Subquery<ColumnsOfRow<Row, Name>, Row, Name> {
  return new Subquery(query, name);
}

/** A query in brackets that sees what stands before it (Postgres). */
export function lateral<Row, const Name extends string = string>(
  query: Statement<Row>,
  name?: Name,
): Subquery<ColumnsOfRow<Row, Name>, Row, Name> {
  return new Subquery(query, name, true);
}

/** The one value of a query of one column; NULL where it finds no row. */
export function scalarSubquery<Row>(
  query: Statement<Row>,
): Expression<(Row extends readonly [infer One] ? One : Row) | null> {
  return new Phrase("scalar", ["(", query, ")"], query.expressions[0]?.type);
}

/** Whether a query finds a row. */
export function exists(query: Statement<unknown>): Expression<boolean> {
  return new Phrase(
    "exists",
    ["EXISTS (", new AskedQuery(query), ")"],
    BOOLEAN,
    4,
  );
}

/**
 * Says which tables belong to the query around this one. Without it, a table
 * that both name belongs to the one around.
 */
export function correlate<Row, Sources>(
  query: Select<Row, Sources>,
  ...outer: Selectable[]
): Select<Row, Sources> {
  return changed(query, { correlate: outer.map(fromOf) });
}

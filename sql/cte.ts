import { Compiler } from "./compiler.ts";
import { Compound } from "./compound.ts";
import { UnsupportedError } from "./errors.ts";
import { type Definition, FromClause } from "./from.ts";
import type { Node } from "./node.ts";
import type { Select } from "./select.ts";
import { type RowShape, Statement } from "./statement.ts";
import { namesOf, packQuery } from "./_wide_query.ts";
import { columnsOfQuery, type ColumnsOfRow } from "./subquery.ts";

/** How a CTE is kept. */
export interface CteOptions {
  /** Whether its rows are kept apart from the statement; the database decides without it. */
  readonly materialized?: boolean;
}

/** A query that stands before the statement, under a name. */
export class Cte<C = unknown, Row = unknown, Name = unknown>
  extends FromClause<C, Row, Name>
  implements Definition {
  /** The name. */
  readonly name: string;
  /** What gives its rows. */
  readonly query: Statement<unknown>;
  /** The settings it was made with. */
  readonly options: CteOptions;
  /** Whether it refers to itself. */
  readonly isRecursive: boolean;
  /** Its columns by key. */
  override readonly c: C;
  /** Use {@linkcode cte} or {@linkcode recursiveCte}. */
  constructor(
    query: Statement<unknown>,
    name: string,
    options: CteOptions,
    step?: (self: Cte<C, Row, Name>) => Statement<unknown>,
  ) {
    super();
    this.name = name;
    this.options = options;
    this.isRecursive = step !== undefined;
    this.c = columnsOfQuery(query, this);
    this.query = step
      ? new Compound("UNION ALL", [query, step(this)], undefined)
      : query;
  }
  /** @ignore */
  override get kind(): string {
    return "cte";
  }
  /** The word that labels of its columns start with. */
  override get labelPrefix(): string {
    return this.name;
  }
  /** Writes the name by which its columns are qualified. */
  override reference(compiler: Compiler): void {
    compiler.name(this.name);
  }
  /** @ignore */
  override compile(compiler: Compiler): void {
    this.enter(compiler);
    this.reference(compiler);
  }
  /** Enters it among the queries that stand before the statement. */
  enter(compiler: Compiler): void {
    const { definitions } = compiler;
    if (definitions.has(this)) return;
    definitions.add(this);
    compiler.packQuery = packQuery;
    // Written for what it uses itself; its text is written again, in its place.
    compiler.nested([], () => compiler.visit(this.query), true);
    definitions.delete(this);
    definitions.add(this);
  }
  /** @ignore */
  introduce(statement: Node, { dialect, definitions }: Compiler): Compiler {
    const compiler = new Compiler(dialect);
    const all = [...definitions] as Cte[];
    for (const one of all) compiler.definitions.add(one);
    const isRecursive = all.some((one) => one.isRecursive);
    compiler.write(isRecursive ? "WITH RECURSIVE " : "WITH ");
    compiler.each(
      all,
      ", ",
      (one) => compiler.nested([], () => one.define(compiler), true),
    );
    compiler.write(" ", statement);
    return compiler;
  }
  /** Writes `name AS (query)`. */
  define(compiler: Compiler): void {
    const { materialized } = this.options;
    if (!this.query.isRead && !compiler.dialect.features.dmlInCte) {
      throw new UnsupportedError(
        `Cannot write rows inside the CTE "${this.name}": this database takes only queries there; send the statements as one batch()`,
      );
    }
    compiler.packQuery = packQuery;
    this.reference(compiler);
    compiler.write(" (");
    compiler.each(
      namesOf(this.columns, compiler),
      ", ",
      (name) => compiler.name(name),
    );
    compiler.write(
      ")",
      materialized === undefined
        ? " AS ("
        : ` AS ${materialized ? "" : "NOT "}MATERIALIZED (`,
    );
    compiler.visit(this.query);
    compiler.write(")");
  }
}

/**
 * A query that stands before the statement, under a name; its columns are in
 * `.c`. On Postgres it may write, and give back with `returning()`.
 */
export function cte<Row, const Name extends string>(
  query: Statement<Row>,
  name: Name,
  options: CteOptions = {},
): Cte<ColumnsOfRow<Row, Name>, Row, Name> {
  return new Cte(query, name, options);
}

/**
 * A query that goes on from its own rows until it finds no more.
 *
 * @example
 * ```ts
 * import { integer, MetaData, recursiveCte, select, table } from "@aludel/aludel/sql";
 *
 * const parts = table("parts", new MetaData(), {
 *   id: integer().primaryKey(),
 *   parentId: integer().references("parts.id").nullable(),
 * });
 * const tree = recursiveCte(
 *   select({ id: parts.c.id }).where(parts.c.id.eq(1)),
 *   "tree",
 *   (tree) => select({ id: parts.c.id }).join(tree, parts.c.parentId.eq(tree.c.id)),
 * );
 * select(tree);
 * ```
 */
export function recursiveCte<Row, const Name extends string>(
  base: Select<Row>,
  name: Name,
  step: (self: Cte<ColumnsOfRow<Row, Name>, Row, Name>) => Statement<Row>,
  options: CteOptions = {},
): Cte<ColumnsOfRow<Row, Name>, Row, Name> {
  return new Cte(base, name, options, step);
}

/** Puts CTEs before a statement that does not name them: writes, on Postgres. */
export function addCte<Row>(
  statement: Statement<Row>,
  ...ctes: readonly Cte[]
): Statement<Row> {
  return new WithCte(statement, ctes);
}

class WithCte<Row> extends Statement<Row> {
  override readonly shape: RowShape | undefined;
  readonly statement: Statement<Row>;
  readonly ctes: readonly Cte[];
  constructor(statement: Statement<Row>, ctes: readonly Cte[]) {
    super();
    this.shape = statement.shape;
    this.statement = statement;
    this.ctes = ctes;
  }
  override get kind(): string {
    return "withCte";
  }
  override get isRead(): boolean {
    return this.statement.isRead && this.ctes.every((one) => one.query.isRead);
  }
  override structure(): readonly unknown[] {
    return [this.ctes, this.statement];
  }
  override compile(compiler: Compiler): void {
    for (const one of this.ctes) one.enter(compiler);
    compiler.visit(this.statement);
  }
}

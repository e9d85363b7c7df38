import {
  Alias,
  type Column,
  CompileError,
  type Compiler,
  FromClause,
  type Join,
  Join as JoinNode,
} from "../../sql/mod.ts";
import { columnAt } from "./hierarchy.ts";
import { moved } from "../_moved.ts";
import type { Renamable } from "../relation_view.ts";

/** Columns by key. */
type Columns = Readonly<Record<string, Column<unknown>>>;

/**
 * Tables that are joined to what a class's rows come from. It stands in a
 * statement as one of them: joined, or left joined, as a whole.
 */
export class JoinedTables extends FromClause<Columns> implements Renamable {
  /** The table that the others are joined to. */
  readonly first: FromClause;
  /** How the others are joined. */
  readonly joins: readonly Join[];
  /** The columns by key; a key that several have is the first one's. */
  override readonly c: Columns;

  /** Joins tables. */
  constructor(first: FromClause, joins: readonly Join[], c: Columns) {
    super();
    this.first = first;
    this.joins = joins;
    this.c = c;
  }
  /** @ignore */
  override get kind(): string {
    return "joinedTables";
  }
  /** The word that labels of its columns start with. */
  override get labelPrefix(): string {
    return this.first.labelPrefix;
  }
  /** Itself, and the tables. */
  override get members(): readonly FromClause[] {
    return [this, this.first, ...this.joins.map(({ right }) => right)];
  }
  /**
   * A row of several tables is written to one of them at a time.
   *
   * @throws {CompileError} Always.
   */
  override get writable(): never {
    const [, ...tables] = this.members;
    throw new CompileError(
      `Cannot write to "${this.labelPrefix}": its rows lie in ${
        tables.map((one) => `"${one.labelPrefix}"`).join(", ")
      }; write to one of these tables`,
    );
  }
  /** The column of one of the tables as it is called here. */
  columnOf(column: Column<unknown>): Column<unknown> {
    const { table, key } = column;
    if (this.members.includes(table)) return column;
    const here = this.members.find((one) =>
      one instanceof Alias && one.of === table
    );
    return here ? columnAt(column, here) : this.c[key] as Column<unknown>;
  }
  /** Writes the name of the first table. */
  override reference(compiler: Compiler): void {
    this.first.reference(compiler);
  }
  /** @ignore */
  override structure(): readonly unknown[] {
    return [this.first, this.joins];
  }
  /** @ignore */
  override compile(compiler: Compiler): void {
    compiler.write("(");
    compiler.visit(this.first);
    for (const join of this.joins) compiler.visit(join);
    compiler.write(")");
  }
  /** The same tables under other names. */
  aliased(name?: string): AliasedTables {
    const [, ...tables] = this.members;
    const names = new Map<FromClause, FromClause>(
      tables.map((table, i) => [
        table,
        new Alias(table, name && i > 0 ? `${name}_${table.labelPrefix}` : name),
      ]),
    );
    const named = (table: FromClause): FromClause => names.get(table) ?? table;
    return new AliasedTables(
      named(this.first),
      this.joins.map(({ join, right, on }) =>
        new JoinNode(join, named(right), on && moved(on, names))
      ),
      Object.fromEntries(
        Object.entries(this.c).map(([key, column]) => [
          key,
          named(column.table).c[column.key],
        ]),
      ),
      this,
    );
  }
}

/** Joined tables under other names. */
export class AliasedTables extends JoinedTables {
  /** What is renamed. */
  readonly of: JoinedTables;

  /** Use `aliased()`. */
  constructor(
    first: FromClause,
    joins: readonly Join[],
    c: Columns,
    of: JoinedTables,
  ) {
    super(first, joins, c);
    this.of = of;
  }
}

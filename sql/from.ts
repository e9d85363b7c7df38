import type { ColumnSpec } from "./column.ts";
import type { Compiler } from "./compiler.ts";
import { Expression } from "./expression.ts";
import { Node } from "./node.ts";

/** Something that rows come from: a table, an alias, a subquery. */
export abstract class FromClause extends Node {
  /** Its columns by key. */
  abstract readonly c: Readonly<Record<string, Column<unknown>>>;
  /** Writes the name by which columns are qualified. */
  abstract reference(compiler: Compiler): void;
  /** The word that labels of its columns start with. */
  abstract readonly labelPrefix: string;
  /** Whether it lives beyond one statement, so that identity tells it apart. */
  get isNamed(): boolean {
    return false;
  }
}

/** A query that stands before the statement under a name: a CTE. */
export interface Definition extends FromClause {
  /** Whether it refers to itself. */
  readonly isRecursive: boolean;
  /** Writes `name AS (query)`. */
  define(compiler: Compiler): void;
}

/** A column of a table, or of what stands for one. */
export class Column<T> extends Expression<T> {
  /** The key under which the program knows it. */
  readonly key: string;
  /** The name in the database. */
  readonly name: string;
  /** What it is a column of. */
  readonly table: FromClause;
  /** What was said about it when its table was described. */
  readonly spec: ColumnSpec;
  /** Makes a column of a table; `table()` does it for you. */
  constructor(key: string, spec: ColumnSpec, table: FromClause) {
    super(spec.type);
    this.key = key;
    this.name = spec.name ?? key;
    this.spec = spec;
    this.table = table;
  }
  override get kind(): string {
    return "column";
  }
  override structure(): readonly unknown[] {
    return [this.table, this.spec, this.name];
  }
  override compile(compiler: Compiler): void {
    if (!compiler.bare) {
      this.table.reference(compiler);
      compiler.write(".");
    }
    compiler.name(this.name);
  }
}

/** Another name for a table or subquery, so that it can stand twice in a statement. */
export class Alias extends FromClause {
  /** What is renamed. */
  readonly of: FromClause;
  /** The name; without one the compiler numbers it. */
  readonly alias: string | undefined;
  override readonly c: Readonly<Record<string, Column<unknown>>>;
  /** Renames what rows come from. */
  constructor(of: FromClause, alias?: string) {
    super();
    this.of = of;
    this.alias = alias;
    this.c = Object.fromEntries(
      Object.values(of.c).map((
        column,
      ) => [column.key, new Column(column.key, column.spec, this)]),
    );
  }
  override get kind(): string {
    return "alias";
  }
  override get labelPrefix(): string {
    return this.alias ?? this.of.labelPrefix;
  }
  override reference(compiler: Compiler): void {
    compiler.name(compiler.aliasOf(this, this.alias ?? this.of.labelPrefix));
  }
  override compile(compiler: Compiler): void {
    compiler.visit(this.of);
    compiler.write(" AS ");
    this.reference(compiler);
  }
  override structure(): readonly unknown[] {
    return [this.of, this.alias];
  }
}

/** How two sides are joined. */
export type JoinKind =
  | "JOIN"
  | "LEFT JOIN"
  | "RIGHT JOIN"
  | "FULL JOIN"
  | "CROSS JOIN";

/** Rows joined onto the rows so far. */
export class Join extends Node {
  /** How. */
  readonly join: JoinKind;
  /** What is joined. */
  readonly right: FromClause;
  /** When two rows belong together. */
  readonly on: Expression<unknown> | undefined;
  /** Joins rows. */
  constructor(
    join: JoinKind,
    right: FromClause,
    on: Expression<unknown> | undefined,
  ) {
    super();
    this.join = join;
    this.right = right;
    this.on = on;
  }
  override get kind(): string {
    return "join";
  }
  override compile(compiler: Compiler): void {
    compiler.write(` ${this.join} `);
    compiler.visit(this.right);
    if (this.on) {
      compiler.write(" ON ");
      compiler.visit(this.on);
    }
  }
}

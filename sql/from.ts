import { CompileError } from "./errors.ts";
import type { ColumnSpec } from "./column.ts";
import type { Compiler } from "./compiler.ts";
import { Expression } from "./expression.ts";
import { Node } from "./node.ts";
import type { Table } from "./schema.ts";
import type { RowSource } from "./statement.ts";

/** Columns of any kind, by key. */
export type AnyColumns = Readonly<Record<string, Column<unknown>>>;

/**
 * Something that rows come from: a table, an alias, a subquery.
 *
 * @typeParam C Its columns by key.
 * @typeParam Row Its row as a plain object.
 * @typeParam Name The name that tells it apart in the types of a statement.
 */
// deno-lint-ignore no-explicit-any -- what has any columns takes, and is, everything that has some
export abstract class FromClause<C = any, Row = unknown, Name = unknown>
  extends Node {
  /** Never present: carries the row's type. */
  declare readonly "~row": Row;
  /** Never present: carries the name's type. */
  declare readonly "~name": Name;
  /** Its columns by key. */
  abstract readonly c: C;
  /** The word that labels of its columns start with. */
  abstract readonly labelPrefix: string;
  /** Writes the name by which columns are qualified. */
  abstract reference(compiler: Compiler): void;
  /** Whether it lives beyond one statement, so that identity tells it apart. */
  get isNamed(): boolean {
    return false;
  }
  /** Itself, and what it joins: whatever its columns are columns of. */
  get members(): readonly FromClause[] {
    return [this];
  }
  /** What rows are written to that are written here. */
  get writable(): FromClause {
    return this;
  }
  /** The table that it stands for, if it stands for one. */
  get table(): Table | undefined {
    return undefined;
  }
  /** Its columns in order. */
  get columns(): readonly Column<unknown>[] {
    return Object.values<Column<unknown>>(this.c as AnyColumns);
  }
  /** Itself: what its rows come from. */
  get from(): FromClause {
    return this;
  }
  /** Itself: what `select()` needs to know of it. */
  get "~source"(): RowSource {
    return this;
  }
}

/** A query that stands before the statement under a name: a CTE. */
export interface Definition extends FromClause {
  /** Compiles a statement again, behind all such queries that it turned out to use. */
  introduce(statement: Node, first: Compiler): Compiler;
}

/**
 * A column of a table, or of what stands for one.
 *
 * @typeParam T The value as the program sees it.
 * @typeParam Of The name of what it is a column of, where types know it.
 */
export class Column<T, Of = unknown> extends Expression<T> {
  /** Never present: carries the name of what it is a column of. */
  declare readonly "~of": Of;
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
    super({ ...spec.type, place: `${table.labelPrefix}.${key}` });
    this.key = key;
    this.name = spec.name ?? key;
    this.spec = spec;
    this.table = table;
  }
  /** @ignore */
  override get kind(): string {
    return "column";
  }
  /** Its name. */
  override get resultName(): string {
    return this.name;
  }
  /** Writes its name, qualified unless the place forbids it. */
  write(compiler: Compiler): void {
    if (!compiler.bare) {
      this.table.reference(compiler);
      compiler.write(".");
    }
    compiler.name(this.name);
  }
  /** @ignore */
  override compile(compiler: Compiler): void {
    const rule = compiler.dialect.rulesFor(this.spec.type).operand;
    if (rule) {
      compiler.write(rule(compiler.written(() => this.write(compiler))));
    } else this.write(compiler);
  }
}

/**
 * The column of a key, else of a name in the database.
 *
 * @throws {CompileError} If there is none.
 */
export function columnOf(
  { columns, from }: Pick<RowSource, "columns" | "from">,
  name: string,
): Column<unknown> {
  const found = columns.find((column) => column.key === name) ??
    columns.find((column) => column.name === name);
  if (found) return found;
  throw new CompileError(
    `Cannot find column "${name}" in "${from.labelPrefix}": it has ${
      columns.map((column) => `"${column.key}"`).join(", ")
    }`,
  );
}

/** Columns of what stands for something else, by the keys of its columns. */
export function columnsFor<C>(
  entries: readonly (readonly [string, { readonly spec: ColumnSpec }])[],
  table: FromClause,
): C {
  return Object.fromEntries(
    entries.map(([key, { spec }]) => [key, new Column(key, spec, table)]),
  ) as C;
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
  /** @ignore */
  override get kind(): string {
    return "join";
  }
  /** @ignore */
  override compile(compiler: Compiler): void {
    compiler.write(` ${this.join} `, this.right);
    compiler.clause(" ON ", this.on);
  }
}

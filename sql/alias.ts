import { aliasName } from "./_alias_name.ts";
import type { Compiler } from "./compiler.ts";
import type { Table } from "./schema.ts";
import { type Column, FromClause } from "./from.ts";
import { copyOf } from "./statement.ts";

/** The same columns, of something of another name. */
export type ColumnsAs<C, Name> = {
  readonly [K in keyof C]: C[K] extends Column<infer T> ? Column<T, Name>
    : never;
};

/** Another name for a table or subquery, so that it can stand twice in a statement. */
export class Alias<C = unknown, Row = unknown, Name = unknown>
  extends FromClause<C, Row, Name> {
  /** What is renamed. */
  readonly of: FromClause;
  /** The name; without one the compiler numbers it. */
  readonly alias: string | undefined;
  /** Its columns by key. */
  override readonly c: C;
  /** Use {@linkcode alias}. */
  constructor(of: FromClause, name?: string) {
    super();
    this.of = of;
    this.alias = name;
    this.c = Object.fromEntries(
      of.columns.map((column) => [column.key, copyOf(column, { table: this })]),
    ) as C;
  }
  /** @ignore */
  override get kind(): string {
    return "alias";
  }
  /** The table that is renamed, if it is one. */
  override get table(): Table | undefined {
    return this.of.table;
  }
  /** The word that labels of its columns start with. */
  override get labelPrefix(): string {
    return this.alias ?? this.of.labelPrefix;
  }
  /** Writes the name by which its columns are qualified. */
  override reference(compiler: Compiler): void {
    compiler.name(aliasName(this, compiler));
  }
  /** @ignore */
  override compile(compiler: Compiler): void {
    compiler.write(this.of, " AS ");
    this.reference(compiler);
  }
}

/**
 * Gives a table, or a CTE, another name for one statement; without a name the
 * compiler numbers it.
 *
 * @example
 * ```ts
 * import { alias, integer, MetaData, select, table } from "@aludel/aludel/sql";
 *
 * const people = table("people", new MetaData(), {
 *   id: integer().primaryKey(),
 *   managerId: integer().references("people.id").nullable(),
 * });
 * const managers = alias(people, "managers");
 * select(people, managers).leftJoin(managers, people.c.managerId.eq(managers.c.id));
 * ```
 */
export function alias<C, Row, const Name extends string = string>(
  of: FromClause<C, Row>,
  name?: Name,
): Alias<ColumnsAs<C, Name>, Row, Name> {
  return new Alias(of, name);
}

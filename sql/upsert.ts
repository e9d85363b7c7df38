import type { Compiler } from "./compiler.ts";
import {
  type Assignment,
  assignments,
  type Changes,
  columnsOf,
  type KeyOf,
  type Target,
  writeAssignments,
  writeNames,
} from "./dml.ts";
import { type Expression, Phrase } from "./expression.ts";
import type { Column } from "./from.ts";
import { Name } from "./identifier.ts";
import type { Insert } from "./insert.ts";
import { Node } from "./node.ts";
import { copyOf } from "./statement.ts";

/** What is done where a row is there already. */
export interface ConflictUpdate<T> {
  /** The unique columns, by key. */
  readonly target: readonly KeyOf<T>[];
  /** The changes; {@linkcode excluded} names the new values. */
  readonly set: Changes<T>;
  /** Which rows are changed. */
  readonly where?: Expression<unknown>;
  /** The condition of a partial unique index. */
  readonly indexWhere?: Expression<unknown>;
}

/** `ON CONFLICT`: what stands in the way of an insert, and what is done about it. */
class Conflict extends Node {
  /** The columns, or nothing for any conflict. */
  readonly columns: readonly Column<unknown>[];
  /** The changes to the row that is there; nothing leaves it. */
  readonly set: readonly Assignment[] | undefined;
  readonly where: Expression<unknown> | undefined;
  readonly indexWhere: Expression<unknown> | undefined;
  constructor(
    columns: readonly Column<unknown>[],
    set?: readonly Assignment[],
    where?: Expression<unknown>,
    indexWhere?: Expression<unknown>,
  ) {
    super();
    this.columns = columns;
    this.set = set;
    this.where = where;
    this.indexWhere = indexWhere;
  }
  override get kind(): string {
    return "conflict";
  }
  override compile(compiler: Compiler): void {
    const { columns, indexWhere, set, where } = this;
    compiler.write(" ON CONFLICT");
    if (columns.length > 0) {
      compiler.write(" ");
      writeNames(columns, compiler);
      if (indexWhere) {
        compiler.bare = true;
        compiler.write(" WHERE ", indexWhere);
        compiler.bare = false;
      }
    }
    if (!set) return compiler.write(" DO NOTHING");
    compiler.write(" DO UPDATE SET ");
    writeAssignments(set, compiler);
    compiler.clause(" WHERE ", where);
  }
}

/**
 * Leaves rows that are there as they are; with keys, only where those columns
 * stand in the way.
 */
export function onConflictDoNothing<T extends Target, Row>(
  statement: Insert<T, Row>,
  keys: readonly KeyOf<T>[] = [],
): Insert<T, Row> {
  return copyOf(statement, {
    conflict: new Conflict(columnsOf(statement.target, keys)),
  });
}

/**
 * Changes rows that are there; {@linkcode excluded} names the new values.
 *
 * @example
 * ```ts
 * import { excluded, insert, integer, MetaData, onConflictDoUpdate, plus, table, text } from "@aludel/aludel/sql";
 *
 * const tags = table("tags", new MetaData(), {
 *   name: text().primaryKey(),
 *   n: integer(),
 * });
 * onConflictDoUpdate(insert(tags).values({ name: "a", n: 1 }), {
 *   target: ["name"],
 *   set: { n: plus(excluded(tags.c.n), tags.c.n) },
 * });
 * ```
 */
export function onConflictDoUpdate<T extends Target, Row>(
  statement: Insert<T, Row>,
  { target, set, where, indexWhere }: ConflictUpdate<T>,
): Insert<T, Row> {
  const into = statement.target;
  return copyOf(statement, {
    conflict: new Conflict(
      columnsOf(into, target),
      assignments(into, set),
      where,
      indexWhere,
    ),
  });
}

/** The value that an insert wanted to write, inside {@linkcode onConflictDoUpdate}. */
export function excluded<T>(column: Column<T>): Expression<T> {
  return new Phrase(
    "excluded",
    ["excluded.", new Name(column.name)],
    column.type,
  );
}

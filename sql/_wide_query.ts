/**
 * Queries within a statement that give more columns than the platform takes:
 * their values travel outwards in JSON arrays, and each column is read out of
 * its array wherever it stands.
 */
import type { ColumnSpec } from "./column.ts";
import type { Compiler } from "./compiler.ts";
import type { WrittenColumn } from "./dialect.ts";
import { Column, type FromClause } from "./from.ts";
import { Node } from "./node.ts";
import { rootType, type SqlType } from "./types.ts";

/** How many values stand in one array: functions take no more on D1. */
const PACK = 30;

/** A column of a query, which may come in an array. */
export class QueryColumn<T> extends Column<T> {
  /** Its place among the query's columns. */
  readonly place: number;
  /** How many columns the query has. */
  readonly count: number;
  /** Makes a column of a query. */
  constructor(
    key: string,
    spec: ColumnSpec,
    table: FromClause,
    place: number,
    count: number,
  ) {
    super(key, spec, table);
    this.place = place;
    this.count = count;
  }
  /** @ignore */
  override structure(): readonly unknown[] {
    return [...super.structure(), this.place];
  }
  override write(compiler: Compiler): void {
    if (!isWide(this.count, compiler)) return super.write(compiler);
    const pack = compiler.written(() => {
      this.table.reference(compiler);
      compiler.write(".");
      compiler.name(packName(this.place));
    });
    const cell = `(${pack} ->> ${this.place % PACK})`;
    compiler.write(
      isOf("blob", this.type) ? `unhex(${cell}, 'X''')` : cell,
    );
  }
}

/** A query of which nothing is read but whether it has rows. */
export class AskedQuery extends Node {
  /** The query. */
  readonly query: Node;
  /** Asks a query. */
  constructor(query: Node) {
    super();
    this.query = query;
  }
  /** @ignore */
  override get kind(): string {
    return "askedQuery";
  }
  /** @ignore */
  override compile(compiler: Compiler): void {
    compiler.packQuery = packQuery;
    compiler.visit(this.query);
  }
}

/** The names under which a query's columns come. */
export function namesOf(
  columns: readonly Column<unknown>[],
  compiler: Compiler,
): string[] {
  const names = columns.map(({ name }, i) =>
    isWide(columns.length, compiler) ? packName(i) : name
  );
  return [...new Set(names)];
}

/** Writes what a query gives in arrays, if it is too much. */
export function packQuery(
  columns: readonly WrittenColumn[],
  compiler: Compiler,
): readonly Omit<WrittenColumn, "type">[] {
  if (!isWide(columns.length, compiler)) return columns;
  const packs = Map.groupBy(columns, (one) => packName(columns.indexOf(one)));
  return [...packs].map(([label, cells]) => ({
    label,
    sql: `json_array(${cells.map(cellOf).join(", ")})`,
  }));
}

// What JSON has no word for, or too few digits, goes as SQLite's literal; what
// is JSON already as the text that it is.
function cellOf({ sql, type }: WrittenColumn): string {
  const literal = `nullif(quote(${sql}), 'NULL')`;
  return isOf("blob", type)
    ? literal
    : isOf("real", type)
    ? `json(${literal})`
    : isOf("json", type)
    ? `(${sql}) || ''`
    : sql;
}

function isOf(name: string, type: SqlType | undefined): boolean {
  return type !== undefined && rootType(type).name === name;
}

function isWide(count: number, { dialect: { limits } }: Compiler): boolean {
  return count > (limits?.columns ?? Infinity);
}

function packName(place: number): string {
  return `pack_${Math.floor(place / PACK)}`;
}

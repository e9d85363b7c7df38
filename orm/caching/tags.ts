import {
  Bind,
  Column,
  FromClause,
  Node,
  Operation,
  Select,
  Statement,
  Table,
} from "../../sql/mod.ts";
import { keyText } from "../state.ts";

/** More rows of a table than this are all of them, to a cache. */
const MAX_ROWS = 20;
/** More rows than this, of all tables together, are not told apart any more. */
const MAX_KNOWN = 10_000;

// A region remembers every tag that was ever invalidated, so there is an end to them.
const knownRows = new Set<string>();

/** Every row of a table that is known by its key. */
export function rowsTag({ fullName }: Table): string {
  return `${fullName}:*`;
}

/** One row of a table. */
export function rowTag({ fullName }: Table, key: unknown): string {
  return `${fullName}:${keyText(key)}`;
}

/**
 * What a query is invalidated by: its tables, each a tag, as `users`. One that
 * asks for a row by its whole number, as `users.id = 42`, is by that row alone:
 * `users:42`, and `users:*` for writes that name no rows; without `byRow` rows are
 * not told apart.
 */
export function tagsOf(
  statement: Statement<unknown>,
  byRow: boolean,
): string[] {
  const { tables, others } = partsOf(statement);
  const [table] = tables;
  if (byRow && table && tables.size === 1 && others.size === 0) {
    const key = rowAskedFor(statement, table);
    if (key !== undefined) return [rowTag(table, key), rowsTag(table)];
  }
  return [...tables].map(({ fullName }) => fullName);
}

/** The key by which a query asks for a row, where no other row is of interest. */
function rowAskedFor(statement: Statement<unknown>, table: Table): unknown {
  if (!(statement instanceof Select)) return undefined;
  const [key, another] = table.primaryKey;
  if (!key || another) return undefined;
  const { where } = statement.state;
  for (const term of isOf("AND", where) ? where.terms : [where]) {
    if (!isOf("=", term)) continue;
    const [left, right] = term.terms;
    // Of other types, what the database takes for equal need not look equal.
    if (
      left === key && right instanceof Bind &&
      (Number.isSafeInteger(right.value) || typeof right.value === "bigint")
    ) return right.value;
  }
  return undefined;
}

function isOf(operator: string, part: unknown): part is Operation<unknown> {
  return part instanceof Operation && part.operator === operator;
}

/** Which rows of which tables were written. */
export class WrittenRows {
  readonly #rows = new Map<Table, Set<string>>();

  /** Notes a row, of which the key may be unknown, and what the database does then. */
  add(table: Table, kind: string, keys: readonly unknown[] = []): void {
    const rows = this.#of(table);
    for (const key of keys) rows.add(rowTag(table, key));
    if (keys.length === 0) rows.add(rowsTag(table));
    for (const one of followers(table, kind)) this.#of(one).add(rowsTag(one));
  }
  /** Notes what a statement of the program's own writes. */
  addAll(statement: Statement<unknown>): void {
    const { tables, others } = partsOf(statement);
    const writes = [statement, ...others].filter((one) =>
      one instanceof Statement && !one.isRead && "table" in one
    ) as (Statement<unknown> & { readonly table: FromClause })[];
    for (const { kind, table } of writes) {
      for (const one of table.members) if (one.table) this.add(one.table, kind);
    }
    // Of a text, only what stands in it as a table is known.
    if (writes.length === 0) {
      for (const table of tables) this.add(table, "insert");
    }
  }
  #of(table: Table): Set<string> {
    let rows = this.#rows.get(table);
    if (!rows) this.#rows.set(table, rows = new Set());
    return rows;
  }
  /** What is invalid by it; without `byRow` rows are not told apart. */
  tags(byRow: boolean): string[] {
    return [...this.#rows].flatMap(([table, rows]) => {
      if (!byRow) return table.fullName;
      const all = rowsTag(table);
      // All of them are one tag, and each of them is told by it.
      const isFew = rows.size <= MAX_ROWS && !rows.has(all) &&
        (knownRows.size < MAX_KNOWN ||
          [...rows].every((one) => knownRows.has(one)));
      if (isFew) { for (const one of rows) knownRows.add(one); }
      return [table.fullName, ...isFew ? rows : [all]];
    });
  }
}

/** Tables whose rows the database itself writes when rows of a table go or change their keys. */
function followers(table: Table, kind: string, found = new Set<Table>()) {
  if (kind === "insert") return found;
  const action = kind === "delete" ? "onDelete" : "onUpdate";
  for (const one of table.metadata.tables.values()) {
    for (const { targetTable, ...key } of one.foreignKeys) {
      const does = key[action];
      if (
        targetTable !== table.fullName || found.has(one) ||
        !does || does === "restrict" || does === "no action"
      ) continue;
      found.add(one);
      followers(one, does === "cascade" ? kind : "update", found);
    }
  }
  return found;
}

/** Tables of a statement, and what else rows come from or are written by in it. */
function partsOf(statement: Statement<unknown>): {
  readonly tables: ReadonlySet<Table>;
  readonly others: ReadonlySet<Node>;
} {
  const tables = new Set<Table>();
  const others = new Set<Node>();
  const seen = new Set<unknown>();
  const visit = (part: unknown): void => {
    if (seen.has(part)) return;
    if (Array.isArray(part)) return part.forEach(visit);
    if (!(part instanceof Node)) return;
    seen.add(part);
    if (part instanceof Table) return void tables.add(part);
    if (part instanceof Column) return visit(part.table);
    if (part instanceof FromClause || part instanceof Statement) {
      if (part !== statement) others.add(part);
    }
    part.structure().forEach(visit);
  };
  visit(statement);
  return { tables, others };
}

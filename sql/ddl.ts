import type { BoundStatement } from "./compiler.ts";
import { quoteName, tableName } from "./compiler.ts";
import type { Dialect } from "./dialect.ts";
import type { ForeignKey, Table, TableSet } from "./schema.ts";
import { createIndex, type CreateOptions, createTable } from "./table_ddl.ts";
import { sortTables } from "./_table_order.ts";

/** Where a schema is made: an engine. */
export interface SchemaTarget {
  /** The language it speaks. */
  readonly dialect: Dialect;
  /** Sends texts in one trip; all or none take effect. */
  sendBatch(statements: readonly BoundStatement[]): Promise<unknown>;
  /** Writes a line to its log, if it has one. */
  log(message: string): void;
}

/** What of a schema is made or dropped. */
export interface SchemaOptions {
  /** These tables alone. @default all of the MetaData */
  readonly tables?: readonly Table[] | undefined;
  /** Leaves alone what is there already, or is not there any more. @default {true} */
  readonly checkFirst?: boolean;
}

/**
 * Creates tables, their types and indexes that are not there, referenced tables
 * first, in one batch. A {@linkcode MetaData} has it as a method.
 */
export function createAll(
  metadata: TableSet,
  target: SchemaTarget,
  { tables, checkFirst: ifNotExists = true }: SchemaOptions = {},
): Promise<void> {
  return sendAll(
    target,
    createStatements(metadata, target.dialect, { tables, ifNotExists }),
  );
}

/** Drops tables and their types, referring tables first: one batch. */
export function dropAll(
  metadata: TableSet,
  target: SchemaTarget,
  options: SchemaOptions = {},
): Promise<void> {
  const { dialect } = target;
  const tables = sortTables(metadata.tables.values(), options.tables).reverse();
  const ifExists = options.checkFirst === false ? "" : "IF EXISTS ";
  const { schemaExtras: extras } = dialect;
  const drop = (table: Table, how = ifExists): string =>
    `DROP TABLE ${how}${tableName(table, dialect)}${extras ? " CASCADE" : ""}`;
  const stands = standIns(extras ? [] : tables, dialect);
  const drops = tables.flatMap((table) => [
    drop(table),
    ...stands.get(table) ?? [],
  ]);
  // Rows of tables that name each other go in any order, if nobody looks meanwhile.
  const circle = stands.size > 0 ? ["PRAGMA defer_foreign_keys = on"] : [];
  const last = [...stands.keys()].map((table) => drop(table, ""));
  const kept = [...metadata.tables.values()].filter((table) =>
    !tables.includes(table)
  );
  const rest = extras?.afterDrop(tables, ifExists, kept) ?? [];
  return sendAll(target, [...circle, ...drops, ...last, ...rest]);
}

/**
 * What stands for tables that go before others that refer to them: SQLite
 * deletes a table's rows before it drops it, and wants to know what they name.
 */
function standIns(
  dropped: readonly Table[],
  dialect: Dialect,
): Map<Table, readonly [create: string]> {
  const stands = new Map<Table, readonly [create: string]>();
  const left = new Set(dropped);
  for (const table of dropped) {
    left.delete(table);
    const keys = [...left].flatMap(({ foreignKeys }) => foreignKeys)
      .filter(({ targetTable }) => targetTable === table.fullName)
      .map(({ targetColumns }) =>
        targetColumns.map((key) => quoteName(table.column(key).name, dialect))
      );
    if (keys.length === 0) continue;
    const parts = [
      ...new Set(keys.flat()),
      ...keys.map((names) => `UNIQUE (${names.join(", ")})`),
    ];
    const name = tableName(table, dialect);
    stands.set(table, [`CREATE TABLE ${name} (${parts.join(", ")})`]);
  }
  return stands;
}

/** Sends texts in one trip, and writes them to the log. */
async function sendAll(
  target: SchemaTarget,
  statements: readonly string[],
): Promise<void> {
  target.log("BEGIN (implicit)");
  for (const sql of statements) target.log(sql);
  await target.sendBatch(statements.map((sql) => ({ sql, params: [] })));
  target.log("COMMIT");
}

/** The statements that make a whole schema, in an order that works. */
export function createStatements(
  metadata: TableSet,
  dialect: Dialect,
  options: CreateOptions & Pick<SchemaOptions, "tables"> = {},
): string[] {
  const tables = sortTables(metadata.tables.values(), options.tables);
  const { schemaExtras: extras } = dialect;
  const create = (leaveOut?: ReadonlySet<ForeignKey>) => [
    ...tables.map((table) =>
      createTable(table, dialect, { ...options, leaveOut })
    ),
    ...tables.flatMap((table) =>
      table.constraints.filter((c) => c.kind === "index").map((index) =>
        createIndex(table, index, dialect, options)
      )
    ),
  ];
  return extras?.around(tables, create, options.ifNotExists) ?? create();
}

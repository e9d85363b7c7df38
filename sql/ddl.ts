import type { BoundStatement } from "./compiler.ts";
import { tableName } from "./compiler.ts";
import type { Dialect } from "./dialect.ts";
import type { ForeignKey, MetaData, Table } from "./schema.ts";
import { createIndex, type CreateOptions, createTable } from "./table_ddl.ts";
import { forwardKeys, sortTables } from "./_table_order.ts";

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

/** Drops tables and their types, referring tables first: one batch. */
export function dropAll(
  metadata: MetaData,
  target: SchemaTarget,
  options: SchemaOptions = {},
): Promise<void> {
  const { dialect } = target;
  const tables = sortTables(metadata.tables.values(), options.tables);
  const hasCircle = forwardKeys(tables).size > 0;
  const ifExists = options.checkFirst === false ? "" : "IF EXISTS ";
  const { schemaExtras: extras } = dialect;
  const drops = tables.reverse().map((table) =>
    `DROP TABLE ${ifExists}${tableName(table, dialect)}${
      extras ? " CASCADE" : ""
    }`
  );
  // Rows of tables that name each other go in any order, if nobody looks meanwhile.
  const circle = hasCircle && !extras ? ["PRAGMA defer_foreign_keys = on"] : [];
  const kept = [...metadata.tables.values()].filter((table) =>
    !tables.includes(table)
  );
  const rest = extras?.afterDrop(tables, ifExists, kept) ?? [];
  return sendAll(target, [...circle, ...drops, ...rest]);
}

/** Sends texts in one trip, and writes them to the log. */
export async function sendAll(
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
  metadata: MetaData,
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

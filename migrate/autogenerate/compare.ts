import {
  type Dialect,
  type Engine,
  MetaData,
  reflect,
  type Table,
} from "../../sql/mod.ts";
import { MigrateError } from "../errors.ts";
import type { Operation } from "../operations/operation.ts";
import { referenceTo, SchemaSnapshot } from "../schema/snapshot.ts";
import { createTables, dropTables } from "./compare/tables.ts";
import { comparisonDialect } from "./dialects.ts";
import { Filter } from "./filter.ts";
import { inScope, isIgnored, matchTables } from "./matching.ts";
import type { CompareOptions, MetaDataSource } from "./options.ts";
import { withOriginals } from "./originals.ts";
import { renameColumns, renameTables } from "./rename_operations.ts";
import { Renames, RenameUndecidedError } from "./renames.ts";
import { TableComparison } from "./table_comparison.ts";

/** What a comparison has found. */
export interface Comparison {
  /** What leads from what is there to what is wanted, in an order that can run. */
  readonly operations: readonly Operation[];
  /** What differs and is left to the author. */
  readonly remarks: readonly string[];
}

/**
 * Compares metadata with a database. Nothing is changed.
 *
 * @example What a new column comes to
 * ```ts
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { compareMetadata, describeOperations } from "@aludel/aludel/migrate";
 * import { createEngine, integer, MetaData, sql, table, text } from "@aludel/aludel/sql";
 * import { deepEqual } from "node:assert/strict";
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * await engine.execute(sql`CREATE TABLE users (id INTEGER PRIMARY KEY)`);
 *
 * const metadata = new MetaData();
 * table("users", metadata, { id: integer().primaryKey(), name: text().nullable() });
 * const { operations } = await compareMetadata(engine, metadata);
 *
 * deepEqual(describeOperations(operations), ["Detected added column 'users.name'"]);
 * ```
 *
 * @throws {RenameUndecidedError} If something may have been renamed, and nobody says so.
 */
export async function compareMetadata(
  engine: Engine,
  metadata: MetaDataSource,
  options: CompareOptions = {},
): Promise<Comparison> {
  const wanted = tablesOf(metadata);
  const { includeSchemas = [] } = options;
  const filter = new Filter(options);
  const actual: Table[] = [];
  const own = ownSchema(engine.dialect, options);
  for (const schema of [undefined, ...includeSchemas]) {
    if (schema === own) continue;
    if (schema !== undefined && !filter.name(schema, "schema", {})) continue;
    const found = await reflect(engine, new MetaData(), {
      include: (name) => filter.table(name, schema),
      ...(schema === undefined ? {} : { schema }),
    });
    actual.push(...found.tables.values());
  }
  return await compareTables(wanted, actual, engine.dialect, options);
}

/**
 * Compares two schemas that are known already: metadata with what revisions
 * say, for instance, which needs no database.
 *
 * @throws {RenameUndecidedError} If something may have been renamed, and nobody says so.
 */
export async function compareTables(
  wanted: readonly Table[],
  actual: readonly Table[],
  dialect: Dialect,
  options: CompareOptions = {},
): Promise<Comparison> {
  const comparison = new TableComparison(dialect, options);
  const { context, writing } = comparison;
  const now = inScope(wanted, context);
  const there = actual.filter((table) => !isIgnored(table, context));
  // What is renamed is compared under its new name.
  const schema = new SchemaSnapshot(dialect, there);
  const renames = new Renames(options);
  const renamed: Operation[] = [];
  for (const find of [renameTables, renameColumns]) {
    const found = await find(now, schema.tables, context, renames);
    for (const operation of found) schema.apply(operation);
    renamed.push(...found);
  }
  if (renames.undecided.length > 0) {
    throw new RenameUndecidedError(renames.undecided);
  }
  const { created, dropped, kept } = matchTables(now, schema.tables, context);
  const removal = dropTables(dropped, kept.map(({ actual }) => actual));
  const operations: Operation[] = [
    ...renamed,
    ...createTables(created, writing),
    ...removal.early,
    ...kept.flatMap(({ wanted, actual }): Operation[] => {
      const changes = comparison.changes(wanted, actual);
      const place = referenceTo(actual);
      return changes.length === 0
        ? []
        : [{ kind: "alterTable", ...place, changes, recreate: "auto" }];
    }),
    ...removal.late,
  ];
  return {
    operations: withOriginals(operations, there, comparison),
    remarks: comparison.remarks,
  };
}

/**
 * Tells whether two descriptions of a table say the same.
 */
export function isSameTable(
  wanted: Table,
  actual: Table,
  dialect: Dialect,
): boolean {
  const options = { compareServerDefault: true };
  return new TableComparison(dialect, options).changes(wanted, actual)
    .length ===
    0;
}

/**
 * The tables of several metadata.
 *
 * @throws {MigrateError} If two have a table of one name.
 */
export function tablesOf(source: MetaDataSource): Table[] {
  const all = source instanceof MetaData ? [source] : source;
  const found = new Map<string, Table>();
  for (const { tables } of all) {
    for (const [name, table] of tables) {
      if (found.has(name)) {
        throw new MigrateError(
          "table-twice",
          `Cannot compare table '${name}': two of the metadata describe it; leave it to one`,
        );
      }
      found.set(name, table);
    }
  }
  return [...found.values()];
}

function ownSchema(dialect: Dialect, options: CompareOptions): string {
  return comparisonDialect(dialect, options.comparisonDialect).defaultSchema;
}

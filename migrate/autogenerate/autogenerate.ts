import { NotUpToDateError } from "../runner/errors.ts";
import type { Migrator } from "../migrator.ts";
import { ids } from "../graph/identifiers.ts";
import {
  compareMetadata,
  compareTables,
  type Comparison,
  tablesOf,
} from "./compare.ts";
import type { CompareOptions, MetaDataSource } from "./options.ts";

/** What metadata are compared with, and how. */
export interface AutogenerateOptions extends CompareOptions {
  /**
   * Whether the database is asked, or what the revisions say is believed: that
   * needs no database, and does not see what others did to it.
   *
   * @default {"database"}
   */
  readonly against?: "database" | "revisions";
}

/** Tables of tools that keep count of migrations; no model describes them. */
const LEDGERS = ["alembic_version", "d1_migrations", "__drizzle_migrations"];

/**
 * Finds what the next revision must do for the database to be as the metadata
 * say. Nothing is changed.
 *
 * @example
 * ```ts
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { autogenerate, createMigrator, renderOperations } from "@aludel/aludel/migrate";
 * import { createEngine, integer, MetaData, table } from "@aludel/aludel/sql";
 * import { equal } from "node:assert/strict";
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * const metadata = new MetaData();
 * table("users", metadata, { id: integer().primaryKey() });
 * const migrator = createMigrator({ revisions: [], engine });
 *
 * const { operations } = await autogenerate(migrator, metadata);
 * const { body } = renderOperations(operations, { dialect: engine.dialect });
 * equal(body, 'op.createTable("users", {\n  id: integer().primaryKey(),\n});');
 * ```
 *
 * @throws {NotUpToDateError} If the database does not hold every revision.
 * @throws {RenameUndecidedError} If something may have been renamed, and nobody says so.
 */
export async function autogenerate(
  migrator: Migrator,
  metadata: MetaDataSource,
  { against = "database", ...given }: AutogenerateOptions = {},
): Promise<Comparison> {
  const { engine, map, planner, options } = migrator;
  const compare: CompareOptions = {
    ...given,
    ...(options.naming ? { naming: options.naming } : {}),
    ignoredTables: [
      options.versionTable ?? "aludel_version",
      options.historyTable || "aludel_history",
      ...LEDGERS,
      ...given.ignoredTables ?? [],
    ],
  };
  if (against === "revisions") {
    const { tables } = planner.schema(ids(map.realHeads));
    const wanted = tablesOf(metadata);
    return await compareTables(wanted, tables, engine.dialect, compare);
  }
  const { pending } = await migrator.check();
  if (pending.length > 0) throw new NotUpToDateError(engine.name, pending);
  return await compareMetadata(engine, metadata, compare);
}

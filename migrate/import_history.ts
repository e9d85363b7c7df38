import { type Engine, quoteName } from "../sql/mod.ts";
import { MigrateError } from "./errors.ts";

/** What another tool has left in a database. */
export interface ForeignHistory {
  /** The tool. */
  readonly tool: "wrangler" | "drizzle-kit" | "alembic";
  /** Its table. */
  readonly table: string;
  /** What it says was applied, oldest first; for Alembic the heads. */
  readonly applied: readonly string[];
}

const SOURCES = [
  { tool: "alembic", table: "alembic_version", column: "version_num" },
  { tool: "wrangler", table: "d1_migrations", column: "name" },
  { tool: "drizzle-kit", table: "__drizzle_migrations", column: "hash" },
] as const;

/**
 * Finds what other tools have written into a database.
 *
 * To go on from there, write the schema as it is into a base revision and
 * `stamp` it; a database of Alembic's is taken over as it is by
 * `versionTable: "alembic_version"`.
 */
export async function readForeignHistory(
  engine: Engine,
): Promise<ForeignHistory[]> {
  const found: ForeignHistory[] = [];
  for (const { tool, table, column } of SOURCES) {
    const order = tool === "alembic" ? column : "id";
    const name = quoteName(table, engine.dialect);
    const schema = tool === "drizzle-kit" && engine.dialect.schemaExtras
      ? `${quoteName("drizzle", engine.dialect)}.`
      : "";
    try {
      const { rows } = await engine.send({
        sql: `SELECT ${column} FROM ${schema}${name} ORDER BY ${order}`,
        params: [],
      });
      found.push({ tool, table, applied: rows.map(([one]) => String(one)) });
    } catch (error) {
      if (isMissingTable(error)) continue;
      throw new MigrateError(
        "foreign-history",
        `Cannot read table '${table}' of ${tool}`,
        { cause: error },
      );
    }
  }
  return found;
}

function isMissingTable(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (/no such table|does not exist/i.test(at.message)) return true;
  }
  return false;
}

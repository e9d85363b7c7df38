import type { Expression, Statement } from "../sql/mod.ts";

/** The rows of one chunk. */
export interface Chunk {
  /** The key's last value of the chunk before; `null` at the start. */
  readonly after: string | number | null;
  /** The key's last value of this chunk. */
  readonly upTo: string | number;
  /** The condition that a row of this chunk meets, for a WHERE. */
  readonly where: Expression<boolean>;
}

/**
 * Work on rows, in chunks small enough for one batch each.
 *
 * It follows the revision's operations, outside their transaction. Each chunk
 * notes in its own batch how far the walk has come, so that every row is done
 * once: an interrupted run goes on behind the last chunk that was done.
 *
 * @example Filling a new column, five hundred rows at a time
 * ```ts
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createMigrator, revision } from "@aludel/aludel/migrate";
 * import { createEngine, sql, text } from "@aludel/aludel/sql";
 * import { deepEqual } from "node:assert/strict";
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * await engine.execute(sql`CREATE TABLE users (id INTEGER PRIMARY KEY, mail TEXT)`);
 * await engine.execute(sql`INSERT INTO users (mail) VALUES ('Ed@Example.com')`);
 *
 * const fill = revision({
 *   revision: "5e4abbeed4f5",
 *   upgrade: (op) => op.addColumn("users", "folded", text().nullable()),
 *   data: {
 *     table: "users",
 *     key: "id",
 *     size: 500,
 *     chunk: ({ where }) => sql`UPDATE users SET folded = lower(mail) WHERE ${where}`,
 *   },
 * });
 * await createMigrator({ revisions: [fill], engine }).upgrade();
 * deepEqual([...await engine.execute(sql`SELECT folded FROM users`)], [
 *   { folded: "ed@example.com" },
 * ]);
 * ```
 */
export interface DataMigration {
  /** The table whose rows are walked. */
  readonly table: string;
  /** The column that orders them: unique, not NULL, a number or text. */
  readonly key: string;
  /** Rows in a chunk. @default {1000} */
  readonly size?: number;
  /** Makes the statements for one chunk. */
  readonly chunk: (
    chunk: Chunk,
  ) => Statement<unknown> | readonly Statement<unknown>[];
}

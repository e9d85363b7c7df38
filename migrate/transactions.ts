import {
  begin,
  createEngine,
  type DriverResult,
  type DriverTransaction,
  type Engine,
} from "../sql/mod.ts";
import { MigrateError } from "./errors.ts";

/**
 * An engine that runs everything inside a transaction someone else has opened:
 * it opens none and ends none.
 *
 * @example Migrating as a part of something larger
 * ```ts
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createMigrator, revision, withinTransaction } from "@aludel/aludel/migrate";
 * import { begin, createEngine } from "@aludel/aludel/sql";
 * import { deepEqual } from "node:assert/strict";
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * const revisions = [revision({ revision: "a1", upgrade: (op) => op.execute("CREATE TABLE t (id INTEGER)") })];
 *
 * const transaction = await begin(engine);
 * await createMigrator({ revisions, engine: withinTransaction(engine, transaction) }).upgrade();
 * await transaction.rollback();
 *
 * deepEqual((await createMigrator({ revisions, engine }).current()).heads, []);
 * ```
 */
export function withinTransaction(
  engine: Engine,
  transaction: DriverTransaction,
): Engine {
  const { dialect, capabilities, classify } = engine.driver;
  return createEngine({
    dialect,
    capabilities: { ...capabilities, interactiveTransactions: false },
    classify,
    execute: (statement) => transaction.execute(statement),
    batch: async (statements) => {
      const results: DriverResult[] = [];
      for (const statement of statements) {
        results.push(await transaction.execute(statement));
      }
      return results;
    },
  }, { name: engine.name });
}

/**
 * Does work on several databases, all or none: if it fails on one, what was
 * done on the others is undone.
 *
 * The commits follow one another at the end, so a crash between two of them is
 * the one way to a difference; each database's own version rows tell.
 *
 * @param work Is given an engine inside a transaction: `(engine) => createMigrator({ revisions, engine }).upgrade()`.
 * @throws {MigrateError} If a database cannot hold a transaction open.
 */
export async function allOrNone<T>(
  engines: readonly Engine[],
  work: (engine: Engine) => Promise<T>,
): Promise<T[]> {
  const unable = engines.find((engine) =>
    !engine.capabilities.interactiveTransactions
  );
  if (unable) {
    throw new MigrateError(
      "not-one-transaction",
      `Cannot keep engine '${unable.name}' together with the others: it cannot hold a transaction open; run the engines one after another with fanOut()`,
    );
  }
  const open: DriverTransaction[] = [];
  const results: T[] = [];
  try {
    for (const engine of engines) {
      const transaction = await begin(engine);
      open.push(transaction);
      results.push(await work(withinTransaction(engine, transaction)));
    }
  } catch (error) {
    for (const transaction of open) await transaction.rollback();
    throw error;
  }
  for (const transaction of open) await transaction.commit();
  return results;
}

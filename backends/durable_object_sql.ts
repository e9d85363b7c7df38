/**
 * The SQLite database inside a Durable Object.
 *
 * It cannot: hold a transaction open (what another event of the object does
 * meanwhile would become part of it; a batch is one transaction); keep the last
 * digit of doubles beyond 1e50 or under 1e-50 where rows of more than 100
 * values are inserted (they travel as JSON); read 64-bit integers other than
 * through `bigint()` columns; recover from a deferred foreign key that is still
 * broken at the end of a batch (the platform resets the object).
 *
 * @module
 */
import {
  type BoundStatement,
  classifySqlite,
  type Driver,
  type DriverResult,
  type SqlValue,
} from "../sql/mod.ts";
import { withSql } from "./_failed.ts";
import { D1_DIALECT as dialect, D1_LIMITS } from "./_d1_limits.ts";

/** What is used of the cursor that `sql.exec` returns. */
export interface SqlCursorLike {
  /** The labels of the columns. */
  readonly columnNames: readonly string[];
  /** How many rows were written, those of indexes too. */
  readonly rowsWritten: number;
  /** The rows, as arrays. */
  raw(): Iterable<readonly unknown[]>;
}

/** What is used of a Durable Object's storage. */
export interface DurableObjectStorageLike {
  /** Its database. */
  readonly sql: {
    /** Runs a statement at once. */
    exec(sql: string, ...values: SqlValue[]): SqlCursorLike;
  };
  /** Runs a function; what it throws undoes what it did. */
  transactionSync<T>(work: () => T): T;
}

/**
 * Reaches the database of the Durable Object that the code runs in.
 *
 * @example
 * ```ts ignore
 * import { DurableObject } from "cloudflare:workers";
 * import { durableObjectSql } from "@aludel/aludel/backends/durable-object-sql";
 * import { createEngine } from "@aludel/aludel/sql";
 *
 * export class Room extends DurableObject {
 *   engine = createEngine(durableObjectSql(this.ctx.storage));
 * }
 * ```
 *
 * @param storage `ctx.storage`, of a class with SQLite storage.
 */
export function durableObjectSql(storage: DurableObjectStorageLike): Driver {
  const run = ({ sql, params }: BoundStatement): DriverResult => {
    const cursor = storage.sql.exec(sql, ...params);
    const columns = [...cursor.columnNames];
    const rows = [...cursor.raw()];
    return {
      columns,
      rows,
      // Only SQLite itself leaves out what indexes and triggers wrote.
      changes: cursor.rowsWritten > 0 ? changes(storage) : 0,
    };
  };
  return {
    dialect,
    capabilities: {
      interactiveTransactions: false,
      atomicBatch: true,
      savepoints: false,
      bookmarks: false,
      limits: D1_LIMITS,
    },
    // deno-lint-ignore require-await -- the contract is a promise, also of a throw
    execute: async (statement) => run(statement),
    // deno-lint-ignore require-await -- as above
    batch: async (statements) =>
      storage.transactionSync(() =>
        statements.map((statement) => {
          try {
            return run(statement);
          } catch (error) {
            throw withSql(error, statement);
          }
        })
      ),
    classify: classifySqlite,
  };
}

function changes(storage: DurableObjectStorageLike): number {
  for (const [count] of storage.sql.exec("SELECT changes()").raw()) {
    return Number(count);
  }
  return 0;
}

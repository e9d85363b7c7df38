/**
 * SQLite in process through `node:sqlite`: the embedded default under Deno and
 * Node.
 *
 * It cannot: be used on Workers (no `node:sqlite` there); serve two
 * transactions at once on one connection (the second waits its turn); read
 * 64-bit integers other than through `bigint()` columns; keep a NUL character
 * in text under Deno (it is refused; bytes keep it).
 *
 * @module
 */
import {
  DatabaseSync,
  type DatabaseSyncOptions,
  type StatementSync,
} from "node:sqlite";
import {
  type BoundStatement,
  classifySqlite,
  type Driver,
  type DriverResult,
  type DriverTransaction,
  HeldTransactions,
  type SqlError,
  sqlite as dialect,
  TypeConversionError,
} from "../sql/mod.ts";
import { withSql } from "./_failed.ts";

/** Settings of a SQLite file. */
export interface SqliteOptions {
  /** Whether foreign keys are enforced. @default {true} */
  readonly foreignKeys?: boolean;
  /**
   * How long a statement waits for another connection's lock on the file, in
   * milliseconds. The thread stands still for as long.
   *
   * @default {5000}
   */
  readonly busyTimeout?: number;
}

/**
 * Opens a SQLite database file, or one in memory.
 *
 * @example
 * ```ts
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createEngine, sql } from "@aludel/aludel/sql";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * deepStrictEqual([...await engine.execute(sql`SELECT ${1} + 1 AS two`)], [{ two: 2 }]);
 * ```
 *
 * @param path The file's path, or `":memory:"`.
 */
export function sqlite(path: string, options: SqliteOptions = {}): Driver {
  const settings: DatabaseSyncOptions & { readonly timeout: number } = {
    enableForeignKeyConstraints: options.foreignKeys ?? true,
    timeout: options.busyTimeout ?? 5000,
  };
  const db = new DatabaseSync(path, settings);
  const connection: Connection = { db, ready: new Map() };
  // One connection has one transaction, so those who want one queue for it.
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => T | Promise<T>): Promise<T> => {
    const done = turn.then(work);
    turn = done.catch(() => {});
    return done;
  };
  return {
    dialect,
    capabilities: {
      interactiveTransactions: true,
      atomicBatch: true,
      savepoints: true,
      bookmarks: false,
      limits: {},
    },
    execute: (statement) => inTurn(() => run(connection, statement)),
    batch: (statements, { isRead, readOnly } = {}) =>
      inTurn(() => {
        // A lock for writing is better had at once than refused in the middle.
        db.exec(isRead || readOnly ? "BEGIN" : "BEGIN IMMEDIATE");
        try {
          const results = statements.map((statement) => {
            try {
              return run(connection, statement);
            } catch (error) {
              throw withSql(error, statement);
            }
          });
          db.exec("COMMIT");
          return results;
        } catch (error) {
          if (db.isTransaction) db.exec("ROLLBACK");
          connection.ready.clear();
          throw error;
        }
      }),
    begin: () =>
      new Promise((resolve, reject) => {
        inTurn(() =>
          new Promise<void>((release) => {
            try {
              db.exec("BEGIN IMMEDIATE");
            } catch (error) {
              release();
              return reject(error);
            }
            resolve(transaction(connection, release));
          })
        );
      }),
    hold: () => new HeldTransactions(),
    classify: (error, sql) =>
      tooLarge(error, sql) ?? refusal(error, sql) ??
        classifySqlite(error, sql),
    close: () => db.close(),
  };
}

function transaction(
  connection: Connection,
  release: () => void,
): DriverTransaction {
  const { db, ready } = connection;
  let isOver = false;
  const end = (sql: string) => {
    // deno-lint-ignore require-await -- the contract is a promise, also of a throw
    return async () => {
      // The connection may be in somebody else's transaction by now.
      if (isOver) return;
      try {
        if (db.isTransaction) db.exec(sql);
        if (sql === "ROLLBACK") ready.clear();
      } finally {
        isOver = !db.isTransaction;
        if (isOver) release();
      }
    };
  };
  return {
    // deno-lint-ignore require-await -- the contract is a promise, also of a throw
    execute: async (statement) => run(connection, statement),
    commit: end("COMMIT"),
    rollback: end("ROLLBACK"),
  };
}

// Present since Node 24 and in Deno, missing from their types.
type ArrayStatement = StatementSync & {
  setReturnArrays(enabled: boolean): void;
};

function run(
  { db, ready }: Connection,
  { sql, params }: BoundStatement,
): DriverResult {
  if (params.some(holdsNul) && !keepsNul(db)) {
    throw new TypeConversionError(
      "Cannot bind text with a NUL character: this runtime's node:sqlite would cut it off when it is read; use blob()",
    );
  }
  if (CHANGES_SCHEMA.test(sql)) ready.clear();
  const { statement, columns } = ready.get(sql) ?? prepare({ db, ready }, sql);
  if (columns.length === 0) {
    const { changes } = statement.run(...params);
    return { columns, rows: [], changes: Number(changes) };
  }
  // With arrays asked for, rows are arrays.
  const rows = statement.all(...params) as unknown as unknown[][];
  return { columns, rows, changes: WRITES.test(sql) ? rows.length : 0 };
}

/** A connection, and the statements that it has parsed already. */
/** What writes and has rows says so; a read that only mentions it counts wrong. */
const WRITES = /\breturning\b/i;

interface Connection {
  readonly db: DatabaseSync;
  readonly ready: Map<string, Prepared>;
}

interface Prepared {
  readonly statement: ArrayStatement;
  readonly columns: readonly string[];
}

/** How many statements are kept. */
const MOST_READY = 200;

/** What makes columns differ from those that a kept statement knows. */
const CHANGES_SCHEMA = /^\s*(create|alter|drop|attach|detach|pragma|vacuum)\b/i;

function prepare({ db, ready }: Connection, sql: string): Prepared {
  const statement = db.prepare(sql) as ArrayStatement;
  statement.setReturnArrays(true);
  const columns = statement.columns().map(({ name }) => name);
  const prepared = { statement, columns };
  if (ready.size >= MOST_READY) ready.clear();
  // Another process may change what an asterisk stands for.
  if (!sql.includes("*")) ready.set(sql, prepared);
  return prepared;
}

function holdsNul(value: unknown): boolean {
  return typeof value === "string" && value.includes("\0");
}

// Node keeps what stands behind a NUL, Deno does not.
function keepsNul(db: DatabaseSync): boolean {
  const row = db.prepare("SELECT char(97, 0, 98) AS text").get();
  return String(row?.["text"]).length === 3;
}

function tooLarge(
  error: unknown,
  sql: string | undefined,
): TypeConversionError | undefined {
  const { code }: { readonly code?: unknown } = Object(error);
  return code === "ERR_OUT_OF_RANGE"
    ? new TypeConversionError(
      "Cannot read a whole number beyond 2^53: give its column the type bigint()",
      { cause: error, sql },
    )
    : undefined;
}

// What a trigger says is its author's; only the number tells what it is.
function refusal(
  error: unknown,
  sql: string | undefined,
): SqlError | undefined {
  const { errcode, message }: {
    readonly errcode?: unknown;
    readonly message?: unknown;
  } = Object(error);
  return Number(errcode) % 256 === SQLITE_CONSTRAINT &&
      !/constraint failed|cannot store/.test(String(message))
    ? classifySqlite(
      new Error(`${message}: SQLITE_CONSTRAINT`, { cause: error }),
      sql,
    )
    : undefined;
}

const SQLITE_CONSTRAINT = 19;

/**
 * Postgres in process through PGlite: for development, tests, and programs that
 * carry their database with them.
 *
 * It cannot: serve two transactions at once (one connection; the second waits
 * its turn); fit into a small Worker (megabytes of WebAssembly).
 *
 * @module
 */
import {
  type BatchOptions,
  type BoundStatement,
  classifyPostgres,
  type Driver,
  type DriverResult,
  type DriverTransaction,
  HeldTransactions,
  postgres as dialect,
  postgresReader,
} from "../sql/mod.ts";
import { withSql } from "./_failed.ts";

/** What is used of an answer of PGlite. */
export interface PGliteResultLike {
  /** The rows, here as arrays. */
  readonly rows: readonly unknown[];
  /** The columns, and Postgres' numbers of their types. */
  readonly fields: readonly {
    readonly name: string;
    readonly dataTypeID: number;
  }[];
  /** How many rows were written. */
  readonly affectedRows?: number;
}

/** How values are read and written for one query. */
export interface PGliteQueryOptionsLike {
  /** Rows as arrays, so that columns of one name do not collapse. */
  readonly rowMode: "array";
  /** By type number: database text to value. */
  readonly parsers: Record<number, (value: string) => unknown>;
  /** By type number: value to database text. */
  readonly serializers: Record<number, (value: string) => string>;
}

/** What is used of a transaction of PGlite. */
export interface PGliteTransactionLike {
  /** Runs one statement. */
  query(
    sql: string,
    params?: (string | null)[],
    options?: PGliteQueryOptionsLike,
  ): Promise<PGliteResultLike>;
  /** Undoes what was done. */
  rollback(): Promise<void>;
}

/** What is used of a `PGlite` object. */
export interface PGliteLike extends Pick<PGliteTransactionLike, "query"> {
  /** Its own parsers, by type number. */
  readonly parsers: Readonly<Record<number, unknown>>;
  /** Runs a function inside a transaction. */
  transaction<T>(
    work: (transaction: PGliteTransactionLike) => Promise<T>,
  ): Promise<T | undefined>;
  /** Ends it. */
  close(): Promise<void>;
}

/** Settings of a PGlite driver. */
export interface PGliteOptions {
  /** Leaves the client open when the engine is closed. @default {false} */
  readonly keepOpen?: boolean;
}

/**
 * Reaches a PGlite database.
 *
 * @example
 * ```ts
 * import { PGlite } from "@electric-sql/pglite";
 * import { pglite } from "@aludel/aludel/backends/pglite";
 * import { createEngine, sql } from "@aludel/aludel/sql";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * await using engine = createEngine(pglite(new PGlite()));
 * const rows = await engine.execute(sql`SELECT ${"a"}::text AS letter`);
 * deepStrictEqual([...rows], [{ letter: "a" }]);
 * ```
 *
 * @param client A `PGlite` object; the engine's `close()` closes it.
 */
export function pglite(
  client: PGliteLike,
  options: PGliteOptions = {},
): Driver {
  const run = async (
    on: Pick<PGliteTransactionLike, "query">,
    { sql, params }: BoundStatement,
  ): Promise<DriverResult> => {
    const texts = params.map((value) =>
      value === null ? null : String(dialect.bindUntyped(value))
    );
    const { rows, fields, affectedRows } = await on.query(
      sql,
      texts,
      rawText(client),
    );
    return {
      columns: fields.map(({ name }) => name),
      readers: fields.map(({ dataTypeID }) => postgresReader(dataTypeID)),
      // Row mode "array" makes every row one.
      rows: rows as unknown[][],
      changes: affectedRows ?? 0,
    };
  };
  return {
    dialect,
    capabilities: {
      interactiveTransactions: true,
      atomicBatch: true,
      savepoints: true,
      twoPhase: true,
      bookmarks: false,
      limits: { params: 65_535 },
    },
    execute: (statement) => run(client, statement),
    batch: async (statements, batchOptions) =>
      await client.transaction(async (transaction) => {
        const results: DriverResult[] = [];
        await characterize(transaction, batchOptions);
        for (const statement of statements) {
          try {
            results.push(await run(transaction, statement));
          } catch (error) {
            throw withSql(error, statement);
          }
        }
        return results;
      }) ?? [],
    begin: (batchOptions) => open(client, run, batchOptions),
    hold: () => new HeldTransactions(),
    classify: classifyPostgres,
    close: async () => {
      if (!options.keepOpen) await client.close();
    },
  };
}

async function characterize(
  transaction: PGliteTransactionLike,
  { isolation, readOnly }: BatchOptions = {},
): Promise<void> {
  const words = (isolation ? ` ISOLATION LEVEL ${isolation}` : "") +
    (readOnly ? " READ ONLY" : "");
  if (words) await transaction.query(`SET TRANSACTION${words}`);
}

function open(
  client: PGliteLike,
  run: (
    on: PGliteTransactionLike,
    statement: BoundStatement,
  ) => Promise<DriverResult>,
  options: BatchOptions | undefined,
): Promise<DriverTransaction> {
  return new Promise((resolve, reject) => {
    const ended: Promise<unknown> = client.transaction(async (transaction) => {
      await characterize(transaction, options);
      await new Promise<void>((release) =>
        resolve({
          execute: (statement) => run(transaction, statement),
          commit: async () => {
            release();
            await ended;
          },
          rollback: async () => {
            await transaction.rollback();
            release();
            await ended;
          },
        })
      );
    });
    ended.catch(reject);
  });
}

const asIs = (value: string): string => value;
const RAW = /* @__PURE__ */ new WeakMap<
  PGliteLike,
  [number, PGliteQueryOptionsLike]
>();

// PGlite converts by type number unless told otherwise for each of them.
function rawText(client: PGliteLike): PGliteQueryOptionsLike {
  const numbers = Object.keys(client.parsers);
  const known = RAW.get(client);
  if (known?.[0] === numbers.length) return known[1];
  const identity = Object.fromEntries(numbers.map((n) => [n, asIs]));
  const options: PGliteQueryOptionsLike = {
    rowMode: "array",
    parsers: identity,
    serializers: identity,
  };
  RAW.set(client, [numbers.length, options]);
  return options;
}

/**
 * Cloudflare D1 through a Worker's binding.
 *
 * It cannot: hold a transaction open (a batch is one transaction); take more
 * than 100 parameters in a statement; name the statement of a batch that
 * failed; read 64-bit integers other than through `bigint()` columns.
 *
 * @module
 */
import {
  type BoundStatement,
  classifySqlite,
  type Driver,
  type DriverResult,
  sqlite as dialect,
  type SqlValue,
} from "../sql/mod.ts";

/** What is used of a prepared statement of D1. */
export interface D1PreparedStatementLike {
  /** Binds values. */
  bind(...values: SqlValue[]): D1PreparedStatementLike;
}

/** What is used of an answer of D1. */
export interface D1ResultLike {
  /** The rows, as objects by label. */
  readonly results: readonly Record<string, unknown>[];
  /** What the platform says of the work. */
  readonly meta: { readonly changes?: number };
}

/** What is used of a D1 binding, or of a session of one. */
export interface D1Like {
  /** Prepares a text. */
  prepare(sql: string): D1PreparedStatementLike;
  /** Runs statements in one transaction. */
  batch(statements: D1PreparedStatementLike[]): Promise<D1ResultLike[]>;
}

/** What D1 refuses, as the platform documents and workerd enforces it. */
const LIMITS: Driver["capabilities"]["limits"] = {
  params: 100,
  columns: 100,
  compound: 5,
  depth: 100,
  like: 50,
  sqlBytes: 100_000,
};

/**
 * Reaches a D1 database through its binding.
 *
 * @param database The binding, as `env.DB`.
 */
export function d1(database: D1Like): Driver {
  const bound = ({ sql, params }: BoundStatement): D1PreparedStatementLike => {
    const statement = database.prepare(sql);
    return params.length > 0 ? statement.bind(...params) : statement;
  };
  const batch = async (
    statements: readonly BoundStatement[],
  ): Promise<DriverResult[]> =>
    (await database.batch(statements.map(bound))).map(resultOf);
  return {
    dialect,
    capabilities: {
      interactiveTransactions: false,
      atomicBatch: true,
      savepoints: false,
      bookmarks: false,
      limits: LIMITS,
    },
    execute: async (statement) => (await batch([statement]))[0] as DriverResult,
    batch,
    classify: classifySqlite,
  };
}

// D1 answers with objects, so labels must be unique, as the compiler makes them.
function resultOf({ results, meta }: D1ResultLike): DriverResult {
  const [first] = results;
  return {
    columns: first ? Object.keys(first) : [],
    rows: results.map((row) => Object.values(row)),
    changes: meta.changes ?? 0,
  };
}

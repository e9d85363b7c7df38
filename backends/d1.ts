/**
 * Cloudflare D1 through a Worker's binding.
 *
 * It cannot: hold a transaction open (a batch is one transaction); keep the
 * last digit of doubles beyond 1e50 or under 1e-50 where rows of more than 100
 * values are inserted (they travel as JSON); name the statement of a batch that
 * failed; read 64-bit integers other than through `bigint()` columns; keep two
 * columns of one name apart in hand-written SQL, or columns named by numbers in
 * their order; count the rows of a write without those of cascades and
 * triggers.
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
import { D1_DIALECT as dialect, D1_LIMITS } from "./_d1_limits.ts";

/** What is used of a prepared statement of D1. */
export interface D1PreparedStatementLike {
  /** Binds values. */
  bind(...values: SqlValue[]): D1PreparedStatementLike;
  /** Sends it alone. */
  all(): Promise<D1ResultLike>;
}

/** What is used of an answer of D1. */
export interface D1ResultLike {
  /** The rows, as objects by label. */
  readonly results: readonly Record<string, unknown>[];
  /** What the platform says of the work. */
  readonly meta: { readonly changes?: number };
}

/** What is used of a session of D1. */
export interface D1SessionLike {
  /** Prepares a text. */
  prepare(sql: string): D1PreparedStatementLike;
  /** Runs statements in one transaction. */
  batch(statements: D1PreparedStatementLike[]): Promise<D1ResultLike[]>;
  /** The latest point in history that an answer has shown. */
  getBookmark(): string | null;
}

/** What is used of a D1 binding, or of a session of one. */
export type D1Like =
  & Pick<D1SessionLike, "prepare" | "batch">
  & Partial<Pick<D1SessionLike, "getBookmark">>;

/**
 * Reaches a D1 database through its binding, or through a session of it.
 *
 * In a session reads may go to replicas, in sequence with what the session has
 * seen: `"first-primary"` starts with the newest data, `"first-unconstrained"`
 * with any, a bookmark with what it has seen. One request, one session: hand
 * {@linkcode Driver.bookmark} on in a cookie or header.
 *
 * @example
 * ```ts ignore
 * import { d1 } from "@aludel/aludel/backends/d1";
 * import { createEngine } from "@aludel/aludel/sql";
 *
 * const engine = createEngine(d1(env.DB));
 * const near = createEngine(d1(env.DB.withSession("first-unconstrained")));
 * ```
 *
 * @param database The binding, as `env.DB`, or what its `withSession()` gives.
 */
export function d1(database: D1Like): Driver {
  const bound = ({ sql, params }: BoundStatement): D1PreparedStatementLike =>
    database.prepare(sql).bind(...params);
  return {
    dialect,
    capabilities: {
      interactiveTransactions: false,
      atomicBatch: true,
      savepoints: false,
      bookmarks: "getBookmark" in database,
      limits: D1_LIMITS,
    },
    execute: async (statement) => resultOf(await bound(statement).all()),
    batch: async (statements) =>
      (await database.batch(statements.map(bound))).map(resultOf),
    classify: classifySqlite,
    get bookmark() {
      return database.getBookmark?.() ?? undefined;
    },
  };
}

// D1 answers with objects, so labels must be unique, as the compiler makes them.
function resultOf({ results, meta }: D1ResultLike): DriverResult {
  return {
    columns: Object.keys(results[0] ?? {}),
    rows: results.map((row) => Object.values(row)),
    changes: meta.changes ?? 0,
  };
}

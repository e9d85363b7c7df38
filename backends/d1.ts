/**
 * Cloudflare D1 through a Worker's binding.
 *
 * It cannot: hold a transaction open (a batch is one transaction); take more
 * than 100 parameters in a statement; name the statement of a batch that
 * failed; read 64-bit integers other than through `bigint()` columns; keep two
 * columns of one name apart in hand-written SQL, or columns named by numbers in
 * their order; count the rows of a write without those of cascades and triggers.
 *
 * @module
 */
import {
  type BoundStatement,
  classifySqlite,
  type Driver,
  type DriverResult,
  type SqlValue,
  UnsupportedError,
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

/** What is used of a D1 binding. */
export interface D1Like extends Pick<D1SessionLike, "prepare" | "batch"> {
  /** Starts a session at a bookmark or under a constraint. */
  withSession?(constraintOrBookmark: string): D1SessionLike;
}

/** Settings of a D1 driver. */
export interface D1Options {
  /**
   * Reads may go to replicas, in sequence with what the session has seen:
   * `"first-primary"` starts with the newest data, `"first-unconstrained"` with
   * any, a bookmark with what it has seen. One request, one session: hand
   * {@linkcode Driver.bookmark} on in a cookie or header.
   *
   * @default no session: everything goes to the primary
   */
  readonly session?:
    | "first-primary"
    | "first-unconstrained"
    | (string & Record<never, never>);
}

/**
 * Reaches a D1 database through its binding.
 *
 * @example
 * ```ts ignore
 * import { d1 } from "@aludel/aludel/backends/d1";
 * import { createEngine } from "@aludel/aludel/sql";
 *
 * const engine = createEngine(d1(env.DB, { session: "first-unconstrained" }));
 * ```
 *
 * @param database The binding, as `env.DB`.
 * @throws {UnsupportedError} If a session is asked for and the binding has none.
 */
export function d1(database: D1Like, { session }: D1Options = {}): Driver {
  const opened = session === undefined
    ? undefined
    : openSession(database, session);
  const target = opened ?? database;
  const bound = ({ sql, params }: BoundStatement): D1PreparedStatementLike => {
    const statement = target.prepare(sql);
    return params.length > 0 ? statement.bind(...params) : statement;
  };
  return {
    dialect,
    capabilities: {
      interactiveTransactions: false,
      atomicBatch: true,
      savepoints: false,
      bookmarks: opened !== undefined,
      limits: D1_LIMITS,
    },
    execute: async (statement) => resultOf(await bound(statement).all()),
    batch: async (statements) =>
      (await target.batch(statements.map(bound))).map(resultOf),
    classify: classifySqlite,
    get bookmark() {
      return opened?.getBookmark() ?? undefined;
    },
  };
}

function openSession(database: D1Like, session: string): D1SessionLike {
  if (database.withSession) return database.withSession(session);
  throw new UnsupportedError(
    "Cannot open a session: the D1 binding has no withSession(); use a newer compatibility date",
  );
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

/**
 * Cloudflare D1 through its REST API: for the command line, scripts and other
 * programs outside Workers.
 *
 * It cannot: serve a hot path (the API takes about 1200 requests in five
 * minutes); hold a transaction open (a batch is one transaction); keep the last
 * digit of doubles beyond 1e50 or under 1e-50 where rows of more than 100
 * values are inserted (they travel as JSON); name the statement of a batch that
 * failed; read 64-bit integers other than through `bigint()` columns; count the
 * rows of a write without those of cascades and triggers.
 *
 * @module
 */
import {
  type BoundStatement,
  classifySqlite,
  type Driver,
  type DriverResult,
  SqlError,
} from "../sql/mod.ts";
import { D1_DIALECT as dialect, D1_LIMITS } from "./_d1_limits.ts";
import { type HttpOptions, postJson, statusError } from "./_http.ts";

export type { FetchLike, HttpOptions } from "./_http.ts";

/** Which database, and who asks. */
export interface D1HttpOptions extends HttpOptions {
  /** The account's id. */
  readonly accountId: string;
  /** The database's id. */
  readonly databaseId: string;
  /** An API token that may edit D1. */
  readonly token: string;
  /** Where the API is. @default {"https://api.cloudflare.com/client/v4"} */
  readonly endpoint?: string;
}

/** What the API answers. */
interface Envelope {
  readonly success?: boolean;
  readonly errors?: readonly { readonly message?: string }[];
  readonly result?: readonly {
    readonly results?: {
      readonly columns?: readonly string[];
      readonly rows?: readonly (readonly unknown[])[];
    };
    readonly meta?: { readonly changes?: number };
  }[];
}

/**
 * Reaches a D1 database through the REST API.
 *
 * @example
 * ```ts ignore
 * import { d1Http } from "@aludel/aludel/backends/d1-http";
 * import { createEngine } from "@aludel/aludel/sql";
 *
 * const engine = createEngine(d1Http({ accountId, databaseId, token }));
 * ```
 */
export function d1Http(options: D1HttpOptions): Driver {
  const {
    accountId,
    databaseId,
    token,
    endpoint = "https://api.cloudflare.com/client/v4",
  } = options;
  const url = `${endpoint}/accounts/${encodeURIComponent(accountId)}` +
    `/d1/database/${encodeURIComponent(databaseId)}/raw`;
  const send = async (
    statements: readonly BoundStatement[],
  ): Promise<DriverResult[]> => {
    const batch = statements.map(({ sql, params }) => ({
      sql,
      params: params.map((value) =>
        value instanceof Uint8Array ? [...value] : value
      ),
    }));
    const { status, body } = await postJson(
      url,
      { Authorization: `Bearer ${token}` },
      batch.length === 1 ? batch[0] : { batch },
      options,
    );
    const { success, errors, result }: Envelope = isObject(body) ? body : {};
    if (success && result) return result.map(resultOf);
    const message = errors?.map((error) => error.message).join("; ");
    if (message) throw new ApiError(message, status);
    throw status >= 400 ? statusError(status) : new SqlError(
      "sql/http",
      "Cannot read the answer: it is not what the D1 API says; check the endpoint",
    );
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
    execute: async (statement) => (await send([statement]))[0] as DriverResult,
    batch: send,
    classify: (error, sql) =>
      classifySqlite(error, sql) ??
        (error instanceof ApiError
          ? Object.assign(statusError(error.status), { cause: error })
          : undefined),
  };
}

// What the API says in words: SQLite's own text, or why it refused.
class ApiError extends Error {
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

function resultOf(
  { results, meta }: NonNullable<Envelope["result"]>[number],
): DriverResult {
  return {
    columns: results?.columns ?? [],
    rows: results?.rows ?? [],
    changes: meta?.changes ?? 0,
  };
}

function isObject(value: unknown): value is Envelope {
  return typeof value === "object" && value !== null;
}

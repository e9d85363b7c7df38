/**
 * Postgres through Neon's SQL over HTTP, with nothing but `fetch`, or through a
 * `neon()` client that the program has anyway.
 *
 * It cannot: hold a transaction open (a batch is one transaction, with the
 * isolation it asks for); name the statement of a batch that failed; take two
 * statements in one text; stream (an answer has at most 64 MB).
 *
 * @module
 */
import {
  type BatchOptions,
  type BoundStatement,
  classifyPostgres,
  ConnectionError,
  type Driver,
  type DriverResult,
  postgres as dialect,
  postgresReader,
  SqlError,
} from "../sql/mod.ts";
import { type HttpOptions, postJson, statusError } from "./_http.ts";

export type { FetchLike, HttpOptions } from "./_http.ts";

/** Settings of a Neon driver. */
export interface NeonOptions extends HttpOptions {
  /** Where requests go. @default {"https://api.<rest of the host>/sql"} */
  readonly endpoint?: string;
  /** A JWT for Neon Authorize, or a function that gives one. */
  readonly authToken?: string | (() => string | Promise<string>);
}

/** An answer to one statement, as it comes over the wire. */
export interface NeonResultLike {
  /** The columns, and Postgres' numbers of their types. */
  readonly fields: readonly {
    readonly name: string;
    readonly dataTypeID: number;
  }[];
  /** The rows, here as arrays of text. */
  readonly rows: readonly unknown[];
  /** How many rows were read or written; `null` where it makes no sense. */
  readonly rowCount: number | null;
  /** The first word of the command. */
  readonly command: string;
}

/** Settings of a query by a {@linkcode NeonClientLike}. */
export interface NeonQueryOptionsLike {
  /** Rows as arrays. */
  readonly arrayMode: true;
  /** Columns and counts beside the rows. */
  readonly fullResults: true;
  /** How values are read; here not at all. */
  readonly types: {
    readonly getTypeParser: () => (value: string) => string;
  };
}

/** Settings of a transaction by a {@linkcode NeonClientLike}. */
export interface NeonTransactionOptionsLike {
  /** Rows as arrays. */
  readonly arrayMode: true;
  /** Columns and counts beside the rows. */
  readonly fullResults: true;
  /** How far it is apart from others. */
  readonly isolationLevel?:
    | "ReadCommitted"
    | "RepeatableRead"
    | "Serializable";
  /** Whether it only reads. */
  readonly readOnly?: boolean;
}

/** What is used of what `neon()` of `@neondatabase/serverless` returns. */
export interface NeonClientLike {
  /** Prepares one statement; awaiting it sends it. */
  query(
    sql: string,
    params: (string | null)[],
    options: NeonQueryOptionsLike,
  ): PromiseLike<unknown>;
  /** Sends statements as one transaction. */
  transaction(
    // deno-lint-ignore no-explicit-any -- the client takes only its own promises
    queries: any[],
    options: NeonTransactionOptionsLike,
  ): Promise<unknown>;
}

type Send = (
  statements: readonly BoundStatement[],
  options: BatchOptions | undefined,
  asBatch: boolean,
) => Promise<readonly NeonResultLike[]>;

const LEVELS = {
  "read committed": "ReadCommitted",
  "repeatable read": "RepeatableRead",
  "serializable": "Serializable",
} as const;

/**
 * Reaches a Neon database.
 *
 * @example
 * ```ts ignore
 * import { neon } from "@aludel/aludel/backends/neon";
 * import { createEngine } from "@aludel/aludel/sql";
 *
 * const engine = createEngine(neon(env.DATABASE_URL), { name: "leader" });
 * ```
 *
 * @param connection A connection string, or a client made by `neon()`.
 * @throws {ConnectionError} If the connection string is none; it is not repeated.
 */
export function neon(
  connection: string | NeonClientLike,
  options: NeonOptions = {},
): Driver {
  const send = typeof connection === "string"
    ? overHttp(connection, options)
    : overClient(connection);
  return {
    dialect,
    capabilities: {
      interactiveTransactions: false,
      atomicBatch: true,
      savepoints: false,
      twoPhase: true,
      bookmarks: false,
      limits: { params: 65_535 },
    },
    execute: async (statement) => {
      const [result] = await send([statement], undefined, false);
      return resultOf(result as NeonResultLike);
    },
    batch: async (statements, batchOptions) =>
      (await send(statements, batchOptions, true)).map(resultOf),
    classify: classifyPostgres,
  };
}

function overHttp(connection: string, options: NeonOptions): Send {
  const { endpoint = endpointOf(connection, options), authToken } = options;
  return async (statements, batchOptions, asBatch) => {
    const token = typeof authToken === "function"
      ? await authToken()
      : authToken;
    const { isolation, readOnly } = batchOptions ?? {};
    const headers = {
      "Neon-Connection-String": connection,
      "Neon-Raw-Text-Output": "true",
      "Neon-Array-Mode": "true",
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(asBatch && isolation
        ? { "Neon-Batch-Isolation-Level": LEVELS[isolation] }
        : {}),
      ...(asBatch && readOnly ? { "Neon-Batch-Read-Only": "true" } : {}),
    };
    const queries = statements.map(({ sql, params }) => ({
      query: sql,
      params: texts(params),
    }));
    const { status, body } = await postJson(
      endpoint,
      headers,
      asBatch ? { queries } : queries[0],
      options,
    );
    if (status === 200 && isObject(body)) {
      const results = asBatch ? body["results"] : [body];
      if (Array.isArray(results)) return results;
    }
    throw status === 200 ? unreadable() : failure(status, body);
  };
}

function overClient(client: NeonClientLike): Send {
  const shape = { arrayMode: true, fullResults: true } as const;
  const types = { getTypeParser: () => (value: string) => value };
  return async (statements, { isolation, readOnly } = {}, asBatch) => {
    const queries = statements.map(({ sql, params }) =>
      client.query(sql, texts(params), { ...shape, types })
    );
    // The client's answers are what the protocol says; they are not looked at again.
    if (!asBatch) return [await queries[0] as NeonResultLike];
    return await client.transaction(queries, {
      ...shape,
      ...(isolation && { isolationLevel: LEVELS[isolation] }),
      ...(readOnly && { readOnly }),
    }) as NeonResultLike[];
  };
}

function texts(params: BoundStatement["params"]): (string | null)[] {
  return params.map((value) =>
    value === null ? null : String(dialect.bindUntyped(value))
  );
}

function resultOf({ fields, rows, rowCount, command }: NeonResultLike) {
  return {
    columns: fields.map(({ name }) => name),
    readers: fields.map(({ dataTypeID }) => postgresReader(dataTypeID)),
    // Array mode makes every row one.
    rows: rows as unknown[][],
    changes: command === "SELECT" ? 0 : rowCount ?? 0,
  } satisfies DriverResult;
}

function endpointOf(connection: string, { authToken }: NeonOptions): string {
  // Not every runtime parses hosts of schemes other than http.
  const [, rest] = /^postgres(?:ql)?:\/\/(.+)$/s.exec(connection) ?? [];
  if (rest !== undefined && URL.canParse(`http://${rest}`)) {
    const { hostname } = new URL(`http://${rest}`);
    const label = authToken === undefined ? "api." : "apiauth.";
    return `https://${hostname.replace(/^[^.]+\./, label)}/sql`;
  }
  throw new ConnectionError(
    "sql/connection",
    "Cannot use the connection string: it does not read postgres://user:password@host/database; check the setting",
  );
}

// The server speaks of an error in the fields that Postgres itself has.
function failure(status: number, body: unknown): Error {
  if (!isObject(body) || typeof body["message"] !== "string") {
    return statusError(status);
  }
  const { message, ...fields } = body;
  if (typeof fields["code"] !== "string") {
    const cause = new Error(message);
    // No SQLSTATE: it did not get as far as the database.
    return status === 400
      ? new ConnectionError(
        "sql/connection",
        "Cannot reach the database: the server refused the request; check the connection string",
        { cause },
      )
      : Object.assign(statusError(status), { cause });
  }
  return Object.assign(new Error(message), fields);
}

function unreadable(): SqlError {
  return new SqlError(
    "sql/http",
    "Cannot read the answer: it is not what Neon's protocol says; check the endpoint",
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

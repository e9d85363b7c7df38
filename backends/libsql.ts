/**
 * libSQL and Turso through Hrana over HTTP, with nothing but `fetch`. Integers
 * are exact, and a batch that fails says which statement it was.
 *
 * It cannot: hold a transaction open (it would hold the database's only writer
 * for several round trips; a batch is one transaction); reach a file (use the
 * SQLite driver).
 *
 * @module
 */
// deno-lint-ignore-file camelcase -- Hrana's own names
import {
  type BoundStatement,
  classifySqlite,
  ConnectionError,
  type Driver,
  type DriverResult,
  SqlError,
  sqlite as dialect,
  type SqlValue,
} from "../sql/mod.ts";
import { withSql } from "./_failed.ts";
import { type HttpOptions, postJson, statusError } from "./_http.ts";

export type { FetchLike, HttpOptions } from "./_http.ts";

/** Settings of a libSQL driver. */
export interface LibsqlOptions extends HttpOptions {
  /** The token that opens the database. */
  readonly authToken?: string;
}

/** A value as Hrana writes it. */
type HranaValue =
  | { readonly type: "null" }
  | { readonly type: "integer"; readonly value: string }
  | { readonly type: "float"; readonly value: number }
  | { readonly type: "text"; readonly value: string }
  | { readonly type: "blob"; readonly base64: string };

interface HranaError {
  readonly message: string;
  readonly code?: string | null;
}

interface HranaResult {
  readonly cols: readonly { readonly name?: string | null }[];
  readonly rows: readonly (readonly HranaValue[])[];
  readonly affected_row_count: number;
}

interface HranaBatch {
  readonly step_results: readonly (HranaResult | null)[];
  readonly step_errors: readonly (HranaError | null)[];
}

interface HranaAnswer {
  readonly results?: readonly (
    | {
      readonly type: "ok";
      readonly response: { readonly result?: HranaResult | HranaBatch };
    }
    | { readonly type: "error"; readonly error: HranaError }
  )[];
  readonly message?: string;
}

/**
 * Reaches a libSQL server.
 *
 * @example
 * ```ts ignore
 * import { libsql } from "@aludel/aludel/backends/libsql";
 * import { createEngine } from "@aludel/aludel/sql";
 *
 * const engine = createEngine(
 *   libsql("libsql://shop-me.turso.io", { authToken: env.TURSO_TOKEN }),
 * );
 * ```
 *
 * @param url Its address: `libsql:`, `https:` or `http:`.
 * @throws {ConnectionError} If the address is none of these; it is not repeated.
 */
export function libsql(url: string, options: LibsqlOptions = {}): Driver {
  const endpoint = endpointOf(url);
  const { authToken } = options;
  const headers: Record<string, string> = authToken === undefined
    ? {}
    : { Authorization: `Bearer ${authToken}` };
  const send = async (request: unknown): Promise<unknown> => {
    const { status, body } = await postJson(
      endpoint,
      headers,
      // A stream that is not closed lives on at the server.
      { baton: null, requests: [request, { type: "close" }] },
      options,
    );
    const { results, message }: HranaAnswer = isAnswer(body) ? body : {};
    const [result] = results ?? [];
    if (result?.type === "error") throw hranaError(result.error);
    if (result?.type === "ok") return result.response.result;
    if (status === 200) throw unreadable();
    throw Object.assign(
      statusError(status),
      message === undefined ? {} : { cause: new Error(message) },
    );
  };
  return {
    dialect,
    capabilities: {
      interactiveTransactions: false,
      atomicBatch: true,
      savepoints: false,
      bookmarks: false,
      limits: { params: 32_766, columns: 2_000, compound: 500, depth: 1_000 },
    },
    execute: async (statement) =>
      resultOf(
        await send({
          type: "execute",
          stmt: hranaStatement(statement),
        }) as HranaResult,
      ),
    batch: async (statements, { isRead, readOnly } = {}) => {
      // Reads need no lock, which another writer may hold.
      const begin = isRead || readOnly ? "BEGIN" : "BEGIN IMMEDIATE";
      const answer = await send({
        type: "batch",
        batch: { steps: atomicSteps(begin, statements) },
      });
      return batchResults(answer as HranaBatch, statements);
    },
    classify: classifySqlite,
  };
}

/** BEGIN, each statement if the one before went well, COMMIT, else ROLLBACK. */
function atomicSteps(
  begin: string,
  statements: readonly BoundStatement[],
): unknown[] {
  const said = (sql: string) => ({ sql, want_rows: false });
  const ok = (step: number) => ({ type: "ok", step });
  const commit = statements.length + 1;
  return [
    { stmt: said(begin) },
    ...statements.map((statement, i) => ({
      condition: ok(i),
      stmt: hranaStatement(statement),
    })),
    { condition: ok(commit - 1), stmt: said("COMMIT") },
    {
      condition: {
        type: "and",
        conds: [ok(0), { type: "not", cond: ok(commit) }],
      },
      stmt: said("ROLLBACK"),
    },
  ];
}

function batchResults(
  { step_results: results, step_errors: errors }: HranaBatch,
  statements: readonly BoundStatement[],
): DriverResult[] {
  for (const [step, error] of errors.entries()) {
    if (!error) continue;
    const statement = statements[step - 1];
    throw statement ? withSql(hranaError(error), statement) : hranaError(error);
  }
  return results.slice(1, statements.length + 1).map((result) => {
    if (result) return resultOf(result);
    throw unreadable();
  });
}

function hranaStatement({ sql, params }: BoundStatement): unknown {
  return { sql, args: params.map(hranaValue), want_rows: true };
}

function hranaValue(value: SqlValue): HranaValue {
  if (value === null) return { type: "null" };
  if (typeof value === "string") return { type: "text", value };
  if (typeof value === "number") {
    return Number.isSafeInteger(value)
      ? { type: "integer", value: String(value) }
      : { type: "float", value };
  }
  return { type: "blob", base64: base64Of(value) };
}

function resultOf(result: HranaResult): DriverResult {
  return {
    columns: result.cols.map(({ name }) => name ?? ""),
    rows: result.rows.map((row) => row.map(valueOf)),
    changes: result.affected_row_count,
  };
}

function valueOf(value: HranaValue): unknown {
  switch (value.type) {
    case "null":
      return null;
    case "integer": {
      const number = Number(value.value);
      return Number.isSafeInteger(number) ? number : BigInt(value.value);
    }
    case "blob":
      return Uint8Array.from(atob(value.base64), (char) => char.charCodeAt(0));
    default:
      return value.value;
  }
}

// String.fromCharCode takes its bytes as arguments, of which there may not be too many.
function base64Of(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return btoa(binary);
}

function endpointOf(url: string): string {
  const address = url.replace(/^libsql:/, "https:").replace(/\/+$/, "");
  if (/^https?:/.test(address) && URL.canParse(address)) {
    return `${address}/v3/pipeline`;
  }
  throw new ConnectionError(
    "sql/connection",
    "Cannot use the address: it does not read libsql://host or https://host; check the setting",
  );
}

function hranaError({ message, code }: HranaError): Error {
  return Object.assign(new Error(message), { code: code ?? undefined });
}

function unreadable(): SqlError {
  return new SqlError(
    "sql/http",
    "Cannot read the answer: it is not what Hrana says; check the address",
  );
}

function isAnswer(value: unknown): value is HranaAnswer {
  return typeof value === "object" && value !== null;
}

/**
 * Neon's SQL over HTTP in front of a real Postgres, for the unmodified
 * `@neondatabase/serverless` driver (`neonConfig.fetchEndpoint = () => url`).
 *
 * Speaks: `POST /sql` with one statement or `{queries}` as one transaction,
 * array mode, raw text, isolation level, read only, deferrable, errors as status
 * 400 with SQLSTATE and the server's other fields, size limits as 507.
 *
 * Cannot do: WebSockets (`Pool`, `Client`), JWT, values other than as raw text
 * (the driver always asks for that), cancelling when the client leaves.
 *
 * @module
 */
import { type HttpServer, listen, type ListenOptions } from "./http_server.ts";
import type { Postgres, PostgresQuery, PostgresResult } from "./postgres.ts";

/** How to serve. */
export interface NeonServerOptions extends ListenOptions {
  /** @default {"aludel"} */
  readonly user?: string;
  /** @default {"secret"} */
  readonly password?: string;
  /**
   * The most bytes of a request or an answer.
   * @default {67_108_864} 64 MiB
   */
  readonly maxBytes?: number;
}

/** A running stand-in. */
export interface NeonServer extends HttpServer {
  /** The endpoint: the address with `/sql`. */
  readonly endpoint: string;
  /** What the driver is given for a database. */
  connectionString(database?: string): string;
  /** Statements that arrived in those requests. */
  readonly statements: number;
}

interface Statement {
  readonly query: string;
  readonly params?: readonly unknown[];
  readonly arrayMode?: boolean;
}

/**
 * Starts the stand-in in front of `postgres`, which stays the caller's: dispose
 * of it after this. Each request has a connection of its own, so as many run at
 * once as the Postgres has connections.
 *
 * @throws {Error} If the port is in use.
 */
export function startNeonServer(
  postgres: Postgres,
  options: NeonServerOptions = {},
): NeonServer {
  const user = options.user ?? "aludel";
  const password = options.password ?? "secret";
  const maxBytes = options.maxBytes ?? 64 * 1024 * 1024;
  let statements = 0;

  const answer = async (request: Request): Promise<Response> => {
    const { headers, method } = request;
    if (new URL(request.url).pathname !== "/sql") {
      return refuse(404, "no route");
    }
    if (method !== "POST") return refuse(405, "method not allowed");
    const database = authorize(headers.get("neon-connection-string"));
    if (headers.get("neon-raw-text-output") !== "true") {
      throw new BadRequest("this stand-in needs Neon-Raw-Text-Output: true");
    }
    const text = await request.text();
    if (text.length > maxBytes) throw new BadRequest("request is too large");
    const body = parseBody(text);
    const begin = beginText(headers);
    const arrayMode = headers.get("neon-array-mode") === "true";
    const list = "queries" in body ? body.queries : [body];
    statements += list.length;

    const run = async (query: PostgresQuery) => {
      const results: object[] = [];
      for (const one of list) {
        const result = await query(one.query, (one.params ?? []).map(toText));
        results.push(toBody(result, one.arrayMode ?? arrayMode));
      }
      return results;
    };
    const reply = await postgres.withConnection(database, async (query) => {
      if (!("queries" in body)) return (await run(query))[0]!;
      await query(begin);
      const results = await run(query);
      await query("COMMIT");
      return { results };
    });
    const json = JSON.stringify(reply);
    if (json.length > maxBytes) {
      return refuse(
        507,
        `response is too large (max is ${maxBytes} bytes)`,
      );
    }
    return new Response(json, {
      headers: { "content-type": "application/json" },
    });
  };

  const authorize = (connectionString: string | null): string => {
    if (connectionString === null) {
      throw new BadRequest("missing Neon-Connection-String header");
    }
    const url = URL.parse(connectionString);
    if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
      throw new BadRequest("invalid connection string");
    }
    if (
      decodeURIComponent(url.username) !== user ||
      decodeURIComponent(url.password) !== password
    ) {
      throw new BadRequest(
        `password authentication failed for user '${url.username}'`,
      );
    }
    return decodeURIComponent(url.pathname.slice(1)) || "postgres";
  };

  const server = listen(answer, toErrorBody, options);
  const host = server.url.slice("http://".length);
  return {
    url: server.url,
    endpoint: `${server.url}/sql`,
    connectionString: (database = "postgres") =>
      `postgresql://${encodeURIComponent(user)}:${
        encodeURIComponent(password)
      }@${host}/${encodeURIComponent(database)}`,
    get requests() {
      return server.requests;
    },
    get statements() {
      return statements;
    },
    reset() {
      server.reset();
      statements = 0;
    },
    dispose: server.dispose,
    [Symbol.asyncDispose]: server.dispose,
  };
}

class BadRequest extends Error {}

function refuse(status: number, message: string): Response {
  return Response.json({ message, code: null }, { status });
}

function parseBody(text: string): Statement | { queries: Statement[] } {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new BadRequest("could not parse the request body as JSON");
  }
  if (isStatement(body)) return body;
  const queries = (body as { queries?: unknown } | null)?.queries;
  if (Array.isArray(queries) && queries.every(isStatement)) return { queries };
  throw new BadRequest("the request body has neither `query` nor `queries`");
}

function isStatement(body: unknown): body is Statement {
  if (typeof body !== "object" || body === null) return false;
  const { query, params } = body as Partial<Statement>;
  return typeof query === "string" &&
    (params === undefined || Array.isArray(params));
}

const ISOLATION_LEVELS: Readonly<Record<string, string>> = {
  ReadUncommitted: "READ UNCOMMITTED",
  ReadCommitted: "READ COMMITTED",
  RepeatableRead: "REPEATABLE READ",
  Serializable: "SERIALIZABLE",
};

function beginText(headers: Headers): string {
  const name = headers.get("neon-batch-isolation-level");
  const level = name === null ? undefined : ISOLATION_LEVELS[name];
  if (name !== null && level === undefined) {
    throw new BadRequest(`invalid isolation level: ${name}`);
  }
  const readOnly = headers.get("neon-batch-read-only");
  return "BEGIN" +
    (level === undefined ? "" : ` ISOLATION LEVEL ${level}`) +
    (readOnly === null
      ? ""
      : readOnly === "true"
      ? " READ ONLY"
      : " READ WRITE") +
    (headers.get("neon-batch-deferrable") === "true" ? " DEFERRABLE" : "");
}

/** What a JSON parameter is to Postgres. */
function toText(value: unknown): string | null {
  if (value === null) return null;
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return toArrayLiteral(value);
  return JSON.stringify(value);
}

/** Elements are quoted as JSON quotes text, as Neon's proxy does. */
function toArrayLiteral(values: readonly unknown[]): string {
  const items = values.map((value) => {
    if (value === null) return "NULL";
    if (Array.isArray(value)) return toArrayLiteral(value);
    const json = JSON.stringify(value);
    return typeof value === "object" ? JSON.stringify(json) : json;
  });
  return `{${items.join(",")}}`;
}

function toBody(result: PostgresResult, arrayMode: boolean): object {
  const { command, rowCount, rows } = result;
  const fields = result.fields.map((field) => ({
    name: field.name,
    dataTypeID: field.dataTypeID,
    tableID: field.tableID,
    columnID: field.columnID,
    dataTypeSize: field.dataTypeSize,
    dataTypeModifier: field.dataTypeModifier,
    format: "text",
  }));
  const objects = () =>
    rows.map((row) =>
      Object.fromEntries(row.map((value, i) => [fields[i]!.name, value]))
    );
  return {
    command,
    rowCount,
    rowAsArray: arrayMode,
    fields,
    rows: arrayMode ? rows : objects(),
  };
}

/** The fields of a server's error, in the names that the driver expects. */
const ERROR_FIELDS = [
  ...["code", "detail", "hint", "position", "internalPosition"],
  ...["internalQuery", "severity", "where", "table", "column", "schema"],
  ...["dataType", "constraint", "file", "line", "routine"],
] as const;

function toErrorBody(error: unknown): Response {
  const { message } = error as Error;
  const given = error as Record<string, unknown>;
  const fields = ERROR_FIELDS.map((name) => [name, given[name] ?? null]);
  const known = error instanceof BadRequest || typeof given.code === "string";
  return Response.json(
    { message, ...Object.fromEntries(fields) },
    { status: known ? 400 : 500 },
  );
}

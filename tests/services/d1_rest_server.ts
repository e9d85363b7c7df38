/**
 * Cloudflare's REST interface of D1 in front of a real D1 in workerd.
 *
 * Speaks: `POST /accounts/{account}/d1/database/{id}/query` and `/raw`, each with
 * `{sql, params}` (several statements too) or `{batch: [...]}`, bearer token, the
 * envelope `{success, errors, messages, result}`.
 *
 * Cannot do: the other routes (listing, creating, importing databases), rate
 * limits, parameters for several statements in one text.
 *
 * @module
 */
import type { D1Meta, RelayedD1 } from "./d1_binding.ts";
import {
  hasBearer,
  type HttpServer,
  listen,
  type ListenOptions,
} from "./http_server.ts";

/** How to serve. */
export interface D1RestServerOptions extends ListenOptions {
  /** The databases by their id. */
  readonly databases: Readonly<Record<string, RelayedD1>>;
  /** @default {"account"} */
  readonly account?: string;
  /** @default {"token"} */
  readonly token?: string;
}

/** A running stand-in. */
export interface D1RestServer extends HttpServer {
  /** The account that it answers for. */
  readonly account: string;
  /** The token that it accepts. */
  readonly token: string;
}

interface Statement {
  readonly sql: string;
  readonly params?: readonly unknown[];
}

interface Result {
  readonly success: true;
  readonly meta: D1Meta;
  readonly results: unknown;
}

/**
 * Starts the stand-in in front of D1 bindings, such as `workerd.d1("DB")`.
 *
 * @throws {Error} If the port is in use.
 */
export function startD1RestServer(options: D1RestServerOptions): D1RestServer {
  const account = options.account ?? "account";
  const token = options.token ?? "token";
  const answer = async (request: Request): Promise<Response> => {
    if (!hasBearer(request, token)) {
      throw new Refusal(401, 10000, "Authentication error");
    }
    const { pathname } = new URL(request.url);
    const found = /\/accounts\/([^/]+)\/d1\/database\/([^/]+)\/(query|raw)$/
      .exec(pathname);
    if (!found || request.method !== "POST") {
      throw new Refusal(404, 7003, "No route for that URI");
    }
    const [, forAccount, id = "", form] = found;
    const db = options.databases[decodeURIComponent(id)];
    if (forAccount !== account || db === undefined) {
      throw new Refusal(404, 7404, `The database ${id} could not be found`);
    }
    const statements = parseBody(await request.text());
    const result = await run(db, statements, form === "raw");
    return Response.json({ result, success: true, errors: [], messages: [] });
  };
  const server = listen(answer, (error) => {
    const { message } = error as Error;
    const { status, code } = error instanceof Refusal
      ? error
      : { status: 400, code: 7500 };
    const text = message.replace(/^D1_ERROR: /, "");
    return Response.json(
      {
        result: [],
        success: false,
        errors: [{ code, message: text }],
        messages: [],
      },
      { status },
    );
  }, options);
  return {
    url: server.url,
    account,
    token,
    get requests() {
      return server.requests;
    },
    reset: server.reset,
    dispose: server.dispose,
    [Symbol.asyncDispose]: server.dispose,
  };
}

class Refusal extends Error {
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

function parseBody(text: string): Statement[] {
  let body: (Partial<Statement> & { batch?: unknown }) | null;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Refusal(400, 7400, "The request is malformed: it is not JSON");
  }
  if (Array.isArray(body?.batch) && body.batch.every(isStatement)) {
    return body.batch;
  }
  if (!isStatement(body)) {
    throw new Refusal(
      400,
      7400,
      "The request is malformed: it has neither `sql` nor `batch`",
    );
  }
  const texts = splitStatements(body.sql);
  if (texts.length < 2) return [body];
  if (body.params?.length) {
    throw new Refusal(
      400,
      7400,
      "This stand-in takes no `params` for several statements; use `batch`",
    );
  }
  return texts.map((sql) => ({ sql }));
}

function isStatement(value: unknown): value is Statement {
  if (typeof value !== "object" || value === null) return false;
  const { sql, params } = value as Partial<Statement>;
  return typeof sql === "string" &&
    (params === undefined || Array.isArray(params));
}

async function run(
  db: RelayedD1,
  statements: readonly Statement[],
  raw: boolean,
): Promise<Result[]> {
  const answers = await db.columns(
    statements.map(({ sql, params = [] }) => ({ sql, params })),
  );
  return answers.map(({ columns, rows, meta }) => ({
    success: true,
    meta,
    results: raw
      ? { columns, rows }
      : rows.map((row) =>
        Object.fromEntries(row.map((value, i) => [columns[i]!, value]))
      ),
  }));
}

/**
 * Splits a script at semicolons outside quotes, comments and trigger bodies.
 */
export function splitStatements(script: string): string[] {
  const token =
    /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|;|\w+/g;
  const statements: string[] = [];
  let start = 0;
  let words: string[] = [];
  let depth = 0;
  const cut = (end: number) => {
    if (words.length > 0) statements.push(script.slice(start, end).trim());
    start = end + 1;
    words = [];
    depth = 0;
  };
  for (const { 0: text, index } of script.matchAll(token)) {
    if (text === ";") {
      if (depth === 0) cut(index);
    } else if (!/^(--|\/\*)/.test(text)) {
      words.push(text.toUpperCase());
      const trigger = words[0] === "CREATE" &&
        words.slice(1, 4).includes("TRIGGER");
      if (trigger && /^(BEGIN|CASE)$/i.test(text)) depth++;
      if (trigger && /^END$/i.test(text)) depth--;
    }
  }
  cut(script.length);
  return statements;
}

/**
 * Hrana 3 over HTTP, as libSQL's server and Turso speak it, in front of a real
 * SQLite file.
 *
 * Speaks: `/v3/pipeline` (and `/v2/pipeline`) with `execute`, `batch` and its
 * conditions, `sequence`, `describe`, `store_sql`, `close_sql`,
 * `get_autocommit`, `close`; batons; `/v3/cursor`; JSON. Every stream is a
 * connection of its own, so locks between streams are real; foreign keys are on,
 * as at Turso.
 *
 * Cannot do: Protocol Buffers (so `@libsql/client` falls back to version 2, the
 * same in JSON), WebSockets, `base_url`, replicas, waiting for a
 * lock (a locked database answers `SQLITE_BUSY` at once), vectors and other
 * extensions of libSQL.
 *
 * @module
 */
// deno-lint-ignore-file camelcase -- the protocol's own names
import {
  HranaError,
  type HranaResult,
  HranaSqlite,
  type HranaStmt,
} from "./hrana_sqlite.ts";
import {
  hasBearer,
  type HttpServer,
  listen,
  type ListenOptions,
} from "./http_server.ts";

/** How to serve. */
export interface HranaServerOptions extends ListenOptions {
  /** @default {"token"} */
  readonly token?: string;
  /**
   * Tells the time in milliseconds; a stream that was idle for 10 s is closed.
   * @default {Date.now}
   */
  readonly now?: () => number;
}

/** A running stand-in. */
export interface HranaServer extends HttpServer {
  /** The token that it accepts. */
  readonly token: string;
  /** Streams that are open between requests. */
  readonly streams: number;
}

type Condition =
  | { type: "ok" | "error"; step: number }
  | { type: "not"; cond: Condition }
  | { type: "and" | "or"; conds: Condition[] }
  | { type: "is_autocommit" };

interface Batch {
  readonly steps: readonly {
    readonly stmt: HranaStmt;
    readonly condition?: Condition | null;
  }[];
}

interface StreamRequest {
  readonly type: string;
  readonly stmt?: HranaStmt;
  readonly batch?: Batch;
  readonly sql?: string | null;
  readonly sql_id?: number;
}

interface Stream {
  readonly id: string;
  readonly db: HranaSqlite;
  readonly texts: Map<number, string>;
  turn: number;
  usedAt: number;
}

const IDLE_MS = 10_000;

/**
 * Starts the stand-in with an empty database in a temporary directory.
 *
 * @throws {Error} If the port is in use.
 */
export async function startHranaServer(
  options: HranaServerOptions = {},
): Promise<HranaServer> {
  const token = options.token ?? "token";
  const now = options.now ?? Date.now;
  const directory = await Deno.makeTempDir({ prefix: "aludel-hrana-" });
  const path = `${directory}/database.sqlite`;
  const streams = new Map<string, Stream>();

  const open = (baton: string | null | undefined): Stream => {
    for (const [id, stream] of streams) {
      if (now() - stream.usedAt < IDLE_MS) continue;
      stream.db.close();
      streams.delete(id);
    }
    if (baton === null || baton === undefined) {
      return {
        id: crypto.randomUUID(),
        db: new HranaSqlite(path),
        texts: new Map(),
        turn: 0,
        usedAt: now(),
      };
    }
    const [id = "", turn] = baton.split(".");
    const stream = streams.get(id);
    // A baton is good for one request: two at once would share a connection.
    if (!stream || turn !== String(stream.turn)) {
      throw new HranaError(
        "The stream has expired due to inactivity or the baton is invalid",
        "STREAM_EXPIRED",
      );
    }
    streams.delete(id);
    return stream;
  };

  const keep = (stream: Stream): string => {
    stream.turn++;
    stream.usedAt = now();
    streams.set(stream.id, stream);
    return `${stream.id}.${stream.turn}`;
  };

  const pipeline = (body: {
    baton?: string | null;
    requests: StreamRequest[];
  }): Response => {
    if (!Array.isArray(body.requests)) {
      throw new HranaError("the body has no `requests`", "PROTOCOL_ERROR");
    }
    const stream = open(body.baton);
    let closed = false;
    const results = body.requests.map((request) => {
      try {
        if (request.type === "close") {
          closed = true;
          return { type: "ok", response: { type: "close" } };
        }
        const response = { type: request.type, ...answer(stream, request) };
        return { type: "ok", response };
      } catch (error) {
        return { type: "error", error: toError(error) };
      }
    });
    if (closed) stream.db.close();
    const baton = closed ? null : keep(stream);
    return Response.json({ baton, base_url: null, results });
  };

  const cursor = (body: { baton?: string | null; batch: Batch }): Response => {
    if (!Array.isArray(body.batch?.steps)) {
      throw new HranaError("the body has no `batch`", "PROTOCOL_ERROR");
    }
    const stream = open(body.baton);
    const entries: object[] = [];
    runBatch(stream, body.batch, (step, result, error) => {
      if (error) entries.push({ type: "step_error", step, error });
      if (!result) return;
      const { cols, rows, ...end } = result;
      entries.push({ type: "step_begin", step, cols });
      for (const row of rows) entries.push({ type: "row", row });
      entries.push({ type: "step_end", ...end });
    });
    const lines = [{ baton: keep(stream), base_url: null }, ...entries];
    return new Response(
      lines.map((line) => JSON.stringify(line) + "\n").join(""),
      { headers: { "content-type": "application/x-ndjson" } },
    );
  };

  const route = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    if (/^\/v[23]$/.test(pathname) && request.method === "GET") {
      return new Response(null);
    }
    const handler = /^\/v[23]\/pipeline$/.test(pathname)
      ? pipeline
      : pathname === "/v3/cursor"
      ? cursor
      : undefined;
    if (!handler || request.method !== "POST") {
      return Response.json({ error: "not found" }, { status: 404 });
    }
    if (!hasBearer(request, token)) {
      return Response.json(
        { error: "Unauthorized: the token is missing or wrong" },
        { status: 401 },
      );
    }
    let body;
    try {
      body = JSON.parse(await request.text());
    } catch {
      throw new HranaError("the body is not JSON", "PROTOCOL_ERROR");
    }
    return handler(body);
  };

  let server: HttpServer;
  try {
    server = listen(
      route,
      (error) =>
        Response.json(toError(error), {
          status: error instanceof HranaError ? 400 : 500,
        }),
      options,
    );
  } catch (error) {
    await Deno.remove(directory, { recursive: true });
    throw error;
  }
  let disposed: Promise<void> | undefined;
  const dispose = () =>
    disposed ??= (async () => {
      await server.dispose();
      for (const stream of streams.values()) stream.db.close();
      await Deno.remove(directory, { recursive: true });
    })();
  return {
    url: server.url,
    token,
    get requests() {
      return server.requests;
    },
    get streams() {
      return streams.size;
    },
    reset: server.reset,
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

function answer(stream: Stream, request: StreamRequest): object {
  switch (request.type) {
    case "execute": {
      const stmt = request.stmt!;
      return { result: stream.db.execute(textOf(stream, stmt), stmt) };
    }
    case "batch": {
      const count = request.batch!.steps.length;
      const step_results: (HranaResult | null)[] = Array(count).fill(null);
      const step_errors: (object | null)[] = Array(count).fill(null);
      runBatch(stream, request.batch!, (step, result, error) => {
        step_results[step] = result ?? null;
        step_errors[step] = error ?? null;
      });
      return { result: { step_results, step_errors } };
    }
    case "sequence":
      stream.db.sequence(textOf(stream, request));
      return {};
    case "describe":
      return { result: stream.db.describe(textOf(stream, request)) };
    case "get_autocommit":
      return { is_autocommit: stream.db.isAutocommit };
    case "store_sql":
      stream.texts.set(request.sql_id!, request.sql!);
      return {};
    case "close_sql":
      stream.texts.delete(request.sql_id!);
      return {};
    default:
      throw new HranaError(
        `unknown request type "${request.type}"`,
        "PROTOCOL_ERROR",
      );
  }
}

function textOf(
  stream: Stream,
  from: { readonly sql?: string | null; readonly sql_id?: number | null },
): string {
  const sql = from.sql ?? stream.texts.get(from.sql_id ?? NaN);
  if (sql !== undefined) return sql;
  throw new HranaError("SQL text is not stored", "SQL_NOT_FOUND");
}

/** Runs the steps whose condition holds; reports each one that ran. */
function runBatch(
  stream: Stream,
  batch: Batch,
  report: (step: number, result?: HranaResult, error?: object) => void,
): void {
  const outcomes: ("ok" | "error" | undefined)[] = [];
  const holds = (condition: Condition): boolean => {
    switch (condition.type) {
      case "ok":
      case "error":
        return outcomes[condition.step] === condition.type;
      case "not":
        return !holds(condition.cond);
      case "and":
        return condition.conds.every(holds);
      case "or":
        return condition.conds.some(holds);
      case "is_autocommit":
        return stream.db.isAutocommit;
    }
  };
  batch.steps.forEach(({ stmt, condition }, step) => {
    if (condition && !holds(condition)) return;
    try {
      report(step, stream.db.execute(textOf(stream, stmt), stmt));
      outcomes[step] = "ok";
    } catch (error) {
      report(step, undefined, toError(error));
      outcomes[step] = "error";
    }
  });
}

function toError(error: unknown): { message: string; code: string | null } {
  const { message } = error as Error;
  return { message, code: error instanceof HranaError ? error.code : null };
}

/**
 * Upstash's REST protocol in front of a real Redis, for the unmodified
 * `@upstash/redis` client.
 *
 * Speaks: a command as JSON array (`POST /`), as path (`/set/key/value?EX=9`,
 * a body as last argument), `/pipeline`, `/multi-exec`, base64 answers, bearer
 * token or `?_token=`, error bodies and statuses, the sync token header.
 *
 * Cannot do: `/subscribe` and `/monitor` (server-sent events), RESP2 answers,
 * read-only tokens, replicas that lag (one Redis is always consistent), limits
 * of a plan. As at Upstash, blocking commands and those that belong to a
 * connection are refused.
 *
 * @module
 */
import {
  hasBearer,
  type HttpServer,
  listen,
  type ListenOptions,
} from "./http_server.ts";
import type { Redis } from "./redis.ts";
import {
  type RespCommand,
  RespError,
  type RespReply,
  RespStatus,
} from "./resp.ts";

/** How to serve. */
export interface UpstashServerOptions extends ListenOptions {
  /** @default {"token"} */
  readonly token?: string;
}

/** A running stand-in; `new Redis({ url, token })` is its client. */
export interface UpstashServer extends HttpServer {
  /** The token that it accepts. */
  readonly token: string;
  /** Commands that arrived in those requests; Upstash bills each. */
  readonly commands: number;
}

/** Belong to a connection, or block it: a REST call cannot have them. */
const REFUSED: ReadonlySet<string> = new Set(
  ("AUTH BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN CLIENT " +
    "DISCARD EXEC HELLO MONITOR MULTI PSUBSCRIBE PUNSUBSCRIBE QUIT RESET SELECT " +
    "SHUTDOWN SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE UNSUBSCRIBE UNWATCH WAIT WATCH")
    .split(" "),
);

/**
 * Starts the stand-in in front of `redis`. The Redis stays the caller's: dispose
 * of it after this.
 *
 * @throws {Error} If the port is in use.
 */
export async function startUpstashServer(
  redis: Redis,
  options: UpstashServerOptions = {},
): Promise<UpstashServer> {
  const token = options.token ?? "token";
  const connection = await redis.connect();
  let commands = 0;
  let answers = 0;

  const run = async (batch: readonly RespCommand[]) => {
    commands += batch.length;
    const allowed = batch.filter((command) => refusal(command) === undefined);
    const replies = await connection.send(allowed);
    return batch.map((command) => refusal(command) ?? replies.shift()!);
  };

  const transaction = async (batch: readonly RespCommand[]) => {
    commands += batch.length;
    const refused = batch.map(refusal).find((error) => error !== undefined);
    if (refused) return refused;
    const replies = await connection.send([["MULTI"], ...batch, ["EXEC"]]);
    return replies.at(-1)!;
  };

  const answer = async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    const authorized = hasBearer(request, token) ||
      url.searchParams.get("_token") === token;
    if (!authorized) return failure("Unauthorized", 401);
    if (!["GET", "POST", "PUT", "HEAD"].includes(request.method)) {
      return failure(`ERR method not allowed: ${request.method}`, 405);
    }
    const encode = request.headers.get("upstash-encoding") === "base64"
      ? toBase64
      : toText;
    const item = (reply: RespReply) =>
      reply instanceof RespError
        ? { error: reply.message }
        : { result: toJson(reply, encode) };
    const whole = (reply: RespReply) =>
      Response.json(item(reply), {
        status: reply instanceof RespError ? 400 : 200,
      });
    const body = new Uint8Array(await request.arrayBuffer());
    switch (url.pathname) {
      case "/": {
        if (request.method !== "POST") return failure(NO_COMMAND, 400);
        const command = parseCommand(parseJson(body));
        return whole((await run([command]))[0]!);
      }
      case "/pipeline":
        return Response.json((await run(parseBatch(body))).map(item));
      case "/multi-exec": {
        const reply = await transaction(parseBatch(body));
        return Array.isArray(reply)
          ? Response.json(reply.map(item))
          : whole(reply);
      }
      default:
        return whole((await run([pathCommand(url, body)]))[0]!);
    }
  };

  const server = listen(
    async (request) => {
      const response = await answer(request);
      response.headers.set("upstash-sync-token", `aludel:${++answers}`);
      return response;
    },
    (error) =>
      error instanceof BadRequest
        ? failure(error.message, 400)
        : failure(`ERR ${(error as Error).message}`, 500),
    options,
  );
  const dispose = async () => {
    await server.dispose();
    await connection.dispose();
  };
  return {
    url: server.url,
    token,
    get requests() {
      return server.requests;
    },
    get commands() {
      return commands;
    },
    reset() {
      server.reset();
      commands = 0;
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

class BadRequest extends Error {}

const NO_COMMAND = "ERR empty command";
const utf8 = new TextDecoder();

function failure(error: string, status: number): Response {
  return Response.json({ error }, { status });
}

function refusal(command: RespCommand): RespError | undefined {
  const name = String(command[0]).toUpperCase();
  if (!REFUSED.has(name)) return undefined;
  return new RespError(`ERR Command is not available: '${name}'`);
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch {
    throw new BadRequest("ERR failed to parse command: the body is not JSON");
  }
}

function parseBatch(body: Uint8Array): RespCommand[] {
  const batch = parseJson(body);
  if (Array.isArray(batch) && batch.length > 0) return batch.map(parseCommand);
  throw new BadRequest("ERR failed to parse pipeline request: no commands");
}

function parseCommand(command: unknown): RespCommand {
  if (!Array.isArray(command)) {
    throw new BadRequest("ERR failed to parse command: it is not an array");
  }
  if (command.length === 0) throw new BadRequest(NO_COMMAND);
  return command.map((argument) => {
    if (typeof argument === "string") return argument;
    if (typeof argument === "object" && argument !== null) {
      return JSON.stringify(argument);
    }
    return String(argument);
  });
}

/** `/set/key/value?EX=9&NX`; a body stands after the path's last part. */
function pathCommand(url: URL, body: Uint8Array): RespCommand {
  const parts = url.pathname.slice(1).split("/").map(decodeURIComponent);
  const flags = [...url.searchParams].filter(([name]) => name !== "_token")
    .flatMap(([name, value]) => value === "" ? [name] : [name, value]);
  return [...parts, ...(body.length === 0 ? [] : [body]), ...flags];
}

type Encode = (bytes: Uint8Array) => string;

function toJson(reply: RespReply, encode: Encode): unknown {
  if (reply instanceof RespStatus) {
    // Alone of all texts "OK" is sent as it is: the client knows it.
    return reply.text === "OK"
      ? "OK"
      : encode(new TextEncoder().encode(reply.text));
  }
  if (reply instanceof RespError) return reply.message;
  if (reply instanceof Uint8Array) return encode(reply);
  if (Array.isArray(reply)) return reply.map((one) => toJson(one, encode));
  return reply;
}

/** Bytes that are no UTF-8 become U+FFFD, as at Upstash. */
const toText: Encode = (bytes) => utf8.decode(bytes);

const toBase64: Encode = (bytes) =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

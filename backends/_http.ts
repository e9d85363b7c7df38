import {
  ConnectionError,
  LimitError,
  OverloadedError,
  SqlError,
  TimeoutError,
} from "../sql/mod.ts";

/** The part of `fetch` that drivers use. */
export type FetchLike = (
  url: string,
  init: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    readonly signal?: AbortSignal;
  },
) => Promise<Response>;

/** How a driver reaches its server. */
export interface HttpOptions {
  /** The function that sends requests. @default the global `fetch` */
  readonly fetch?: FetchLike;
  /** How long an answer may take, in milliseconds. @default no limit of our own */
  readonly timeout?: number;
}

/** A server's answer: its status and its body, parsed where it is JSON. */
export interface HttpAnswer {
  /** The status. */
  readonly status: number;
  /** The parsed body; `undefined` where it is no JSON. */
  readonly body: unknown;
}

/**
 * Posts JSON and reads JSON. Neither headers nor body ever stand in an error:
 * they hold secrets and values.
 *
 * @throws {ConnectionError} If the server cannot be reached.
 * @throws {TimeoutError} If it takes longer than `timeout`.
 */
export async function postJson(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: unknown,
  { fetch: send = globalThis.fetch, timeout }: HttpOptions,
): Promise<HttpAnswer> {
  try {
    const response = await send(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
      ...(timeout === undefined
        ? {}
        : { signal: AbortSignal.timeout(timeout) }),
    });
    const text = await response.text();
    return { status: response.status, body: parse(text) };
  } catch (cause) {
    if (cause instanceof Error && cause.name === "TimeoutError") {
      throw new TimeoutError(
        "sql/timeout",
        `Cannot reach the database: no answer within ${timeout} ms`,
        { cause },
      );
    }
    throw new ConnectionError(
      "sql/connection",
      "Cannot reach the database: the request failed; see the cause",
      { cause, isRetryable: true },
    );
  }
}

/** What a status other than success means, where the body does not say. */
export function statusError(status: number): SqlError {
  const at = `the server answered with status ${status}`;
  if (status === 429 || status === 503) {
    return new OverloadedError(
      "sql/overloaded",
      `Cannot run the statement: ${at}; try later`,
      { isRetryable: true },
    );
  }
  if (status === 408 || status === 504) {
    return new TimeoutError("sql/timeout", `Cannot run the statement: ${at}`);
  }
  if (status === 413 || status === 507) {
    return new LimitError(
      "sql/limit",
      `Cannot run the statement: ${at}, since request or answer are too large`,
    );
  }
  if (status === 401 || status === 403 || status === 404) {
    return new ConnectionError(
      "sql/connection",
      `Cannot reach the database: ${at}; check its address and credentials`,
    );
  }
  return status >= 500
    ? new ConnectionError(
      "sql/connection",
      `Cannot reach the database: ${at}`,
      {
        isRetryable: true,
      },
    )
    : new SqlError("sql/http", `Cannot run the statement: ${at}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

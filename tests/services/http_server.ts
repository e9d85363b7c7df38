/**
 * The frame of every stand-in: HTTP on the loopback interface, counted.
 *
 * @module
 */

/** Where to listen. */
export interface ListenOptions {
  /**
   * The port on 127.0.0.1; 0 takes any free one.
   * @default {0}
   */
  readonly port?: number;
}

/** A running stand-in. */
export interface HttpServer extends AsyncDisposable {
  /** Its address, without a slash at the end. */
  readonly url: string;
  /** Requests that have arrived; each is one network round trip of a client. */
  readonly requests: number;
  /** Sets every count back to 0. */
  reset(): void;
  /** Stops listening, cuts what is open. Calling it again does nothing. */
  dispose(): Promise<void>;
}

/**
 * Listens and answers with `handle`. What `handle` throws becomes status 500 with
 * the text that `failure` makes of it.
 *
 * @throws {Error} If the port is in use.
 */
export function listen(
  handle: (request: Request) => Promise<Response>,
  failure: (error: unknown) => Response,
  options: ListenOptions = {},
): HttpServer {
  const port = options.port ?? 0;
  const cut = new AbortController();
  let requests = 0;
  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    server = Deno.serve({
      hostname: "127.0.0.1",
      port,
      signal: cut.signal,
      onListen() {},
      onError: failure,
    }, (request) => {
      requests++;
      return handle(request);
    });
  } catch (cause) {
    if (!(cause instanceof Deno.errors.AddrInUse)) throw cause;
    throw new Error(
      `Cannot listen on 127.0.0.1:${port}: the port is in use; ` +
        "choose another, or 0 for any free one",
      { cause },
    );
  }
  const dispose = async () => {
    cut.abort();
    await server.finished;
  };
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    get requests() {
      return requests;
    },
    reset() {
      requests = 0;
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** Whether the request carries `Authorization: Bearer <token>`. */
export function hasBearer(request: Request, token: string): boolean {
  return request.headers.get("authorization") === `Bearer ${token}`;
}

import type { Session } from "../orm/mod.ts";

/**
 * What is used of Hono's context. `Hono` hands over its own, which has all of it.
 *
 * @typeParam Bindings What the application is bound to.
 */
export interface HonoContext<Bindings> {
  /** What the application is bound to. */
  readonly env: Bindings;
  /** The request. */
  readonly req: {
    /** As the platform gave it. */
    readonly raw: Request;
    /** Its method, in capitals. */
    readonly method: string;
    /** Its whole address. */
    readonly url: string;
  };
  /** The response, once there is one. */
  res: Response;
  /** Puts a variable into `c.var`. */
  set(key: "session", session: Session): void;
  /** Sets a header of the response. */
  header(name: string, value: string, options?: { append?: boolean }): void;
  /** Makes a response with the headers that were set before. */
  newResponse(
    body: Uint8Array<ArrayBuffer> | string | null,
    init: { status: never; headers: Record<string, string> },
  ): Response;
}

/** What `app.use()` takes. */
export type HonoMiddleware<Bindings> = (
  context: HonoContext<Bindings>,
  next: () => Promise<void>,
) => Promise<Response | void>;

/**
 * The environment of an application whose requests have a session:
 * `new Hono<AludelEnv<Env>>()` knows `c.var.session`, and `c.env` as `Env`.
 *
 * @typeParam Bindings What the application is bound to. Without it `c.env` is
 * not checked.
 * @typeParam S The class of its sessions.
 */
export interface AludelEnv<
  // deno-lint-ignore no-explicit-any -- what an application is bound to, it alone can say
  Bindings extends object = any,
  S extends Session = Session,
> {
  /** What the application is bound to. */
  Bindings: Bindings;
  /** What each request carries. */
  Variables: {
    /** The session of this request. */
    session: S;
  };
}

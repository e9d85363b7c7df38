import { platformRuntime } from "../cache/mod.ts";
import type { Session } from "../orm/mod.ts";
import { bookmarkIn, type BookmarkPlace, handOn } from "./bookmark.ts";
import type { HonoContext, HonoMiddleware } from "./context.ts";

/** What a session of a request may be opened with. */
export interface RequestState {
  /**
   * What the client's last request has seen of a D1 database, where
   * `bookmark` says how it travels: `env.DB.withSession(bookmark ?? "first-unconstrained")`.
   */
  readonly bookmark: string | undefined;
}

/** Settings of {@linkcode sessionMiddleware}. */
export interface SessionMiddlewareOptions {
  /** Where the session's bookmark travels; nowhere without it. */
  readonly bookmark?: BookmarkPlace;
  /**
   * Whether a response is still made while it is sent, so that the session is
   * closed at its end. @default those that say `Transfer-Encoding` or are
   * `text/event-stream`, as Hono's streamText() and streamSSE() do
   */
  readonly isStream?: (response: Response) => boolean;
}

// Who goes on using a session after its response was made.
const uses = new WeakMap<Session, Promise<unknown>[]>();

/**
 * Opens a session for each request, `c.var.session`, and closes it after the
 * response, also after one that failed.
 *
 * What was not committed by then is rolled back, and told to the session's
 * `warn`. Where the response is made while it is sent, or work goes on behind it
 * ({@linkcode holdSession}), the session is closed at the end of that.
 *
 * @example
 * ```ts
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { type AludelEnv, sessionMiddleware } from "@aludel/aludel/hono";
 * import { Entity, integer, Session, text } from "@aludel/aludel/orm";
 * import { createEngine, MetaData, select } from "@aludel/aludel/sql";
 * import { Hono } from "hono";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
 *   static override metadata = new MetaData();
 * }
 * class User extends Base.table("users", { name: text() }) {}
 * await using engine = createEngine(sqlite(":memory:"));
 * await Base.metadata.createAll(engine);
 *
 * const app = new Hono<AludelEnv>();
 * app.use(sessionMiddleware(() => new Session({ bind: engine })));
 * app.post("/:name", async (c) => {
 *   c.var.session.add(new User({ name: c.req.param("name") }));
 *   await c.var.session.commit();
 *   return c.json(await c.var.session.scalars(select(User)));
 * });
 *
 * const response = await app.request("/ed", { method: "POST" });
 * deepStrictEqual(await response.json(), [{ id: 1, name: "ed" }]);
 * ```
 *
 * @param open Makes the session of a request.
 */
export function sessionMiddleware<
  // deno-lint-ignore no-explicit-any -- as in AludelEnv
  Bindings = any,
  S extends Session = Session,
>(
  open: (c: HonoContext<Bindings>, state: RequestState) => S | Promise<S>,
  { bookmark: place, isStream = isSentLate }: SessionMiddlewareOptions = {},
): HonoMiddleware<Bindings> {
  return async (c, next) => {
    const bookmark = place && bookmarkIn(c.req.raw.headers, place);
    const session = await open(c, { bookmark });
    c.set("session", session);
    const going: Promise<unknown>[] = [];
    uses.set(session, going);
    try {
      await next();
    } catch (error) {
      // The first error is the one to hear of.
      await session.close().catch(() => {});
      throw error;
    }
    const seen = session.bookmark;
    if (place && seen !== undefined && seen !== bookmark) {
      handOn(c, place, seen);
    }
    if (isStream(c.res) && c.res.body) {
      const { readable, writable } = new TransformStream();
      going.push(c.res.body.pipeTo(writable));
      c.res = new Response(readable, c.res);
    }
    const { ok } = c.res;
    if (going.length === 0) return await end(session, ok);
    await platformRuntime().waitUntil(
      endAfter(going, session, ok).catch((error) =>
        session.options.warn?.(`Cannot close the session: ${error}`)
      ),
    );
  };
}

/**
 * Keeps a request's session open until some work is done that goes on behind the
 * response, or while it is sent.
 *
 * @example
 * ```ts ignore
 * c.executionCtx.waitUntil(holdSession(c.var.session, recordVisit(c.var.session)));
 * ```
 *
 * @param session As `c.var.session`; of another nothing is known.
 * @returns The work.
 */
export function holdSession<T>(session: Session, work: Promise<T>): Promise<T> {
  uses.get(session)?.push(work);
  return work;
}

async function end(session: Session, isGood: boolean): Promise<void> {
  const { warn } = session.options;
  if (warn && isGood) {
    const { new: added, dirty, deleted } = session;
    const count = added.length + dirty.length + deleted.length;
    if (count > 0) {
      warn(
        `Cannot keep what was changed: the response is made, and ${
          count === 1 ? "1 object is" : `${count} objects are`
        } not committed; commit() before you return it`,
      );
    }
  }
  await session.close();
}

async function endAfter(
  going: Promise<unknown>[],
  session: Session,
  isGood: boolean,
): Promise<void> {
  // More may come along while it is waited for.
  while (going.length > 0) await Promise.allSettled(going.splice(0));
  await end(session, isGood);
}

function isSentLate({ headers }: Response): boolean {
  return headers.has("Transfer-Encoding") ||
    /^text\/event-stream\b/i.test(headers.get("Content-Type") ?? "");
}

/**
 * Middleware for Hono: a session for each request, and responses kept in a cache
 * region. It asks for the part of Hono's context that it uses, so that it carries
 * no Hono of its own.
 *
 * ```ts ignore
 * const app = new Hono<AludelEnv>();
 * app.use(sessionMiddleware((c) => new Session({ bind: engineFor(c.env) })));
 * app.use("/public/*", cacheMiddleware(region));
 * ```
 *
 * | question | file |
 * | --- | --- |
 * | When is a session opened and closed? | `session_middleware.ts` |
 * | How does a bookmark of D1 travel? | `bookmark.ts` |
 * | How is a request answered from a region? | `cache_middleware.ts` |
 * | What may be kept, and for how long? | `http_rules.ts` |
 * | What is kept of a response? | `stored_response.ts` |
 * | What is used of Hono? | `context.ts` |
 *
 * @module
 */
export type { BookmarkPlace } from "./bookmark.ts";
export {
  cacheMiddleware,
  type CacheMiddlewareOptions,
} from "./cache_middleware.ts";
export type { AludelEnv, HonoContext, HonoMiddleware } from "./context.ts";
export {
  holdSession,
  type RequestState,
  sessionMiddleware,
  type SessionMiddlewareOptions,
} from "./session_middleware.ts";

import {
  type CacheRegion,
  type GetOrCreateOptions,
  NO_VALUE,
  sha256MangleKey,
} from "../cache/mod.ts";
import type { HonoContext, HonoMiddleware } from "./context.ts";
import { mayBeAnswered, mayBeShared, normalUrl } from "./http_rules.ts";
import {
  bodyOf,
  readBody,
  type StoredResponse,
  storeResponse,
} from "./stored_response.ts";

/** Settings of {@linkcode cacheMiddleware}. */
export interface CacheMiddlewareOptions<Bindings> extends
  Omit<
    GetOrCreateOptions<never>,
    | "shouldCache"
    | "staleWhileRevalidate"
    | "creationRunner"
    | "tags"
    | "expirationTime"
  > {
  /**
   * Age in seconds from which a response is made anew; one that says less itself,
   * by `s-maxage`, `max-age` or `Expires`, is so sooner. @default the region's
   */
  readonly expirationTime?: number;
  /**
   * How long past that, in seconds, it is given to others while one request makes
   * it anew; never where it says `must-revalidate` or `s-maxage`. @default {60}
   */
  readonly staleTime?: number;
  /** What it is known by, in place of its address. */
  readonly key?: (c: HonoContext<Bindings>) => string | Promise<string>;
  /** What it can be invalidated by. */
  readonly tags?:
    | readonly string[]
    | ((c: HonoContext<Bindings>) => readonly string[]);
  /** A larger body is passed on, and not kept. @default {1_048_576} */
  readonly maxBytes?: number;
  /** The header that says `HIT`, `STALE` or `MISS`; none where `false`. @default {"X-Cache"} */
  readonly header?: string | false;
  /** The clock, in milliseconds. @default {Date.now} */
  readonly now?: () => number;
}

/**
 * Keeps responses to GET in a region, by address: one request makes a response,
 * the others wait for it, or take the stale one. HEAD is answered from them.
 *
 * Kept is what HTTP lets a shared cache keep: a 2xx other than 206, without
 * `Set-Cookie`, without `no-store`, `private` or `no-cache`, for each value of
 * the request headers that `Vary` names; in answer to `Authorization` only where
 * it says `public`, `must-revalidate` or `s-maxage`, and then for other such
 * requests. Nothing is kept of a body that is compressed already, of server-sent
 * events, and of one that is too large. A successful POST, PUT, PATCH or DELETE
 * of an address forgets what is kept of it.
 *
 * What it keeps are all headers that the response has then: middleware that adds
 * some for one request alone stands around this one.
 *
 * @example
 * ```ts
 * import { memory } from "@aludel/aludel/backends/memory";
 * import { createRegion } from "@aludel/aludel/cache";
 * import { cacheMiddleware } from "@aludel/aludel/hono";
 * import { Hono } from "hono";
 * import { strictEqual } from "node:assert/strict";
 *
 * const region = createRegion({ name: "pages" }).configure({ backend: memory() });
 * let made = 0;
 * const app = new Hono();
 * app.use("/public/*", cacheMiddleware(region));
 * app.get("/public/page", (c) => c.text(`page ${++made}`));
 *
 * await app.request("/public/page?a=1&b=2");
 * const response = await app.request("/public/page?b=2&a=1");
 * strictEqual(await response.text(), "page 1");
 * strictEqual(response.headers.get("X-Cache"), "HIT");
 * ```
 */
export function cacheMiddleware<
  // deno-lint-ignore no-explicit-any -- as in AludelEnv
  Bindings = any,
>(
  region: CacheRegion,
  options: CacheMiddlewareOptions<Bindings> = {},
): HonoMiddleware<Bindings> {
  const {
    key: keyFrom = ({ req }) => normalUrl(req.url),
    tags = [],
    maxBytes = 1_048_576,
    header = "X-Cache",
    now = Date.now,
    ...policy
  } = options;
  return async (c, next) => {
    const { method, raw } = c.req;
    const keyOf = async (isAuthorized: boolean): Promise<string> =>
      `http:${await sha256MangleKey(
        JSON.stringify([await keyFrom(c), isAuthorized]),
      )}`;
    if (method !== "GET" && method !== "HEAD") {
      await next();
      if (/^(POST|PUT|PATCH|DELETE)$/.test(method) && c.res.status < 400) {
        await region.deleteMulti([await keyOf(false), await keyOf(true)]);
      }
      return;
    }
    if (!mayBeAnswered(raw)) return await next();

    let isMade = false;
    let failure: { readonly error: unknown } | undefined;
    /** Has the response made, in `c.res`; `null` tells others that it is not for them. */
    const make = async (): Promise<StoredResponse | null> => {
      isMade = true;
      try {
        await next();
      } catch (error) {
        failure = { error };
        return null;
      }
      if (!mayBeShared(raw, c.res, now())) return null;
      const [response, bytes] = await readBody(c.res, maxBytes);
      c.res = response;
      return bytes === undefined
        ? null
        : await storeResponse(raw, response, bytes, now());
    };
    const ask = (
      key: string,
      stale?: StoredResponse,
    ): Promise<StoredResponse | null> =>
      region.getOrCreate(key, make, {
        staleTime: 60,
        ...policy,
        ...stale && {
          expirationTime: stale.lifetime!,
          ...stale.isStrict && { staleTime: 0 },
        },
        // What is made is this request's response: it is not made behind it.
        staleWhileRevalidate: false,
        creationRunner: ({ create }) => create(),
        tags: typeof tags === "function" ? tags(c) : tags,
        shouldCache: (response) => response !== null,
      });
    const get = async (key: string): Promise<StoredResponse | null> => {
      if (method === "GET") return await ask(key);
      const found = await region.get<StoredResponse>(key, {
        ...policy.expirationTime !== undefined &&
          { expirationTime: policy.expirationTime },
      });
      return found === NO_VALUE ? null : found as StoredResponse;
    };
    const isOver = ({ at, lifetime = Infinity }: StoredResponse): boolean =>
      now() - at >= 1000 * lifetime;

    let key = await keyOf(raw.headers.has("Authorization"));
    let found = await get(key);
    if (found && !isMade && !isFor(raw, found)) {
      key = await variantOf(key, found, raw);
      found = await get(key);
    }
    if (found && !isMade && isOver(found)) {
      found = method === "GET" ? await ask(key, found) : null;
    }
    if (failure) throw failure.error;
    if (!isMade && found && isFor(raw, found)) {
      const { status, headers, at } = found;
      const age = found.age + Math.max(0, Math.floor((now() - at) / 1000));
      const said = header
        ? { [header]: isOver(found) ? "STALE" : "HIT" }
        : undefined;
      return c.newResponse(bodyOf(found), {
        status: status as never,
        headers: { ...Object.fromEntries(headers), Age: `${age}`, ...said },
      });
    }
    if (!isMade) await next();
    if (header) c.header(header, "MISS");
  };
}

/** Whether a response was made for a request like this one. */
function isFor({ headers }: Request, { vary }: StoredResponse): boolean {
  return vary.every(([name, value]) => headers.get(name) === value);
}

/** Where the response is kept that a request like this one has, beside the first. */
async function variantOf(
  key: string,
  { vary, at }: StoredResponse,
  { headers }: Request,
): Promise<string> {
  // With the first one gone or made anew, nobody finds the others.
  const values = vary.map(([name]) => [name, headers.get(name)]);
  return `http:${await sha256MangleKey(JSON.stringify([key, at, values]))}`;
}

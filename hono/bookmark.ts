import type { HonoContext } from "./context.ts";

/** Where a bookmark travels between requests: a cookie for browsers, a header for programs. */
export interface BookmarkPlace {
  /** The name of a cookie, which no script sees. */
  readonly cookie?: string;
  /** The name of a header, in requests and responses. */
  readonly header?: string;
}

/** A bookmark, and not one of the words that D1 takes in its place. */
const BOOKMARK = /^(?!first-)[\w-]{1,256}$/;

/** The bookmark that a request brings along, if it is one. */
export function bookmarkIn(
  headers: Headers,
  { cookie, header }: BookmarkPlace,
): string | undefined {
  const cookies = headers.get("Cookie") ?? "";
  const given = (header && headers.get(header)) ??
    (cookie && cookies.split(/;\s*/).find((one) => one.startsWith(`${cookie}=`))
      ?.slice(cookie.length + 1));
  return given && BOOKMARK.test(given) ? given : undefined;
}

/** Has the client bring a bookmark along with its next request. */
export function handOn(
  c: Pick<HonoContext<unknown>, "header">,
  { cookie, header }: BookmarkPlace,
  bookmark: string,
): void {
  if (header) c.header(header, bookmark);
  if (cookie) {
    c.header(
      "Set-Cookie",
      `${cookie}=${bookmark}; Path=/; HttpOnly; Secure; SameSite=Lax`,
      { append: true },
    );
  }
}

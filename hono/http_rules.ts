/** What HTTP (RFC 9110, RFC 9111) lets a shared cache do with a request and its response. */

/** The directives of a `Cache-Control` header, in small letters. */
export function directivesOf(
  { headers }: { readonly headers: Headers },
): ReadonlyMap<string, string> {
  return new Map(
    [
      ...(headers.get("Cache-Control") ?? "").toLowerCase()
        .matchAll(/([\w-]+)\s*(?:=\s*("[^"]*"|[^\s,]*))?/g),
    ]
      .map(([, name = "", value = ""]) => [name, value.replaceAll('"', "")]),
  );
}

/** Whether a request is one for the whole of something, which may be kept. */
export function mayBeAnswered(request: Request): boolean {
  return !request.headers.has("Range") &&
    !directivesOf(request).has("no-store");
}

/** Whether a response may be given to others than who asked for it. */
export function mayBeShared(
  request: Request,
  response: Response,
  now: number,
): boolean {
  const { status, headers } = response;
  const said = directivesOf(response);
  const isMeant = ["public", "must-revalidate", "s-maxage"]
    .some((one) => said.has(one));
  return status >= 200 && status < 300 && status !== 206 &&
    !["no-store", "private", "no-cache"].some((one) => said.has(one)) &&
    !headers.has("Set-Cookie") &&
    // What is compressed already would be so twice, or is by who sends it.
    !headers.has("Content-Encoding") &&
    !/^text\/event-stream\b/i.test(headers.get("Content-Type") ?? "") &&
    !namesIn(headers).includes("*") &&
    (isMeant || !request.headers.has("Authorization")) &&
    lifetimeOf(response, now) !== 0;
}

/**
 * How long a response says that it is good for from now on, in seconds;
 * `undefined` where it says nothing.
 */
export function lifetimeOf(
  response: Response,
  now: number,
): number | undefined {
  const { headers } = response;
  const said = directivesOf(response);
  const age = said.get("s-maxage") ?? said.get("max-age");
  const expires = headers.get("Expires");
  if (age === undefined && expires === null) return undefined;
  // What is no number, and what is no date, is over.
  const left = age === undefined
    ? (Date.parse(expires ?? "") - now) / 1000
    : /^\d+$/.test(age)
    ? Number(age) - ageOf(headers)
    : 0;
  return Math.max(0, Math.floor(left)) || 0;
}

/** How old a response was when it came, in seconds. */
export function ageOf(headers: Headers): number {
  return Number(headers.get("Age")) || 0;
}

/** The request headers by which responses differ. */
export function namesIn(headers: Headers): string[] {
  return (headers.get("Vary") ?? "").toLowerCase().split(",")
    .map((name) => name.trim()).filter((name) => name !== "").sort();
}

/** An address as others may write it as well: its parameters by name, without a fragment. */
export function normalUrl(address: string): string {
  const url = new URL(address);
  url.searchParams.sort();
  url.hash = "";
  return url.href.replace(/\?$/, "");
}

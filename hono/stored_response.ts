import { binaryCodec, type Codec } from "../cache/mod.ts";
import { ageOf, directivesOf, lifetimeOf, namesIn } from "./http_rules.ts";

/** A response as plain data, which any codec keeps. */
export interface StoredResponse {
  /** Its status. */
  readonly status: number;
  /** Its headers, without those of the connection. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Its body: text, or bytes that are none as base64. */
  readonly body: string | { readonly base64: string } | null;
  /** When it was made, in milliseconds. */
  readonly at: number;
  /** How old it was then, in seconds: others may have kept it before. */
  readonly age: number;
  /** How long from then on it says that it is good for, in seconds. */
  readonly lifetime?: number | undefined;
  /** Whether it may not be given when it is older than that. */
  readonly isStrict?: true | undefined;
  /** Headers of the request by which responses differ, and what they were. */
  readonly vary: readonly (readonly [name: string, value: string | null])[];
}

/** What is of one connection, or is made anew for each response. */
const OWN =
  /^(age|connection|content-length|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/;

/** A response whose body has been read. */
export async function storeResponse(
  request: Request,
  response: Response,
  bytes: Uint8Array<ArrayBuffer> | null,
  now: number,
): Promise<StoredResponse> {
  const { status, headers } = response;
  const said = directivesOf(response);
  return {
    status,
    headers: [...headers].filter(([name]) => !OWN.test(name)),
    body: bytes && (textIn(bytes) ?? { base64: await base64().encode(bytes) }),
    at: now,
    age: ageOf(headers),
    lifetime: lifetimeOf(response, now),
    isStrict: ["must-revalidate", "proxy-revalidate", "s-maxage"]
      .some((one) => said.has(one)) || undefined,
    vary: namesIn(headers).map((name) => [name, request.headers.get(name)]),
  };
}

/** The body of a stored response. */
export function bodyOf(
  { body }: StoredResponse,
): string | Uint8Array<ArrayBuffer> | null {
  return body !== null && typeof body === "object"
    ? base64().decode(body.base64) as Uint8Array<ArrayBuffer>
    : body;
}

/**
 * The bytes of a body, and a response that still has it; no bytes where there
 * are more than may be.
 */
export async function readBody(
  response: Response,
  maxBytes: number,
): Promise<
  readonly [
    response: Response,
    bytes: Uint8Array<ArrayBuffer> | null | undefined,
  ]
> {
  const { body } = response;
  if (!body) return [response, null];
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    size += value.byteLength;
    if (size > maxBytes) {
      return [new Response(continued(chunks, reader), response), undefined];
    }
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return [new Response(bytes, response), bytes];
}

/** What was read of a body, and the rest of it. */
function continued(
  chunks: Uint8Array[],
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const first = chunks.shift();
      const { done, value } = first
        ? { done: false, value: first }
        : await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

/** The text that bytes are, to the last one. */
function textIn(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(bytes);
  } catch {
    return undefined;
  }
}

function base64(): Codec {
  return binaryCodec({
    encode: (value) => value as Uint8Array,
    decode: (bytes) => bytes,
  });
}

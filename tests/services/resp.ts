/**
 * RESP2, the protocol of Redis: enough of a client to pass commands through.
 *
 * @module
 */

/** An error that Redis answered with. */
export class RespError extends Error {
  override readonly name = "RespError";
}

/** A status such as `OK`, which is not a value. */
export class RespStatus {
  /** Its text. */
  readonly text: string;
  /** Made by the parser. */
  constructor(text: string) {
    this.text = text;
  }
}

/** An answer as it came; an error stands where it stood. */
export type RespReply =
  | RespStatus
  | RespError
  | number
  | Uint8Array
  | null
  | RespReply[];

/** One command: its name and arguments, text or bytes. */
export type RespCommand = readonly (string | Uint8Array)[];

/** A connection on which answers come in the order of the commands. */
export interface RespConnection extends AsyncDisposable {
  /**
   * Sends the commands in one write, so that nothing of another caller comes
   * between them, and gives their answers.
   */
  send(commands: readonly RespCommand[]): Promise<RespReply[]>;
  /** Closes it; what waits for an answer is rejected. */
  dispose(): Promise<void>;
}

/** Connects to a Redis server's socket. */
export async function connectResp(
  address: Deno.UnixConnectOptions | Deno.ConnectOptions,
): Promise<RespConnection> {
  const connection = "path" in address
    ? await Deno.connect(address)
    : await Deno.connect(address);
  const waiting: {
    resolve: (reply: RespReply) => void;
    reject: (error: unknown) => void;
  }[] = [];
  const reader = new ReplyReader(connection);
  let writing: Promise<void> = Promise.resolve();
  let reading: Promise<void> = Promise.resolve();

  // Reads only while somebody waits, so that an idle connection has no pending
  // operation.
  const read = async () => {
    while (waiting.length > 0) {
      try {
        const reply = await reader.next();
        waiting.shift()!.resolve(reply);
      } catch (error) {
        for (const one of waiting.splice(0)) one.reject(error);
      }
    }
  };
  const dispose = async () => {
    try {
      connection.close();
    } catch {
      // Closed already.
    }
    await reading;
  };
  return {
    async send(commands) {
      if (commands.length === 0) return [];
      const idle = waiting.length === 0;
      const replies = commands.map(() => {
        const { promise, ...settle } = Promise.withResolvers<RespReply>();
        waiting.push(settle);
        return promise;
      });
      writing = writing.then(() => writeAll(connection, encode(commands)));
      writing.catch(() => {});
      if (idle) reading = read();
      return await Promise.all(replies);
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

const utf8 = new TextEncoder();
const text = new TextDecoder();

function encode(commands: readonly RespCommand[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const command of commands) {
    parts.push(utf8.encode(`*${command.length}\r\n`));
    for (const argument of command) {
      const bytes = typeof argument === "string"
        ? utf8.encode(argument)
        : argument;
      parts.push(utf8.encode(`$${bytes.length}\r\n`), bytes, CRLF);
    }
  }
  return concat(parts);
}

const CRLF: Uint8Array = utf8.encode("\r\n");

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(
    parts.reduce((size, part) => size + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

async function writeAll(to: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) {
    sent += await to.write(bytes.subarray(sent));
  }
}

class ReplyReader {
  readonly #from: Deno.Conn;
  /** What has arrived and is not parsed yet, from `#at` on. */
  #bytes = new Uint8Array(0);
  #at = 0;

  constructor(from: Deno.Conn) {
    this.#from = from;
  }

  async next(): Promise<RespReply> {
    const line = await this.#line();
    const rest = line.slice(1);
    switch (line[0]) {
      case "+":
        return new RespStatus(rest);
      case "-":
        return new RespError(rest);
      case ":":
        return Number(rest);
      case "$": {
        const size = Number(rest);
        if (size < 0) return null;
        await this.#have(size + 2);
        const value = this.#bytes.slice(this.#at, this.#at + size);
        this.#at += size + 2;
        return value;
      }
      case "*": {
        const size = Number(rest);
        if (size < 0) return null;
        const items: RespReply[] = [];
        while (items.length < size) items.push(await this.next());
        return items;
      }
      default:
        throw new Error(`Cannot read a reply of Redis: it starts "${line[0]}"`);
    }
  }

  async #line(): Promise<string> {
    let from = this.#at;
    for (;;) {
      const end = this.#bytes.indexOf(13, from);
      if (end >= 0 && end + 1 < this.#bytes.length) {
        const line = text.decode(this.#bytes.subarray(this.#at, end));
        this.#at = end + 2;
        return line;
      }
      const scanned = this.#bytes.length - this.#at;
      await this.#more();
      from = this.#at + Math.max(0, scanned - 1);
    }
  }

  async #have(size: number): Promise<void> {
    while (this.#bytes.length - this.#at < size) await this.#more();
  }

  async #more(): Promise<void> {
    const chunk = new Uint8Array(65_536);
    const size = await this.#from.read(chunk);
    if (size === null) throw new Error("Redis closed the connection");
    this.#bytes = concat([
      this.#bytes.subarray(this.#at),
      chunk.subarray(0, size),
    ]);
    this.#at = 0;
  }
}

/**
 * A socket that leads into PGlite, for a client that speaks Postgres's protocol.
 *
 * @module
 */
import type { PGlite } from "@electric-sql/pglite";
import { Duplex } from "node:stream";

/** The tags of the messages that matter here. */
const ERROR = "E".charCodeAt(0);
const SYNC = "S".charCodeAt(0);
const QUERY = "Q".charCodeAt(0);
const TERMINATE = "X".charCodeAt(0);

/** Authentication passed, a backend key, ready for queries. */
const GREETING: readonly number[][] = [
  [0x52, 0, 0, 0, 8, 0, 0, 0, 0],
  [0x4b, 0, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, 1],
  [0x5a, 0, 0, 0, 5, 0x49],
];

/** Takes messages as a server would, and answers with what PGlite answers. */
export class PgliteStream extends Duplex {
  readonly #db: PGlite;
  #greeted = false;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** After an error, messages up to the next Sync are ignored. */
  #failed = false;

  /** Leads into `db`, whose only client it must be. */
  constructor(db: PGlite) {
    super();
    this.#db = db;
  }

  /** As a socket has it: reports that it is connected. */
  connect(): this {
    queueMicrotask(() => this.emit("connect"));
    return this;
  }

  /** As a socket has it: nothing to do. */
  setNoDelay(): this {
    return this;
  }

  /** As a socket has it: nothing to do. */
  ref(): this {
    return this;
  }

  /** As a socket has it: nothing to do. */
  unref(): this {
    return this;
  }

  override _read(): void {}

  override _final(done: (error?: Error | null) => void): void {
    this.push(null);
    done();
  }

  override _write(
    chunk: Uint8Array,
    _encoding: string,
    done: (error?: Error | null) => void,
  ): void {
    const bytes = new Uint8Array(this.#bytes.length + chunk.length);
    bytes.set(this.#bytes);
    bytes.set(chunk, this.#bytes.length);
    this.#bytes = bytes;
    this.#take().then(() => done(), done);
  }

  async #take(): Promise<void> {
    for (;;) {
      const tag = this.#greeted ? 1 : 0;
      if (this.#bytes.length < tag + 4) return;
      const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset);
      const size = tag + view.getInt32(tag);
      if (this.#bytes.length < size) return;
      const message = this.#bytes.slice(0, size);
      this.#bytes = this.#bytes.slice(size);
      await this.#answer(message);
    }
  }

  async #answer(message: Uint8Array): Promise<void> {
    if (!this.#greeted) {
      this.#greeted = true;
      this.push(Uint8Array.from(GREETING.flat()));
      return;
    }
    const tag = message[0]!;
    if (tag === TERMINATE) {
      this.push(null);
      return;
    }
    if (this.#failed && tag !== SYNC) return;
    const reply = await this.#db.execProtocolRaw(message);
    this.#failed = tag !== SYNC && tag !== QUERY && hasError(reply);
    if (reply.length > 0) this.push(reply);
  }
}

function hasError(reply: Uint8Array): boolean {
  const view = new DataView(reply.buffer, reply.byteOffset, reply.byteLength);
  for (let at = 0; at < reply.length; at += 1 + view.getInt32(at + 1)) {
    if (reply[at] === ERROR) return true;
  }
  return false;
}

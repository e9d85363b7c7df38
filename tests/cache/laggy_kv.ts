import type { KvEntryLike, KvNamespaceLike } from "../../backends/kv.ts";

/** How far from a perfect store it is. */
export interface LaggyKvOptions {
  /** Seconds a location goes on with what it has seen. @default {60} */
  readonly lag?: number;
  /** Writes of one key before 429. @default {1} */
  readonly writesPerSecond?: number;
  /** Milliseconds. @default {Date.now} */
  readonly now?: () => number;
}

interface Stored {
  readonly value: string;
  readonly metadata: unknown;
  readonly until: number;
}

/**
 * Workers KV as it is where the simulator is not: each location goes on with what
 * it has once seen of a key, also with nothing; one write a second for a key; and
 * the real limits, in the real words.
 */
export class LaggyKv implements KvNamespaceLike {
  /** Reads and writes that were sent. */
  readonly operations = { reads: 0, writes: 0, refused: 0 };
  readonly #options: Required<LaggyKvOptions>;
  readonly #central = new Map<string, Stored>();
  readonly #written = new Map<string, number>();
  readonly #seen = new Map<
    string,
    { stored: Stored | undefined; at: number }
  >();

  constructor(
    { lag = 60, writesPerSecond = 1, now = Date.now }: LaggyKvOptions = {},
    central?: LaggyKv,
  ) {
    this.#options = { lag, writesPerSecond, now };
    if (central) {
      this.#central = central.#central;
      this.#written = central.#written;
    }
  }

  /** The same namespace, seen from another location. */
  elsewhere(): LaggyKv {
    return new LaggyKv(this.#options, this);
  }

  getWithMetadata(keys: string[]): Promise<Map<string, KvEntryLike | null>> {
    this.operations.reads++;
    return Promise.resolve().then(() => {
      if (keys.length > 100) {
        throw new Error("KV GET_BULK failed: 400 too many keys");
      }
      return new Map(keys.map((key) => [key, this.#read(key)]));
    });
  }

  #read(key: string): KvEntryLike {
    check(key, "GET");
    const now = this.#options.now();
    const seen = this.#seen.get(key);
    let stored = seen?.stored;
    if (!seen || now - seen.at >= this.#options.lag * 1000) {
      stored = this.#central.get(key);
      this.#seen.set(key, { stored, at: now });
    }
    return stored && now < stored.until
      ? { value: stored.value, metadata: structuredClone(stored.metadata) }
      : { value: null, metadata: null };
  }

  async put(
    key: string,
    value: string,
    options: { metadata: unknown; expirationTtl?: number },
  ): Promise<void> {
    await Promise.resolve();
    check(key, "PUT");
    const { expirationTtl = Infinity } = options;
    const metadata = JSON.stringify(options.metadata);
    const bytes = (text: string) => new TextEncoder().encode(text).length;
    if (expirationTtl < 60) {
      throw new Error(
        `KV PUT failed: 400 Invalid expiration_ttl of ${expirationTtl}. Expiration TTL must be at least 60.`,
      );
    }
    if (bytes(metadata) > 1024) {
      throw new Error(
        `KV PUT failed: 413 Metadata length of ${
          bytes(metadata)
        } exceeds limit of 1024.`,
      );
    }
    if (value.length > 26214400) {
      throw new Error(
        "KV PUT failed: 413 Value length exceeds limit of 26214400.",
      );
    }
    const now = this.#options.now();
    const last = this.#written.get(key) ?? -Infinity;
    if (now - last < 1000 / this.#options.writesPerSecond) {
      this.operations.refused++;
      throw new Error("KV PUT failed: 429 Too Many Requests");
    }
    this.operations.writes++;
    this.#written.set(key, now);
    this.#central.set(key, {
      value,
      metadata: JSON.parse(metadata),
      until: now + expirationTtl * 1000,
    });
  }

  async delete(key: string): Promise<void> {
    await Promise.resolve();
    check(key, "DELETE");
    this.#central.delete(key);
    this.#seen.delete(key);
  }
}

function check(key: string, operation: string): void {
  const length = new TextEncoder().encode(key).length;
  if (length > 512) {
    throw new Error(
      `KV ${operation} failed: 414 UTF-8 encoded length of ${length} exceeds key length limit of 512.`,
    );
  }
}

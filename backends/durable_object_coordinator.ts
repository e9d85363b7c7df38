/**
 * The Durable Object behind `durableObjectLock` and `durableObject`.
 *
 * It imports nothing of the platform: it is a class with a `fetch`, so it runs
 * wherever it is given its storage.
 */
import type { StoredEntry } from "../cache/mod.ts";

/** The part of a Durable Object's storage that is used here. */
export interface CoordinatorStorage {
  /** SQLite. */
  readonly sql: {
    /** Runs one statement. */
    exec(
      query: string,
      ...bindings: (string | number | null)[]
    ): { toArray(): Record<string, unknown>[] };
  };
  /** When the alarm is set, if it is. */
  getAlarm(): Promise<number | null>;
  /** Sets the alarm. */
  setAlarm(time: number): Promise<void>;
}

/** The part of a Durable Object's state that is used here. */
export interface CoordinatorState {
  /** Its storage, which is SQLite. */
  readonly storage: CoordinatorStorage;
  /** Keeps it at work. */
  waitUntil(work: Promise<unknown>): void;
}

/** What a leader says at its end, and those who wait are told. */
interface Message {
  /** What it created. */
  readonly entry?: StoredEntry;
  /** For how many seconds to keep it. */
  readonly hold?: number;
  /** Why it created nothing, in words. */
  readonly error?: string;
}

/** Tells one who waits. */
type Wake = (message: Message) => void;

/** Statuses that tell a leader from a follower. */
const LEAD = 200;
const FOLLOW = 202;
/** Longest entry that is kept, under the 2 MB of a row. */
const MAX_ENTRY = 1_900_000;

/**
 * Elects one leader for a key, hands its value to those who wait, and keeps
 * entries: the class to export from a Worker and bind with SQLite storage.
 *
 * A lease is a row, so it outlives a restart; its token is a fence: a leader that
 * another has replaced is told so when it comes back.
 */
export class CacheCoordinator {
  readonly #state: CoordinatorState;
  readonly #waiting = new Map<string, Set<Wake>>();
  #lastToken = 0;

  /** Called by the platform. */
  constructor(state: CoordinatorState, _env?: unknown) {
    this.#state = state;
    this.#sql(
      "CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, ct REAL, entry TEXT, until REAL)",
    );
    this.#sql(
      "CREATE TABLE IF NOT EXISTS leases (key TEXT PRIMARY KEY, token REAL, until REAL)",
    );
  }

  /** One operation, named by the path. */
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const operation = pathname.slice(1);
    if (operation === "acquire") {
      return this.#acquire(searchParams, request.body);
    }
    const body = await request.json();
    switch (operation) {
      case "get":
        return Response.json(this.#get(body));
      case "set":
        await this.#set(body);
        return Response.json(null);
      case "delete":
        for (const key of body) {
          this.#sql("DELETE FROM entries WHERE key = ?", key);
        }
        return Response.json(null);
      default:
        throw new TypeError(`There is no operation "${operation}"`);
    }
  }

  /** Drops what has had its time, and comes back for the rest. */
  async alarm(): Promise<void> {
    const now = Date.now();
    this.#sql("DELETE FROM entries WHERE until <= ?", now);
    this.#sql("DELETE FROM leases WHERE until <= ?", now - 3_600_000);
    const [next] = this.#sql(
      "SELECT min(until) AS until FROM (SELECT until FROM entries UNION ALL SELECT until + 3600000 FROM leases)",
    );
    if (typeof next?.until === "number") {
      await this.#state.storage.setAlarm(next.until);
    }
  }

  #acquire(
    asked: URLSearchParams,
    body: ReadableStream<Uint8Array> | null,
  ): Response {
    const now = Date.now();
    const key = asked.get("key")!;
    const [newerThan, wait, lease] = ["newerThan", "wait", "lease"]
      .map((name) => Number(asked.get(name))) as [number, number, number];
    const [held] = this.#sql(
      "SELECT entry FROM entries WHERE key = ? AND until > ? AND ct > ?",
      key,
      now,
      newerThan,
    );
    if (held) return answer(FOLLOW, `{"entry":${held.entry}}`);
    const until = this.#leased(key, now);
    if (until && wait === 0) return answer(FOLLOW, "{}");
    if (!lease) return answer(LEAD, "{}");

    const { readable, writable } = new TransformStream<Uint8Array>();
    const say = (message: unknown) =>
      Response.json(message).body!.pipeTo(writable);
    if (until) {
      const patience = Math.min(wait * 1000, until - now);
      this.#state.waitUntil(
        this.#wait(key, patience).then(say).catch(() => {}),
      );
      return answer(FOLLOW, readable);
    }
    const token = this.#lastToken = Math.max(now, this.#lastToken + 1);
    this.#sql(
      "INSERT OR REPLACE INTO leases VALUES (?, ?, ?)",
      key,
      token,
      now + Math.min(lease, 1e9) * 1000,
    );
    this.#state.waitUntil(
      // The leader's request breaks off when the leader dies.
      new Response(body).json().catch(() => ({}))
        .then((message: Message) => this.#finish(key, token, message))
        .then(say).catch(() => {}),
    );
    return answer(LEAD, readable);
  }

  /** Resolves with what the leader leaves, or with nothing after a while. */
  #wait(key: string, milliseconds: number): Promise<Message> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(key) ?? new Set();
      this.#waiting.set(key, waiting);
      const wake = (message: Message) => {
        clearTimeout(timer);
        waiting.delete(wake);
        if (!waiting.size) this.#waiting.delete(key);
        resolve(message);
      };
      const timer = setTimeout(wake, milliseconds, {});
      waiting.add(wake);
    });
  }

  /** Ends a leadership. Answers `false` if it was none any more. */
  async #finish(
    key: string,
    token: number,
    { entry, hold, error }: Message,
  ): Promise<boolean> {
    const [lease] = this.#sql("SELECT token FROM leases WHERE key = ?", key);
    if (lease?.token !== token) return false;
    this.#sql("DELETE FROM leases WHERE key = ?", key);
    if (entry && hold) {
      const until = Date.now() + 1000 * hold;
      await this.#keep(key, entry.meta.ct, JSON.stringify(entry), until);
    }
    for (const wake of [...this.#waiting.get(key) ?? []]) {
      wake({ entry, error } as Message);
    }
    return true;
  }

  /** What there is, each beside its key. */
  #get(keys: readonly string[]): [key: string, entry: string][] {
    const now = Date.now();
    return keys.flatMap((key) =>
      this.#sql(
        "SELECT entry FROM entries WHERE key = ? AND (until IS NULL OR until > ?)",
        key,
        now,
      ).map(({ entry }): [string, string] => [key, entry as string])
    );
  }

  async #set(
    { ttl, entries }: {
      readonly ttl: number | null;
      readonly entries: readonly [key: string, ct: number, entry: string][];
    },
  ): Promise<void> {
    const until = ttl === null ? null : Date.now() + ttl * 1000;
    for (const [key, ct, entry] of entries) {
      await this.#keep(key, ct, entry, until);
    }
  }

  async #keep(
    key: string,
    ct: number,
    entry: string,
    until: number | null,
  ): Promise<void> {
    if (entry.length > MAX_ENTRY) return;
    this.#sql(
      "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)",
      key,
      ct,
      entry,
      until,
    );
    const { storage } = this.#state;
    if (until !== null && await storage.getAlarm() === null) {
      await storage.setAlarm(until);
    }
  }

  /** When the lease ends, if somebody has it. */
  #leased(key: string, now: number): number | undefined {
    const [lease] = this.#sql(
      "SELECT until FROM leases WHERE key = ? AND until > ?",
      key,
      now,
    );
    return lease?.until as number | undefined;
  }

  #sql(
    query: string,
    ...bindings: (string | number | null)[]
  ): Record<string, unknown>[] {
    return this.#state.storage.sql.exec(query, ...bindings).toArray();
  }
}

function answer(
  status: number,
  body: ReadableStream<Uint8Array> | string,
): Response {
  return new Response(body, { status });
}

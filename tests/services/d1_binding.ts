// deno-lint-ignore-file camelcase -- D1's own names
/**
 * A D1 binding for use outside a Worker, answered by the real D1 in workerd.
 *
 * Miniflare's own proxies cross into workerd once for `prepare()` and once for
 * `bind()`, which makes a batch of a hundred statements take seconds. Here the
 * statements are gathered as plain data, and only what is a network trip on
 * Cloudflare (`all`, `run`, `raw`, `first`, `batch`, `exec`) crosses: a relay
 * Worker prepares, binds and runs them on the real binding.
 *
 * @module
 */

/** What D1 reports beside the rows of one statement. */
export interface D1Meta {
  /** Milliseconds spent in the database. */
  readonly duration: number;
  /** Rows changed, those changed by triggers included; 0 for a read. */
  readonly changes: number;
  /** The row id of the last insert on the connection, also after a read. */
  readonly last_row_id: number;
  /** Whether the statement changed the database. */
  readonly changed_db: boolean;
  /** Bytes of the database afterwards. */
  readonly size_after: number;
  /** Rows read, as billed. */
  readonly rows_read: number;
  /** Rows written, as billed. */
  readonly rows_written: number;
  /** Where it ran. */
  readonly served_by?: string;
}

/** The answer to one statement. */
export interface D1Result<Row = Record<string, unknown>> {
  /** Always `true`: a failure is thrown. */
  readonly success: true;
  /** Counts and sizes. */
  readonly meta: D1Meta;
  /** The rows as objects; two columns of one name collapse. */
  readonly results: Row[];
}

/** A statement that can be bound and sent. */
export interface D1PreparedStatement {
  /** Gives a copy with these values for `?` or `?NNN`. */
  bind(...values: unknown[]): D1PreparedStatement;
  /** Sends it; rows as objects. */
  all<Row = Record<string, unknown>>(): Promise<D1Result<Row>>;
  /** Sends it; rows as objects. */
  run<Row = Record<string, unknown>>(): Promise<D1Result<Row>>;
  /** Sends it; rows as arrays, preceded by the column names when asked for. */
  raw<Row = unknown[]>(options?: { columnNames?: boolean }): Promise<Row[]>;
  /** Sends it; the first row, or one column of it, or `null`. */
  first<T = Record<string, unknown>>(column?: string): Promise<T | null>;
}

/** A D1 session: reads follow what the bookmark has seen. */
export interface D1DatabaseSession {
  /** Makes a statement. */
  prepare(sql: string): D1PreparedStatement;
  /** Sends all as one transaction in one trip. */
  batch<Row = Record<string, unknown>>(
    statements: D1PreparedStatement[],
  ): Promise<D1Result<Row>[]>;
  /** The latest bookmark seen, or `null` before the first answer. */
  getBookmark(): string | null;
}

/** The part of a D1 binding that a driver uses. */
export interface D1Database {
  /** Makes a statement. */
  prepare(sql: string): D1PreparedStatement;
  /** Sends all as one transaction in one trip. */
  batch<Row = Record<string, unknown>>(
    statements: D1PreparedStatement[],
  ): Promise<D1Result<Row>[]>;
  /** Runs a script, one statement a line. */
  exec(sql: string): Promise<{ count: number; duration: number }>;
  /** Starts a session at a bookmark or under a constraint. */
  withSession(constraintOrBookmark?: string): D1DatabaseSession;
}

/** The answer to one statement, with its columns in order. */
export interface D1Columns {
  /** Counts and sizes. */
  readonly meta: D1Meta;
  /** The names, also when there is no row. */
  readonly columns: readonly string[];
  /** The values; two columns of one name stay apart. */
  readonly rows: readonly (readonly unknown[])[];
}

/** A binding that also gives columns and counts at once, as REST does. */
export interface RelayedD1 extends D1Database {
  /** Like `batch`, with rows as arrays; a Worker's binding has no such method. */
  columns(
    statements: readonly { sql: string; params: readonly unknown[] }[],
  ): Promise<D1Columns[]>;
}

/** One request to the relay. */
export interface RelayCall {
  /** The binding's name in the relay. */
  readonly db: string;
  /** The method of the binding or statement. */
  readonly op:
    | "all"
    | "run"
    | "raw"
    | "first"
    | "batch"
    | "exec"
    | "columns";
  /** Statements with their values, already converted as D1 converts them. */
  readonly statements: readonly { sql: string; params: readonly unknown[] }[];
  /** The constraint or bookmark of a session; absent outside one. */
  readonly session?: string;
  /** The argument of `raw` or `first`. */
  readonly argument?: unknown;
}

/** What the relay answers. */
export type RelayAnswer =
  | { readonly value: unknown; readonly bookmark?: string | null }
  | { readonly error: { readonly message: string; readonly cause?: string } };

/** The relay Worker's module: runs a {@linkcode RelayCall} on the binding. */
export const RELAY_SCRIPT: string = `
export default {
  async fetch(request, env) {
    const call = await request.json();
    try {
      const binding = env[call.db];
      const db = call.session === undefined
        ? binding
        : binding.withSession(call.session);
      const made = call.statements.map(({ sql, params }) => {
        const statement = db.prepare(sql);
        return params.length === 0 ? statement : statement.bind(...params);
      });
      const value = call.op === "batch"
        ? await db.batch(made)
        : call.op === "exec"
        ? await db.exec(call.statements[0].sql)
        : call.op === "columns"
        // Below the binding's own methods: what they send, before they drop
        // either the counts or the columns.
        ? await db.alwaysPrimarySession._sendOrThrow(
          "/query",
          made.map((statement) => statement.statement),
          made.map((statement) => statement.params),
          "ROWS_AND_COLUMNS",
          { setAttribute() {} },
        )
        : call.argument === undefined
        ? await made[0][call.op]()
        : await made[0][call.op](call.argument);
      return Response.json({
        value,
        bookmark: call.session === undefined ? null : db.getBookmark(),
      });
    } catch (error) {
      return Response.json({
        error: { message: error.message, cause: error.cause?.message },
      });
    }
  },
};
`;

/**
 * Makes a D1 binding that sends its trips through `send`.
 *
 * Errors are the ones that the real binding threw in workerd, with its text and
 * `cause`; a value that D1 cannot bind is refused at once, as D1 does.
 */
export function relayedD1(
  db: string,
  send: (call: RelayCall) => Promise<RelayAnswer>,
): RelayedD1 {
  const scope = (session?: Bookmark): Scope => ({
    send: async (op, statements, argument) => {
      const answer = await send({
        db,
        op,
        statements,
        ...(session === undefined ? {} : { session: session.sent }),
        ...(argument === undefined ? {} : { argument }),
      });
      if ("error" in answer) {
        const { message, cause } = answer.error;
        throw new Error(
          message,
          cause === undefined ? {} : { cause: new Error(cause) },
        );
      }
      if (session && answer.bookmark) session.saw(answer.bookmark);
      return answer.value;
    },
  });
  const always = scope();
  return {
    prepare: (sql) => new Statement(always, sql, []),
    batch: (statements) => sendBatch(always, statements),
    exec: async (sql) =>
      await always.send("exec", [{ sql, params: [] }]) as {
        count: number;
        duration: number;
      },
    async columns(statements) {
      const answers = await always.send("columns", statements) as {
        meta: D1Meta;
        results: Omit<D1Columns, "meta">;
      }[];
      return answers.map(({ meta, results }) => ({ meta, ...results }));
    },
    withSession(start = "first-unconstrained") {
      const bookmark = new Bookmark(start);
      const own = scope(bookmark);
      return {
        prepare: (sql) => new Statement(own, sql, []),
        batch: (statements) => sendBatch(own, statements),
        getBookmark: () => bookmark.value,
      };
    },
  };
}

interface Scope {
  send(
    op: RelayCall["op"],
    statements: RelayCall["statements"],
    argument?: unknown,
  ): Promise<unknown>;
}

/** Keeps the latest bookmark of a session; they compare lexically. */
class Bookmark {
  #latest: string | null = null;
  readonly #start: string;

  constructor(start: string) {
    this.#start = start;
    if (!start.startsWith("first-")) this.#latest = start;
  }

  get value(): string | null {
    return this.#latest;
  }

  get sent(): string {
    return this.#latest ?? this.#start;
  }

  saw(bookmark: string): void {
    if (this.#latest === null || this.#latest < bookmark) {
      this.#latest = bookmark;
    }
  }
}

class Statement implements D1PreparedStatement {
  readonly sql: string;
  readonly params: readonly unknown[];
  readonly #scope: Scope;

  constructor(scope: Scope, sql: string, params: readonly unknown[]) {
    this.#scope = scope;
    this.sql = sql;
    this.params = params;
  }

  bind(...values: unknown[]): Statement {
    return new Statement(this.#scope, this.sql, values.map(toD1Value));
  }

  async all<Row>(): Promise<D1Result<Row>> {
    return await this.#scope.send("all", [this]) as D1Result<Row>;
  }

  async run<Row>(): Promise<D1Result<Row>> {
    return await this.#scope.send("run", [this]) as D1Result<Row>;
  }

  async raw<Row>(options?: { columnNames?: boolean }): Promise<Row[]> {
    return await this.#scope.send("raw", [this], options) as Row[];
  }

  async first<T>(column?: string): Promise<T | null> {
    return await this.#scope.send("first", [this], column) as T | null;
  }

  toJSON(): { sql: string; params: readonly unknown[] } {
    return { sql: this.sql, params: this.params };
  }
}

async function sendBatch<Row>(
  scope: Scope,
  statements: D1PreparedStatement[],
): Promise<D1Result<Row>[]> {
  const own = statements.map((statement) => {
    if (statement instanceof Statement) return statement;
    throw new TypeError(
      "Cannot batch a statement of another database: prepare it on this one",
    );
  });
  return await scope.send("batch", own) as D1Result<Row>[];
}

/** Converts as the binding does before it sends JSON; refuses what it refuses. */
function toD1Value(value: unknown): unknown {
  if (value === null) return null;
  if (typeof value === "number" || typeof value === "string") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value instanceof ArrayBuffer) return Array.from(new Uint8Array(value));
  if (ArrayBuffer.isView(value)) return Array.from(value as Uint8Array);
  if (Array.isArray(value) && value.every(isByte)) return value;
  const reason = `Type '${typeof value}' not supported for value '${value}'`;
  throw new Error(`D1_TYPE_ERROR: ${reason}`, { cause: new Error(reason) });
}

function isByte(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value < 256;
}

/**
 * Drops every table, view and trigger of a database, in two trips.
 *
 * Rows go before tables and children before parents: D1 keeps foreign keys on,
 * and dropping a table deletes its rows first.
 */
export async function emptyD1(db: D1Database): Promise<void> {
  const { results } = await db.prepare(`
    SELECT s.type, s.name, s.sql LIKE 'CREATE VIRTUAL%' AS virtual,
      (SELECT json_group_array(f."table")
        FROM pragma_foreign_key_list(s.name) f) AS parents
    FROM sqlite_schema s
    WHERE s.type IN ('table', 'view', 'trigger')
      AND s.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
      AND s.name NOT LIKE '\\_cf\\_%' ESCAPE '\\'
      AND NOT EXISTS (SELECT 1 FROM sqlite_schema v
        WHERE v.sql LIKE 'CREATE VIRTUAL%' AND v.name <> s.name
          AND substr(s.name, 1, length(v.name) + 1) = v.name || '_')
  `).all<{ type: string; name: string; virtual: number; parents: string }>();
  if (results.length === 0) return;
  const tables = results.filter((item) => item.type === "table");
  const ordered = childrenFirst(tables);
  const drop = (type: string, name: string) =>
    db.prepare(`DROP ${type} ${quoted(name)}`);
  await db.batch([
    db.prepare("PRAGMA defer_foreign_keys = on"),
    ...["trigger", "view"].flatMap((type) =>
      results.filter((item) => item.type === type)
        .map((item) => drop(type, item.name))
    ),
    ...ordered.filter((table) => !table.virtual)
      .map(({ name }) => db.prepare(`DELETE FROM ${quoted(name)}`)),
    ...ordered.map(({ name }) => drop("table", name)),
  ]);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Reverse post-order along foreign keys; a cycle is cut anywhere. */
function childrenFirst<Table extends { name: string; parents: string }>(
  tables: Table[],
): Table[] {
  const byName = new Map(tables.map((table) => [table.name, table]));
  const parentsFirst = new Set<Table>();
  const entered = new Set<Table>();
  const visit = (table: Table) => {
    if (entered.has(table)) return;
    entered.add(table);
    for (const name of JSON.parse(table.parents) as string[]) {
      const parent = byName.get(name);
      if (parent) visit(parent);
    }
    parentsFirst.add(table);
  };
  tables.forEach(visit);
  return [...parentsFirst].reverse();
}

/**
 * SQLite as Hrana sees it: typed values, results and errors with SQLite's codes.
 *
 * @module
 */
// deno-lint-ignore-file camelcase -- the protocol's own names
import { DatabaseSync, type SQLInputValue } from "node:sqlite";

/** A value on the wire; an integer is text, so that 64 bits survive. */
export type HranaValue =
  | { readonly type: "null" }
  | { readonly type: "integer"; readonly value: string }
  | { readonly type: "float"; readonly value: number }
  | { readonly type: "text"; readonly value: string }
  | { readonly type: "blob"; readonly base64: string };

/** One statement on the wire. */
export interface HranaStmt {
  /** Its text, or else `sql_id`. */
  readonly sql?: string;
  /** Names a text stored earlier on the stream. */
  readonly sql_id?: number;
  /** Positional values. */
  readonly args?: readonly HranaValue[];
  /** Named values, with or without the prefix. */
  readonly named_args?: readonly { name: string; value: HranaValue }[];
  /** @default {true} */
  readonly want_rows?: boolean;
}

/** A statement's answer. */
export interface HranaResult {
  /** The columns. */
  readonly cols: readonly { name: string | null; decltype: string | null }[];
  /** The values. */
  readonly rows: readonly (readonly HranaValue[])[];
  /** Rows that it inserted, changed or deleted itself. */
  readonly affected_row_count: number;
  /** The row id of the last insert on the stream. */
  readonly last_insert_rowid: string | null;
}

/** An error that the client shall see. */
export class HranaError extends Error {
  /** A stable name for it, such as `SQLITE_BUSY`. */
  readonly code: string;

  /** Made where it happens. */
  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/** One connection. */
export class HranaSqlite {
  readonly #db: DatabaseSync;

  /** Opens the file. It never waits for a lock: that would block everybody. */
  constructor(path: string) {
    this.#db = new DatabaseSync(path, {
      enableForeignKeyConstraints: true,
      timeout: 0,
    });
  }

  /** Whether no transaction is open. */
  get isAutocommit(): boolean {
    return !this.#db.isTransaction;
  }

  /** Runs one statement. */
  execute(sql: string, stmt: HranaStmt): HranaResult {
    return guarded(() => {
      const statement = this.#prepare(sql);
      statement.setReadBigInts(true);
      asArrays(statement);
      const cols = statement.columns().map(({ name, type }) => ({
        name,
        decltype: type,
      }));
      const before = this.#number("SELECT total_changes()");
      const named = Object.fromEntries(
        (stmt.named_args ?? []).map(({ name, value }) => [
          name,
          fromWire(value),
        ]),
      );
      const args = (stmt.args ?? []).map(fromWire);
      const rows = (stmt.named_args?.length
        ? statement.all(named, ...args)
        : statement.all(...args)) as unknown as unknown[][];
      const changed = this.#number("SELECT total_changes()") !== before;
      return {
        cols,
        rows: stmt.want_rows === false
          ? []
          : rows.map((row) =>
            row.map(toWire)
          ),
        affected_row_count: changed
          ? Number(this.#number("SELECT changes()"))
          : 0,
        last_insert_rowid: String(this.#number("SELECT last_insert_rowid()")),
      };
    });
  }

  /** Runs a script and forgets its rows. */
  sequence(sql: string): void {
    guarded(() => this.#db.exec(sql));
  }

  /** Tells what a statement takes and gives, without running it. */
  describe(sql: string): object {
    return guarded(() => {
      const statement = this.#prepare(sql);
      const program = this.#db.prepare(`EXPLAIN ${sql}`).all();
      const isExplain = /^\s*explain\b/i.test(sql);
      return {
        params: parameters(sql).map((name) => ({ name })),
        cols: statement.columns().map(({ name, type }) => ({
          name,
          decltype: type,
        })),
        is_explain: isExplain,
        // A statement that writes opens a transaction for writing.
        is_readonly: isExplain ||
          !program.some((step) =>
            step.opcode === "Transaction" && step.p2 !== 0
          ),
      };
    });
  }

  /** Closes it; an open transaction is rolled back. */
  close(): void {
    this.#db.close();
  }

  #prepare(sql: string) {
    const statement = this.#db.prepare(sql);
    const rest = withoutComments(sql.slice(statement.sourceSQL.length));
    if (!/[^\s;]/.test(rest)) return statement;
    throw new HranaError(
      "SQL string contains more than one statement",
      "SQL_MANY_STATEMENTS",
    );
  }

  #number(sql: string): bigint {
    const statement = this.#db.prepare(sql);
    statement.setReadBigInts(true);
    return Object.values(statement.get()!)[0] as bigint;
  }
}

/** Rows as arrays, so that columns of one name stay apart. */
function asArrays(statement: object): void {
  // Present at run time, missing in the types.
  (statement as { setReturnArrays(on: boolean): void }).setReturnArrays(true);
}

function fromWire(value: HranaValue): SQLInputValue {
  switch (value.type) {
    case "null":
      return null;
    case "integer":
      return BigInt(value.value);
    case "blob":
      return Uint8Array.from(atob(value.base64), (c) => c.charCodeAt(0));
    default:
      return value.value;
  }
}

function toWire(value: unknown): HranaValue {
  if (value === null) return { type: "null" };
  if (typeof value === "bigint") {
    return { type: "integer", value: String(value) };
  }
  if (typeof value === "number") return { type: "float", value };
  if (typeof value === "string") return { type: "text", value };
  const bytes = Array.from(value as Uint8Array, (b) => String.fromCharCode(b));
  return { type: "blob", base64: btoa(bytes.join("")) };
}

/** Names for the result codes that a client is likely to tell apart. */
const CODES: Readonly<Record<number, string>> = {
  1: "SQLITE_ERROR",
  5: "SQLITE_BUSY",
  6: "SQLITE_LOCKED",
  8: "SQLITE_READONLY",
  13: "SQLITE_FULL",
  18: "SQLITE_TOOBIG",
  19: "SQLITE_CONSTRAINT",
  20: "SQLITE_MISMATCH",
  25: "SQLITE_RANGE",
  275: "SQLITE_CONSTRAINT_CHECK",
  517: "SQLITE_BUSY_SNAPSHOT",
  787: "SQLITE_CONSTRAINT_FOREIGNKEY",
  1299: "SQLITE_CONSTRAINT_NOTNULL",
  1555: "SQLITE_CONSTRAINT_PRIMARYKEY",
  1811: "SQLITE_CONSTRAINT_TRIGGER",
  2067: "SQLITE_CONSTRAINT_UNIQUE",
  3091: "SQLITE_CONSTRAINT_DATATYPE",
};

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof HranaError) throw error;
    const { message, errcode } = error as Error & { errcode?: number };
    const code = errcode === undefined
      ? "SQLITE_MISUSE"
      : CODES[errcode] ?? CODES[errcode & 255] ?? "SQLITE_UNKNOWN";
    throw new HranaError(`SQLite error: ${message}`, code);
  }
}

const COMMENT_OR_TEXT =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]/g;

function withoutComments(sql: string): string {
  return sql.replace(
    COMMENT_OR_TEXT,
    (found) => /^[-/]/.test(found) ? "" : "x",
  );
}

/** The parameters in order of their numbers; `?` alone has no name. */
function parameters(sql: string): (string | null)[] {
  const plain = sql.replace(COMMENT_OR_TEXT, " ");
  const names: (string | null)[] = [];
  for (const [token] of plain.matchAll(/\?\d*|[:@$][A-Za-z_]\w*/g)) {
    if (token === "?") names.push(null);
    else if (token.startsWith("?")) {
      const number = Number(token.slice(1));
      while (names.length < number) names.push(null);
      names[number - 1] = token;
    } else if (!names.includes(token)) names.push(token);
  }
  return names;
}

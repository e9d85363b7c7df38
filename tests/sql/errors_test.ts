import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  classifyPostgres,
  classifySqlite,
  ConstraintViolationError,
  GuardError,
  type SqlError,
} from "../../sql/mod.ts";

type Seen = readonly [name: string, code: string, isRetryable: boolean];

function seen(error: SqlError | undefined): Seen | undefined {
  return error && [error.name, error.code, error.isRetryable];
}

Deno.test("the texts of SQLite and of the platforms around it are named", () => {
  const of = (text: string) => seen(classifySqlite(new Error(text), "SELECT"));
  const connection: Seen = ["ConnectionError", "sql/connection", true];
  const statement: Seen = ["StatementError", "sql/statement", false];
  const limit: Seen = ["LimitError", "sql/limit", false];
  const overloaded: Seen = ["OverloadedError", "sql/overloaded", false];
  const timeout: Seen = ["TimeoutError", "sql/timeout", false];
  const value: Seen = ["TypeConversionError", "sql/type", false];
  const table: readonly (readonly [string, Seen])[] = [
    ["D1_ERROR: Network connection lost.", connection],
    ["D1 DB reset because its code was updated.", connection],
    ["D1_ERROR: storage caused object to be reset.", connection],
    ["Cannot resolve D1 DB due to transient issue on remote node.", connection],
    ["Can't read from request stream because client disconnected.", connection],
    ["D1 DB is overloaded. Requests queued for too long.", overloaded],
    ["D1 DB is overloaded. Too many requests queued.", overloaded],
    ["Durable Object is overloaded. Too many requests queued.", overloaded],
    [
      "D1 DB storage operation exceeded timeout which caused object to be reset.",
      timeout,
    ],
    ["D1 DB's memory limit was exceeded and it was reset: memory limit", limit],
    ["D1_ERROR: too many SQL variables at offset 5: SQLITE_ERROR", limit],
    ["D1_ERROR: string or blob too big: SQLITE_TOOBIG", limit],
    ["LIKE or GLOB pattern too complex: SQLITE_ERROR", limit],
    ["Expression tree is too large (maximum depth 100)", limit],
    ["too many terms in compound SELECT", limit],
    ["database or disk is full: SQLITE_FULL", limit],
    [
      'D1_ERROR: near "SELEC": syntax error at offset 0: SQLITE_ERROR',
      statement,
    ],
    ["no such table: nope: SQLITE_ERROR", statement],
    ["table t has no column named x: SQLITE_ERROR", statement],
    ["ambiguous column name: id: SQLITE_ERROR", statement],
    ["table t already exists: SQLITE_ERROR", statement],
    ["Wrong number of parameter bindings for SQL query.", statement],
    ["not authorized: SQLITE_AUTH", statement],
    ["incomplete input: SQLITE_ERROR", statement],
    ["bad JSON path: 'what a user gave'", statement],
    ["D1_TYPE_ERROR: Type 'object' not supported for value 'x'", value],
    ["datatype mismatch", value],
    ["cannot store TEXT value in INTEGER column t.a", value],
    ["database is locked", ["SerializationError", "sql/serialization", true]],
  ];

  for (const [text, expected] of table) {
    deepStrictEqual(of(text), expected, text);
  }
  strictEqual(of("fetch failed for a reason of its own"), undefined);
});

Deno.test("what a Durable Object says beside its error counts more than the text", () => {
  const flagged = (flags: object) =>
    seen(classifySqlite(Object.assign(new Error("no text"), flags), undefined));

  deepStrictEqual(flagged({ overloaded: true, retryable: true }), [
    "OverloadedError",
    "sql/overloaded",
    false,
  ]);
  deepStrictEqual(flagged({ retryable: true }), [
    "ConnectionError",
    "sql/connection",
    true,
  ]);
  strictEqual(flagged({ retryable: false }), undefined);
});

Deno.test("a constraint of SQLite is found with its table, columns or name", () => {
  const of = (text: string) => {
    const error = classifySqlite(new Error(text), undefined);
    return error instanceof ConstraintViolationError
      ? [error.code, error.table, error.columns, error.constraint]
      : undefined;
  };
  const end = ": SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)";

  deepStrictEqual(of(`D1_ERROR: UNIQUE constraint failed: t.a, t.b${end}`), [
    "sql/unique-violation",
    "t",
    ["a", "b"],
    undefined,
  ]);
  deepStrictEqual(of("UNIQUE constraint failed: my table.a-b.c"), [
    "sql/unique-violation",
    "my table",
    ["a-b.c"],
    undefined,
  ]);
  deepStrictEqual(of("UNIQUE constraint failed: index 'ix_lower'"), [
    "sql/unique-violation",
    undefined,
    [],
    "ix_lower",
  ]);
  deepStrictEqual(of("NOT NULL constraint failed: t.a"), [
    "sql/not-null-violation",
    "t",
    ["a"],
    undefined,
  ]);
  deepStrictEqual(of(`CHECK constraint failed: ck_age${end}`), [
    "sql/check-violation",
    undefined,
    [],
    "ck_age",
  ]);
  // A check without a name is called by its text.
  deepStrictEqual(of(`D1_ERROR: CHECK constraint failed: a >\n  5${end}`), [
    "sql/check-violation",
    undefined,
    [],
    "a >\n  5",
  ]);
  for (
    const text of [
      "FOREIGN KEY constraint failed",
      `FOREIGN KEY constraint failed${end}`,
      "left the database in a state where constraints were violated",
    ]
  ) {
    deepStrictEqual(of(text), [
      "sql/foreign-key-violation",
      undefined,
      [],
      undefined,
    ]);
  }
});

Deno.test("an SQLSTATE is named, by itself or by its class", () => {
  const of = (code: string) =>
    seen(
      classifyPostgres(
        Object.assign(new Error("it says"), { code }),
        undefined,
      ),
    );
  const table: Readonly<Record<string, Seen>> = {
    "23505": ["UniqueViolationError", "sql/unique-violation", false],
    "23503": ["ForeignKeyViolationError", "sql/foreign-key-violation", false],
    "23001": ["ForeignKeyViolationError", "sql/foreign-key-violation", false],
    "23502": ["NotNullViolationError", "sql/not-null-violation", false],
    "23514": ["CheckViolationError", "sql/check-violation", false],
    "23P01": ["ConstraintViolationError", "sql/constraint-violation", false],
    "40001": ["SerializationError", "sql/serialization", true],
    "40P01": ["SerializationError", "sql/serialization", true],
    "42601": ["StatementError", "sql/statement", false],
    "42P01": ["StatementError", "sql/statement", false],
    "25006": ["StatementError", "sql/statement", false],
    "22003": ["TypeConversionError", "sql/type", false],
    "22021": ["TypeConversionError", "sql/type", false],
    "22P02": ["TypeConversionError", "sql/type", false],
    "0A000": ["UnsupportedError", "sql/unsupported", false],
    "08006": ["ConnectionError", "sql/connection", true],
    "57P01": ["ConnectionError", "sql/connection", true],
    "28P01": ["ConnectionError", "sql/connection", false],
    "3D000": ["ConnectionError", "sql/connection", false],
    "53300": ["OverloadedError", "sql/overloaded", false],
    "54011": ["LimitError", "sql/limit", false],
    "55P03": ["TimeoutError", "sql/timeout", false],
    "57014": ["TimeoutError", "sql/timeout", false],
  };

  for (const [code, expected] of Object.entries(table)) {
    deepStrictEqual(of(code), expected, code);
  }
  strictEqual(of("ECONNRESET"), undefined);
  strictEqual(classifyPostgres(new Error("no code"), undefined), undefined);
});

Deno.test("columns are taken from in front of the values of Postgres' detail", () => {
  const of = (detail: string) => {
    const error = classifyPostgres(
      Object.assign(new Error("duplicate key"), {
        code: "23505",
        table: "t",
        constraint: "t_key",
        detail,
      }),
      "INSERT",
    );
    return error instanceof ConstraintViolationError
      ? [error.columns, error.message]
      : undefined;
  };

  deepStrictEqual(of('Key (a, "userId")=(1, se)=(cret) already exists.'), [
    ["a", "userId"],
    "Cannot write the row: another has the same a, userId of t (t_key)",
  ]);
  deepStrictEqual(of("Key (lower(name))=(secret) already exists.")?.[0], [
    "lower(name)",
  ]);
});

Deno.test("a guard's label is told from what a user gave", () => {
  const sqlite = (text: string) => classifySqlite(new Error(text), undefined);
  const postgres = (text: string) =>
    classifyPostgres(
      Object.assign(
        new Error(`invalid input syntax for type integer: "${text}"`),
        { code: "22P02" },
      ),
      undefined,
    );
  const labelOf = (error: SqlError | undefined) =>
    error instanceof GuardError ? error.label : undefined;

  strictEqual(labelOf(sqlite("bad JSON path: 'stale:3'")), "stale:3");
  strictEqual(labelOf(sqlite("JSON path error near 'stale:3'")), "stale:3");
  strictEqual(labelOf(postgres("stale:3")), "stale:3");
  strictEqual(labelOf(sqlite("bad JSON path: 'secret'")), undefined);
  strictEqual(labelOf(postgres("secret")), undefined);
  for (const error of [sqlite("bad JSON path: 'secret'"), postgres("secret")]) {
    strictEqual(error?.message.includes("secret"), false);
  }
});

import { SqlError } from "../errors.ts";
import {
  CheckViolationError,
  ConnectionError,
  ForeignKeyViolationError,
  GuardError,
  LimitError,
  NotNullViolationError,
  OverloadedError,
  StatementError,
  TimeoutError,
  UniqueViolationError,
} from "../violations.ts";

type Details = { readonly cause: unknown; readonly sql: string | undefined };

/** What each text of SQLite and of the platforms around it means. */
const TEXTS: readonly (readonly [
  RegExp,
  (match: RegExpMatchArray, d: Details) => SqlError,
])[] = [
  [
    /bad JSON path: '([^']*)'|JSON path error near '([^']*)'/,
    (m, d) => new GuardError(m[1] ?? m[2] ?? "", d),
  ],
  [
    /UNIQUE constraint failed: ([\w., ]+)/,
    (m, d) =>
      new UniqueViolationError(
        "sql/unique-violation",
        `Cannot write the row: another has the same ${m[1]}`,
        place(m[1]),
        d,
      ),
  ],
  [
    /NOT NULL constraint failed: ([\w.]+)/,
    (m, d) =>
      new NotNullViolationError(
        "sql/not-null-violation",
        `Cannot write the row: ${m[1]} must have a value`,
        place(m[1]),
        d,
      ),
  ],
  [
    /CHECK constraint failed: ([^:]+)/,
    (m, d) =>
      new CheckViolationError(
        "sql/check-violation",
        `Cannot write the row: it breaks the check ${m[1]}`,
        { constraint: m[1] },
        d,
      ),
  ],
  [
    /FOREIGN KEY constraint failed|constraints were violated/,
    (_m, d) =>
      new ForeignKeyViolationError(
        "sql/foreign-key-violation",
        "Cannot write the row: a row it names is not there, or it is still named by another",
        {},
        d,
      ),
  ],
  [
    /too many SQL variables|String or BLOB exceeded|too many terms|Expression tree is too large|pattern too complex|too many columns|statement too long/i,
    (m, d) =>
      new LimitError(
        "sql/limit",
        `Cannot run the statement: it is over a limit of the platform (${
          m[0]
        })`,
        d,
      ),
  ],
  [
    /overloaded/i,
    (_m, d) =>
      new OverloadedError(
        "sql/overloaded",
        "Cannot run the statement: the database is overloaded; try later",
        d,
      ),
  ],
  [
    /timed? ?out|timeout/i,
    (_m, d) =>
      new TimeoutError(
        "sql/timeout",
        "Cannot run the statement: the database took too long",
        d,
      ),
  ],
  [
    /Network connection lost|to be reset|code was updated|transient issue|client disconnected|database is locked/i,
    (_m, d) =>
      new ConnectionError(
        "sql/connection",
        "Cannot run the statement: the connection to the database broke",
        { ...d, isRetryable: true },
      ),
  ],
  [
    /syntax error|no such (table|column|function)|incomplete input|Wrong number of parameter|SQL logic error|not authorized|has no column/i,
    (m, d) =>
      new StatementError(
        "sql/statement",
        `Cannot run the statement: ${m[0]}`,
        d,
      ),
  ],
];

function place(columns = ""): { table?: string; columns: string[] } {
  const parts = columns.split(", ").map((one) => one.split("."));
  const table = parts[0]?.[0];
  return {
    ...(table === undefined ? {} : { table }),
    columns: parts.map((part) => part[1] ?? "").filter((name) => name !== ""),
  };
}

/** Names an error of SQLite, D1 or a Durable Object by its text. */
export function classifySqlite(
  error: unknown,
  sql: string | undefined,
): SqlError | undefined {
  if (error instanceof SqlError) return error;
  if (!(error instanceof Error)) return undefined;
  for (const [pattern, make] of TEXTS) {
    const match = error.message.match(pattern);
    if (match) return make(match, { cause: error, sql });
  }
  return undefined;
}

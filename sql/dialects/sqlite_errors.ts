import {
  SqlError,
  type SqlErrorDetails,
  TypeConversionError,
} from "../errors.ts";
import {
  CheckViolationError,
  ConnectionError,
  ConstraintViolationError,
  ForeignKeyViolationError,
  GuardError,
  LimitError,
  NotNullViolationError,
  OverloadedError,
  SerializationError,
  StatementError,
  TimeoutError,
  UniqueViolationError,
} from "../violations.ts";

type Plain = new (
  code: string,
  message: string,
  details: SqlErrorDetails,
) => SqlError;

/** What each text of SQLite and of the platforms around it means. */
const TEXTS: readonly (readonly [
  RegExp,
  Plain,
  code: string,
  isRetryable?: boolean,
])[] = [
  [/overloaded/i, OverloadedError, "overloaded"],
  [
    /(\w[\w ]* )?too (many|big|large|complex|long)[^:]*?(?= at offset|:)|at most \d+ tables[^:]*|blob exceeded|is full|out of memory|(memory|time|storage) limit|maximum DB size/i,
    LimitError,
    "limit",
  ],
  [
    /database.* is locked|SQLITE_BUSY/,
    SerializationError,
    "serialization",
    true,
  ],
  [/timed? ?out/i, TimeoutError, "timeout"],
  [
    /connection lost|to be reset|code was updated|transient \w+|disconnected/i,
    ConnectionError,
    "connection",
    true,
  ],
  [/disk|unable to open|not a database/i, ConnectionError, "connection"],
  // What SQLite has against a text, up to what it repeats of it.
  [
    /(near "[^"]*": )?syntax error|no such \w+(: [\w."]+)?|parameter binding|not authorized|JSON path|readonly|No SQL statements|SQL BEGIN|\b(?!D1_|SQLite|error:)\w[\w *()"-]*(?=.*SQL\w*_(ERROR|UNKNOWN))/,
    StatementError,
    "statement",
  ],
];

/** What breaks each kind of constraint. */
const CONSTRAINTS: Readonly<Record<string, typeof ConstraintViolationError>> = {
  "UNIQUE": UniqueViolationError,
  "NOT NULL": NotNullViolationError,
  "CHECK": CheckViolationError,
  "FOREIGN KEY": ForeignKeyViolationError,
};

/** What some platforms say beside an error's text. */
interface PlatformError extends Error {
  readonly code?: unknown;
  readonly overloaded?: unknown;
  readonly retryable?: unknown;
}

/** Names an error of SQLite, D1 or a Durable Object by its text. */
export function classifySqlite(
  error: unknown,
  sql: string | undefined,
): SqlError | undefined {
  if (error instanceof SqlError) return error;
  if (!(error instanceof Error)) return undefined;
  const { message, code, overloaded, retryable }: PlatformError = error;
  const details = { cause: error, sql };
  const [, label] =
    /JSON path(?: error near|:) '([a-z_]+:[^']*)'/.exec(message) ?? [];
  if (label) return new GuardError(label, details);
  const broken =
    /(UNIQUE|NOT NULL|CHECK|FOREIGN KEY) constraint failed(?:: (?!SQLITE_)([^]*?))?(?:: SQLITE_|$)|constraints were violated/
      .exec(message);
  if (broken) return violation(broken, details);
  if (
    /TYPE_ERROR|datatype mismatch|cannot store |malformed JSON|integer overflow/
      .test(message)
  ) {
    return new TypeConversionError(
      `${RUN}a value in it does not fit its type`,
      details,
    );
  }
  // What a trigger says is its author's.
  if (/SQLITE_CONSTRAINT/.test(message)) {
    return violation(["", "TRIGGER"], details);
  }
  // A platform that knows better than its text says so beside it.
  const text = overloaded
    ? "overloaded"
    : retryable
    ? "transient failure"
    : `${message}: ${code}`;
  for (const [pattern, Kind, code, isRetryable] of TEXTS) {
    const match = pattern.exec(text);
    if (match) {
      return new Kind(`sql/${code}`, RUN + match[0], {
        ...details,
        isRetryable,
      });
    }
  }
  return undefined;
}

const RUN = "Cannot run the statement: ";

function violation(
  [, kind = "FOREIGN KEY", what = ""]: readonly string[],
  details: SqlErrorDetails,
): SqlError {
  const Kind = CONSTRAINTS[kind] ?? ConstraintViolationError;
  const index = /^index '(.*)'$/.exec(what)?.[1];
  const [table = ""] = what.split(".", 1);
  return new Kind(
    `sql/${kind.toLowerCase().replace(" ", "-")}-violation`,
    `Cannot write the row: it breaks ${kind}${what && ` of ${what}`}`,
    index || kind === "CHECK" ? { constraint: index ?? what } : what
      ? {
        table,
        columns: what.split(", ").map((one) => one.slice(table.length + 1)),
      }
      : {},
    details,
  );
}

import {
  SqlError,
  type SqlErrorDetails,
  TypeConversionError,
} from "../errors.ts";
import {
  CheckViolationError,
  ConnectionError,
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
    /(\w[\w ]* )?too (many|big|large|complex|long)[^:]*?(?= at offset|:|$)|at most \d+ tables[^:]*|blob exceeded|is full|(memory|time) limit|maximum DB size/i,
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
  [
    /(near "[^"]*": )?syntax error|no such \w+(: [\w."]+)?|incomplete input|parameter binding|SQL logic error|not authorized|JSON path|(has no|ambiguous) column[^:]*|already exists|values for|readonly/i,
    StatementError,
    "statement",
  ],
];

/** How a constraint that was broken is called in SQLite's text. */
const CONSTRAINTS = {
  "UNIQUE": [UniqueViolationError, "unique", "another row has the same "],
  "NOT NULL": [NotNullViolationError, "not-null", "no value for "],
  "CHECK": [CheckViolationError, "check", "it breaks the check "],
  "FOREIGN KEY": [
    ForeignKeyViolationError,
    "foreign-key",
    "a row it names is not there, or it is still named by another",
  ],
} as const;

/** Names an error of SQLite, D1 or a Durable Object by its text. */
export function classifySqlite(
  error: unknown,
  sql: string | undefined,
): SqlError | undefined {
  if (error instanceof SqlError) return error;
  if (!(error instanceof Error)) return undefined;
  const { message } = error;
  const { overloaded, retryable }: {
    readonly overloaded?: unknown;
    readonly retryable?: unknown;
  } & Error = error;
  const details = { cause: error, sql };
  const label = /JSON path(?: error near|:) '([a-z_]+:[^']*)'/.exec(message);
  if (label) return new GuardError(label[1] ?? "", details);
  const broken =
    /(UNIQUE|NOT NULL|CHECK|FOREIGN KEY) constraint failed(?:: (?!SQLITE_)(.*?))?(?:: SQLITE_|$)|constraints were violated/
      .exec(message);
  if (broken) return violation(broken, details);
  if (/TYPE_ERROR|datatype mismatch|cannot store /.test(message)) {
    return new TypeConversionError(
      "Cannot run the statement: a value in it does not fit its type",
      details,
    );
  }
  // A platform that knows better than its text says so beside it.
  const text = overloaded === true
    ? "overloaded"
    : retryable === true
    ? "transient failure"
    : message;
  for (const [pattern, Kind, code, isRetryable = false] of TEXTS) {
    const match = pattern.exec(text);
    if (match) {
      return new Kind(
        `sql/${code}`,
        `Cannot run the statement: ${match[0]}`,
        { ...details, isRetryable },
      );
    }
  }
  return undefined;
}

function violation(
  [, kind = "FOREIGN KEY", what = ""]: RegExpExecArray,
  details: SqlErrorDetails,
): SqlError {
  const [Kind, code, meaning] = CONSTRAINTS[kind as keyof typeof CONSTRAINTS];
  const columns = what.split(", ").map((one) => one.split("."));
  const index = /^index '(.*)'$/.exec(what);
  return new Kind(
    `sql/${code}-violation`,
    `Cannot write the row: ${meaning}${what}`,
    kind === "CHECK" || index ? { constraint: index?.[1] ?? what } : what
      ? {
        table: columns[0]?.[0],
        columns: columns.map(([, ...name]) => name.join(".")),
      }
      : {},
    details,
  );
}

import {
  SqlError,
  type SqlErrorDetails,
  TypeConversionError,
  UnsupportedError,
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

/** What Postgres says of an error, whichever client hands it on. */
export interface PostgresErrorFields {
  /** The SQLSTATE. */
  readonly code?: unknown;
  /** The constraint that was broken. */
  readonly constraint?: unknown;
  /** The table it stands on. */
  readonly table?: unknown;
  /** The column, where there is one alone. */
  readonly column?: unknown;
  /** `Key (a, b)=(…) already exists.` */
  readonly detail?: unknown;
}

type Where = ConstructorParameters<typeof ConstraintViolationError>[2];
type Make = (where: Where, details: SqlErrorDetails, text: string) => SqlError;

const RUN = "Cannot run the statement: ";
const WRITE = "Cannot write the row: ";

const at = ({ table, constraint, columns }: NonNullable<Where>): string =>
  `${columns?.length ? `${columns.join(", ")} of ` : ""}${
    table ?? "its table"
  }${constraint ? ` (${constraint})` : ""}`;

const retryable = (details: SqlErrorDetails): SqlErrorDetails => ({
  ...details,
  isRetryable: true,
});

const foreignKey: Make = (where, details) =>
  new ForeignKeyViolationError(
    "sql/foreign-key-violation",
    `${WRITE}a row that ${
      at(where ?? {})
    } names is not there, or it is still named`,
    where,
    details,
  );
const broken: Make = (_where, details) =>
  new ConnectionError(
    "sql/connection",
    `${RUN}the connection to the database broke`,
    retryable(details),
  );
const lost: Make = (_where, details) =>
  new SerializationError(
    "sql/serialization",
    `${RUN}another transaction stood in its way; send it again`,
    retryable(details),
  );
const late: Make = (_where, details) =>
  new TimeoutError("sql/timeout", `${RUN}it took too long`, details);

/** SQLSTATEs and their classes (the first two characters). */
const STATES: Readonly<Record<string, Make>> = {
  "08": broken,
  "0A": (_where, details, text) => new UnsupportedError(RUN + text, details),
  "22": (_where, details) =>
    new TypeConversionError(
      `${RUN}a value in it does not fit its type`,
      details,
    ),
  "23": (where, details) =>
    new ConstraintViolationError(
      "sql/constraint-violation",
      `${WRITE}it breaks a constraint on ${at(where ?? {})}`,
      where,
      details,
    ),
  "23001": foreignKey,
  "23502": (where, details) =>
    new NotNullViolationError(
      "sql/not-null-violation",
      `${WRITE}${at(where ?? {})} must have a value`,
      where,
      details,
    ),
  "23503": foreignKey,
  "23505": (where, details) =>
    new UniqueViolationError(
      "sql/unique-violation",
      `${WRITE}another has the same ${at(where ?? {})}`,
      where,
      details,
    ),
  "23514": (where, details) =>
    new CheckViolationError(
      "sql/check-violation",
      `${WRITE}it breaks a check on ${at(where ?? {})}`,
      where,
      details,
    ),
  "28": (_where, details) =>
    new ConnectionError(
      "sql/connection",
      "Cannot reach the database: it refuses the credentials",
      details,
    ),
  "3D": (_where, details) =>
    new ConnectionError(
      "sql/connection",
      "Cannot reach the database: there is none of that name",
      details,
    ),
  "40": lost,
  "53": (_where, details) =>
    new OverloadedError(
      "sql/overloaded",
      `${RUN}the database is overloaded; try later`,
      details,
    ),
  "54": (_where, details, text) =>
    new LimitError("sql/limit", RUN + text, details),
  "55P03": late,
  "57": broken,
  "57014": late,
};

/** Names an error of Postgres by its SQLSTATE. */
export function classifyPostgres(
  error: unknown,
  sql: string | undefined,
): SqlError | undefined {
  if (error instanceof SqlError) return error;
  if (!(error instanceof Error)) return undefined;
  const { code, constraint, table, column, detail }:
    & PostgresErrorFields
    & Error = error;
  if (typeof code !== "string" || !/^[0-9A-Z]{5}$/.test(code)) return undefined;
  const details = { cause: error, sql };
  const guard = code === "22P02" &&
    /^invalid input syntax for type integer: "([a-z_]+:.*)"$/s.exec(
      error.message,
    );
  if (guard) return new GuardError(guard[1] ?? "", details);
  const where = {
    constraint: word(constraint),
    table: word(table),
    columns: columnsOf(column, detail),
  };
  const make = STATES[code] ?? STATES[code.slice(0, 2)];
  return make
    ? make(where, details, error.message)
    : new StatementError("sql/statement", RUN + error.message, details);
}

function word(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

// Only the names in front of "=(" are taken: behind it stand values.
function columnsOf(column: unknown, detail: unknown): string[] {
  const one = word(column);
  if (one !== undefined) return [one];
  const keys = /^Key \((.*?)\)=\(/.exec(word(detail) ?? "")?.[1];
  return keys === undefined
    ? []
    : keys.split(", ").map((key) =>
      key.replace(/^"(.*)"$/, "$1").replaceAll('""', '"')
    );
}

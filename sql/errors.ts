/** What every error of this room has in common: a stable {@linkcode code}. */
export class SqlError extends Error {
  /** @ignore */
  override readonly name: string = "SqlError";
  /** A stable identifier, such as `"sql/unique-violation"`. */
  readonly code: string;
  /** The SQL text that failed, without its values, where there was one. */
  readonly sql: string | undefined;
  /** Whether sending the same thing again may succeed. */
  readonly isRetryable: boolean;

  /** Makes an error with a code, a message and what else is known. */
  constructor(code: string, message: string, details: SqlErrorDetails = {}) {
    super(message, details);
    this.code = code;
    this.sql = details.sql;
    this.isRetryable = details.isRetryable ?? false;
  }
}

/** What an error may know beyond its message. */
export interface SqlErrorDetails {
  /** The SQL text, without values. */
  readonly sql?: string | undefined;
  /** The error of the driver or platform. */
  readonly cause?: unknown;
  /** Whether a retry may succeed. @default {false} */
  readonly isRetryable?: boolean | undefined;
}

/** A statement, schema or setting that cannot be turned into SQL. */
export class CompileError extends SqlError {
  /** @ignore */
  override readonly name: string = "CompileError";
  /** Makes an error for something that cannot be compiled. */
  constructor(message: string, details?: SqlErrorDetails) {
    super("sql/compile", message, details);
  }
}

/** A feature that this engine or dialect does not have. */
export class UnsupportedError extends SqlError {
  /** @ignore */
  override readonly name: string = "UnsupportedError";
  /** Makes an error that names the missing feature. */
  constructor(message: string, details?: SqlErrorDetails) {
    super("sql/unsupported", message, details);
  }
}

/** A value that a column type cannot hold. The value is not in the message. */
export class TypeConversionError extends SqlError {
  /** @ignore */
  override readonly name: string = "TypeConversionError";
  /** Makes an error that names the type and what it wants. */
  constructor(message: string, details?: SqlErrorDetails) {
    super("sql/type", message, details);
  }
}

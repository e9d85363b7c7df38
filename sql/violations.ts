import { SqlError, type SqlErrorDetails } from "./errors.ts";

/** A constraint that a write would have broken. */
export class ConstraintViolationError extends SqlError {
  /** @ignore */
  override readonly name: string = "ConstraintViolationError";
  /** The constraint's name, where the database says it. */
  readonly constraint: string | undefined;
  /** The table, where the database says it. */
  readonly table: string | undefined;
  /** The columns, where the database says them. */
  readonly columns: readonly string[];

  /** Makes an error with what the database said. */
  constructor(
    code: string,
    message: string,
    where: {
      readonly constraint?: string | undefined;
      readonly table?: string | undefined;
      readonly columns?: readonly string[];
    } = {},
    details?: SqlErrorDetails,
  ) {
    super(code, message, details);
    this.constraint = where.constraint;
    this.table = where.table;
    this.columns = where.columns ?? [];
  }
}

/** Two rows would be equal where they must not be. */
export class UniqueViolationError extends ConstraintViolationError {
  /** @ignore */
  override readonly name: string = "UniqueViolationError";
}

/** A row would name another that is not there, or is still named. */
export class ForeignKeyViolationError extends ConstraintViolationError {
  /** @ignore */
  override readonly name: string = "ForeignKeyViolationError";
}

/** A column would be NULL that must not be. */
export class NotNullViolationError extends ConstraintViolationError {
  /** @ignore */
  override readonly name: string = "NotNullViolationError";
}

/** A row would not meet a condition of its table. */
export class CheckViolationError extends ConstraintViolationError {
  /** @ignore */
  override readonly name: string = "CheckViolationError";
}

/** A text that the database cannot parse, or that names what is not there. */
export class StatementError extends SqlError {
  /** @ignore */
  override readonly name: string = "StatementError";
}

/** The database could not be reached, or the connection broke. */
export class ConnectionError extends SqlError {
  /** @ignore */
  override readonly name: string = "ConnectionError";
}

/** The database took too long. */
export class TimeoutError extends SqlError {
  /** @ignore */
  override readonly name: string = "TimeoutError";
}

/** The database refuses more work for now. */
export class OverloadedError extends SqlError {
  /** @ignore */
  override readonly name: string = "OverloadedError";
}

/** Something is larger than the platform takes. */
export class LimitError extends SqlError {
  /** @ignore */
  override readonly name: string = "LimitError";
}

/** Transactions stood in each other's way; the loser may try again. */
export class SerializationError extends SqlError {
  /** @ignore */
  override readonly name: string = "SerializationError";
}

/**
 * A guard inside a batch said no and undid the whole batch. The label is the
 * library's own, so that the layer that placed the guard knows which it was: a
 * word in small letters, a colon, and what else it wants to say (`stale:3`).
 */
export class GuardError extends SqlError {
  /** @ignore */
  override readonly name: string = "GuardError";
  /** What the guard was called. */
  readonly label: string;

  /** Makes an error that carries the guard's label. */
  constructor(label: string, details?: SqlErrorDetails) {
    super(
      "sql/guard",
      "Cannot apply the batch: a guard in it did not hold",
      details,
    );
    this.label = label;
  }
}

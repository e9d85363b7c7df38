import { MigrateError } from "../errors.ts";

/** An operation that cannot be recorded, reversed or planned as it was asked for. */
export class OperationError extends MigrateError {
  /** @ignore */
  override readonly name: string = "OperationError";

  /** @internal */
  constructor(message: string, code = "operation", options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** An operation that has no inverse, because what it removes is not known. */
export class IrreversibleError extends OperationError {
  /** @ignore */
  override readonly name = "IrreversibleError";

  /** @internal */
  constructor(message: string, options?: ErrorOptions) {
    super(message, "irreversible", options);
  }
}

/** A change that the database cannot make in place, and that may not be rebuilt. */
export class UnsupportedChangeError extends OperationError {
  /** @ignore */
  override readonly name = "UnsupportedChangeError";

  /** @internal */
  constructor(message: string) {
    super(message, "unsupported-change");
  }
}

/** A statement that the platform would refuse for its size. */
export class StatementLimitError extends MigrateError {
  /** @ignore */
  override readonly name = "StatementLimitError";
  /** The revision it belongs to. */
  readonly revision: string;
  /** What there is too much of. */
  readonly what: string;
  /** How much there is. */
  readonly actual: number;
  /** How much there may be. */
  readonly limit: number;
  /** The text, without values. */
  readonly sql: string;

  /** @internal */
  constructor(
    revision: string,
    what: string,
    actual: number,
    limit: number,
    sql: string,
  ) {
    super(
      "statement-limit",
      `Cannot plan revision '${revision}': '${
        sql.slice(0, 60)
      }…' has ${actual} ${what} and the database takes ${limit}; split it`,
    );
    this.revision = revision;
    this.what = what;
    this.actual = actual;
    this.limit = limit;
    this.sql = sql;
  }
}

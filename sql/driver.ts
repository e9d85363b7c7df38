import type { BoundStatement } from "./compiler.ts";
import type { Dialect, Limits } from "./dialect.ts";
import type { SqlError } from "./errors.ts";
import type { HeldTransactions } from "./held.ts";

/** What an engine can do. Code asks these, never a name. */
export interface Capabilities {
  /** A transaction can be held open between calls. */
  readonly interactiveTransactions: boolean;
  /** Several statements go in one trip and all or none take effect. */
  readonly atomicBatch: boolean;
  /** SAVEPOINT works inside a held transaction. */
  readonly savepoints: boolean;
  /**
   * PREPARE TRANSACTION works, where the server allows it: what was done is
   * kept until COMMIT PREPARED, whoever says that. @default {false}
   */
  readonly twoPhase?: boolean;
  /** Reads can be tied to a point in the history of the database. */
  readonly bookmarks: boolean;
  /** What the platform refuses. */
  readonly limits: Limits;
}

/** What a driver hands back for a statement. */
export interface DriverResult {
  /** The labels of the columns, in order. */
  readonly columns: readonly string[];
  /** The rows, each an array in the order of the columns. */
  readonly rows: readonly (readonly unknown[])[];
  /** How many rows the statement itself wrote, where the platform says. */
  readonly changes?: number;
  /**
   * How values are read where no type is known: for rows of hand-written SQL,
   * on databases that say the types of a result.
   */
  readonly readers?:
    | readonly (((value: unknown) => unknown) | undefined)[]
    | undefined;
}

/** Settings of one batch. */
export interface BatchOptions {
  /** How far the batch is apart from others, where that can be chosen. */
  readonly isolation?: "read committed" | "repeatable read" | "serializable";
  /** Makes the database refuse what writes, where it can. @default {false} */
  readonly readOnly?: boolean;
  /** Says that nothing in it writes: no lock is needed, and it may be sent again. @default {false} */
  readonly isRead?: boolean;
}

/** A transaction that is held open. */
export interface DriverTransaction {
  /** Runs a statement inside it. */
  execute(statement: BoundStatement): Promise<DriverResult>;
  /** Makes what was done last, and ends it. */
  commit(): Promise<void>;
  /** Undoes what was done, and ends it. */
  rollback(): Promise<void>;
  /** What a session does with it that is closed before it ends. @default rollback() */
  leave?(): Promise<void>;
}

/**
 * A way to one database. A backend's author writes this and nothing else;
 * errors are thrown as the platform throws them, and `classify` names them.
 *
 * What values look like is the dialect's affair. On SQLite a driver binds
 * strings, finite numbers, bytes and null, and hands back the same (bytes also
 * as an `ArrayBuffer` or a list of numbers). On Postgres every value goes as
 * text or null, and comes back as the database's raw text or null.
 */
export interface Driver {
  /** The language it speaks. */
  readonly dialect: Dialect;
  /** What it can do. */
  readonly capabilities: Capabilities;
  /** Sends one statement. */
  execute(statement: BoundStatement): Promise<DriverResult>;
  /**
   * Sends statements in one trip; all or none take effect. Never empty. An
   * error may carry `sql`, the text of the statement that failed.
   */
  batch(
    statements: readonly BoundStatement[],
    options?: BatchOptions,
  ): Promise<readonly DriverResult[]>;
  /** Opens a transaction, where `interactiveTransactions`. */
  begin?(options?: BatchOptions): Promise<DriverTransaction>;
  /** What a session keeps such transactions in, there as well: `() => new HeldTransactions()`. */
  hold?(): HeldTransactions;
  /** Names a platform's error; `undefined` where it is none of the database's. */
  classify(error: unknown, sql: string | undefined): SqlError | undefined;
  /** Lets go of the connection, where there is one. */
  close?(): void | Promise<void>;
  /** Whether it reaches into a transaction, so that nobody else sees what it sees. */
  readonly isInside?: boolean;
  /** The point in history that the last answer showed, where `bookmarks`. */
  readonly bookmark?: string | undefined;
}

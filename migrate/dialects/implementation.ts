import type {
  Capabilities,
  Constraint,
  Dialect,
  Limits,
  NamingConvention,
} from "../../sql/mod.ts";
import { OperationError } from "../operations/errors.ts";
import type {
  AlterTable,
  CreateIndex,
  DropIndex,
  TableReference,
} from "../operations/operation.ts";
import type { SchemaSnapshot } from "../schema/snapshot.ts";
import type { PlannedStatement } from "../planner/statement.ts";
import { postgresMigrations } from "./postgres.ts";
import { sqliteMigrations } from "./sqlite.ts";

/** What the planner knows when it turns an operation into statements. */
export interface RenderContext {
  /** The language. */
  readonly dialect: Dialect;
  /** What the platform refuses. */
  readonly limits: Limits;
  /** Names for constraints of tables that no revision describes. */
  readonly naming?: NamingConvention | undefined;
  /** The schema before the operation; asked for only where it is needed. */
  readonly schema: () => SchemaSnapshot;
}

/**
 * What migrations must say differently from one database to another. What two
 * databases say alike is in the planner; what the language can say at all is
 * the Core's.
 */
export interface MigrationDialect {
  /** Turns the changes of one table into statements. */
  alterTable(operation: AlterTable, context: RenderContext): PlannedStatement[];
  /**
   * What stands before DROP TABLE, where dropping a table that others refer to
   * would delete their rows instead of failing.
   */
  beforeDrop?(table: TableReference, dialect: Dialect): PlannedStatement[];
  /** What the database cannot say of a constraint or index, and would say otherwise; absent where it can say all. */
  lacks?(constraint: Constraint, table: TableReference): string | undefined;
  /** Tells whether a change cannot be part of a transaction. */
  isOutside(change: CreateIndex | DropIndex): boolean;
  /** Statements that make concurrent runners wait for each other within a batch. */
  lock(key: string, dialect: Dialect): PlannedStatement[];
  /**
   * A statement that aborts its batch unless a condition holds. The error
   * carries `label`, a colon and the value of `detail`.
   */
  guard(guard: Guard, dialect: Dialect): PlannedStatement;
  /** Every version row as one text, sorted and joined by commas. */
  joined(column: string, table: string): string;
  /** How many rows name another that is not there; absent where none can. */
  readonly orphans?: string;
  /** The tables those rows are in, as one text. */
  readonly orphanTables?: string;
  /** The moment a statement runs, as ISO text. */
  readonly now: string;
  /** That moment, so many milliseconds later. */
  later(milliseconds: number): string;
  /** Milliseconds from an ISO text to the moment a statement runs. */
  since(column: string): string;
  /** A query that gives a row if a table is there. */
  tableExists(
    table: string,
    schema: string | undefined,
    dialect: Dialect,
  ): PlannedStatement;
  /** Whether a script may hold BEGIN and COMMIT. */
  takesTransactionWords(capabilities: Capabilities): boolean;
  /** The word that opens a transaction in a script. */
  readonly begin: string;
}

/** A condition that a batch stands or falls with. */
export interface Guard {
  /** Names the guard in the error: letters and underscores. */
  readonly label: string;
  /** SQL that is true when all is well. */
  readonly condition: string;
  /** SQL of a text that goes into the error. */
  readonly detail: string;
}

const KNOWN: Readonly<Record<string, MigrationDialect>> = {
  sqlite: sqliteMigrations,
  postgres: postgresMigrations,
};

/**
 * Finds what migrations need to know of a dialect.
 *
 * @throws {OperationError} If the dialect is not known and none is given.
 */
export function migrationDialect(
  dialect: Dialect,
  given?: MigrationDialect,
): MigrationDialect {
  const found = given ?? KNOWN[dialect.name];
  if (found) return found;
  throw new OperationError(
    `Cannot plan migrations for dialect '${dialect.name}': nothing is known of its ALTER TABLE; give migrationDialect to createMigrator()`,
  );
}

import {
  type ColumnBuilders,
  type Constraint,
  type FinalName,
  finalName,
  MetaData,
  type NamingConvention,
  type NewRow,
  type Statement,
  Table,
  type TableOptions,
} from "../../sql/mod.ts";
import { MigrateError } from "../errors.ts";
import { referenceTo } from "../schema/snapshot.ts";
import { OperationError } from "./errors.ts";
import type { CustomOperation, Operation } from "./operation.ts";
import { TableChanges } from "./table_changes.ts";
import {
  type AlterTableOptions,
  type InSchema,
  TableOperations,
} from "./table_operations.ts";

/** What the whole set of operations shares. */
export interface OperationsOptions {
  /** Names for constraints that are given none. */
  readonly naming?: NamingConvention;
}

/** Makes operations of one kind; see `defineOperation()`. */
export interface OperationMaker<Args extends object> {
  /** One operation, from what it takes. */
  operation(args: Args, options: OperationsOptions): CustomOperation;
}

/**
 * Records what a revision does: the `op` of `upgrade(op)`.
 *
 * Nothing runs; each call adds plain data to the list that the planner turns
 * into statements. So a revision can be shown, checked, reversed and planned
 * for another database without one.
 */
export class Operations extends TableOperations {
  /** What was recorded, in order. */
  readonly #recorded: Operation[] = [];
  readonly #options: OperationsOptions;
  /** The table whose changes are being recorded: what is called meanwhile would come before them. */
  #altering: string | undefined;
  /** Set once the recording is taken: later calls would be lost. */
  #isSealed = false;

  /** @internal */
  constructor(options: OperationsOptions = {}) {
    super();
    this.#options = options;
  }

  /**
   * Makes a table with its constraints and indexes.
   *
   * @returns The table, for `bulkInsert` and for statements of the Core.
   */
  createTable<S extends ColumnBuilders>(
    name: string,
    columns: S,
    constraints: readonly Constraint[] = [],
    options: TableOptions & { readonly ifNotExists?: boolean } = {},
  ): Table<S> {
    const { ifNotExists = false, ...rest } = options;
    const metadata = new MetaData(this.#options);
    const table = new Table(name, metadata, columns, constraints, rest);
    this.#record({ kind: "createTable", table, ifNotExists });
    return table;
  }

  /** Removes a table. */
  dropTable(
    table: string,
    options: InSchema & {
      readonly ifExists?: boolean;
      readonly original?: Table;
    } = {},
  ): void {
    const { ifExists = false, ...rest } = options;
    this.#record({ kind: "dropTable", table, ifExists, ...rest });
  }

  /** Gives a table another name; foreign keys of other tables follow. */
  renameTable(table: string, to: string, options: InSchema = {}): void {
    this.#record({ kind: "renameTable", table, to, ...options });
  }

  /**
   * Changes one table. The changes are planned together: in place where the
   * database can, else as one rebuild that keeps every row and every child.
   */
  override alterTable(
    table: string,
    record: (changes: TableChanges) => void,
    options: AlterTableOptions = {},
  ): void {
    const { recreate = "auto", ...rest } = options;
    if (!["auto", "always", "never"].includes(recreate)) {
      throw new OperationError(
        `Cannot alter table '${table}': recreate is '${recreate}'; say 'auto', 'always' or 'never'`,
      );
    }
    this.#refuseInside("alterTable");
    const changes = new TableChanges();
    this.#altering = table;
    try {
      record(changes);
    } finally {
      this.#altering = undefined;
    }
    this.#record({
      kind: "alterTable",
      table,
      changes: Object.freeze([...changes.changes]),
      recreate,
      ...rest,
    });
  }

  /**
   * Runs one statement: SQL as it is, or a statement of the Core, whose values
   * are bound.
   *
   * @param options.undo The statement that `downgrade: "reverse"` runs.
   */
  execute(
    statement: string | Statement<unknown>,
    options: { readonly undo?: string | Statement<unknown> } = {},
  ): void {
    if (typeof statement === "string") refuseTransactionWords(statement);
    this.#record({ kind: "execute", statement, ...options });
  }

  /**
   * Inserts rows.
   *
   * @param table What `createTable` returned, or the name of a table that a
   * revision made.
   * @param rows Objects by column key; a column that a row leaves out gets its default.
   */
  bulkInsert<S>(
    table: Table<S> | string,
    rows: readonly (NewRow<S> | Readonly<Record<string, unknown>>)[],
  ): void {
    for (const row of rows) {
      if (typeof row !== "object" || row === null || Array.isArray(row)) {
        throw new OperationError(
          `Cannot insert into '${
            nameOf(table)
          }': a row is not an object; give each row as { column: value }`,
        );
      }
    }
    this.#record({
      kind: "bulkInsert",
      ...(typeof table === "string"
        ? { table }
        : { ...referenceTo(table), into: table }),
      rows: rows as readonly Readonly<Record<string, unknown>>[],
    });
  }

  /**
   * Runs operations outside the step's transaction: what came before is
   * committed first, what comes after runs in another.
   *
   * For what a transaction cannot hold, such as a new value of an enum that is
   * used at once. An interrupted step is taken up where it stopped.
   */
  autocommitBlock(record: (op: Operations) => void): void {
    const inner = new Operations(this.#options);
    record(inner);
    this.#record({ kind: "autocommitBlock", operations: inner.take() });
  }

  /**
   * A name that no naming convention makes another of, as Alembic's `op.f`.
   *
   * @example
   * ```ts
   * import { createMigrator, revision, upgradeScript } from "@aludel/aludel/migrate";
   * import { createEngine, integer, text } from "@aludel/aludel/sql";
   * import { sqlite } from "@aludel/aludel/backends/sqlite";
   * import { match } from "node:assert/strict";
   *
   * const migrator = createMigrator({
   *   naming: { check: "ck_{table}_{name}" },
   *   engine: createEngine(sqlite(":memory:")),
   *   revisions: [revision({
   *     revision: "1e0c77aa90b1",
   *     upgrade(op) {
   *       op.createTable("ages", { age: integer() });
   *       op.createCheckConstraint("positive", "ages", text("age > 0"));
   *       op.createCheckConstraint(op.f("ck_old"), "ages", text("age < 200"));
   *     },
   *   })],
   * });
   * const script = await upgradeScript(migrator, "head");
   * match(script, /"ck_ages_positive" CHECK[^]*"ck_old" CHECK/);
   * ```
   */
  f(name: string): FinalName {
    return finalName(name);
  }

  /** Records an operation that was made elsewhere, by `compareMetadata()` for one. */
  invoke(operation: Operation): void;
  /** Records an operation of one's own; see `defineOperation()`. */
  invoke<Args extends object>(
    definition: OperationMaker<Args>,
    args: Args,
  ): void;
  /** @ignore */
  invoke<Args extends object>(
    what: Operation | OperationMaker<Args>,
    args?: Args,
  ): void {
    this.#record(
      "kind" in what ? what : what.operation(args as Args, this.#options),
    );
  }

  /** Ends the recording and hands it over. */
  take(): readonly Operation[] {
    this.#isSealed = true;
    return Object.freeze([...this.#recorded]);
  }

  #record(operation: Operation): void {
    if (this.#isSealed) {
      throw new MigrateError(
        "recording-ended",
        "Cannot record an operation: upgrade() or downgrade() has returned; call op's methods before it does, not in a callback or after an await",
      );
    }
    this.#refuseInside(operation.kind);
    this.#recorded.push(Object.freeze(operation));
  }

  #refuseInside(kind: Operation["kind"]): void {
    if (this.#altering === undefined) return;
    throw new OperationError(
      `Cannot record ${kind}() inside alterTable('${this.#altering}'): it would come before the changes of that table; call it before or after alterTable()`,
      "inside-alter-table",
    );
  }
}

function nameOf(table: Table | string): string {
  return typeof table === "string" ? table : table.fullName;
}

const TRANSACTION_WORDS =
  /^\s*(?:begin|commit|rollback|savepoint|release|end|start\s+transaction|abort)\b/i;

function refuseTransactionWords(statement: string): void {
  const found = TRANSACTION_WORDS.exec(statement);
  if (!found) return;
  throw new OperationError(
    `Cannot record '${
      found[0].trim()
    }': the step is one transaction already; leave it out, or use op.autocommitBlock()`,
  );
}

import {
  type Constraint,
  createIndex,
  createTable,
  insert,
  quoteName,
  type Table,
} from "../../sql/mod.ts";
import { qualifiedName } from "../dialects/_naming.ts";
import type {
  MigrationDialect,
  RenderContext,
} from "../dialects/implementation.ts";
import {
  OperationError,
  UnsupportedChangeError,
} from "../operations/errors.ts";
import type {
  AlterTable,
  BulkInsert,
  CreateIndex,
  DropIndex,
  DropTable,
  Operation,
  TableChange,
  TableReference,
} from "../operations/operation.ts";
import { tableStub } from "../schema/draft.ts";
import { referenceTo } from "../schema/snapshot.ts";
import { expanded } from "../operations/expand.ts";
import {
  plainStatement,
  type PlannedStatement,
  planStatement,
} from "./statement.ts";

/** A statement of a step, and whether it must run outside its transaction. */
export interface StepStatement {
  /** What is sent. */
  readonly statement: PlannedStatement;
  /** Whether a transaction cannot hold it. */
  readonly isOutside: boolean;
  /** What is sent instead when it was interrupted before. */
  readonly again?: readonly PlannedStatement[];
}

/** Turns one operation into statements. */
export function renderOperation(
  operation: Operation,
  migrations: MigrationDialect,
  context: RenderContext,
): StepStatement[] {
  const { dialect } = context;
  const inside = (statements: readonly PlannedStatement[]) =>
    statements.map((statement) => ({ statement, isOutside: false }));
  switch (operation.kind) {
    case "createTable":
      refuseLacking(
        referenceTo(operation.table),
        operation.table.constraints,
        migrations,
      );
      return inside(
        createTableWithIndexes(operation.table, operation.ifNotExists, context),
      );
    case "dropTable":
      return inside([
        ...migrations.beforeDrop?.(operation, dialect) ?? [],
        ...dropTable(operation, context),
      ]);
    case "renameTable":
      return inside([
        plainStatement(
          `ALTER TABLE ${qualifiedName(operation, dialect)} RENAME TO ${
            quoteName(operation.to, dialect)
          }`,
        ),
      ]);
    case "alterTable":
      refuseLacking(
        operation,
        operation.changes.flatMap(constraintsOf),
        migrations,
      );
      return alterTable(operation, migrations, context);
    case "execute":
      return inside([planStatement(operation.statement, dialect)]);
    case "bulkInsert":
      return inside(bulkInsert(operation, context));
    case "custom":
      return expanded([operation], dialect).flatMap((inner) =>
        renderOperation(inner, migrations, context)
      );
    case "autocommitBlock":
      return operation.operations.flatMap((inner) =>
        renderOperation(inner, migrations, context).map((one) => ({
          ...one,
          isOutside: true,
        }))
      );
  }
}

/** Refuses what the database would take for something else. */
function refuseLacking(
  table: TableReference,
  constraints: readonly Constraint[],
  migrations: MigrationDialect,
): void {
  for (const constraint of constraints) {
    const lack = migrations.lacks?.(constraint, table);
    if (lack === undefined) continue;
    throw new UnsupportedChangeError(
      `Cannot make ${constraint.kind} '${
        constraint.name ?? ""
      }' of table '${table.table}': the database has no ${lack}; leave it out here`,
    );
  }
}

function constraintsOf(change: TableChange): readonly Constraint[] {
  switch (change.kind) {
    case "addColumn":
      return tableStub("", undefined, { [change.name]: change.column })
        .constraints;
    case "createIndex":
      return [change.index];
    case "addConstraint":
      return [change.constraint];
    default:
      return [];
  }
}

function createTableWithIndexes(
  table: Table,
  ifNotExists: boolean,
  { dialect }: RenderContext,
): PlannedStatement[] {
  const options = { ifNotExists };
  const { schemaExtras: extras } = dialect;
  return [
    // Another table may have brought a named type already.
    ...extras?.before([table], true) ?? [],
    createTable(table, dialect, options),
    ...table.constraints.filter((one) => one.kind === "index").map((one) =>
      createIndex(table, one, dialect, options)
    ),
    ...extras?.after([table], ifNotExists) ?? [],
  ].map(plainStatement);
}

function dropTable(
  operation: DropTable,
  context: RenderContext,
): PlannedStatement[] {
  const { dialect } = context;
  const ifExists = operation.ifExists ? "IF EXISTS " : "";
  const drop = `DROP TABLE ${ifExists}${qualifiedName(operation, dialect)}`;
  const { schemaExtras: extras } = dialect;
  if (!extras) return [plainStatement(drop)];
  const schema = context.schema();
  const table = operation.original ?? schema.table(operation);
  const kept = schema.tables.filter((other) =>
    other.fullName !== table?.fullName
  );
  const types = table ? extras.afterDrop([table], ifExists, kept) : [];
  return [drop, ...types].map(plainStatement);
}

/** Changes that a transaction cannot hold stand alone; the rest is planned together. */
function alterTable(
  operation: AlterTable,
  migrations: MigrationDialect,
  context: RenderContext,
): StepStatement[] {
  const outside = (change: TableChange): change is CreateIndex | DropIndex =>
    (change.kind === "createIndex" || change.kind === "dropIndex") &&
    migrations.isOutside(change);
  // A rebuild may be asked for without any change.
  const isEmpty = operation.changes.length === 0;
  const render = (changes: readonly TableChange[], isOutside: boolean) =>
    changes.length === 0 && !isEmpty
      ? []
      : migrations.alterTable({ ...operation, changes }, context).map((
        statement,
      ) => ({ statement, isOutside }));
  const statements: StepStatement[] = [];
  let together: TableChange[] = [];
  for (const change of operation.changes) {
    if (!outside(change)) {
      together.push(change);
      continue;
    }
    statements.push(...render(together, false));
    together = [];
    for (const one of render([change], true)) {
      const gone = dropUnfinished(operation, change, context);
      statements.push({
        ...one,
        again: change.kind === "createIndex" ? [gone, one.statement] : [gone],
      });
    }
  }
  return [...statements, ...render(together, false)];
}

/**
 * An index whose building was interrupted stays behind, invalid, under its name;
 * one whose removal was interrupted may be there or not.
 */
function dropUnfinished(
  operation: AlterTable,
  change: CreateIndex | DropIndex,
  { dialect }: RenderContext,
): PlannedStatement {
  const index = change.kind === "createIndex" ? change.index.name : change.name;
  const name = qualifiedName({ ...operation, table: index ?? "" }, dialect);
  return plainStatement(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
}

function bulkInsert(
  operation: BulkInsert,
  context: RenderContext,
): PlannedStatement[] {
  const table = operation.into ?? context.schema().table(operation);
  if (!table) {
    throw new OperationError(
      `Cannot insert into '${operation.table}': no revision describes the table; pass what createTable() returned, or table(…)`,
    );
  }
  const widest = Math.max(
    1,
    ...operation.rows.map((row) => Object.keys(row).length),
  );
  const { params = 1000 } = context.limits;
  const size = Math.max(1, Math.floor(params / widest));
  const statements: PlannedStatement[] = [];
  for (const rows of alike(operation.rows)) {
    for (let at = 0; at < rows.length; at += size) {
      statements.push(
        planStatement(
          insert(table).values(rows.slice(at, at + size)),
          context.dialect,
        ),
      );
    }
  }
  return statements;
}

/** Runs of rows with the same columns, so that no row needs a DEFAULT in VALUES. */
function alike<R extends Readonly<Record<string, unknown>>>(
  rows: readonly R[],
): R[][] {
  const runs: R[][] = [];
  let last = "";
  for (const row of rows) {
    const keys = Object.keys(row).sort().join("\0");
    if (keys !== last || runs.length === 0) runs.push([]);
    runs.at(-1)!.push(row);
    last = keys;
  }
  return runs;
}

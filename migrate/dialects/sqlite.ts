import {
  columnSql,
  createIndex,
  type Dialect,
  Expression,
  quoteName,
  referencesSql,
  type Table,
} from "../../sql/mod.ts";
import { UnsupportedChangeError } from "../operations/errors.ts";
import type {
  AddColumn,
  AlterTable,
  TableChange,
} from "../operations/operation.ts";
import { plainStatement, type PlannedStatement } from "../planner/statement.ts";
import { isAtEnd } from "../schema/column_order.ts";
import {
  applyChange,
  draftOf,
  find,
  type TableDraft,
  tableStub,
} from "../schema/draft.ts";
import { columnsOf } from "../schema/parts.ts";
import { indexTable, qualifiedName } from "./_naming.ts";
import type { SchemaSnapshot } from "../schema/snapshot.ts";
import { sqliteGuard } from "./_sqlite_guard.ts";
import { Place } from "./_sqlite_place.ts";
import type { MigrationDialect, RenderContext } from "./implementation.ts";
import { expectUnreferred, rebuildTable } from "./sqlite_rebuild.ts";

/** SQLite's way, shared by D1, Durable Objects, libSQL and files. */
export const sqliteMigrations: MigrationDialect = {
  alterTable,
  // Dropping a table deletes its rows, and a delete cascades.
  beforeDrop: (table, dialect) => [expectUnreferred(table, dialect)],
  lacks: (constraint, { schema = "main" }) => {
    if (constraint.kind === "foreignKey") {
      const isElsewhere = constraint.targets.some((target) => {
        const [, owner = schema] = target.split(".").reverse().slice(1);
        return owner !== schema;
      });
      return isElsewhere ? "foreign keys to another database" : undefined;
    }
    if (constraint.kind === "exclude") return "exclusion constraints";
    if ("nullsNotDistinct" in constraint && constraint.nullsNotDistinct) {
      return "NULLS NOT DISTINCT";
    }
    const isKey = constraint.kind === "unique" ||
      constraint.kind === "primaryKey";
    return isKey && constraint.deferrable
      ? "deferrable unique constraints"
      : undefined;
  },
  isOutside: () => false,
  // A batch is one writer's transaction from its first statement on.
  lock: () => [],
  guard: sqliteGuard,
  joined: (column, table) =>
    `(SELECT coalesce(group_concat(${column}, ','), '') FROM (SELECT ${column} FROM ${table} ORDER BY ${column}))`,
  orphans: "(SELECT count(*) FROM pragma_foreign_key_check)",
  orphanTables:
    `(SELECT coalesce(group_concat(DISTINCT "table" || ' to ' || parent), '') FROM pragma_foreign_key_check)`,
  now: "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
  later: (milliseconds) =>
    `strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+${milliseconds / 1000} seconds')`,
  since: (column) =>
    `CAST(round((julianday('now') - julianday(${column})) * 86400000) AS INTEGER)`,
  tableExists: (table, schema, dialect) =>
    plainStatement(
      `SELECT 1 FROM ${
        new Place(schema, dialect).own("sqlite_master")
      } WHERE type = 'table' AND name = ${dialect.literal(table)}`,
    ),
  takesTransactionWords: ({ interactiveTransactions }) =>
    interactiveTransactions,
  begin: "BEGIN IMMEDIATE",
};

/**
 * Changes a table in place where SQLite can, and rebuilds it where it cannot.
 *
 * Columns are always renamed in place, since foreign keys of other tables
 * follow that; so what lies between two renames is planned together.
 *
 * @throws {UnsupportedChangeError} If a rebuild is needed and not allowed or not possible.
 */
function alterTable(
  operation: AlterTable,
  context: RenderContext,
): PlannedStatement[] {
  const schema = context.schema().copy();
  schema.believe(operation);
  const runs: TableChange[][] = [[]];
  for (const change of operation.changes) {
    if (change.kind === "renameColumn") runs.push([change], []);
    else runs.at(-1)!.push(change);
  }
  // The last run that may be a rebuild is the one that must.
  const isForced = operation.recreate === "always" ||
    operation.partialReordering !== undefined;
  const wanted = isForced
    ? runs.findLastIndex((run) => run[0]?.kind !== "renameColumn")
    : -1;
  return runs.flatMap((changes, at) => {
    if (changes.length === 0 && at !== wanted) return [];
    const { original: _, referring: _r, partialReordering, ...place } =
      operation;
    const run: AlterTable = {
      ...place,
      changes,
      recreate: at === wanted || operation.recreate !== "always"
        ? operation.recreate
        : "auto",
      ...(at === wanted && partialReordering ? { partialReordering } : {}),
    };
    const statements = alterTogether(run, schema, context.dialect);
    schema.apply(run);
    return statements;
  });
}

function alterTogether(
  operation: AlterTable,
  schema: SchemaSnapshot,
  dialect: Dialect,
): PlannedStatement[] {
  const table = schema.table(operation);
  const draft = table && draftOf(table);
  const statements: string[] = [];
  let obstacle = operation.recreate === "always"
    ? "recreate is 'always'"
    : operation.partialReordering
    ? "SQLite keeps the order of columns"
    : undefined;
  for (const change of operation.changes) {
    if (obstacle !== undefined) break;
    const rendered = inPlace(operation, change, draft, dialect);
    if (typeof rendered === "string") obstacle = rendered;
    else {
      statements.push(...rendered);
      if (draft) applyChange(draft, change, dialect);
    }
  }
  if (obstacle === undefined) return statements.map(plainStatement);
  if (operation.recreate === "never") {
    throw new UnsupportedChangeError(
      `Cannot alter table '${operation.table}' in place: ${obstacle}; allow a rebuild with recreate: 'auto'`,
    );
  }
  if (!table) {
    throw new UnsupportedChangeError(
      `Cannot alter table '${operation.table}' in place: ${obstacle}; a rebuild needs the table's description, which no revision gives: give alterTable(…, { original: table(…) })`,
    );
  }
  return rebuildTable(operation, table, schema, dialect);
}

/** The statements for one change, or why SQLite cannot make it in place. */
function inPlace(
  operation: AlterTable,
  change: TableChange,
  draft: TableDraft | undefined,
  dialect: Dialect,
): string[] | string {
  const table = qualifiedName(operation, dialect);
  const quote = (name: string) => quoteName(name, dialect);
  switch (change.kind) {
    case "addColumn":
      return addColumn(operation, change, draft, dialect);
    case "dropColumn": {
      const obstacle = obstacleToDrop(change.name, draft);
      if (obstacle !== undefined) return obstacle;
      const indexes = (draft?.constraints ?? []).filter((one) =>
        one.kind === "index" && columnsOf(one).includes(change.name)
      );
      return [
        ...indexes.map((one) =>
          `DROP INDEX ${
            qualifiedName({ ...operation, table: one.name! }, dialect)
          }`
        ),
        `ALTER TABLE ${table} DROP COLUMN ${quote(change.name)}`,
      ];
    }
    case "renameColumn":
      return [
        `ALTER TABLE ${table} RENAME COLUMN ${quote(change.name)} TO ${
          quote(change.to)
        }`,
      ];
    case "createIndex":
      return [
        createIndex(
          indexTable(operation, change.index, draft),
          change.index,
          dialect,
          { ifNotExists: change.ifNotExists },
        ),
      ];
    case "dropIndex":
      return [
        `DROP INDEX ${change.ifExists ? "IF EXISTS " : ""}${
          qualifiedName({ ...operation, table: change.name }, dialect)
        }`,
      ];
    case "validateConstraint":
      // A rebuild has looked at every row.
      return [];
    case "setTableComment":
      // SQLite keeps no remarks; the description does.
      return [];
    case "alterColumn":
      return Object.keys(change.changes).every((key) => key === "comment")
        ? []
        : `SQLite cannot change column '${change.name}'`;
    case "addConstraint":
      return `SQLite cannot add a constraint to a table`;
    case "dropConstraint":
      if (
        change.ifExists && draft &&
        !find(draft, change.name, change.isNameFinal)
      ) return [];
      return `SQLite cannot drop constraint '${change.name}'`;
  }
}

function addColumn(
  operation: AlterTable,
  change: AddColumn,
  draft: TableDraft | undefined,
  dialect: Dialect,
): string[] | string {
  const { name, column, ifNotExists, inlinePrimaryKey } = change;
  if (ifNotExists && draft?.columns.has(name)) return [];
  const { spec } = column;
  const no = (what: string) => `SQLite cannot add column '${name}' ${what}`;
  const isConstant = spec.serverDefault !== undefined &&
    !(spec.serverDefault instanceof Expression);
  if (spec.primaryKey && inlinePrimaryKey) return no("as the primary key");
  if (!isAtEnd(change, draft?.columns)) return no("anywhere but at the end");
  if (spec.unique) return no("with a UNIQUE constraint");
  if (spec.computed?.stored) return no("as a stored computed column");
  if (!spec.computed) {
    if (spec.serverDefault !== undefined && !isConstant) {
      return no("with an expression as its default");
    }
    if (!spec.nullable && !isConstant) {
      return no("as NOT NULL without a constant default");
    }
    if (spec.references && spec.serverDefault !== undefined) {
      return no("with a foreign key and a default");
    }
  }
  const stub: Table = tableStub(
    operation.table,
    operation.schema,
    { [name]: column },
    draft?.metadata,
  );
  const [key] = stub.foreignKeys;
  const line = columnSql(stub.column(name), dialect);
  return [
    `ALTER TABLE ${qualifiedName(operation, dialect)} ADD COLUMN ${line}${
      key ? ` ${referencesSql(key, dialect)}` : ""
    }`,
    ...stub.constraints.filter((one) => one.kind === "index").map((one) =>
      createIndex(stub, one, dialect)
    ),
  ];
}

function obstacleToDrop(
  name: string,
  draft: TableDraft | undefined,
): string | undefined {
  const no = (why: string) => `SQLite cannot drop column '${name}': ${why}`;
  if (!draft) return undefined;
  if (draft.columns.get(name)?.spec.primaryKey) {
    return no("it is part of the primary key");
  }
  for (const constraint of draft.constraints) {
    if (constraint.kind === "index") {
      const isHidden = constraint.where ||
        constraint.columns.some((part) => part instanceof Expression);
      if (isHidden) return no("an index may mention it in an expression");
    } else if (constraint.kind === "check") {
      return no("a CHECK may mention it");
    } else if (columnsOf(constraint).includes(name)) {
      return no("a constraint of the table is about it");
    }
  }
  return undefined;
}

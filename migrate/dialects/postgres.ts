import {
  autoincrementWords,
  check,
  columnSql,
  constraintSql,
  createIndex,
  defaultSql,
  type Dialect,
  inlineSql,
  type MetaDataOptions,
  quoteName,
  Raw,
  rootType,
  type SqlType,
  tableName,
  text,
  typeSql,
} from "../../sql/mod.ts";
import { UnsupportedChangeError } from "../operations/errors.ts";
import type {
  AddColumn,
  AlterColumn,
  AlterTable,
  NamedConstraint,
  TableChange,
  TableConstraint,
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
import { nameOf } from "../schema/names.ts";
import { columnsOf } from "../schema/parts.ts";
import { indexTable, qualifiedName } from "./_naming.ts";
import type {
  Guard,
  MigrationDialect,
  RenderContext,
} from "./implementation.ts";

/** Postgres' way: everything in place, in one transaction that others wait for. */
export const postgresMigrations: MigrationDialect = {
  alterTable,
  isOutside: ({ concurrently }) => concurrently,
  lock: (key, dialect) => [
    plainStatement(
      `SELECT pg_advisory_xact_lock(hashtextextended(${
        dialect.literal(`aludel:${key}`)
      }, 0))`,
    ),
  ],
  guard: ({ label, condition, detail }: Guard): PlannedStatement =>
    plainStatement(
      `DO $aludel$ BEGIN IF NOT (${condition}) THEN RAISE EXCEPTION '%', '${label}:' || ${detail}; END IF; END $aludel$`,
    ),
  joined: (column, table) =>
    `(SELECT coalesce(string_agg(${column}, ',' ORDER BY ${column} COLLATE "C"), '') FROM ${table})`,
  now: /* @__PURE__ */ isoText("clock_timestamp()"),
  later: (milliseconds) =>
    isoText(`clock_timestamp() + interval '${milliseconds} milliseconds'`),
  since: (column) =>
    `round(extract(epoch FROM clock_timestamp() - ${column}::timestamptz) * 1000)::integer`,
  tableExists: (table, schema, dialect) =>
    plainStatement(
      `SELECT 1 WHERE to_regclass(${
        dialect.literal(
          qualifiedName(
            schema === undefined ? { table } : { table, schema },
            dialect,
          ),
        )
      }) IS NOT NULL`,
    ),
  takesTransactionWords: () => true,
  begin: "BEGIN",
};

function isoText(moment: string): string {
  return `to_char((${moment}) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

function alterTable(
  operation: AlterTable,
  context: RenderContext,
): PlannedStatement[] {
  const { dialect } = context;
  if (operation.partialReordering) {
    throw new UnsupportedChangeError(
      `Cannot reorder the columns of table '${operation.table}': Postgres keeps their order; leave partialReordering out`,
    );
  }
  const table = operation.original ?? context.schema().table(operation);
  const draft = table && draftOf(table);
  return operation.changes.flatMap((change) => {
    const statements = render(operation, change, draft, context);
    if (draft) applyChange(draft, change, dialect);
    return statements.map(plainStatement);
  });
}

function render(
  operation: AlterTable,
  change: TableChange,
  draft: TableDraft | undefined,
  context: RenderContext,
): string[] {
  const { dialect } = context;
  const table = qualifiedName(operation, dialect);
  const quote = (name: string) => quoteName(name, dialect);
  switch (change.kind) {
    case "addColumn":
      return addColumn(operation, change, draft, context);
    case "dropColumn":
      return [`ALTER TABLE ${table} DROP COLUMN ${quote(change.name)}`];
    case "renameColumn":
      return [
        `ALTER TABLE ${table} RENAME COLUMN ${quote(change.name)} TO ${
          quote(change.to)
        }`,
      ];
    case "alterColumn":
      return alterColumn(table, change, draft, dialect);
    case "createIndex":
      return [
        createIndex(
          indexTable(operation, change.index, draft),
          change.index,
          dialect,
          { ...change, words: change.concurrently ? "CONCURRENTLY " : "" },
        ),
      ];
    case "dropIndex":
      return [
        `DROP INDEX ${change.concurrently ? "CONCURRENTLY " : ""}${
          change.ifExists ? "IF EXISTS " : ""
        }${qualifiedName({ ...operation, table: change.name }, dialect)}`,
      ];
    case "addConstraint":
      return [
        `${addConstraint(operation, change.constraint, draft, context)}${
          change.notValid ? " NOT VALID" : ""
        }`,
      ];
    case "validateConstraint":
      return [
        `ALTER TABLE ${table} VALIDATE CONSTRAINT ${
          quote(keptName(operation, change, draft, context))
        }`,
      ];
    case "dropConstraint":
      return [
        `ALTER TABLE ${table} DROP CONSTRAINT ${
          change.ifExists ? "IF EXISTS " : ""
        }${quote(keptName(operation, change, draft, context))}`,
      ];
    case "setTableComment":
      return [
        `COMMENT ON TABLE ${table} IS ${dialect.literal(change.comment)}`,
      ];
  }
}

function addColumn(
  operation: AlterTable,
  change: AddColumn,
  draft: TableDraft | undefined,
  context: RenderContext,
): string[] {
  const { dialect } = context;
  const { name, column, ifNotExists, inlinePrimaryKey } = change;
  if (!isAtEnd(change, draft?.columns)) {
    throw new UnsupportedChangeError(
      `Cannot place column '${name}' of table '${operation.table}': Postgres adds columns at the end; leave insertAfter and insertBefore out`,
    );
  }
  const stub = tableStub(
    operation.table,
    operation.schema,
    { [name]: column },
    metadataOf(draft, context),
  );
  const added = stub.column(name);
  const words = stub.autoincrementColumn && autoincrementWords(added, dialect);
  const table = tableName(stub, dialect);
  const isKey = column.spec.primaryKey && inlinePrimaryKey;
  const { schemaExtras: extras } = dialect;
  return [
    ...extras?.before([stub], true) ?? [],
    `ALTER TABLE ${table} ADD COLUMN ${ifNotExists ? "IF NOT EXISTS " : ""}${
      columnSql(added, dialect, words)
    }${isKey ? " PRIMARY KEY" : ""}`,
    ...stub.constraints.map((one) =>
      one.kind === "index"
        ? createIndex(stub, one, dialect, { ifNotExists })
        : `ALTER TABLE ${table} ADD ${constraintSql(stub, one, dialect)}`
    ),
    ...extras?.after([stub]) ?? [],
  ];
}

function alterColumn(
  table: string,
  { name, changes }: AlterColumn,
  draft: TableDraft | undefined,
  dialect: Dialect,
): string[] {
  const { nullable, type, serverDefault, comment, using, identity } = changes;
  const alter = `ALTER TABLE ${table} ALTER COLUMN ${quoteName(name, dialect)}`;
  const statements: string[] = [];
  const before = draft?.columns.get(name)?.spec;
  if (identity === null) statements.push(`${alter} DROP IDENTITY IF EXISTS`);
  // The old default need not be one of the new type.
  if (type && serverDefault !== undefined) {
    statements.push(`${alter} DROP DEFAULT`);
  }
  if (type) {
    const stub = tableStub(name, undefined, { [name]: type });
    statements.push(
      ...dialect.schemaExtras?.before([stub], true) ?? [],
      `${alter} TYPE ${typeSql(type.spec.type, dialect)}${
        using
          ? ` USING ${inlineSql(using, dialect)}`
          : throughText(name, before?.type, type.spec.type, dialect)
      }`,
    );
  }
  if (serverDefault === null && !type) {
    statements.push(`${alter} DROP DEFAULT`);
  } else if (serverDefault !== undefined && serverDefault !== null) {
    statements.push(
      `${alter} SET DEFAULT ${defaultSql(serverDefault, dialect)}`,
    );
  }
  if (nullable !== undefined) {
    statements.push(`${alter} ${nullable ? "DROP" : "SET"} NOT NULL`);
  }
  if (identity) {
    const kind = `GENERATED ${identity.toUpperCase()}`;
    statements.push(
      before?.identity || before?.primaryKey
        ? `${alter} SET ${kind}`
        : `${alter} ADD ${kind} AS IDENTITY`,
    );
  }
  if (comment !== undefined) {
    statements.push(commentOn(table, name, comment, dialect));
  }
  return statements;
}

const NUMBERS: readonly string[] = ["integer", "bigint", "real", "numeric"];
const TEXTS: readonly string[] = ["text", "varchar"];

/** Every type can be read from text: the way for those with no other between them. */
function throughText(
  column: string,
  before: SqlType | undefined,
  after: SqlType,
  dialect: Dialect,
): string {
  const from = before ? rootType(before).name : "";
  const to = rootType(after).name;
  const type = typeSql(after, dialect);
  const isKnown = !before || typeSql(before, dialect) === type ||
    TEXTS.includes(to) || NUMBERS.includes(from) && NUMBERS.includes(to);
  return isKnown ? "" : ` USING ${quoteName(column, dialect)}::text::${type}`;
}

function commentOn(
  table: string,
  column: string,
  comment: string | null,
  dialect: Dialect,
): string {
  return `COMMENT ON COLUMN ${table}.${quoteName(column, dialect)} IS ${
    dialect.literal(comment)
  }`;
}

/** The naming convention of a table, also of one that no revision describes. */
function metadataOf(
  draft: TableDraft | undefined,
  { naming }: RenderContext,
): MetaDataOptions {
  return draft?.metadata ?? (naming ? { naming } : {});
}

/** The name that the database knows a constraint by: a convention decorates those of checks. */
function keptName(
  { table }: AlterTable,
  { name, type, isNameFinal = false }: NamedConstraint,
  draft: TableDraft | undefined,
  context: RenderContext,
): string {
  const found = draft && find(draft, name, isNameFinal);
  if (found) return nameOf(draft, found) ?? name;
  if (isNameFinal || type !== "check") return name;
  const place = { name: table, metadata: metadataOf(draft, context) };
  return nameOf(place, check(new Raw(""), name)) ?? name;
}

function addConstraint(
  operation: AlterTable,
  constraint: TableConstraint,
  draft: TableDraft | undefined,
  context: RenderContext,
): string {
  const { dialect } = context;
  const stub = tableStub(
    operation.table,
    operation.schema,
    Object.fromEntries(columnsOf(constraint).map((name) => [name, text()])),
    metadataOf(draft, context),
    [constraint],
  );
  return `ALTER TABLE ${tableName(stub, dialect)} ADD ${
    constraintSql(stub, constraint, dialect)
  }`;
}

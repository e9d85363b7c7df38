import { inlineSql, quoteName } from "./compiler.ts";
import type { Dialect } from "./dialect.ts";
import type { BoundStatement } from "./compiler.ts";
import { Expression } from "./expression.ts";
import type { Column } from "./from.ts";
import type {
  CheckConstraint,
  Constraint,
  ForeignKey,
  IndexConstraint,
  MetaData,
  Table,
} from "./schema.ts";
import { sortTables } from "./_table_order.ts";

/** Where a schema is made: an engine. */
export interface SchemaTarget {
  /** The language it speaks. */
  readonly dialect: Dialect;
  /** Sends texts in one trip; all or none take effect. */
  sendBatch(statements: readonly BoundStatement[]): Promise<unknown>;
}

/** Creates what is not there: one batch. */
export async function createAll(
  metadata: MetaData,
  target: SchemaTarget,
): Promise<void> {
  const statements = createStatements(metadata, target.dialect, {
    ifNotExists: true,
  });
  await target.sendBatch(statements.map((sql) => ({ sql, params: [] })));
}

/** Drops what is there: one batch. */
export async function dropAll(
  metadata: MetaData,
  target: SchemaTarget,
): Promise<void> {
  const { tables } = sortTables([...metadata.tables.values()]);
  const cascade = target.dialect.features.alterConstraints ? " CASCADE" : "";
  await target.sendBatch(
    tables.reverse().map((table) => ({
      sql: `DROP TABLE IF EXISTS ${tableName(table, target.dialect)}${cascade}`,
      params: [],
    })),
  );
}

/** The statements that make a whole schema, in an order that works. */
export function createStatements(
  metadata: MetaData,
  dialect: Dialect,
  options: { readonly ifNotExists?: boolean } = {},
): string[] {
  const { tables, forward } = sortTables([...metadata.tables.values()]);
  const later = dialect.features.alterConstraints
    ? forward
    : new Set<ForeignKey>();
  return [
    ...tables.map((table) =>
      createTable(table, dialect, { ...options, leaveOut: later })
    ),
    ...tables.flatMap((table) =>
      table.constraints.filter((c) => c.kind === "index").map((index) =>
        createIndex(table, index, dialect, options)
      )
    ),
    ...tables.flatMap((table) =>
      table.foreignKeys.filter((key) => later.has(key)).map((key) =>
        `ALTER TABLE ${tableName(table, dialect)} ADD ${
          foreignKeySql(table, key, dialect)
        }`
      )
    ),
  ];
}

/** CREATE TABLE. */
export function createTable(
  table: Table,
  dialect: Dialect,
  options: {
    readonly ifNotExists?: boolean;
    readonly leaveOut?: ReadonlySet<ForeignKey>;
  } = {},
): string {
  const auto = table.autoincrementColumn;
  const words = auto && dialect.autoincrement(auto);
  const parts = table.columns.map((column) =>
    columnSql(column, dialect, column === auto ? words : undefined)
  );
  const key = table.primaryKey;
  if (key.length > 0 && !words?.isPrimaryKey) {
    const name = table.constraints.find((c) => c.kind === "primaryKey")?.name;
    parts.push(primaryKeySql(table, key, name, dialect));
  }
  for (const constraint of table.constraints) {
    if (constraint.kind === "unique" || constraint.kind === "check") {
      parts.push(constraintSql(table, constraint, dialect));
    }
  }
  for (const foreign of table.foreignKeys) {
    if (!options.leaveOut?.has(foreign)) {
      parts.push(foreignKeySql(table, foreign, dialect));
    }
  }
  return `CREATE TABLE ${options.ifNotExists ? "IF NOT EXISTS " : ""}${
    tableName(table, dialect)
  } (\n  ${parts.join(",\n  ")}\n)${
    table.options.withoutRowid ? " WITHOUT ROWID" : ""
  }`;
}

/** CREATE INDEX. */
export function createIndex(
  table: Table,
  index: IndexConstraint,
  dialect: Dialect,
  options: {
    readonly ifNotExists?: boolean;
    readonly concurrently?: boolean;
  } = {},
): string {
  const parts = index.columns.map((part) =>
    part instanceof Expression
      ? `(${inlineSql(part, dialect)})`
      : quoteName(table.column(part).name, dialect)
  );
  const where = index.where ? ` WHERE ${inlineSql(index.where, dialect)}` : "";
  return `CREATE ${index.unique ? "UNIQUE " : ""}INDEX ${
    options.concurrently ? "CONCURRENTLY " : ""
  }${options.ifNotExists ? "IF NOT EXISTS " : ""}${
    quoteName(indexName(table, index), dialect)
  } ON ${tableName(table, dialect)} (${parts.join(", ")})${where}`;
}

/** The name of an index: its own, or one from the naming convention. */
export function indexName(table: Table, index: IndexConstraint): string {
  return index.name ?? conventional(
    table,
    table.metadata.options.naming?.index ?? "ix_{table}_{columns}",
    index.columns.map((part) =>
      part instanceof Expression ? "expr" : table.column(part).name
    ),
  );
}

/** A column's line: name, type, and what holds for it alone. */
export function columnSql(
  column: Column<unknown>,
  dialect: Dialect,
  auto?: ReturnType<Dialect["autoincrement"]>,
): string {
  const { spec, name } = column;
  const type = auto?.type ?? typeSql(spec.type, dialect);
  let sql = `${quoteName(name, dialect)} ${type}`;
  if (auto) sql += auto.suffix;
  if (!spec.nullable && !auto?.isPrimaryKey) sql += " NOT NULL";
  if (spec.serverDefault !== undefined) {
    sql += ` DEFAULT ${defaultSql(spec.serverDefault, dialect)}`;
  }
  if (spec.computed) {
    sql += ` GENERATED ALWAYS AS (${inlineSql(spec.computed.sql, dialect)}) ${
      spec.computed.stored ? "STORED" : "VIRTUAL"
    }`;
  }
  return sql;
}

/** A type's name in DDL. */
export function typeSql(
  type: Column<unknown>["spec"]["type"],
  dialect: Dialect,
): string {
  const root = rootOf(type);
  return dialect.rulesFor(root).ddl(root);
}

function rootOf(
  type: Column<unknown>["spec"]["type"],
): Column<unknown>["spec"]["type"] {
  return type.base ? rootOf(type.base) : type;
}

/** What stands behind DEFAULT. */
export function defaultSql(
  value: Expression<unknown> | string | number | boolean,
  dialect: Dialect,
): string {
  return value instanceof Expression
    ? `(${inlineSql(value, dialect)})`
    : typeof value === "boolean"
    ? String(value)
    : dialect.literal(value);
}

/** A constraint as it stands in CREATE TABLE or behind ADD. */
export function constraintSql(
  table: Table,
  constraint: Exclude<Constraint, IndexConstraint>,
  dialect: Dialect,
): string {
  if (constraint.kind === "check") return checkSql(table, constraint, dialect);
  if (constraint.kind === "foreignKey") {
    const at = table.constraints.filter((c) => c.kind === "foreignKey")
      .indexOf(constraint);
    return foreignKeySql(table, table.foreignKeys[at]!, dialect);
  }
  const columns = constraint.columns.map((name) => table.column(name));
  return constraint.kind === "primaryKey"
    ? primaryKeySql(table, columns, constraint.name, dialect)
    : `${named(table, "unique", constraint.name, columns, dialect)}UNIQUE (${
      names(columns, dialect)
    })`;
}

function primaryKeySql(
  table: Table,
  key: readonly Column<unknown>[],
  name: string | undefined,
  dialect: Dialect,
): string {
  return `${named(table, "primaryKey", name, key, dialect)}PRIMARY KEY (${
    names(key, dialect)
  })`;
}

function checkSql(
  table: Table,
  check: CheckConstraint,
  dialect: Dialect,
): string {
  return `${named(table, "check", check.name, [], dialect)}CHECK (${
    inlineSql(check.sql, dialect)
  })`;
}

/** A foreign key's line. */
export function foreignKeySql(
  table: Table,
  key: ForeignKey,
  dialect: Dialect,
): string {
  return `${
    named(table, "foreignKey", key.name, key.columns, dialect, key.targetTable)
  }FOREIGN KEY (${names(key.columns, dialect)}) ${referencesSql(key, dialect)}`;
}

/** What a foreign key names, as it stands behind a single column too. */
export function referencesSql(key: ForeignKey, dialect: Dialect): string {
  const target = key.targetTable.split(".").map((part) =>
    quoteName(part, dialect)
  ).join(".");
  const targets = key.targetColumns.map((column) => quoteName(column, dialect))
    .join(", ");
  return `REFERENCES ${target} (${targets})${
    key.onDelete ? ` ON DELETE ${key.onDelete.toUpperCase()}` : ""
  }${key.onUpdate ? ` ON UPDATE ${key.onUpdate.toUpperCase()}` : ""}${
    key.deferrable ? " DEFERRABLE" : ""
  }${key.initiallyDeferred ? " INITIALLY DEFERRED" : ""}`;
}

/** A table's quoted name, with its schema. */
export function tableName(table: Table, dialect: Dialect): string {
  const name = quoteName(table.name, dialect);
  return table.schema ? `${quoteName(table.schema, dialect)}.${name}` : name;
}

function names(columns: readonly Column<unknown>[], dialect: Dialect): string {
  return columns.map((column) => quoteName(column.name, dialect)).join(", ");
}

function named(
  table: Table,
  kind: Exclude<Constraint["kind"], "index">,
  name: string | undefined,
  columns: readonly Column<unknown>[],
  dialect: Dialect,
  referred = "",
): string {
  const pattern = table.metadata.options.naming?.[kind];
  const found = kind === "check"
    ? name && pattern ? conventional(table, pattern, [], "", name) : name
    : name ??
      (pattern &&
        conventional(
          table,
          pattern,
          columns.map((column) => column.name),
          referred,
        ));
  return found ? `CONSTRAINT ${quoteName(found, dialect)} ` : "";
}

function conventional(
  table: Table,
  pattern: string,
  columns: readonly string[],
  referred = "",
  name = "",
): string {
  return pattern
    .replaceAll("{table}", table.name)
    .replaceAll("{columns}", columns.join("_"))
    .replaceAll("{referred}", referred)
    .replaceAll("{name}", name);
}

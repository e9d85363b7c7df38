import { inlineSql, quoteName } from "./compiler.ts";
import type { AutoincrementWords, Dialect } from "./dialect.ts";
import type { BoundStatement } from "./compiler.ts";
import { UnsupportedError } from "./errors.ts";
import { Expression, Phrase } from "./expression.ts";
import { rootType, type SqlType } from "./types.ts";
import type { Column } from "./from.ts";
import type {
  CheckConstraint,
  Constraint,
  IndexConstraint,
} from "./constraint.ts";
import type { ForeignKey, MetaData, Table } from "./schema.ts";
import { sortTables } from "./_table_order.ts";

/** Where a schema is made: an engine. */
export interface SchemaTarget {
  /** The language it speaks. */
  readonly dialect: Dialect;
  /** Sends texts in one trip; all or none take effect. */
  sendBatch(statements: readonly BoundStatement[]): Promise<unknown>;
  /** Writes a line to its log, if it has one. */
  log?(message: string): void;
}

/** What of a schema is made or dropped. */
export interface SchemaOptions {
  /** These tables alone. @default all of the MetaData */
  readonly tables?: readonly Table[];
  /** Leaves alone what is there already, or is not there any more. @default {true} */
  readonly checkFirst?: boolean;
}

/** Creates tables, their types and indexes, referenced tables first: one batch. */
export function createAll(
  metadata: MetaData,
  target: SchemaTarget,
  options: SchemaOptions = {},
): Promise<void> {
  const { tables, checkFirst: ifNotExists = true } = options;
  return send(
    target,
    createStatements(metadata, target.dialect, {
      ifNotExists,
      ...(tables && { tables }),
    }),
  );
}

/** Drops tables and their types, referring tables first: one batch. */
export function dropAll(
  metadata: MetaData,
  target: SchemaTarget,
  options: SchemaOptions = {},
): Promise<void> {
  const { dialect } = target;
  const { tables, forward } = sortTables(chosen(metadata, options));
  const ifExists = options.checkFirst === false ? "" : "IF EXISTS ";
  const { schemaExtras: extras } = dialect;
  const drops = tables.reverse().map((table) =>
    `DROP TABLE ${ifExists}${tableName(table, dialect)}${
      extras ? " CASCADE" : ""
    }`
  );
  // Rows of tables that name each other go in any order, if nobody looks meanwhile.
  const circle = forward.size > 0 && !extras
    ? ["PRAGMA defer_foreign_keys = on"]
    : [];
  const kept = [...metadata.tables.values()].filter((table) =>
    !tables.includes(table)
  );
  const rest = extras?.afterDrop(tables, ifExists, kept) ?? [];
  return send(target, [...circle, ...drops, ...rest]);
}

async function send(
  target: SchemaTarget,
  statements: readonly string[],
): Promise<void> {
  target.log?.("BEGIN (implicit)");
  for (const sql of statements) target.log?.(sql);
  await target.sendBatch(statements.map((sql) => ({ sql, params: [] })));
  target.log?.("COMMIT");
}

function chosen(
  metadata: MetaData,
  { tables }: Pick<SchemaOptions, "tables">,
): Table[] {
  const all = [...metadata.tables.values()];
  return tables ? all.filter((table) => tables.includes(table)) : all;
}

/** The statements that make a whole schema, in an order that works. */
export function createStatements(
  metadata: MetaData,
  dialect: Dialect,
  options: {
    readonly ifNotExists?: boolean;
    readonly tables?: readonly Table[];
  } = {},
): string[] {
  const { tables, forward } = sortTables(chosen(metadata, options));
  const { schemaExtras: extras } = dialect;
  const leaveOut = extras ? forward : new Set<ForeignKey>();
  return [
    ...extras?.before(tables, options.ifNotExists) ?? [],
    ...tables.map((table) =>
      createTable(table, dialect, { ...options, leaveOut })
    ),
    ...tables.flatMap((table) =>
      table.constraints.filter((c) => c.kind === "index").map((index) =>
        createIndex(table, index, dialect, options)
      )
    ),
    ...extras?.after(tables, forward, options.ifNotExists) ?? [],
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
  const { strict, withoutRowid } = table.options;
  const tableWords = dialect.features.tableWords
    ? [strict && " STRICT", withoutRowid && " WITHOUT ROWID"].filter(Boolean)
      .join(",")
    : "";
  const parts = table.columns.map((column) =>
    columnSql(
      column,
      dialect,
      column === auto ? words : strictWords(column, dialect, tableWords),
    )
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
  } (\n  ${parts.join(",\n  ")}\n)${tableWords}`;
}

// A STRICT table knows five types only.
function strictWords(
  { spec }: Column<unknown>,
  dialect: Dialect,
  tableWords: string,
): AutoincrementWords | undefined {
  if (!tableWords.includes("STRICT")) return undefined;
  const type = typeSql(spec.type, dialect);
  return {
    type: /BOOL/.test(type) ? "INTEGER" : type.replace(/^VARCHAR.*/, "TEXT"),
    suffix: "",
  };
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
    part instanceof Phrase && part.kind === "suffix"
      // The words of an order stand outside the brackets.
      ? `(${inlineSql(part.parts[0] as Expression<unknown>, dialect)})${
        part.parts[1]
      }`
      : part instanceof Expression
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
  auto?: AutoincrementWords,
): string {
  const { spec, name } = column;
  const { features } = dialect;
  const quoted = quoteName(name, dialect);
  const words = auto ?? (spec.identity && identityWords(column, dialect));
  let sql = `${quoted} ${words?.type ?? typeSql(spec.type, dialect)}`;
  if (words) sql += words.suffix;
  if (!spec.nullable && !words?.isPrimaryKey) sql += " NOT NULL";
  if (spec.serverDefault !== undefined) {
    sql += ` DEFAULT ${defaultSql(spec.serverDefault, dialect)}`;
  }
  if (spec.computed) {
    sql += ` GENERATED ALWAYS AS (${inlineSql(spec.computed.sql, dialect)}) ${
      spec.computed.stored || !features.virtualColumns ? "STORED" : "VIRTUAL"
    }`;
  }
  const root = rootType(spec.type);
  if (root.name === "enum" && !features.enumTypes) {
    const [, ...labels] = root.args;
    sql += ` CHECK (${quoted} IN (${
      labels.map((label) => dialect.literal(label)).join(", ")
    }))`;
  }
  return sql;
}

function identityWords(
  column: Column<unknown>,
  dialect: Dialect,
): AutoincrementWords {
  const words = dialect.autoincrement(column);
  if (!words.isPrimaryKey) return words;
  throw new UnsupportedError(
    `Cannot make "${column.name}" an identity column: here only a primary key numbers itself; give it a default`,
  );
}

/** A type's name in DDL. */
export function typeSql(
  type: SqlType,
  dialect: Dialect,
): string {
  const root = rootType(type);
  return dialect.rulesFor(root).ddl(root);
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
  mustBeNamed = false,
): string {
  const name = named(
    table,
    "foreignKey",
    key.name,
    key.columns,
    dialect,
    key.targetTable,
    mustBeNamed ? "{table}_{columns}_fkey" : undefined,
  );
  return `${name}FOREIGN KEY (${names(key.columns, dialect)}) ${
    referencesSql(key, dialect)
  }`;
}

/** What a foreign key names, as it stands behind a single column too. */
export function referencesSql(key: ForeignKey, dialect: Dialect): string {
  const [name = "", schema] = key.targetTable.split(".").reverse();
  const target = tableName({ name, schema }, dialect);
  const targets = key.targetColumns.map((column) => quoteName(column, dialect))
    .join(", ");
  return `REFERENCES ${target} (${targets})${
    key.onDelete ? ` ON DELETE ${key.onDelete.toUpperCase()}` : ""
  }${key.onUpdate ? ` ON UPDATE ${key.onUpdate.toUpperCase()}` : ""}${
    key.deferrable ? " DEFERRABLE" : ""
  }${key.initiallyDeferred ? " INITIALLY DEFERRED" : ""}`;
}

/** A table's quoted name, with its schema. */
export function tableName(
  { name, schema: own }: Pick<Table, "name" | "schema">,
  dialect: Dialect,
): string {
  const schema = dialect.translateSchema ? dialect.translateSchema(own) : own;
  const quoted = quoteName(name, dialect);
  return schema ? `${quoteName(schema, dialect)}.${quoted}` : quoted;
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
  otherwise?: string,
): string {
  const pattern = table.metadata.options.naming?.[kind] ?? otherwise;
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
  const made = pattern
    .replaceAll("{table}", table.name)
    .replaceAll("{columns}", columns.join("_"))
    .replaceAll("{referred}", referred)
    .replaceAll("{name}", name);
  if (made.length <= LONGEST_NAME) return made;
  // Postgres would cut it off, and two long names could become one.
  let hash = 0;
  for (const char of made) hash = hash * 31 + char.codePointAt(0)! | 0;
  const end = (hash >>> 0).toString(36);
  return `${made.slice(0, LONGEST_NAME - end.length - 1)}_${end}`;
}

/** How many characters a name has at most, on the database that takes the fewest. */
const LONGEST_NAME = 63;

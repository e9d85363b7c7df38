import { quoteName, tableName } from "./compiler.ts";
import type {
  CheckConstraint,
  Constraint,
  ExcludeConstraint,
  IndexConstraint,
  UniqueConstraint,
} from "./constraint.ts";
import type { AutoincrementWords, Dialect } from "./dialect.ts";
import { UnsupportedError } from "./errors.ts";
import { Expression, Phrase } from "./expression.ts";
import { Column } from "./from.ts";
import { inlineSql } from "./inline_sql.ts";
import type { Node } from "./node.ts";
import type { ForeignKey, Table } from "./schema.ts";
import type { SqlType } from "./types.ts";

/** How something is created. */
export interface CreateOptions {
  /** Whether one that is there already is left alone. @default {false} */
  readonly ifNotExists?: boolean | undefined;
}

/** CREATE TABLE. */
export function createTable(
  table: Table,
  dialect: Dialect,
  { ifNotExists, leaveOut }: CreateOptions & {
    readonly leaveOut?: ReadonlySet<ForeignKey> | undefined;
  } = {},
): string {
  const { columns, constraints, primaryKey, autoincrementColumn: auto } = table;
  const { strict, withoutRowid } = dialect.features.tableWords
    ? table.options
    : {};
  const numbered = auto && autoincrementWords(auto, dialect);
  const key = constraints.find(({ kind }) => kind === "primaryKey");
  const lines = [
    ...columns.map((column) =>
      columnSql(
        column,
        dialect,
        column === auto
          ? numbered
          : strict
          ? strictWords(column, dialect)
          : undefined,
      )
    ),
    ...[
      ...primaryKey.length > 0 && !numbered?.isPrimaryKey
        ? [{ ...key, kind: "primaryKey" as const, columns: primaryKey }]
        : [],
      ...constraints.filter((one): one is RowConstraint =>
        /unique|check|exclude/.test(one.kind)
      ),
      ...table.foreignKeys.filter((foreign) => !leaveOut?.has(foreign)),
    ].map((line) => lineSql(table, line, dialect)),
  ];
  const words = [strict && " STRICT", withoutRowid && " WITHOUT ROWID"];
  return `CREATE TABLE ${ifNotExists ? "IF NOT EXISTS " : ""}${
    tableName(table, dialect)
  } (\n  ${lines.join(",\n  ")}\n)${words.filter(Boolean)}`;
}

/** How a column that numbers itself is declared: where nothing else is said, as SQLite does. */
export function autoincrementWords(
  column: Column<unknown>,
  { schemaExtras }: Dialect,
): AutoincrementWords {
  const { autoincrement } = column.spec;
  return schemaExtras?.autoincrement(column) ?? {
    type: "INTEGER",
    suffix: autoincrement ? "PRIMARY KEY AUTOINCREMENT" : "PRIMARY KEY",
    isPrimaryKey: true,
  };
}

/** How a column of a STRICT table is declared, which knows five types only. */
export function strictWords(
  { spec }: Column<unknown>,
  dialect: Dialect,
): AutoincrementWords {
  const type = typeSql(spec.type, dialect);
  return {
    type: type.replace(/^VARCHAR.*/, "TEXT").replace(/BOOL.*/, "INTEGER"),
  };
}

/** A column's line: name, type, and what holds for it alone. */
export function columnSql(
  column: Column<unknown>,
  dialect: Dialect,
  given?: AutoincrementWords,
): string {
  const { name, spec: { type, nullable, serverDefault, computed, identity } } =
    column;
  const words = given ?? (identity && autoincrementWords(column, dialect));
  if (!given && words?.isPrimaryKey) {
    throw new UnsupportedError(
      `Cannot number "${name}": only a primary key numbers itself here; give it a default`,
    );
  }
  const quoted = quoteName(name, dialect);
  const isStored = computed?.stored || dialect.features.storesComputed;
  return [
    quoted,
    words?.type ?? typeSql(type, dialect),
    words?.suffix,
    !nullable && !words?.isPrimaryKey && "NOT NULL",
    serverDefault !== undefined &&
    `DEFAULT ${defaultSql(serverDefault, dialect)}`,
    computed &&
    `GENERATED ALWAYS AS (${inlineSql(computed.sql, dialect)}) ${
      isStored ? "STORED" : "VIRTUAL"
    }`,
    dialect.rulesFor(type).check?.(quoted, type, dialect),
  ].filter(Boolean).join(" ");
}

/** A type's name in DDL. */
export function typeSql(type: SqlType, dialect: Dialect): string {
  return dialect.rulesFor(type).ddl(type);
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
  const keys = table.constraints.filter(({ kind }) => kind === "foreignKey");
  const key = table.foreignKeys[keys.indexOf(constraint)];
  return lineSql(table, key ?? constraint as ConstraintLine, dialect);
}

/** What holds between the rows of one table. */
type RowConstraint = UniqueConstraint | CheckConstraint | ExcludeConstraint;

/** What stands behind a table's columns. */
export type ConstraintLine =
  | CheckConstraint
  | ExcludeConstraint
  | ForeignKey
  | Omit<UniqueConstraint, "kind" | "columns"> & {
    readonly kind: "primaryKey" | "unique";
    readonly columns: readonly (string | Column<unknown>)[];
  };

/** The line of a constraint; `pattern` names it where neither it nor the convention does. */
export function lineSql(
  table: Table,
  line: ConstraintLine,
  dialect: Dialect,
  pattern?: string,
): string {
  const { kind } = line;
  const name = constraintName(table, line, pattern);
  // The kinds are called as SQL calls them: a foreignKey is a FOREIGN KEY.
  return `${name ? `CONSTRAINT ${quoteName(name, dialect)} ` : ""}${
    kind.replace("Key", " Key").toUpperCase()
  } ${listSql(table, line, dialect)}${
    kind === "foreignKey" ? ` ${referencesSql(line, dialect)}` : ""
  }`;
}

/** What a foreign key names, as it stands behind a single column too. */
export function referencesSql(key: ForeignKey, dialect: Dialect): string {
  const { onDelete, onUpdate } = key;
  const [name = "", schema] = key.targetTable.split(".").reverse();
  return `REFERENCES ${
    dialect.features.schemaIsFile
      ? quoteName(name, dialect)
      : tableName({ name, schema }, dialect)
  } (${
    key.targetColumns.map((column) => quoteName(column, dialect)).join(", ")
  })${onDelete ? ` ON DELETE ${onDelete.toUpperCase()}` : ""}${
    onUpdate ? ` ON UPDATE ${onUpdate.toUpperCase()}` : ""
  }${key.deferrable ? " DEFERRABLE" : ""}${
    key.initiallyDeferred ? " INITIALLY DEFERRED" : ""
  }`;
}

/** CREATE INDEX. */
export function createIndex(
  table: Table,
  index: IndexConstraint,
  dialect: Dialect,
  { ifNotExists, words = "" }: CreateOptions & {
    /** What stands behind INDEX. */
    readonly words?: "CONCURRENTLY " | "";
  } = {},
): string {
  const { unique, where } = index;
  const { name, schema } = table;
  const own = indexName(table, index);
  const [given, on] = dialect.features.schemaIsFile
    ? [tableName({ name: own, schema }, dialect), quoteName(name, dialect)]
    : [quoteName(own, dialect), tableName(table, dialect)];
  return `CREATE ${unique ? "UNIQUE " : ""}INDEX ${words}${
    ifNotExists ? "IF NOT EXISTS " : ""
  }${given} ON ${on} ${listSql(table, index, dialect)}${
    where ? ` WHERE ${inlineSql(where, dialect)}` : ""
  }`;
}

/** The name of an index: its own, or one from the naming convention. */
export function indexName(table: Table, index: IndexConstraint): string {
  return constraintName(table, index, "ix_{table}_{columns}") ?? "";
}

/** A part of a constraint: columns are named by key or name. */
type Part = string | Expression<unknown>;

const found = (table: Table, part: Part): Expression<unknown> =>
  typeof part === "string" ? table.column(part) : part;

/** What a constraint or index is about, with what its dialect says around it. */
function listSql(
  table: Table,
  line: ConstraintLine | IndexConstraint,
  dialect: Dialect,
): string {
  const parts = line.kind === "check"
    ? [inlineSql(line.sql, dialect)]
    : partsSql(table, line.columns, dialect);
  return dialect.schemaExtras?.list(table, line, parts) ??
    `(${parts.join(", ")})`;
}

/** Columns, and expressions in brackets. */
export function partsSql(
  table: Table,
  parts: readonly Part[],
  dialect: Dialect,
): string[] {
  return parts.map((part) => {
    const one = found(table, part);
    if (one instanceof Column) return quoteName(one.name, dialect);
    // The words of an order stand outside the brackets.
    const [inner, words = ""] = one instanceof Phrase && one.kind === "suffix"
      ? one.parts as readonly [Node, string]
      : [one];
    return `(${inlineSql(inner, dialect)})${words}`;
  });
}

/** The name that a constraint was given, or that the naming convention gives it. */
export function constraintName(
  table: Table,
  line: ConstraintLine | IndexConstraint,
  otherwise?: string,
): string | undefined {
  const { kind, name } = line;
  const pattern = table.metadata.options.naming?.[kind] ?? otherwise;
  // The convention decorates the name of a check, and replaces no other.
  if (
    !pattern || (kind === "check" && !line.isNameFinal ? !name : name)
  ) return name;
  const words: Readonly<Record<string, string | undefined>> = {
    table: table.name,
    columns: kind === "check" ? "" : line.columns.map((part) => {
      const one = found(table, part);
      return one instanceof Column ? one.name : "expr";
    }).join("_"),
    referred: kind === "foreignKey" ? line.targetTable : "",
    name,
  };
  const made = pattern.replace(/{(\w+)}/g, (_, word) => words[word] ?? "");
  if (made.length <= LONGEST_NAME) return made;
  // Postgres would cut it off, and two long names could become one.
  let hash = 0;
  for (const char of made) hash = hash * 31 + char.codePointAt(0)! | 0;
  const end = (hash >>> 0).toString(36);
  return `${made.slice(0, LONGEST_NAME - end.length - 1)}_${end}`;
}

/** How many characters a name has at most, on the database that takes the fewest. */
const LONGEST_NAME = 63;

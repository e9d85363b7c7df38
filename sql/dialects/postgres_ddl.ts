import type { Dialect, SchemaExtras } from "../dialect.ts";
import { quoteName, tableName } from "../compiler.ts";
import type { IndexConstraint } from "../constraint.ts";
import { inlineSql } from "../inline_sql.ts";
import { type ConstraintLine, lineSql, partsSql } from "../table_ddl.ts";
import { forwardKeys } from "../_table_order.ts";
import type { ForeignKey, Table } from "../schema.ts";
import type { SqlType } from "../types.ts";

/** What a schema needs on Postgres: named types, keys that close circles, remarks. */
export function postgresExtras(dialect: Dialect): SchemaExtras {
  const perhaps = (sql: string, ifNotExists: boolean | undefined) =>
    ifNotExists ? unless("duplicate_object", sql) : sql;
  const extras: SchemaExtras = {
    autoincrement: ({ spec: { identity } }) => ({
      suffix: `GENERATED ${
        identity === "always" ? "ALWAYS" : "BY DEFAULT"
      } AS IDENTITY`,
    }),
    around: (tables, create, ifNotExists) => [
      ...extras.before(tables, ifNotExists),
      ...create(extras.later(tables)),
      ...extras.after(tables, ifNotExists),
    ],
    later: forwardKeys,
    before: (tables, ifNotExists) =>
      [...enumsOf(tables).values()].map((type) =>
        perhaps(createType(type, dialect), ifNotExists)
      ),
    after: (tables, ifNotExists) => [
      ...[...forwardKeys(tables)].map((key) =>
        perhaps(addForeignKey(key, dialect), ifNotExists)
      ),
      ...tables.flatMap((table) => commentStatements(table, dialect)),
    ],
    list: (table, line, parts) => listSql(table, line, parts, dialect),
    afterDrop: (tables, ifExists, kept) => {
      const needed = enumsOf(kept);
      return [...enumsOf(tables).keys()].filter((name) => !needed.has(name))
        .map((name) =>
          // What is not described here may need it, too.
          unless(
            "dependent_objects_still_exist",
            `DROP TYPE ${ifExists}${quoteName(name, dialect)}`,
          )
        );
    },
  };
  return extras;
}

/** The list of a constraint or index with the words that only Postgres knows. */
function listSql(
  table: Table,
  line: ConstraintLine | IndexConstraint,
  parts: readonly string[],
  dialect: Dialect,
): string {
  const list = (all: readonly string[]) => `(${all.join(", ")})`;
  if (line.kind === "check" || line.kind === "foreignKey") return list(parts);
  const include = "include" in line && line.include &&
    `INCLUDE ${list(partsSql(table, line.include, dialect))}`;
  if (line.kind === "index") {
    return words(
      line.using && `USING ${quoteName(line.using, dialect)}`,
      list(parts),
      include,
      line.nullsNotDistinct && "NULLS NOT DISTINCT",
    );
  }
  const { deferrable, initiallyDeferred } = line;
  const excludes = line.kind === "exclude";
  return words(
    excludes
      ? `USING ${quoteName(line.using ?? "gist", dialect)}`
      : line.nullsNotDistinct && "NULLS NOT DISTINCT",
    list(
      excludes
        ? parts.map((part, at) => `${part} WITH ${line.operators[at]}`)
        : parts,
    ),
    include,
    excludes && line.where && `WHERE (${inlineSql(line.where, dialect)})`,
    deferrable && "DEFERRABLE",
    initiallyDeferred && "INITIALLY DEFERRED",
  );
}

function words(...all: readonly (string | false | undefined)[]): string {
  return all.filter(Boolean).join(" ");
}

function addForeignKey(key: ForeignKey, dialect: Dialect): string {
  const { table } = key;
  return `ALTER TABLE ${tableName(table, dialect)} ADD ${
    lineSql(table, key, dialect, "{table}_{columns}_fkey")
  }`;
}

// Not everything has an IF NOT EXISTS of its own.
function unless(condition: string, sql: string): string {
  let quote = "$do$";
  while (sql.includes(quote)) quote = `$x${quote.slice(1)}`;
  return `DO ${quote} BEGIN ${sql}; EXCEPTION WHEN ${condition} THEN NULL; END ${quote}`;
}

function enumsOf(tables: readonly Table[]): Map<string, SqlType> {
  const found = new Map<string, SqlType>();
  for (const { columns } of tables) {
    for (const { spec } of columns) {
      const type = enumOf(spec.type);
      if (type) found.set(String(type.args[0]), type);
    }
  }
  return found;
}

function enumOf(type: SqlType): SqlType | undefined {
  return type.name === "enum" ? type : type.item && enumOf(type.item);
}

/** CREATE TYPE … AS ENUM, for a type made by `enumeration()`. */
export function createType({ args }: SqlType, dialect: Dialect): string {
  const [name, ...labels] = args.map(String);
  return `CREATE TYPE ${quoteName(name ?? "", dialect)} AS ENUM (${
    labels.map((label) => dialect.literal(label)).join(", ")
  })`;
}

/** COMMENT ON for a table and its columns, where they have remarks. */
export function commentStatements(table: Table, dialect: Dialect): string[] {
  const name = tableName(table, dialect);
  const comment = (on: string, words: string | undefined) =>
    words === undefined
      ? []
      : [`COMMENT ON ${on} IS ${dialect.literal(words)}`];
  return [
    ...comment(`TABLE ${name}`, table.options.comment),
    ...table.columns.flatMap((column) =>
      comment(
        `COLUMN ${name}.${quoteName(column.name, dialect)}`,
        column.spec.comment,
      )
    ),
  ];
}

import { ColumnBuilder, type ColumnSpec } from "../column.ts";
import type { Engine } from "../engine.ts";
import { UnsupportedError } from "../errors.ts";
import { type Expression, Raw } from "../expression.ts";
import {
  check,
  type Constraint,
  exclude,
  foreignKey,
  index,
  type KeyOptions,
  primaryKey,
  unique,
} from "../constraint.ts";
import { MetaData, Table } from "../schema.ts";
import type {
  ColumnFacts,
  KeyFacts,
  SchemaFacts,
  TableFacts,
} from "./facts.ts";
import { inspectPostgres } from "./postgres.ts";
import { inspectSqlite } from "./sqlite.ts";

/** Asks a database about itself. */
export type Inspector = (
  engine: Engine,
  schema?: string,
) => Promise<SchemaFacts>;

/** What is reflected. */
export interface ReflectOptions {
  /** Which tables, by name. @default all */
  readonly include?: readonly string[] | ((name: string) => boolean);
  /** The schema they are in. @default the ones that need no name */
  readonly schema?: string;
  /** How a database of another dialect is asked. */
  readonly inspector?: Inspector;
}

const INSPECTORS: Readonly<Record<string, Inspector>> = {
  sqlite: inspectSqlite,
  postgres: inspectPostgres,
};

/**
 * Reads a database's own account of its tables and views, as plain data: one
 * trip.
 *
 * @throws {UnsupportedError} If nothing is known of the dialect.
 */
export function inspect(
  engine: Engine,
  options: ReflectOptions = {},
): Promise<SchemaFacts> {
  const { dialect } = engine;
  const inspector = options.inspector ?? INSPECTORS[dialect.name];
  if (inspector) return inspector(engine, options.schema);
  throw new UnsupportedError(
    `Cannot reflect a database of dialect "${dialect.name}": it is not known how to ask it; give an inspector`,
  );
}

/**
 * Reads the tables of a database into a MetaData: columns with types and
 * defaults, keys, constraints, indexes. One trip.
 *
 * A column's type is the nearest of ours; `spec.info.declaredType` keeps the
 * database's own word. SQLite knows neither `bigint()` (it is an integer) nor
 * `timestamp()` and its kin (they are text).
 *
 * @example
 * ```ts
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createEngine, reflect, sql } from "@aludel/aludel/sql";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * await engine.execute(sql`CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)`);
 * const metadata = await reflect(engine);
 * deepStrictEqual(Object.keys(metadata.tables.get("users")!.c), ["id", "name"]);
 * ```
 *
 * @param metadata Where the tables go; those it has already are left alone.
 */
export async function reflect(
  engine: Engine,
  metadata: MetaData = new MetaData(),
  options: ReflectOptions = {},
): Promise<MetaData> {
  const { include } = options;
  const wanted = typeof include === "function"
    ? include
    : (name: string) => include?.includes(name) ?? true;
  const schema = options.schema ?? metadata.options.schema;
  const { tables } = await inspect(engine, {
    ...options,
    ...(schema !== undefined && { schema }),
  });
  for (const facts of tables) {
    const fullName = schema ? `${schema}.${facts.name}` : facts.name;
    if (wanted(facts.name) && !metadata.tables.has(fullName)) {
      tableOf(facts, metadata, tables, schema);
    }
  }
  return metadata;
}

function tableOf(
  facts: TableFacts,
  metadata: MetaData,
  all: readonly TableFacts[],
  schema: string | undefined,
): Table {
  const { name, comment, strict, withoutRowid } = facts;
  return new Table(
    name,
    metadata,
    Object.fromEntries(
      facts.columns.map((column) => [column.name, builderOf(column, facts)]),
    ),
    constraintsOf(facts, all),
    {
      ...(schema !== undefined && { schema }),
      ...(comment !== undefined && { comment }),
      ...(strict && { strict }),
      ...(withoutRowid && { withoutRowid }),
    },
  );
}

function builderOf(
  column: ColumnFacts,
  { primaryKey: { columns: key, name } }: TableFacts,
): ColumnBuilder<unknown, boolean> {
  const { comment, computed, numbered, declaredType } = column;
  const isKey = key.includes(column.name);
  const { type } = column;
  const isWhole = type.name === "integer" || type.name === "bigint";
  const spec: ColumnSpec = {
    type,
    nullable: column.nullable,
    // A key with a name is a constraint of its own.
    primaryKey: isKey && name === undefined,
    info: { declaredType },
    ...(column.default !== undefined &&
      { serverDefault: defaultOf(column.default, column) }),
    ...(computed &&
      { computed: { sql: new Raw(computed.sql), stored: computed.stored } }),
    ...(comment !== undefined && { comment }),
    ...(numbered === "autoincrement" && { autoincrement: true }),
    ...(isKey && isWhole && !numbered && { autoincrement: false }),
    ...(numbered === "always" && { identity: "always" }),
    ...(numbered === "by default" && !isKey && { identity: "by default" }),
  };
  return new ColumnBuilder(spec);
}

/** A default's text as the value it stands for, or as the expression it is. */
function defaultOf(
  text: string,
  { type }: ColumnFacts,
): Expression<unknown> | string | number | boolean {
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === "true";
  const quoted = /^'((?:[^']|'')*)'(?:::[\w ".[\]]+(?:\([\d,]+\))?)?$/.exec(
    text,
  );
  if (quoted) {
    const value = (quoted[1] ?? "").replaceAll("''", "'");
    return isNumeric(type.name) && value.trim() !== "" ? Number(value) : value;
  }
  const bare = text.replace(/^\((-\d[\d.]*)\)/, "$1").replace(/::[\w ]+$/, "");
  if (/^[-+]?\d+(\.\d+)?$/.test(bare) && isSafe(bare)) return Number(bare);
  const inner = /^\((.*)\)$/s.exec(text)?.[1];
  return new Raw(inner ?? text);
}

function isNumeric(name: string): boolean {
  return name === "integer" || name === "bigint" || name === "real";
}

function isSafe(text: string): boolean {
  return String(Number(text)) === text.replace(/^\+/, "");
}

function constraintsOf(
  facts: TableFacts,
  all: readonly TableFacts[],
): Constraint[] {
  const { primaryKey: key } = facts;
  return [
    ...key.columns.length > 0 && (key.name !== undefined || !inOrder(facts))
      ? [keyOf(key, primaryKey)]
      : [],
    ...facts.uniques.map((one) => keyOf(one, unique)),
    ...facts.checks.map(({ sql, name }) => check(new Raw(sql), name)),
    ...(facts.excludes ?? []).map(({ ways, where, ...options }) =>
      exclude(
        ways.map(({ column, sql, operator }) =>
          [column ?? new Raw(sql ?? ""), operator] as const
        ),
        defined({
          ...options,
          where: where === undefined ? undefined : new Raw(where),
        }),
      )
    ),
    ...facts.foreignKeys.map(({ table, targets, columns, ...options }) => {
      const named = targets.length > 0
        ? targets
        : all.find(({ name }) => name === table)?.primaryKey.columns ?? [];
      return foreignKey(
        columns,
        named.map((target) => `${table}.${target}`),
        defined(options),
      );
    }),
    ...facts.indexes.map(({ name, parts, unique: isUnique, where, ...rest }) =>
      index(
        name,
        parts.map(({ column, sql, suffix }) =>
          column !== undefined && suffix === undefined
            ? column
            : suffix === undefined
            ? new Raw(sql ?? "")
            : new Raw(sql ?? quoted(column ?? "")).desc()
        ),
        {
          ...rest,
          ...(isUnique && { unique: true }),
          ...(where !== undefined && { where: new Raw(where) }),
        },
      )
    ),
  ];
}

function keyOf<C>(
  { columns, name, ...options }: KeyFacts,
  make: (columns: readonly string[], name?: string, options?: KeyOptions) => C,
): C {
  return make(columns, name, options);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Whether the key's columns stand in the order of the table's. */
function inOrder(
  { primaryKey: { columns: key }, columns }: TableFacts,
): boolean {
  const sorted = columns.map(({ name }) => name).filter((name) =>
    key.includes(name)
  );
  return key.every((name, i) => sorted[i] === name);
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(options: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as Defined<T>;
}

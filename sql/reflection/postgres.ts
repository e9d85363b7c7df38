import { deepEqual } from "../deep_equal.ts";
import type { Engine } from "../engine.ts";
import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DATE,
  ENUM,
  INTEGER,
  INTERVAL,
  JSON_DOCUMENT,
  NUMERIC,
  REAL,
  TEXT,
  TIME,
  TIMESTAMP,
  UUID,
  VARCHAR,
} from "../standard_types.ts";
import type { SqlType } from "../types.ts";
import {
  action,
  type ColumnFacts,
  type ExcludeFacts,
  type IndexFacts,
  type SchemaFacts,
  type TableFacts,
  unwrap,
} from "./facts.ts";

// Each query gives JSON, so that values need no types of their own.
const json = (query: string): string =>
  `SELECT coalesce(json_agg(row_to_json(f)), '[]') AS facts FROM (${query}) AS f`;

// Without a schema, what the search path shows.
const HERE =
  `CASE WHEN $1::text IS NULL THEN n.nspname = ANY (current_schemas(false)) ELSE n.nspname = $1 END`;

const names = (numbers: string, table: string): string =>
  `(SELECT json_agg(a.attname ORDER BY u.at) FROM unnest(${numbers}) WITH ORDINALITY AS u(num, at)
    JOIN pg_attribute AS a ON a.attrelid = ${table} AND a.attnum = u.num)`;

// What an index keeps beside its keys. Before version 15 NULLs are distinct always.
const kept = (index: string): string =>
  `(SELECT json_agg(a.attname ORDER BY u.at) FROM unnest(${index}.indkey::int[]) WITH ORDINALITY AS u(num, at)
    JOIN pg_attribute AS a ON a.attrelid = ${index}.indrelid AND a.attnum = u.num WHERE u.at > ${index}.indnkeyatts) AS include,
    coalesce((to_jsonb(${index}) ->> 'indnullsnotdistinct')::boolean, false) AS "nullsNotDistinct"`;

const relationQuery = (): string =>
  json(`
  SELECT c.relname AS name, c.relkind AS kind, obj_description(c.oid, 'pg_class') AS comment,
    CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END AS view
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm') AND ${HERE} ORDER BY c.relname`);

const columnQuery = (): string =>
  json(`
  SELECT c.relname AS "table", a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
    NOT a.attnotnull AS nullable, pg_get_expr(d.adbin, d.adrelid) AS expression,
    a.attidentity AS identity, a.attgenerated AS generated,
    pg_get_serial_sequence(quote_ident(n.nspname) || '.' || quote_ident(c.relname), a.attname) AS sequence,
    col_description(c.oid, a.attnum) AS comment,
    (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum AS e
      WHERE e.enumtypid = coalesce(nullif(t.typelem, 0), t.oid)) AS labels,
    (SELECT i.typname FROM pg_type AS i WHERE i.oid = coalesce(nullif(t.typelem, 0), t.oid)) AS "typeName"
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type AS t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
  WHERE c.relkind IN ('r', 'p') AND ${HERE} ORDER BY c.relname, a.attnum`);

const constraintQuery = (): string =>
  json(`
  SELECT c.relname AS "table", k.conname AS name, k.contype AS kind,
    ${names("k.conkey", "k.conrelid")} AS columns,
    CASE WHEN fn.nspname = n.nspname THEN f.relname ELSE fn.nspname || '.' || f.relname END AS target,
    ${names("k.confkey", "k.confrelid")} AS targets,
    k.confdeltype AS "onDelete", k.confupdtype AS "onUpdate",
    k.condeferrable AS deferrable, k.condeferred AS deferred, ${kept("x")},
    CASE WHEN k.contype = 'c' THEN pg_get_expr(k.conbin, k.conrelid) END AS expression,
    (SELECT json_agg(json_build_object('column', a.attname, 'operator', o.oprname,
        'sql', pg_get_indexdef(x.indexrelid, u.at::int, true)) ORDER BY u.at)
      FROM unnest(x.indkey::int[], k.conexclop) WITH ORDINALITY AS u(num, op, at)
      JOIN pg_operator AS o ON o.oid = u.op
      LEFT JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.num AND u.num > 0) AS ways,
    pg_get_expr(x.indpred, x.indrelid) AS "where", m.amname AS method
  FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_class AS f ON f.oid = k.confrelid
    LEFT JOIN pg_namespace AS fn ON fn.oid = f.relnamespace
    LEFT JOIN pg_index AS x ON x.indexrelid = k.conindid AND k.contype IN ('p', 'u', 'x')
    LEFT JOIN pg_class AS i ON i.oid = x.indexrelid LEFT JOIN pg_am AS m ON m.oid = i.relam
  WHERE k.contype IN ('p', 'u', 'c', 'f', 'x') AND ${HERE} ORDER BY c.relname, k.oid`);

const indexQuery = (): string =>
  json(`
  SELECT c.relname AS "table", i.relname AS name, x.indisunique AS unique,
    m.amname AS method, ${kept("x")},
    pg_get_expr(x.indpred, x.indrelid) AS "where",
    (SELECT json_agg(json_build_object(
        'column', CASE WHEN k.num > 0 THEN a.attname END,
        'sql', pg_get_indexdef(x.indexrelid, k.at::int, true),
        'isDown', x.indoption[k.at - 1] & 1 = 1) ORDER BY k.at)
      FROM unnest(x.indkey::int[]) WITH ORDINALITY AS k(num, at)
      LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.num
      WHERE k.at <= x.indnkeyatts) AS parts
  FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
    JOIN pg_am AS m ON m.oid = i.relam JOIN pg_class AS c ON c.oid = x.indrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE NOT x.indisprimary AND ${HERE}
    AND NOT EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.conindid = x.indexrelid AND k.contype IN ('u', 'x'))
  ORDER BY c.relname, i.oid`);

interface Relation {
  readonly name: string;
  readonly kind: string;
  readonly comment: string | null;
  readonly view: string | null;
}

interface ColumnRow {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly expression: string | null;
  readonly identity: string;
  readonly generated: string;
  /** The sequence that belongs to it. */
  readonly sequence: string | null;
  readonly comment: string | null;
  readonly labels: readonly string[] | null;
  readonly typeName: string;
}

/** What constraints and indexes have in common. */
interface KeptRow {
  readonly include: readonly string[] | null;
  readonly nullsNotDistinct: boolean;
}

interface ConstraintRow extends KeptRow {
  readonly table: string;
  readonly name: string;
  readonly kind: "p" | "u" | "c" | "f" | "x";
  readonly columns: readonly string[] | null;
  readonly target: string | null;
  readonly targets: readonly string[] | null;
  readonly onDelete: string;
  readonly onUpdate: string;
  readonly deferrable: boolean;
  readonly deferred: boolean;
  readonly expression: string | null;
  /** What an exclusion constraint compares. */
  readonly ways:
    | readonly {
      readonly column: string | null;
      readonly sql: string;
      readonly operator: string;
    }[]
    | null;
  readonly where: string | null;
  readonly method: string | null;
}

interface IndexRow extends KeptRow {
  readonly method: string;
  readonly table: string;
  readonly name: string;
  readonly unique: boolean;
  readonly where: string | null;
  readonly parts: readonly {
    readonly column: string | null;
    readonly sql: string;
    readonly isDown: boolean;
  }[];
}

/** Asks a Postgres about itself: one trip. */
export async function inspectPostgres(
  engine: Engine,
  schema?: string,
): Promise<SchemaFacts> {
  const results = await engine.sendBatch(
    [relationQuery, columnQuery, constraintQuery, indexQuery].map((query) => ({
      sql: query(),
      params: [schema ?? null],
    })),
    { isRead: true },
  );
  const [relations, columns, constraints, indexes] = results.map(
    ({ rows }) => JSON.parse(String(rows[0]?.[0])),
  ) as [Relation[], ColumnRow[], ConstraintRow[], IndexRow[]];
  const of = <T extends { readonly table: string }>(rows: T[], name: string) =>
    rows.filter(({ table }) => table === name);
  return {
    tables: relations.filter(({ view }) => view === null).map((relation) =>
      tableFacts(
        relation,
        of(columns, relation.name),
        of(constraints, relation.name),
        of(indexes, relation.name),
      )
    ),
    views: relations.filter(({ view }) => view !== null).map((
      { name, view },
    ) => ({ name, sql: (view ?? "").replace(/;\s*$/, "").trim() })),
  };
}

function tableFacts(
  { name, comment }: Relation,
  columns: readonly ColumnRow[],
  constraints: readonly ConstraintRow[],
  indexes: readonly IndexRow[],
): TableFacts {
  const keys = (kind: ConstraintRow["kind"]) =>
    constraints.filter((one) => one.kind === kind).map((one) => ({
      name: one.name,
      columns: one.columns ?? [],
      ...keptFacts(one),
      ...waiting(one),
    }));
  const excludes = constraints.filter(({ kind }) => kind === "x");
  return {
    name,
    comment: comment ?? undefined,
    columns: columns.map(columnFacts),
    primaryKey: keys("p")[0] ?? { columns: [] },
    uniques: keys("u"),
    checks: constraints.filter(({ kind }) => kind === "c").map((one) => ({
      name: one.name,
      sql: unwrap(one.expression ?? ""),
    })),
    ...(excludes.length > 0 && { excludes: excludes.map(excludeFacts) }),
    foreignKeys: constraints.filter(({ kind }) => kind === "f").map((one) => ({
      name: one.name,
      columns: one.columns ?? [],
      table: one.target ?? "",
      targets: one.targets ?? [],
      onDelete: action(ACTIONS[one.onDelete]),
      onUpdate: action(ACTIONS[one.onUpdate]),
      ...waiting(one),
    })),
    indexes: indexes.map(indexFacts),
  };
}

function excludeFacts(row: ConstraintRow): ExcludeFacts {
  return {
    name: row.name,
    ways: (row.ways ?? []).map(({ column, sql, operator }) =>
      column === null ? { sql: unwrap(sql), operator } : { column, operator }
    ),
    using: row.method ?? "",
    where: row.where === null ? undefined : unwrap(row.where),
    ...waiting(row),
  };
}

function waiting({ deferrable, deferred }: ConstraintRow) {
  return {
    ...(deferrable && { deferrable }),
    ...(deferred && { initiallyDeferred: true }),
  };
}

function keptFacts({ include, nullsNotDistinct }: KeptRow) {
  return {
    ...(include && { include }),
    ...(nullsNotDistinct && { nullsNotDistinct }),
  };
}

const ACTIONS: Readonly<Record<string, string>> = {
  c: "cascade",
  r: "restrict",
  n: "set null",
  d: "set default",
};

function columnFacts(row: ColumnRow): ColumnFacts {
  const { expression } = row;
  // A sequence that does not belong to the column is a default like others.
  const isCounted = row.sequence !== null &&
    (expression?.startsWith("nextval(") ?? false);
  return {
    name: row.name,
    declaredType: row.type,
    type: postgresType(row.type, row.labels, row.typeName),
    nullable: row.nullable,
    comment: row.comment ?? undefined,
    ...(row.generated
      ? {
        computed: {
          sql: unwrap(expression ?? ""),
          stored: row.generated === "s",
        },
      }
      : expression !== null && !isCounted
      ? { default: expression }
      : {}),
    ...(row.identity
      ? { numbered: row.identity === "a" ? "always" : "by default" }
      : isCounted
      ? { numbered: "implicitly" }
      : {}),
  };
}

function indexFacts(row: IndexRow): IndexFacts {
  const { name, unique, where, parts, method } = row;
  return {
    name,
    unique,
    ...(method !== "btree" && { using: method }),
    ...keptFacts(row),
    where: where === null ? undefined : unwrap(where),
    parts: parts.map(({ column, sql, isDown }) => ({
      ...(column === null ? { sql: unwrap(sql) } : { column }),
      ...(isDown && { suffix: "DESC" }),
    })),
  };
}

const TYPES: Readonly<Record<string, SqlType>> = {
  "integer": INTEGER,
  "smallint": INTEGER,
  "bigint": BIGINT,
  "text": TEXT,
  "boolean": BOOLEAN,
  "double precision": REAL,
  "real": REAL,
  "numeric": NUMERIC,
  "date": DATE,
  "time": TIME,
  "timestamp": TIMESTAMP,
  "interval": INTERVAL,
  "json": JSON_DOCUMENT,
  "jsonb": JSON_DOCUMENT,
  "bytea": BLOB,
  "uuid": UUID,
};

/** The type that a declared one is read as; text where nothing fits, as values come. */
function postgresType(
  declared: string,
  labels: readonly string[] | null = null,
  typeName = "",
): SqlType {
  if (declared.endsWith("[]")) {
    const item = postgresType(declared.slice(0, -2), labels, typeName);
    return { name: "array", args: [], item, equals: deepEqual };
  }
  if (labels) return { ...ENUM, args: [typeName, ...labels] };
  const [, name = "", args = ""] =
    /^(.*?)(?:\(([\d,]+)\))?(?: with(?:out)? time zone)?$/.exec(declared) ?? [];
  const numbers = args.split(",").filter(Boolean).map(Number);
  if (/^character/.test(name)) {
    return numbers[0] === undefined ? TEXT : { ...VARCHAR, args: [numbers[0]] };
  }
  const known = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
  return known === NUMERIC ? { ...NUMERIC, args: numbers } : known ?? TEXT;
}

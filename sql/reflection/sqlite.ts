import type { Engine } from "../engine.ts";
import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DATE,
  ENUM,
  INTEGER,
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
  type CheckFacts,
  type ColumnFacts,
  type ForeignKeyFacts,
  type IndexFacts,
  type KeyFacts,
  type SchemaFacts,
  type TableFacts,
  unwrap,
} from "./facts.ts";
import { type Token, TokenReader } from "./sqlite_tokens.ts";

// Names that start with _cf_ are Cloudflare's own and may not be asked about;
// shadow tables belong to a virtual one.
const CATALOG = `SELECT m.type, m.name, m.tbl_name, m.sql
  FROM sqlite_master AS m
  WHERE m.sql IS NOT NULL AND substr(m.tbl_name, 1, 4) <> '_cf_'
    AND substr(m.name, 1, 7) <> 'sqlite_'
    AND m.tbl_name NOT IN (SELECT name FROM pragma_table_list WHERE type IN ('shadow', 'virtual'))
  ORDER BY m.tbl_name, m.rowid`;

/** Asks a database of SQLite's kind about itself: one trip. */
export async function inspectSqlite(engine: Engine): Promise<SchemaFacts> {
  const { rows } = await engine.read({ sql: CATALOG, params: [] });
  const entries = rows.map(([kind, name, table, sql]) => ({
    kind,
    name: String(name),
    table: String(table),
    sql: String(sql),
  }));
  const of = (kind: string) => entries.filter((one) => one.kind === kind);
  const indexes = of("index");
  return {
    tables: of("table").map(({ name, sql }) =>
      parseTable(
        name,
        sql,
        indexes.filter(({ table }) => table === name).map((one) =>
          parseIndex(one.name, one.sql)
        ),
      )
    ),
    views: of("view").map(({ name, sql }) => ({ name, sql: queryOf(sql) })),
  };
}

function queryOf(sql: string): string {
  const reader = new TokenReader(sql);
  while (!reader.isDone && !reader.take("AS")) reader.skip();
  return reader.rest;
}

interface Found {
  readonly columns: ColumnFacts[];
  readonly uniques: KeyFacts[];
  readonly checks: CheckFacts[];
  readonly foreignKeys: ForeignKeyFacts[];
  primaryKey: KeyFacts;
}

/** Reads a table's facts from the text that made it, as SQLite keeps it. */
export function parseTable(
  name: string,
  sql: string,
  indexes: readonly IndexFacts[] = [],
): TableFacts {
  const reader = new TokenReader(sql);
  while (!reader.isDone && !reader.opens) reader.skip();
  const body = reader.bracketed()?.tokens ?? [];
  const found: Found = {
    columns: [],
    uniques: [],
    checks: [],
    foreignKeys: [],
    primaryKey: { columns: [] },
  };
  for (const part of reader.split(body)) {
    const piece = reader.of(part);
    if (!tableConstraint(piece, found)) columnDefinition(piece, found);
  }
  const words = reader.rest.toUpperCase();
  return {
    name,
    ...found,
    indexes,
    ...(/\bSTRICT\b/.test(words) && { strict: true }),
    ...(/\bWITHOUT\s+ROWID\b/.test(words) && { withoutRowid: true }),
  };
}

function tableConstraint(reader: TokenReader, found: Found): boolean {
  const { next } = reader;
  const starts = /^(CONSTRAINT|PRIMARY|UNIQUE|CHECK|FOREIGN)$/.test(
    next?.value ?? "",
  );
  if (next?.kind !== "word" || !starts) return false;
  const name = reader.take("CONSTRAINT") ? reader.name() : undefined;
  if (reader.take("PRIMARY", "KEY")) {
    found.primaryKey = { name, columns: reader.names() };
  } else if (reader.take("UNIQUE")) {
    found.uniques.push({ name, columns: reader.names() });
  } else if (reader.take("CHECK")) {
    found.checks.push({ name, sql: unwrap(reader.bracketed()?.sql ?? "") });
  } else if (reader.take("FOREIGN", "KEY")) {
    const columns = reader.names();
    reader.take("REFERENCES");
    found.foreignKeys.push(references(reader, columns, name));
  }
  return true;
}

/** Words that end a column's type. */
const ENDS_TYPE =
  /^(CONSTRAINT|PRIMARY|NOT|NULL|UNIQUE|CHECK|DEFAULT|COLLATE|REFERENCES|GENERATED|AS|ON)$/;

function columnDefinition(reader: TokenReader, found: Found): void {
  const column = reader.name();
  const declaredType = typeWords(reader);
  const more: {
    -readonly [
      K in "default" | "computed" | "numbered"
    ]?: ColumnFacts[K];
  } = {};
  let nullable = true;
  let labels: string[] | undefined;
  let name: string | undefined;
  while (!reader.isDone) {
    if (reader.take("CONSTRAINT")) {
      name = reader.name();
      continue;
    }
    if (reader.take("PRIMARY", "KEY")) {
      found.primaryKey = { name, columns: [column] };
      if (
        reader.take("DESC")
      ) { /* no alias of the rowid then, but the same key */ } else {reader
          .take("ASC");}
      if (/^INTEGER$/i.test(declaredType)) {
        more.numbered = reader.take("AUTOINCREMENT")
          ? "autoincrement"
          : "implicitly";
        nullable = false;
      }
    } else if (reader.take("NOT", "NULL")) nullable = false;
    else if (reader.take("UNIQUE")) {
      found.uniques.push({ name, columns: [column] });
    } else if (reader.take("CHECK")) {
      const sql = unwrap(reader.bracketed()?.sql ?? "");
      labels = name === undefined ? labelsOf(sql, column) : undefined;
      if (!labels) found.checks.push({ name, sql });
    } else if (reader.take("DEFAULT")) more.default = defaultText(reader);
    else if (reader.take("REFERENCES")) {
      found.foreignKeys.push(references(reader, [column], name));
    } else if (reader.take("GENERATED", "ALWAYS", "AS") || reader.take("AS")) {
      const sql = unwrap(reader.bracketed()?.sql ?? "");
      more.computed = { sql, stored: reader.take("STORED") };
    } else reader.skip();
    name = undefined;
  }
  found.columns.push({
    name: column,
    declaredType,
    type: labels
      ? { ...ENUM, args: [column, ...labels] }
      : sqliteType(declaredType),
    nullable,
    ...more,
  });
}

function typeWords(reader: TokenReader): string {
  let words = "";
  while (reader.next) {
    const { kind, value, text } = reader.next;
    if (kind === "word" && ENDS_TYPE.test(value)) break;
    if (reader.opens) {
      words += `(${reader.bracketed()?.sql ?? ""})`;
      continue;
    }
    words += words ? ` ${text}` : text;
    reader.skip();
  }
  return words;
}

function defaultText(reader: TokenReader): string | undefined {
  const inner = reader.bracketed();
  if (inner) return `(${unwrap(inner.sql)})`;
  const first = reader.skip();
  if (!first) return undefined;
  // -1 and x'00' are two pieces.
  const isSign = first.kind === "other" && /[-+]/.test(first.value);
  const isBlob = first.kind === "word" && first.value === "X" &&
    reader.next?.kind === "string";
  if (isSign || isBlob) reader.skip();
  return reader.textFrom(first.start);
}

function references(
  reader: TokenReader,
  columns: readonly string[],
  name: string | undefined,
): ForeignKeyFacts {
  const table = reader.name();
  const targets = reader.opens ? reader.names() : [];
  const found: {
    -readonly [
      K in "onDelete" | "onUpdate" | "deferrable" | "initiallyDeferred"
    ]?: ForeignKeyFacts[K];
  } = {};
  for (;;) {
    if (reader.take("ON", "DELETE")) found.onDelete = actionWords(reader);
    else if (reader.take("ON", "UPDATE")) found.onUpdate = actionWords(reader);
    else if (reader.take("MATCH")) reader.skip();
    else if (reader.take("NOT", "DEFERRABLE")) found.deferrable = false;
    else if (reader.take("DEFERRABLE")) found.deferrable = true;
    else if (reader.take("INITIALLY", "DEFERRED")) {
      found.initiallyDeferred = true;
    } else if (!reader.take("INITIALLY", "IMMEDIATE")) break;
  }
  return { name, columns, table, targets, ...found };
}

function actionWords(reader: TokenReader): ForeignKeyFacts["onDelete"] {
  const first = reader.skip()?.value ?? "";
  const isLong = first === "SET" || first === "NO";
  return action(isLong ? `${first} ${reader.skip()?.value}` : first);
}

/** The words of a column whose check lists them, as `enumeration()` writes it. */
function labelsOf(sql: string, column: string): string[] | undefined {
  const reader = new TokenReader(sql);
  if (reader.name() !== column || !reader.take("IN")) return undefined;
  const labels = reader.split(reader.bracketed()?.tokens ?? []);
  const isList = reader.isDone && labels.length > 0 &&
    labels.every(([token, ...more]) =>
      token?.kind === "string" && more.length === 0
    );
  return isList ? labels.map(([token]) => token?.value ?? "") : undefined;
}

/** Reads an index's facts from the text that made it. */
export function parseIndex(name: string, sql: string): IndexFacts {
  const reader = new TokenReader(sql);
  reader.take("CREATE");
  const unique = reader.take("UNIQUE");
  while (!reader.isDone && !reader.opens) reader.skip();
  const parts = reader.split(reader.bracketed()?.tokens ?? []).map((part) =>
    indexPart(reader.of(part), part)
  );
  const where = reader.take("WHERE") ? unwrap(reader.rest) : undefined;
  return { name, unique, parts, where };
}

function indexPart(
  reader: TokenReader,
  part: readonly Token[],
): IndexFacts["parts"][number] {
  const last = part.at(-1);
  const direction = last?.kind === "word" && /^(ASC|DESC)$/.test(last.value);
  const suffix = direction && last.value === "DESC" ? "DESC" : undefined;
  const inner = reader.of(direction ? part.slice(0, -1) : part);
  const [first] = part;
  const isColumn = part.length === (direction ? 2 : 1) &&
    (first?.kind === "name" || first?.kind === "word");
  return isColumn
    ? { column: inner.name(), suffix }
    : { sql: unwrap(inner.rest), suffix };
}

/** The type that a declared one is read as: by its name, else as SQLite itself decides. */
export function sqliteType(declared: string): SqlType {
  const [, name = "", args = ""] = /^([^(]*?)\s*(?:\(([^)]*)\))?$/.exec(
    declared.toUpperCase(),
  ) ?? [];
  const numbers = args.split(",").map(Number).filter((n) => n > 0);
  if (/^(BIGINT|INT8|UNSIGNED BIG INT)$/.test(name)) return BIGINT;
  if (/^BOOL/.test(name)) return BOOLEAN;
  if (/^(DATETIME|TIMESTAMP)/.test(name)) return TIMESTAMP;
  if (name === "DATE") return DATE;
  if (name === "TIME") return TIME;
  if (/^JSON/.test(name)) return JSON_DOCUMENT;
  if (name === "UUID") return UUID;
  if (name.includes("INT")) return INTEGER;
  if (/CHAR|CLOB|TEXT/.test(name)) {
    return name === "VARCHAR" && numbers[0] !== undefined
      ? { ...VARCHAR, args: [numbers[0]] }
      : TEXT;
  }
  if (name === "" || name === "ANY" || name.includes("BLOB")) {
    return BLOB;
  }
  if (/REAL|FLOA|DOUB/.test(name)) return REAL;
  return { ...NUMERIC, args: numbers };
}

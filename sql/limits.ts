import type { CompiledStatement, Compiler, Slot } from "./compiler.ts";
import type {
  Dialect,
  Limits,
  NodeRenderer,
  PackedColumns,
  WrittenColumn,
} from "./dialect.ts";
import { hex } from "./dialects/values.ts";
import {
  Bind,
  type Expression,
  type Like,
  type Logical,
} from "./expression.ts";
import type { Target } from "./dml.ts";
import type { Insert, Rows } from "./insert.ts";
import { copyOf, type Statement } from "./statement.ts";
import { rootType, type SqlValue } from "./types.ts";

/**
 * SQLite's dialect as a platform takes it that refuses what is large: what
 * would be over a limit is written in another way that means the same.
 *
 * Make it once, at module level: compiled texts are kept by dialect.
 */
export function withinLimits(dialect: Dialect, limits: Limits): Dialect {
  const { params, columns, depth, like } = limits;
  const limited: Dialect = {
    ...dialect,
    limits,
    overrides: {
      ...dialect.overrides,
      ...(depth && { logical: writeBalanced }),
      ...(like && { like: writeLike }),
      ...(params && { rows: rowsWithin(params) }),
    },
    ...(columns && { packColumns: (list) => pack(list, columns) }),
    ...(params && {
      refit: (compiled, again) =>
        compiled.slots.length > params
          ? asOneParameter(limited, params, again)
          : compiled,
    }),
    split: splitRows,
  };
  return limited;
}

/** Bytes of values that one statement carries: platforms take about two million. */
const PAYLOAD = 1_000_000;

// Rows that are too many for one statement go in several of one batch.
function splitRows<Row>(
  statement: Statement<Row>,
): readonly Statement<Row>[] | undefined {
  if (statement.kind !== "insert") return undefined;
  const insert = statement as Insert<Target, Row>;
  const parts: Insert<Target, Row>["rows"][number][][] = [];
  let bytes = Infinity;
  for (const row of insert.rows) {
    let size = 0;
    for (const [, value] of row) size += sizeOf(value);
    if (bytes + size > PAYLOAD) {
      parts.push([]);
      bytes = 0;
    }
    bytes += size;
    parts.at(-1)?.push(row);
  }
  return parts.length > 1
    ? parts.map((rows) => copyOf(insert, { rows }))
    : undefined;
}

function sizeOf(value: Expression<unknown>): number {
  if (!(value instanceof Bind)) return 100;
  const { value: plain } = value;
  return plain instanceof Uint8Array
    ? plain.length * 2 + 4
    : typeof plain === "string"
    ? plain.length + 4
    : 30;
}

/** Terms from which on AND and OR are written as a tree. */
const FLAT = 32;

// `a OR b OR c …` is as deep as it is long; `(a OR b) OR (c OR d)` is not.
const writeBalanced = (node: Logical, compiler: Compiler): void => {
  const { operator, precedence } = node;
  const write = (terms: readonly Expression<unknown>[]): void => {
    if (terms.length <= FLAT) {
      return compiler.each(
        terms,
        ` ${operator} `,
        (term) => compiler.operand(term, precedence + 1),
      );
    }
    const middle = terms.length >> 1;
    compiler.write("(");
    write(terms.slice(0, middle));
    compiler.write(`) ${operator} (`);
    write(terms.slice(middle));
    compiler.write(")");
  };
  write(node.terms);
};

// A pattern as steps: a text, 0 for any character, 1 for any number of them.
const likeSteps = (pattern: string, escape: string | undefined): string => {
  const steps: (string | number)[] = [];
  let plain = "";
  const end = (step: number) => {
    if (plain) steps.push(plain);
    plain = "";
    steps.push(step);
  };
  const characters = [...pattern];
  for (let i = 0; i < characters.length; i++) {
    const one = characters[i] as string;
    if (one === escape) plain += characters[++i] ?? "";
    else if (one === "_") end(0);
    else if (one !== "%") plain += one;
    else if (plain || steps.at(-1) !== 1) end(1);
  }
  if (plain) steps.push(plain);
  return JSON.stringify(steps);
};

/*
 * A pattern of any length: the places `i` of the text that each step `k` can
 * be reached at, from the first on. UNION keeps each pair once.
 */
const writeLike = (node: Like, compiler: Compiler): void => {
  const { pattern, escape } = node;
  if (!node.isLong || !(pattern instanceof Bind)) return node.compile(compiler);
  // NULL is like nothing and unlike nothing.
  compiler.write("CASE WHEN ");
  compiler.operand(node.left, 5);
  compiler.write(
    " IS NOT NULL THEN EXISTS (WITH RECURSIVE t(x, p) AS (SELECT ",
  );
  compiler.operand(node.left, 0);
  compiler.write(", ");
  compiler.bindJoined([pattern], ([text]) => likeSteps(String(text), escape));
  compiler.write(
    "), s(k, v, y) AS (SELECT key, value, type FROM t, json_each(p)), " +
      "m(i, k) AS (SELECT 1, 0 UNION " +
      "SELECT CASE WHEN y = 'text' THEN i + length(v) WHEN v = 0 THEN i + 1 ELSE i + d END, " +
      "CASE WHEN y = 'integer' AND v = 1 THEN m.k + 1 - d ELSE m.k + 1 END " +
      "FROM m JOIN s ON s.k = m.k JOIN (SELECT 0 AS d UNION ALL SELECT 1) JOIN t " +
      "WHERE CASE WHEN y = 'text' THEN d = 0 AND lower(substr(x, i, length(v))) = lower(v) " +
      "WHEN v = 0 THEN d = 0 AND i <= length(x) ELSE d = 0 OR i <= length(x) END) " +
      "SELECT 1 FROM m, t WHERE m.k = json_array_length(p) AND i = length(x) + 1) END",
  );
};

// Many rows of values travel as one JSON document.
function rowsWithin(most: number): NodeRenderer {
  return (node: Rows, compiler) => {
    const { columns, rows } = node;
    const binds = rows.flatMap((row) => {
      const values = new Map(row);
      return columns.map((column) => values.get(column));
    });
    const isPlain = (value: unknown): value is Bind => value instanceof Bind;
    if (binds.length <= most || !binds.every(isPlain)) {
      return node.compile(compiler);
    }
    const width = columns.length;
    compiler.write("SELECT ");
    compiler.each(columns, ", ", (column) => {
      const type = rootType(column.spec.type);
      const cell = `(value ->> ${columns.indexOf(column)})`;
      compiler.write(
        type.name === "blob" ? `unhex${cell}` : compiler.typed(cell, type),
      );
    });
    compiler.write(" FROM json_each(");
    compiler.bindJoined(binds, (values) => {
      const cells = values.map(asJson);
      const lines: string[] = [];
      for (let at = 0; at < cells.length; at += width) {
        lines.push(`[${cells.slice(at, at + width)}]`);
      }
      return `[${lines}]`;
    });
    // The WHERE keeps ON CONFLICT apart from a join's ON.
    compiler.write(") WHERE 1 ORDER BY key");
  };
}

function asJson(value: SqlValue): string {
  return value instanceof Uint8Array
    ? `"${hex(value)}"`
    : JSON.stringify(value);
}

// All parameters as one JSON list, save those that JSON cannot hold.
function asOneParameter(
  dialect: Dialect,
  most: number,
  again: (dialect: Dialect) => CompiledStatement,
): CompiledStatement {
  const of: number[] = [];
  const apart: Slot[] = [];
  const compiled = again({
    ...dialect,
    placeholder(_n, slot, type) {
      // JSON has no bytes, and may round a double.
      const isApart = typeof slot !== "number" || type?.name === "blob" ||
        (type?.name === "real" && apart.length < most - 1);
      return isApart
        ? `?${apart.push(slot) + 1}`
        : `(?1 ->> ${of.push(slot) - 1})`;
    },
  });
  const all: Slot = { of, join: (values) => `[${values.map(asJson)}]` };
  return { ...compiled, slots: [all, ...apart] };
}

/** How many values stand in one JSON array: functions take no more on D1. */
const PACK = 30;

function pack(
  columns: readonly WrittenColumn[],
  most: number,
): PackedColumns | undefined {
  if (columns.length <= most) return undefined;
  const sent: { sql: string; label: string }[] = [];
  for (let at = 0; at < columns.length; at += PACK) {
    const group = columns.slice(at, at + PACK);
    const cells = group.map(({ sql, type }) => {
      const name = type && rootType(type).name;
      // Bytes are no JSON; a double keeps all its digits as text only.
      const call = name === "blob"
        ? "hex(v)"
        : name === "real"
        ? "format('%!.17g', v)"
        : undefined;
      return call
        ? `(SELECT CASE WHEN v IS NOT NULL THEN ${call} END FROM (SELECT ${sql} AS v))`
        : sql;
    });
    sent.push({ sql: `json_array(${cells.join(", ")})`, label: `pack_${at}` });
  }
  return {
    columns: sent,
    unpack: (row) =>
      row.flatMap((text, i) =>
        (JSON.parse(String(text)) as unknown[]).map((value, j) => {
          const type = columns[i * PACK + j]?.type;
          return value !== null && type && rootType(type).name === "blob"
            ? bytesOf(String(value))
            : value;
        })
      ),
  };
}

function bytesOf(digits: string): Uint8Array {
  return Uint8Array.from(
    digits.match(/../g) ?? [],
    (pair) => parseInt(pair, 16),
  );
}

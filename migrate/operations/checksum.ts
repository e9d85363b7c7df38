import { type Dialect, inlineSql, Node, Table } from "../../sql/mod.ts";
import { draftOf } from "../schema/draft.ts";
import type { Operation } from "./operation.ts";

/** Fields that help reversing or planning and change nothing in the database. */
const ASIDE: ReadonlySet<string> = new Set([
  "original",
  "referring",
  "undo",
  "into",
]);

/**
 * A digest of what operations do: 64 hexadecimal digits.
 *
 * Comments, spelling and the order of options do not count; two revisions that
 * send the same thing have the same digest.
 */
export async function checksumOf(
  operations: readonly Operation[],
  dialect: Dialect,
): Promise<string> {
  const text = JSON.stringify(normalForm(operations, dialect));
  const digest = await crypto.subtle.digest(
    "SHA-256",
    new TextEncoder().encode(text),
  );
  let digits = "";
  for (const byte of new Uint8Array(digest)) {
    digits += byte.toString(16).padStart(2, "0");
  }
  return digits;
}

/** Operations as plain data with sorted keys: what the digest is made of. */
export function normalForm(value: unknown, dialect: Dialect): unknown {
  if (value instanceof Table) return normalTable(value, dialect);
  if (value instanceof Node) return { sql: inlineSql(value, dialect) };
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return [...value];
  if (value instanceof Map) return normalForm([...value], dialect);
  if (Array.isArray(value)) {
    return value.map((item) => normalForm(item, dialect));
  }
  switch (typeof value) {
    case "bigint":
      return `${value}n`;
    case "object":
      return value === null ? null : normalRecord(value, dialect);
    default:
      return value;
  }
}

function normalRecord(value: object, dialect: Dialect): unknown {
  // A column's description: what the program alone knows is left out.
  if ("spec" in value) return normalForm(schemaFacts(value.spec), dialect);
  const isOperation = "kind" in value;
  const entries: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined || typeof item === "function") continue;
    // How a dialect keeps a type is the dialect's affair.
    if (key === "rules") continue;
    if (!isOperation || !ASIDE.has(key)) {
      entries.push([key, normalForm(item, dialect)]);
    }
  }
  return Object.fromEntries(entries.sort(([a], [b]) => a < b ? -1 : 1));
}

function schemaFacts(spec: unknown): unknown {
  const {
    default: _default,
    onUpdate: _onUpdate,
    renamedFrom: _renamedFrom,
    info: _info,
    ...facts
  } = spec as Record<string, unknown>;
  return facts;
}

function normalTable(table: Table, dialect: Dialect): unknown {
  const { columns, constraints, name, schema, options, metadata } = draftOf(
    table,
  );
  return normalForm(
    { table: { name, schema, columns, constraints, options, metadata } },
    dialect,
  );
}

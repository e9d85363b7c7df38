import { prepare, type PreparedStatement, textsOf } from "../compiler.ts";
import type { Dialect, Limits } from "../dialect.ts";
import { FromClause } from "../from.ts";
import { Node } from "../node.ts";
import { copyOf } from "../statement.ts";
import type { SqlValue } from "../types.ts";
import { LimitError } from "../violations.ts";

/**
 * A statement as it is sent: in pieces, where its text or a value is larger
 * than the platform takes and pieces mean the same.
 *
 * @throws {LimitError} Where they do not.
 */
export function inPieces(
  statement: Node,
  whole: PreparedStatement,
  dialect: Dialect,
  { sqlBytes, valueBytes }: Required<Limits>,
): PreparedStatement {
  const { sql, params } = whole;
  for (const part of [sql, ...params]) {
    const isText = part === sql;
    const most = isText ? sqlBytes : valueBytes;
    const size = bytesOf(part, most);
    if (size <= most) continue;
    const [first, ...rest] = isDependent(statement)
      ? []
      : halves(statement).flatMap((half) => textsOf(prepare(half, dialect)));
    if (first) return { ...whole, ...first, rest };
    throw new LimitError(
      "sql/limit",
      `Cannot send the statement: ${
        isText ? "its text" : "a value in it"
      } has ${size} bytes, and the database takes ${most}; send several`,
      { sql },
    );
  }
  return whole;
}

/** What sees more rows than the one it is about, by its kind. */
const DEPENDENT = /^(select|text|alias|\w+Key)/;

function isDependent(part: unknown): boolean {
  if (Array.isArray(part)) return part.some(isDependent);
  return part instanceof Node &&
    !(part instanceof FromClause && part.isNamed) &&
    (DEPENDENT.test(part.kind) || part.structure().some(isDependent));
}

function bytesOf(part: SqlValue, most: number): number {
  return part instanceof Uint8Array
    ? part.length
    // A UTF-16 unit is at most three bytes, so most texts need no counting.
    : typeof part === "string" && part.length * 3 > most
    ? new TextEncoder().encode(part).length
    : 0;
}

/** Where each kind of node holds what can be done a part at a time. */
const LISTS: Readonly<Record<string, string>> = {
  insert: "rows",
  delete: "condition",
  operation: "terms",
  in: "right",
  bind: "value",
};

/** What keeps a node from being divided as its list is. */
interface Parts extends Node {
  readonly negated?: boolean;
  readonly operator?: string;
}

/** Two nodes that do, one after the other, what a node does; none where there are none. */
function halves(node: Node): Node[] {
  const key = LISTS[node.kind] ?? "";
  const part: unknown = Reflect.get(node, key);
  const { negated, operator = "OR" }: Parts = node;
  const parts: unknown[] = negated
    ? []
    : part instanceof Node
    ? halves(part)
    : !Array.isArray(part) || part.length < 2
    ? []
    : operator === "AND"
    ? part.map((term, i) => halves(term).map((one) => part.with(i, one)))
      .find((some) => some.length > 0) ?? []
    : operator === "OR"
    ? [part.slice(0, part.length >> 1), part.slice(part.length >> 1)]
    : [];
  return parts.map((half) => copyOf<Node>(node, { [key]: half }));
}

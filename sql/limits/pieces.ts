import { type PreparedStatement, textsOf } from "../compiler.ts";
import type { Limits } from "../dialect.ts";
import { In, Logical } from "../expression.ts";
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
  { sqlBytes = Infinity, valueBytes = Infinity }: Limits,
  prepare: (piece: Node) => PreparedStatement,
): PreparedStatement {
  for (const [i, part] of [whole.sql, ...whole.params].entries()) {
    const [what, most] = i === 0
      ? ["its text", sqlBytes] as const
      : ["a value in it", valueBytes] as const;
    const size = bytesOf(part, most);
    if (size <= most) continue;
    const [first, ...rest] = isDependent(statement)
      ? []
      : halves(statement).map(prepare).flatMap(textsOf);
    if (first) return { ...whole, ...first, rest };
    throw new LimitError(
      "sql/limit",
      `Cannot send the statement: ${what} has ${size} bytes, and the database takes ${most}; say less in each of several`,
      { sql: whole.sql },
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
  logical: "terms",
  in: "right",
  bind: "value",
};

/** Two nodes that do, one after the other, what a node does; none where there are none. */
function halves(node: Node): Node[] {
  const key = LISTS[node.kind] ?? "";
  const part: unknown = Reflect.get(node, key);
  const isAll = node instanceof Logical && node.operator === "AND";
  const isNone = node instanceof In && node.negated;
  const parts: unknown[] = part instanceof Node && !isNone
    ? halves(part)
    : !Array.isArray(part) || part.length < 2
    ? []
    : isAll
    ? part.map((term, i) => halves(term).map((one) => part.with(i, one)))
      .find((some) => some.length > 0) ?? []
    : [part.slice(0, part.length >> 1), part.slice(part.length >> 1)];
  return parts.map((half) => copyOf<Node>(node, { [key]: half }));
}

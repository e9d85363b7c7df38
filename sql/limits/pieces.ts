import { prepare, type PreparedStatement, textsOf } from "../compiler.ts";
import type { Dialect, Limits } from "../dialect.ts";
import type { Node } from "../node.ts";
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
    const [first, ...rest] = (statement.halves?.() ?? [])
      .flatMap((half) => textsOf(prepare(half, dialect)));
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

function bytesOf(part: SqlValue, most: number): number {
  return part instanceof Uint8Array
    ? part.length
    // A UTF-16 unit is at most three bytes, so most texts need no counting.
    : typeof part === "string" && part.length * 3 > most
    ? new TextEncoder().encode(part).length
    : 0;
}

import type { BoundStatement } from "../sql/mod.ts";

/** Puts the text of the statement that failed beside an error of a batch. */
export function withSql(error: unknown, { sql }: BoundStatement): unknown {
  return error instanceof Error ? Object.assign(error, { sql }) : error;
}

import { FromClause, Node, type Statement } from "../sql/mod.ts";
import { type Mapper, mapperOfTable } from "./mapper.ts";

/** The class that a statement is about: of what it gives, else of the first table in it. */
export function mapperIn(statement: Statement<unknown>): Mapper | undefined {
  for (const { source } of statement.shape?.items ?? []) {
    if (source?.owner) return source.owner as Mapper;
  }
  return findFrom(statement, mapperOfTable);
}

/** What is known of the first table of a statement of which something is known. */
export function findFrom<T>(
  part: unknown,
  known: (from: FromClause) => T | undefined,
): T | undefined {
  const found = part instanceof FromClause ? known(part) : undefined;
  if (found) return found;
  // A table's own parts name other tables, which the statement does not.
  const below = Array.isArray(part)
    ? part
    : part instanceof Node && !(part instanceof FromClause && part.isNamed)
    ? part.structure()
    : [];
  for (const one of below) {
    const inside = findFrom(one, known);
    if (inside) return inside;
  }
  return undefined;
}

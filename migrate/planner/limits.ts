import type { Limits } from "../../sql/mod.ts";
import { StatementLimitError } from "../operations/errors.ts";
import type { Operation } from "../operations/operation.ts";
import type { PlannedStatement } from "./statement.ts";

/**
 * Refuses statements that the platform would refuse, before anything is sent.
 *
 * @throws {StatementLimitError} If a statement is over a limit.
 */
export function refuseOverLimits(
  statements: readonly PlannedStatement[],
  limits: Limits,
  revision: string,
): void {
  for (const { sql, params } of statements) {
    const refuse = (
      what: string,
      actual: number,
      limit: number | undefined,
    ) => {
      if (limit !== undefined && actual > limit) {
        throw new StatementLimitError(revision, what, actual, limit, sql);
      }
    };
    refuse("bound values", params.length, limits.params);
    if (limits.sqlBytes !== undefined && sql.length * 3 > limits.sqlBytes) {
      const bytes = new TextEncoder().encode(sql).length;
      refuse("bytes of SQL", bytes, limits.sqlBytes);
    }
    if (limits.compound !== undefined) {
      refuse("terms of a compound SELECT", compoundTerms(sql), limits.compound);
    }
  }
}

/**
 * Refuses tables with more columns than the platform takes.
 *
 * @throws {StatementLimitError} If a table is over the limit.
 */
export function refuseWideTables(
  operations: readonly Operation[],
  limits: Limits,
  revision: string,
): void {
  if (limits.columns === undefined) return;
  for (const operation of operations) {
    if (operation.kind !== "createTable") continue;
    const { columns, name } = operation.table;
    if (columns.length > limits.columns) {
      throw new StatementLimitError(
        revision,
        "columns",
        columns.length,
        limits.columns,
        `CREATE TABLE ${name}`,
      );
    }
  }
}

const TOKEN =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|[()]|\b(?:union|intersect|except)\b/gi;

/** The most terms of one compound SELECT in a text, brackets counted apart. */
export function compoundTerms(sql: string): number {
  let most = 1;
  const open = [1];
  for (const [token] of sql.matchAll(TOKEN)) {
    if (token === "(") open.push(1);
    else if (token === ")") open.pop();
    else if (/^[uie]/i.test(token)) {
      const terms = (open.pop() ?? 1) + 1;
      open.push(terms);
      most = Math.max(most, terms);
    }
  }
  return most;
}

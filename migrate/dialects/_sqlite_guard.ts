import { plainStatement, type PlannedStatement } from "../planner/statement.ts";
import type { Guard } from "./implementation.ts";

/** A guard for SQLite: json_extract is the function whose error carries a text of ours. */
export function sqliteGuard(
  { label, condition, detail }: Guard,
): PlannedStatement {
  return plainStatement(
    `SELECT CASE WHEN ${condition} THEN 1 ELSE json_extract('{}', '${label}:' || ${detail}) END AS guard`,
  );
}

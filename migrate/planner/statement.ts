import {
  type BoundStatement,
  type Dialect,
  inlineSql,
  prepare,
  type Statement,
} from "../../sql/mod.ts";

/** A statement as it is sent, and as it stands in a script. */
export interface PlannedStatement extends BoundStatement {
  /** The same with its values in the text. */
  readonly script: string;
}

/** Plans text that has no values. */
export function plainStatement(sql: string): PlannedStatement {
  return { sql, params: [], script: sql };
}

/** Plans a statement of the Core, or text as it is. */
export function planStatement(
  statement: string | Statement<unknown>,
  dialect: Dialect,
): PlannedStatement {
  if (typeof statement === "string") return plainStatement(statement);
  const { sql, params, rest } = prepare(statement, dialect);
  return {
    sql,
    params,
    ...(rest && { rest }),
    script: inlineSql(statement, dialect),
  };
}

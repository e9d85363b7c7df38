import {
  type Dialect,
  type Expression,
  inlineSql,
  Raw,
} from "../../sql/mod.ts";
import type { AnyColumn } from "../operations/operation.ts";
import type { TableDraft } from "./draft.ts";
import { withParts } from "./parts.ts";

/** Follows the new name of a column in everything that the table says about it. */
export function renameColumn(
  draft: TableDraft,
  from: string,
  to: string,
  dialect: Dialect,
): void {
  draft.columns = new Map(
    [...draft.columns].map(([name, column]) => [
      name === from ? to : name,
      renamedInColumn(column, from, to, dialect),
    ]),
  );
  const inSql = (expression: Expression<unknown>) =>
    renameInSql(expression, from, to, dialect);
  draft.constraints = draft.constraints.map((constraint) =>
    withParts(constraint, (name) => name === from ? to : name, inSql)
  );
  renameTarget(draft, draft.name, from, to);
}

/** Follows the new name of a column in the foreign keys that point at it. */
export function renameTarget(
  draft: TableDraft,
  table: string,
  from: string,
  to: string,
): void {
  draft.constraints = draft.constraints.map((constraint) =>
    constraint.kind === "foreignKey"
      ? {
        ...constraint,
        targets: constraint.targets.map((target) =>
          target === `${table}.${from}` ? `${table}.${to}` : target
        ),
      }
      : constraint
  );
}

/** Follows the new name of a table in the foreign keys that point at it. */
export function renameTargetTable(
  draft: TableDraft,
  from: string,
  to: string,
): void {
  draft.constraints = draft.constraints.map((constraint) =>
    constraint.kind === "foreignKey"
      ? {
        ...constraint,
        targets: constraint.targets.map((target) =>
          target.slice(0, target.lastIndexOf(".")) === from
            ? to + target.slice(target.lastIndexOf("."))
            : target
        ),
      }
      : constraint
  );
}

function renamedInColumn(
  column: AnyColumn,
  from: string,
  to: string,
  dialect: Dialect,
): AnyColumn {
  const { computed } = column.spec;
  if (!computed) return column;
  return column.with({
    computed: {
      ...computed,
      sql: renameInSql(computed.sql, from, to, dialect),
    },
  });
}

const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|[\p{L}_][\p{L}\p{N}_$]*/gu;

/** Follows the new name of a column in an expression, as the database does. */
export function renameInSql(
  expression: Expression<unknown>,
  from: string,
  to: string,
  dialect: Dialect,
): Expression<unknown> {
  const text = inlineSql(expression, dialect);
  const quoted = `"${to.replaceAll('"', '""')}"`;
  const renamed = text.replace(TOKEN, (token) => {
    if (token.startsWith("'")) return token;
    const name = token.startsWith('"')
      ? token.slice(1, -1).replaceAll('""', '"')
      : token;
    return name.toLowerCase() === from.toLowerCase() ? quoted : token;
  });
  return renamed === text ? expression : new Raw(renamed);
}

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
  renameTarget(draft, inSchemaOf(draft, draft.name), from, to);
}

/** Follows the new name of a column in the foreign keys that point at it. */
export function renameTarget(
  draft: TableDraft,
  table: string,
  from: string,
  to: string,
): void {
  renameTargets(draft, table, (column) => [
    table,
    column === from ? to : column,
  ]);
}

/** Follows the new name of a table in the foreign keys that point at it. */
export function renameTargetTable(
  draft: TableDraft,
  from: string,
  to: string,
): void {
  renameTargets(draft, from, (column) => [to, column]);
}

/** Writes the targets anew that are columns of one table. */
function renameTargets(
  draft: TableDraft,
  table: string,
  rename: (column: string) => readonly [table: string, column: string],
): void {
  const renamed = (target: string) => {
    const at = target.lastIndexOf(".");
    const isMeant = inSchemaOf(draft, target.slice(0, at)) === table;
    return isMeant ? rename(target.slice(at + 1)).join(".") : target;
  };
  draft.constraints = draft.constraints.map((constraint) =>
    constraint.kind === "foreignKey"
      ? { ...constraint, targets: constraint.targets.map(renamed) }
      : constraint
  );
}

/** A table's name with its schema: that of the one who names it, if it has none. */
function inSchemaOf({ schema }: TableDraft, table: string): string {
  return schema === undefined || table.includes(".")
    ? table
    : `${schema}.${table}`;
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

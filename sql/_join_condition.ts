import { CompileError } from "./errors.ts";
import { and, type Expression } from "./expression.ts";
import type { Alias } from "./alias.ts";
import type { FromClause } from "./from.ts";
import { Table } from "./schema.ts";

/**
 * The condition that the foreign keys between two sides imply.
 *
 * @throws {CompileError} If there is none, or more than one.
 */
export function joinCondition(
  lefts: readonly FromClause[],
  right: FromClause,
): Expression<unknown> {
  if (lefts.includes(right)) {
    throw new CompileError(
      `Cannot join "${right.labelPrefix}" to itself; give it another name by alias()`,
    );
  }
  const found = lefts.flatMap((left) => [
    ...conditions(left, right),
    ...(left === right ? [] : conditions(right, left)),
  ]);
  const [only] = found;
  if (only && found.length === 1) return only;
  throw new CompileError(
    `Cannot join "${right.labelPrefix}": ${
      found.length === 0 ? "no foreign key leads" : "several foreign keys lead"
    } to it from ${
      lefts.map((left) => `"${left.labelPrefix}"`).join(", ")
    }; give the condition`,
  );
}

function tableOf(from: FromClause): Table | undefined {
  if (from instanceof Table) return from;
  return "of" in from ? tableOf((from as Alias).of) : undefined;
}

function conditions(from: FromClause, to: FromClause): Expression<unknown>[] {
  const source = tableOf(from);
  const target = tableOf(to);
  if (!source || !target) return [];
  return source.foreignKeys
    .filter((key) => key.targetTable === target.fullName)
    .map((key) =>
      and(...key.columns.map((column, i) => {
        const referenced = target.column(key.targetColumns[i] ?? "");
        return columnOf(to, referenced.key).eq(columnOf(from, column.key));
      }))
    );
}

function columnOf(from: FromClause, key: string): Expression<unknown> {
  for (const column of from.columns) if (column.key === key) return column;
  throw new CompileError(
    `Cannot find column "${key}" in "${from.labelPrefix}"`,
  );
}

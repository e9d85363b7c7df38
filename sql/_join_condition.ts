import { CompileError } from "./errors.ts";
import { and, type Expression } from "./expression.ts";
import type { Alias } from "./alias.ts";
import { columnOf, type FromClause } from "./from.ts";
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
  const found = lefts.flatMap((left) => [
    ...conditions(left, right),
    ...conditions(right, left),
  ]);
  const [only] = found;
  if (only && found.length === 1) return only;
  throw new CompileError(
    `Cannot join "${right.labelPrefix}": ${
      found.length || "no"
    } foreign keys tie it to ${
      lefts.map((left) => `"${left.labelPrefix}"`).join(", ")
    }; give the condition, or name it by alias()`,
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
      and(
        ...key.columns.map(({ name }, i) =>
          columnOf(to, key.targetColumns[i] ?? "").eq(
            columnOf(from, name),
          )
        ),
      )
    );
}

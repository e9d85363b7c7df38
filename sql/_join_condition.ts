import { CompileError } from "./errors.ts";
import { and, type Expression } from "./expression.ts";
import { columnOf, type FromClause } from "./from.ts";

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

function conditions(from: FromClause, to: FromClause): Expression<unknown>[] {
  return (from.table?.foreignKeys ?? [])
    .filter((key) => key.targetTable === to.table?.fullName)
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

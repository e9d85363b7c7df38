import { type FromClause, Table } from "../../sql/mod.ts";
import { named } from "../_names.ts";
import type { JoinParts } from "../relation.ts";
import { refusal } from "./refusal.ts";

/**
 * What refers from one side to another by a foreign key, which must be the
 * only one among the columns that may be meant, unless the first will do.
 */
export function foreignPairs(
  from: FromClause,
  to: FromClause,
  wanted: readonly string[] | undefined,
  where: string,
  isAny = false,
): JoinParts {
  const [sources, targets] = [tablesOf(from), tablesOf(to)];
  const all = sources.flatMap((table) =>
    table.foreignKeys.flatMap(({ columns, targetTable, targetColumns }) => {
      const target = targets.find(({ fullName }) => fullName === targetTable);
      const [first] = columns;
      // The key by which a subclass's row belongs to its base's relates nothing.
      return target && first && from.c[first.key] === first
        ? [{ table, columns, target, targetColumns }]
        : [];
    })
  );
  const fit = all.filter(({ columns }) =>
    !wanted || columns.every(({ key }) => wanted.includes(key))
  );
  // Of a class that inherits, what its own table says counts first.
  const near = fit.filter(({ table }) => table === sources.at(-1));
  const keys = near.length > 0 ? near : fit;
  const [key] = keys;
  if (!key || (keys.length > 1 && !isAny)) {
    const [source, target] = [sources, targets].map((tables) =>
      named(tables.slice(-1).map(({ fullName }) => fullName))
    );
    const known = all.map(({ columns }) =>
      columns.map(({ key }) => key).join("+")
    );
    throw refusal(
      where,
      `${keys.length || "no"} foreign keys${
        wanted ? ` of ${named(wanted)}` : ""
      } lead from ${source} to ${target} (${
        named(known)
      }); name one with foreignKeys, add references(), or give primaryJoin`,
    );
  }
  return {
    pairs: key.columns.map((column, i) => ({
      from: key.target.column(key.targetColumns[i] ?? "").key,
      to: column.key,
    })),
  };
}

/** The tables of what rows come from, referenced ones first. */
function tablesOf({ members }: FromClause): Table[] {
  return members.filter((one) => one instanceof Table);
}

import { type ForeignKey, type FromClause, Table } from "../../sql/mod.ts";
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
  const sources = tablesOf(from);
  const targets = tablesOf(to);
  const targetOf = (key: ForeignKey): Table | undefined =>
    targets.find(({ fullName }) => fullName === key.targetTable);
  const all = sources.flatMap(({ foreignKeys }) => foreignKeys).filter(
    (key) => {
      const [first] = key.columns;
      // The key by which a subclass's row belongs to its base's relates nothing.
      return targetOf(key) && first && from.c[first.key] === first;
    },
  );
  const fit = all.filter(({ columns }) =>
    !wanted || columns.every(({ key }) => wanted.includes(key))
  );
  // Of a class that inherits, what its own table says counts first.
  const near = fit.filter(({ table }) => table === sources.at(-1));
  const keys = near.length > 0 ? near : fit;
  const [key] = keys;
  if (!key || (keys.length > 1 && !isAny)) {
    const [source, target, known] = [
      sources.slice(-1).map(({ fullName }) => fullName),
      targets.slice(-1).map(({ fullName }) => fullName),
      all.map(({ columns }) => columns.map(({ key }) => key).join("+")),
    ].map(named);
    throw refusal(
      where,
      `${keys.length || "no"} foreign keys${
        wanted ? ` of ${named(wanted)}` : ""
      } lead from ${source} to ${target} (${known}); give references(), foreignKeys or primaryJoin`,
    );
  }
  return {
    pairs: key.columns.map((column, i) => ({
      from: targetOf(key)!.column(key.targetColumns[i] ?? "").key,
      to: column.key,
    })),
  };
}

/** The tables of what rows come from, referenced ones first. */
function tablesOf({ members }: FromClause): Table[] {
  return members.filter((one) => one instanceof Table);
}

import { sortTables, type Table } from "../../sql/mod.ts";
import type { CompareContext } from "./comparator.ts";

/** The tables of two sides, told apart. */
export interface MatchedTables {
  /** What is wanted and not there, referenced tables first. */
  readonly created: readonly Table[];
  /** What is there and not wanted. */
  readonly dropped: readonly Table[];
  /** What is on both sides, referenced tables first. */
  readonly kept: readonly { readonly wanted: Table; readonly actual: Table }[];
}

/** Tells what is new, what is gone, and what is on both sides, of what counts. */
export function matchTables(
  wanted: readonly Table[],
  actual: readonly Table[],
  { comparison, filter }: CompareContext,
): MatchedTables {
  const { keptName, defaultSchema } = comparison;
  // A table's name as the database tells tables apart.
  const keyOf = ({ name, schema }: Table) =>
    JSON.stringify([schema ?? defaultSchema, keptName(name)]);
  const now = sortTables(wanted);
  const before = new Map(actual.map((table) => [keyOf(table), table]));
  const wantedKeys = new Set(now.map(keyOf));
  return {
    created: now.filter((table) =>
      !before.has(keyOf(table)) &&
      filter.object(table, table.name, "table", false)
    ),
    dropped: actual.filter((table) =>
      !wantedKeys.has(keyOf(table)) &&
      filter.object(table, table.name, "table", true)
    ),
    kept: now.flatMap((table) => {
      const there = before.get(keyOf(table));
      return there && filter.object(table, table.name, "table", false, there)
        ? [{ wanted: table, actual: there }]
        : [];
    }),
  };
}

/** Whether a table is on neither side, whatever the sides say. */
export function isIgnored(
  { name }: Table,
  { options }: CompareContext,
): boolean {
  return options.ignoredTables?.includes(name) ?? false;
}

/** The tables that lie where tables are compared. */
export function inScope(
  tables: readonly Table[],
  context: CompareContext,
): Table[] {
  const { options, comparison, remark } = context;
  const schemas = new Set([
    undefined,
    comparison.defaultSchema,
    ...options.includeSchemas ?? [],
  ]);
  return tables.filter((table) => {
    if (isIgnored(table, context)) return false;
    if (schemas.has(table.schema)) return true;
    remark(
      `Table '${table.fullName}' is left alone; name its schema in includeSchemas`,
    );
    return false;
  });
}

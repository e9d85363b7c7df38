import type { Table } from "../../sql/mod.ts";
import type { Operation } from "../operations/operation.ts";
import type { CompareContext } from "./comparator.ts";
import { referenceTo } from "../schema/snapshot.ts";
import { sideOf } from "./described.ts";
import { matchTables } from "./matching.ts";
import {
  isLikeColumn,
  isLikeTable,
  type Renames,
  type Unmatched,
} from "./renames.ts";

/** Operations for the tables that are there under another name. */
export async function renameTables(
  wanted: readonly Table[],
  actual: readonly Table[],
  context: CompareContext,
  renames: Renames,
): Promise<Operation[]> {
  const { created, dropped } = matchTables(wanted, actual, context);
  const operations: Operation[] = [];
  for (const home of new Set(created.map((table) => table.schema))) {
    const inHome = (tables: readonly Table[]): Unmatched<Table>[] =>
      tables.filter((table) => table.schema === home).map((table) => ({
        name: table.name,
        renamedFrom: table.options.renamedFrom,
        thing: table,
      }));
    const place = home === undefined ? {} : { schema: home };
    const found = await renames.match(
      inHome(created),
      inHome(dropped),
      (a, b) => isLikeTable(a, b, context.dialect),
      (table) => ({ table, ...place }),
    );
    for (const [table, to] of found) {
      operations.push({ kind: "renameTable", table, to, ...place });
    }
  }
  return operations;
}

/** Operations for the columns that are there under another name. */
export async function renameColumns(
  wanted: readonly Table[],
  actual: readonly Table[],
  context: CompareContext,
  renames: Renames,
): Promise<Operation[]> {
  const { kept } = matchTables(wanted, actual, context);
  const { dialect, filter } = context;
  const operations: Operation[] = [];
  for (const { wanted, actual } of kept) {
    const now = sideOf(wanted).draft.columns;
    const before = filter.prune(sideOf(actual)).draft.columns;
    const only = (table: Table, isReflected: boolean) => {
      const [names, others] = isReflected ? [before, now] : [now, before];
      return [...names.keys()].filter((name) => !others.has(name)).map(
        (name) => {
          const thing = table.column(name);
          return { name, renamedFrom: thing.spec.renamedFrom, thing };
        },
      ).filter(({ name, thing }) =>
        filter.object(thing, name, "column", isReflected)
      );
    };
    const found = await renames.match(
      only(wanted, false),
      only(actual, true),
      (a, b) => isLikeColumn(a, b, dialect),
      (column) => ({ ...referenceTo(actual), column }),
    );
    if (found.size === 0) continue;
    operations.push({
      kind: "alterTable",
      ...referenceTo(actual),
      changes: [...found].map(([name, to]) => ({
        kind: "renameColumn",
        name,
        to,
      })),
      recreate: "auto",
    });
  }
  return operations;
}

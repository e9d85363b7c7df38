import {
  type ForeignKey,
  type ForeignKeyConstraint,
  forwardKeys,
  sortTables,
  type Table,
} from "../../../sql/mod.ts";
import type { Operation } from "../../operations/operation.ts";
import { defaultName } from "../../schema/names.ts";
import { referenceTo } from "../../schema/snapshot.ts";
import type { Side } from "../comparator.ts";
import { describedTable, sideOf, type Writing } from "../described.ts";

/**
 * Operations that make tables, referenced ones first. A circle is closed when
 * all are there; so it can be opened again on the way down.
 */
export function createTables(
  created: readonly Table[],
  writing: Writing,
): Operation[] {
  const tables = sortTables(created);
  const later = forwardKeys(tables);
  const closing: Operation[] = [];
  const making = tables.map((table): Operation => {
    const { side, keys } = withoutKeys(table, later);
    if (keys.length > 0) {
      closing.push({
        kind: "alterTable",
        ...referenceTo(table),
        changes: keys.map((key) => ({
          kind: "addConstraint",
          constraint: { ...key, name: defaultName(side.draft, key) },
        })),
        recreate: "auto",
      });
    }
    const described = describedTable(side, writing);
    return { kind: "createTable", table: described, ifNotExists: false };
  });
  return [...making, ...closing];
}

/** A table without some of its foreign keys. */
function withoutKeys(
  table: Table,
  left: ReadonlySet<ForeignKey>,
): { readonly side: Side; readonly keys: ForeignKeyConstraint[] } {
  const side = sideOf(table);
  const all = side.draft.constraints.filter((one) => one.kind === "foreignKey");
  const keys = all.filter((_, at) => left.has(table.foreignKeys[at]!));
  const constraints = side.draft.constraints.filter((one) =>
    !keys.some((key) => key === one)
  );
  return { side: { table, draft: { ...side.draft, constraints } }, keys };
}

/** Operations that remove tables, in two groups. */
export interface Removal {
  /** What may go before other tables are changed. */
  readonly early: Operation[];
  /** What other tables refer to until they are changed. */
  readonly late: Operation[];
}

/** Operations that remove tables, referring ones first. */
export function dropTables(
  dropped: readonly Table[],
  kept: readonly Table[],
): Removal {
  const tables = sortTables(dropped);
  const isReferred = (name: string, by: readonly Table[]) =>
    by.some((other) =>
      other.foreignKeys.some(({ targetTable }) => targetTable === name)
    );
  // Whatever a late one refers to is late as well.
  const late: Table[] = [];
  for (const table of [...tables].reverse()) {
    const others = late.filter((other) => other !== table);
    if (isReferred(table.fullName, [...kept, ...others])) late.push(table);
  }
  const isLate = new Set(late);
  const drop = (table: Table): Operation => ({
    kind: "dropTable",
    ...referenceTo(table),
    ifExists: false,
  });
  const ordered = [...tables].reverse();
  return {
    early: [
      ...openCircles(tables),
      ...ordered.filter((table) => !isLate.has(table)).map(drop),
    ],
    late: ordered.filter((table) => isLate.has(table)).map(drop),
  };
}

/** Tables that refer to each other in a circle cannot go until it is opened. */
function openCircles(tables: readonly Table[]): Operation[] {
  const forward = forwardKeys(tables);
  return tables.flatMap((table): Operation[] => {
    const { side, keys } = withoutKeys(table, forward);
    if (keys.length === 0) return [];
    return [{
      kind: "alterTable",
      ...referenceTo(table),
      changes: keys.map((original) => ({
        kind: "dropConstraint",
        name: defaultName(side.draft, original),
        original,
      })),
      recreate: "auto",
    }];
  });
}

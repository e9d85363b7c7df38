import type { Constraint } from "../../sql/mod.ts";
import type {
  AddColumn,
  AlterColumn,
  TableChange,
  TableConstraint,
} from "../operations/operation.ts";
import { columnsOf } from "../schema/parts.ts";
import { defaultName, type NamedTable, undecorated } from "../schema/names.ts";
import type { TablePair } from "./comparator.ts";
import { onColumn, ownColumn, placeOf, type Writing } from "./described.ts";

/**
 * Puts the changes of one table into an order that can run, and says together
 * what belongs together: one change for each column, what concerns a new column
 * on that column, nothing about what goes with a column that goes.
 */
export function arrange(
  changes: readonly TableChange[],
  pair: TablePair,
  writing: Writing,
): TableChange[] {
  const together = mergeAlters(changes);
  const restored = withReplaced(together, pair);
  const folded = foldIntoColumns(withoutGone(restored), pair, writing);
  const place = placeOf(pair.wanted.table.name, writing);
  const named = folded.map((change): TableChange =>
    change.kind === "addConstraint"
      ? { ...change, constraint: nameable(change.constraint, place) }
      : change
  );
  const ranked = named.map((change) =>
    [rankOf(change, named), change] as const
  );
  return ranked.sort(([a], [b]) => a - b).map(([, change]) => change);
}

/** With a name, by which it can be dropped again. */
function nameable(
  constraint: TableConstraint,
  place: NamedTable,
): TableConstraint {
  if (constraint.name === undefined) {
    return { ...constraint, name: defaultName(place, constraint) };
  }
  return constraint.kind === "check"
    ? undecorated(place, constraint)
    : constraint;
}

function mergeAlters(changes: readonly TableChange[]): TableChange[] {
  const alters = new Map<string, AlterColumn>();
  for (const change of changes) {
    if (change.kind !== "alterColumn") continue;
    const before = alters.get(change.name);
    alters.set(change.name, {
      ...change,
      changes: { ...before?.changes, ...change.changes },
    });
  }
  return [
    ...changes.filter(({ kind }) => kind !== "alterColumn"),
    ...alters.values(),
  ];
}

/** With what a column takes along when it is dropped to be added again. */
function withReplaced(
  changes: readonly TableChange[],
  { wanted }: TablePair,
): TableChange[] {
  const added = new Set(namesOf(changes, "addColumn"));
  const replaced = namesOf(changes, "dropColumn").filter((name) =>
    added.has(name)
  );
  const isNew = new Set(changes.map(constraintOf));
  const lost = wanted.draft.constraints.filter((one) =>
    !isNew.has(one) &&
    columnsOf(one).some((column) => replaced.includes(column))
  );
  return [
    ...changes,
    ...lost.map((one): TableChange =>
      one.kind === "index"
        ? {
          kind: "createIndex",
          index: one,
          ifNotExists: false,
          concurrently: false,
        }
        : { kind: "addConstraint", constraint: one }
    ),
  ];
}

/** Without the removal of what goes with a column, unless its name is wanted before that. */
function withoutGone(changes: readonly TableChange[]): TableChange[] {
  const gone = namesOf(changes, "dropColumn");
  const taken = new Set(changes.map((change) => constraintOf(change)?.name));
  return changes.filter((change) => {
    const isDrop = change.kind === "dropIndex" ||
      change.kind === "dropConstraint";
    return !(isDrop && change.original && !taken.has(change.name) &&
      columnsOf(change.original).some((column) => gone.includes(column)));
  });
}

function foldIntoColumns(
  changes: readonly TableChange[],
  { wanted }: TablePair,
  writing: Writing,
): TableChange[] {
  const place = placeOf(wanted.table.name, writing);
  const added = new Map<string, AddColumn>(
    changes.filter((change) => change.kind === "addColumn").map((
      change,
    ) => [change.name, change]),
  );
  const rest = changes.filter((change) => {
    const constraint = constraintOf(change);
    const name = constraint && ownColumn(constraint);
    const target = name === undefined ? undefined : added.get(name);
    const column = target && constraint &&
      onColumn(target.column, constraint, place);
    if (column) added.set(target.name, { ...target, column });
    return !column;
  });
  return rest.map((change) =>
    change.kind === "addColumn" ? added.get(change.name) ?? change : change
  );
}

function constraintOf(change: TableChange): Constraint | undefined {
  return change.kind === "createIndex"
    ? change.index
    : change.kind === "addConstraint"
    ? change.constraint
    : undefined;
}

function namesOf(
  changes: readonly TableChange[],
  kind: "addColumn" | "dropColumn",
): string[] {
  return changes.flatMap((change) => change.kind === kind ? [change.name] : []);
}

const DROPS = ["foreignKey", "exclude", "unique", "check", "primaryKey"];
const ADDS = ["primaryKey", "unique", "check", "exclude", "foreignKey"];

/**
 * New columns, then constraints and indexes, old ones before new ones, then
 * what columns are, then old columns.
 */
function rankOf(change: TableChange, all: readonly TableChange[]): number {
  switch (change.kind) {
    case "renameColumn":
      return 0;
    case "addColumn":
      return 10;
    case "dropConstraint":
      return 20 + DROPS.indexOf(change.original?.kind ?? "check");
    case "dropIndex":
      return 30;
    case "createIndex":
      return 50;
    case "addConstraint":
      return 51 + ADDS.indexOf(change.constraint.kind);
    case "alterColumn":
      // A new foreign key needs columns of the right type.
      return all.some((one) =>
          one.kind === "addConstraint" &&
          columnsOf(one.constraint).includes(change.name)
        )
        ? 40
        : 60;
    case "validateConstraint":
      return 65;
    case "setTableComment":
      return 70;
    case "dropColumn":
      // What is added again must go first.
      return namesOf(all, "addColumn").includes(change.name) ? 5 : 80;
  }
}

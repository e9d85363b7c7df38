import type {
  CheckConstraint,
  Constraint,
  ForeignKeyConstraint,
  PrimaryKeyConstraint,
  UniqueConstraint,
} from "../../../sql/mod.ts";
import type {
  TableChange,
  TableConstraint,
} from "../../operations/operation.ts";
import { defaultName } from "../../schema/names.ts";
import { isKeptAlike } from "./kept.ts";
import type {
  Comparator,
  CompareContext,
  Side,
  TablePair,
} from "../comparator.ts";

/** Unique constraints: named ones by name, others by their columns. */
export const uniques: Comparator = {
  name: "uniques",
  compare(pair, context) {
    const { keptName } = context.comparison;
    const columnsOf = ({ columns }: UniqueConstraint) =>
      JSON.stringify([...columns].sort());
    return matched(pair, context, {
      wanted: ofKind(pair.wanted, "unique"),
      actual: ofKind(pair.actual, "unique"),
      // Which column stands first is nothing that a constraint promises.
      isSame: (now, before) =>
        columnsOf(now) === columnsOf(before) &&
        isKeptAlike(now, before, context) &&
        (now.name === undefined ||
          keptName(now.name) === keptName(before.name ?? "")),
    });
  },
};

/** Foreign keys, by what they say; their names do not count. */
export const foreignKeys: Comparator = {
  name: "foreignKeys",
  compare(pair, context) {
    return matched(pair, context, {
      wanted: ofKind(pair.wanted, "foreignKey"),
      actual: ofKind(pair.actual, "foreignKey"),
      isSame: (now, before) =>
        keyText(pair.wanted, now, context) ===
          keyText(pair.actual, before, context),
    });
  },
};

/** Checks that have a name, by it: texts come back in the database's own spelling. */
export const checks: Comparator = {
  name: "checks",
  compare(pair, context) {
    const { keptName } = context.comparison;
    const all = ofKind(pair.wanted, "check");
    const isNamed = ({ name }: CheckConstraint) => name !== undefined;
    const hasUnnamed = !all.every(isNamed);
    return matched(pair, context, {
      wanted: all.filter(isNamed),
      actual: ofKind(pair.actual, "check").filter((one) =>
        isNamed(one) && !(hasUnnamed && goesByDefault(pair.actual, one))
      ),
      isSame: (now, before) =>
        keptName(now.name ?? "") === keptName(before.name ?? ""),
    });
  },
};

/** Exclusion constraints that have a name, by it, for the same reason. */
export const excludes: Comparator = {
  name: "excludes",
  compare(pair, context) {
    const { keptName } = context.comparison;
    const all = ofKind(pair.wanted, "exclude");
    const named = all.filter(({ name }) => name !== undefined);
    return matched(pair, context, {
      wanted: named,
      // What has no name gets one of Postgres, which ends so.
      actual: ofKind(pair.actual, "exclude").filter(({ name = "" }) =>
        named.length === all.length || !/_excl\d*$/.test(name)
      ),
      isSame: (now, before) =>
        keptName(now.name ?? "") === keptName(before.name ?? ""),
    });
  },
};

/** Whether a name is one that Postgres finds for a check that was given none. */
function goesByDefault(
  { draft, table }: Side,
  { name = "" }: CheckConstraint,
): boolean {
  const words = name.replace(/_check\d*$/, "");
  return words !== name &&
    (words === table.name ||
      [...draft.columns.keys()].some((column) =>
        words === `${table.name}_${column}`
      ));
}

/** What a foreign key says, with everything that may be left out said or left out. */
function keyText(
  { table, draft }: Side,
  key: ForeignKeyConstraint,
  { comparison }: CompareContext,
): string {
  const at = draft.constraints.filter(({ kind }) => kind === "foreignKey")
    .indexOf(key);
  const { targetTable = "", targetColumns = [] } = table.foreignKeys[at] ?? {};
  const home = `${comparison.defaultSchema}.`;
  const action = (what: ForeignKeyConstraint["onDelete"]) =>
    what === "no action" ? undefined : what;
  return JSON.stringify([
    [...key.columns.entries()].map(([i, column]) => [column, targetColumns[i]])
      .sort(),
    comparison.keptName(
      targetTable.startsWith(home)
        ? targetTable.slice(home.length)
        : targetTable,
    ),
    action(key.onDelete) ?? null,
    action(key.onUpdate) ?? null,
    key.deferrable ?? false,
    key.initiallyDeferred ?? false,
  ]);
}

interface Matching<C extends TableConstraint> {
  readonly wanted: readonly C[];
  readonly actual: readonly C[];
  isSame(now: C, before: C): boolean;
}

/** Drops what has no match among what is wanted, and adds what has none among what is there. */
function matched<
  C extends Exclude<TableConstraint, PrimaryKeyConstraint>,
>(
  { wanted: { table } }: TablePair,
  { filter, comparison }: CompareContext,
  { wanted, actual, isSame }: Matching<C>,
): TableChange[] {
  const left = new Set(actual);
  const added = wanted.filter((now) => {
    const found = [...left].find((before) => isSame(now, before));
    if (found) left.delete(found);
    return !found;
  });
  const other = (one: C, among: Iterable<C>) =>
    one.name === undefined
      ? undefined
      : [...among].find(({ name }) =>
        comparison.keptName(name ?? "") === comparison.keptName(one.name ?? "")
      );
  return [
    ...[...left].filter((one) =>
      filter.constraint(one, true, other(one, added))
    ).map((original): TableChange => ({
      kind: "dropConstraint",
      name: defaultName({ name: table.name, metadata: {} }, original),
      original,
    })),
    ...added.filter((one) => filter.constraint(one, false, other(one, left)))
      .map((constraint): TableChange => ({
        kind: "addConstraint",
        constraint,
      })),
  ];
}

function ofKind<K extends Constraint["kind"]>(
  { draft }: Side,
  kind: K,
): Extract<Constraint, { kind: K }>[] {
  return draft.constraints.filter((one): one is Extract<
    Constraint,
    { kind: K }
  > => one.kind === kind);
}

import { autoincrementWords, type ColumnSpec } from "../../../sql/mod.ts";
import type { TableChange } from "../../operations/operation.ts";
import type {
  Comparator,
  CompareContext,
  Side,
  TablePair,
} from "../comparator.ts";
import type { ComparedColumn } from "../options.ts";

/** Columns that are new, are gone, or are made anew since what fills them changed. */
export const columns: Comparator = {
  name: "columns",
  priority: "first",
  compare({ wanted, actual }, { filter }) {
    const changes: TableChange[] = [];
    for (const [name, column] of wanted.draft.columns) {
      const there = actual.draft.columns.get(name);
      const object = wanted.table.column(name);
      const add = {
        kind: "addColumn",
        name,
        column,
        ifNotExists: false,
      } as const;
      if (there && isComputed(there.spec) !== isComputed(column.spec)) {
        const before = actual.table.column(name);
        if (filter.object(object, name, "column", false, before)) {
          // No database turns the one into the other.
          changes.push({ kind: "dropColumn", name }, add);
        }
      } else if (!there && filter.object(object, name, "column", false)) {
        changes.push(add);
      }
    }
    for (const name of actual.draft.columns.keys()) {
      if (wanted.draft.columns.has(name)) continue;
      const object = actual.table.column(name);
      if (filter.object(object, name, "column", true)) {
        changes.push({ kind: "dropColumn", name });
      }
    }
    return changes;
  },
};

/** Whether NULL is allowed. */
export const nullability: Comparator = {
  name: "nullability",
  compare: (pair, context) =>
    sharedColumns(pair, context).flatMap(({ wanted, actual }) => {
      const isKey = [pair.wanted, pair.actual].some((side) =>
        isInKey(side, wanted.name)
      );
      // What a key allows is decided by the key.
      return isKey || wanted.spec.nullable === actual.spec.nullable
        ? []
        : [altered(wanted.name, { nullable: wanted.spec.nullable })];
    }),
};

/** Expressions of generated columns, which can be seen to differ but not changed. */
export const computed: Comparator = {
  name: "computed",
  compare(pair, context) {
    for (const { table, wanted, actual } of sharedColumns(pair, context)) {
      const [now, before] = [wanted, actual].map(({ spec }) =>
        spec.computed && context.sql(spec.computed.sql)
      );
      if (now !== undefined && before !== undefined && now !== before) {
        context.remark(
          `The expression of computed column '${table}.${wanted.name}' differs, which no database can change; drop it and add it again`,
        );
      }
    }
    return [];
  },
};

/** Columns that number themselves, where that can be changed. */
export const identity: Comparator = {
  name: "identity",
  compare: (pair, context) =>
    sharedColumns(pair, context).flatMap(({ wanted }) => {
      if (autoincrementWords(wanted, context.dialect).isPrimaryKey) return [];
      const now = identityOf(pair.wanted, wanted.name);
      const before = identityOf(pair.actual, wanted.name);
      return now === before
        ? []
        : [altered(wanted.name, { identity: now ?? null })];
    }),
};

function identityOf(
  { table }: Side,
  name: string,
): ColumnSpec["identity"] | undefined {
  const column = table.column(name);
  return column.spec.identity ??
    (table.autoincrementColumn === column ? "by default" : undefined);
}

/** The primary key, which is seen to differ and left to the author. */
export const primaryKey: Comparator = {
  name: "primaryKey",
  compare({ wanted, actual }, { remark }) {
    const [now, before] = [wanted, actual].map(({ table }) =>
      table.primaryKey.map(({ name }) => name).join(", ")
    );
    if (now !== before) {
      remark(
        `The primary key of table '${wanted.table.name}' is (${before}) and should be (${now}), which is left to you`,
      );
    }
    return [];
  },
};

/** The columns of both sides about which a difference counts. */
export function sharedColumns(
  { wanted, actual }: TablePair,
  { dialect, filter }: CompareContext,
): ComparedColumn[] {
  const found: ComparedColumn[] = [];
  for (const [name, { spec }] of wanted.draft.columns) {
    const there = actual.draft.columns.get(name);
    if (!there || isComputed(there.spec) !== isComputed(spec)) continue;
    const column: ComparedColumn = {
      table: wanted.table.name,
      wanted: wanted.table.column(name),
      actual: actual.table.column(name),
      dialect,
    };
    if (filter.object(column.wanted, name, "column", false, column.actual)) {
      found.push(column);
    }
  }
  return found;
}

/** A change of one column. */
export function altered(
  name: string,
  changes: Extract<TableChange, { kind: "alterColumn" }>["changes"],
): TableChange {
  return { kind: "alterColumn", name, changes };
}

function isComputed({ computed }: ColumnSpec): boolean {
  return computed !== undefined;
}

function isInKey({ table }: Side, name: string): boolean {
  return table.primaryKey.some((column) => column.name === name);
}

import {
  autoincrementWords,
  ColumnBuilder,
  type Dialect,
  primaryKey,
  type PrimaryKeyConstraint,
  type Table,
} from "../../sql/mod.ts";
import type { AddColumn, AnyColumn } from "../operations/operation.ts";
import type { TableDraft } from "./draft.ts";
import { defaultName } from "./names.ts";

/** The primary key that columns say themselves, as the constraint it is. */
export function keyOfColumns(
  draft: TableDraft,
): PrimaryKeyConstraint | undefined {
  const names = [...draft.columns].filter(([, { spec }]) => spec.primaryKey)
    .map(([name]) => name);
  if (names.length === 0) return undefined;
  const key = primaryKey(names);
  return { ...key, name: defaultName(draft, key) };
}

/** The columns of a table's primary key, wherever it is said. */
export function keyColumns(draft: TableDraft): readonly string[] {
  const key = draft.constraints.find((one) => one.kind === "primaryKey") ??
    keyOfColumns(draft);
  return key?.columns ?? [];
}

/**
 * A column as it is once it is added: described as the key it becomes the key
 * only where that is asked for. Where others than keys can number themselves it
 * does so anyway.
 */
export function addedColumn(
  table: Table,
  { name, column, inlinePrimaryKey }: AddColumn,
  dialect: Dialect,
): AnyColumn {
  return column.spec.primaryKey && !inlinePrimaryKey
    ? keyless(table, name, dialect)
    : column;
}

/** A column of the primary key as it is without the key. */
export function keyless(
  table: Table,
  name: string,
  dialect: Dialect,
): AnyColumn {
  const column = table.column(name);
  const { identity, ...spec } = column.spec;
  const isNumbered = table.autoincrementColumn === column &&
    !autoincrementWords(column, dialect).isPrimaryKey;
  const kept = identity ?? (isNumbered ? "by default" : undefined);
  return new ColumnBuilder({
    ...spec,
    primaryKey: false,
    ...(kept ? { identity: kept } : {}),
  });
}

import {
  type Dialect,
  type IndexConstraint,
  quoteName,
  type Table,
  text,
} from "../../sql/mod.ts";
import type { TableReference } from "../operations/operation.ts";
import { type TableDraft, tableOf, tableStub } from "../schema/draft.ts";
import { columnsOf } from "../schema/parts.ts";

/** A table's quoted name, with its schema. */
export function qualifiedName(
  { table, schema }: TableReference,
  dialect: Dialect,
): string {
  const name = quoteName(table, dialect);
  return schema === undefined ? name : `${quoteName(schema, dialect)}.${name}`;
}

/** The table an index is made on: as it is known, or with the named columns only. */
export function indexTable(
  reference: TableReference,
  index: IndexConstraint,
  draft: TableDraft | undefined,
): Table {
  const isKnown = draft &&
    columnsOf(index).every((name) => draft.columns.has(name));
  if (isKnown) return tableOf(draft);
  return tableStub(
    reference.table,
    reference.schema,
    Object.fromEntries(columnsOf(index).map((name) => [name, text()])),
  );
}

import {
  ColumnBuilder,
  type ColumnBuilders,
  type ColumnSpec,
  type Constraint,
  type Dialect,
  indexName,
  inlineSql,
  MetaData,
  type MetaDataOptions,
  Table,
  type TableOptions,
} from "../../sql/mod.ts";
import { OperationError } from "../operations/errors.ts";
import type {
  AddColumn,
  AnyColumn,
  DropConstraint,
  TableChange,
} from "../operations/operation.ts";
import { withPlaced } from "./column_order.ts";
import { addedColumn, keyColumns, keyless, keyOfColumns } from "./keys.ts";
import { defaultName } from "./names.ts";
import { columnsOf, withParts } from "./parts.ts";
import { renameColumn } from "./renaming.ts";

/**
 * A table while it is being changed: columns by their database name, and every
 * constraint and index beside them, none written on a column.
 */
export interface TableDraft {
  /** The table's name. */
  name: string;
  /** Its schema. */
  schema: string | undefined;
  /** Its columns by database name, in order. */
  columns: Map<string, AnyColumn>;
  /** Its constraints and indexes. */
  constraints: Constraint[];
  /** Its other settings. */
  options: TableOptions;
  /** The naming convention it was made under. */
  metadata: MetaDataOptions;
}

/** Takes a table apart. */
export function draftOf(table: Table): TableDraft {
  const nameOf = (key: string) => table.column(key).name;
  return {
    name: table.name,
    schema: table.schema,
    columns: new Map(
      table.columns.map((column) => [column.name, bareColumn(column.spec)]),
    ),
    constraints: table.constraints.map((constraint) => {
      const named = constraint.kind === "index"
        ? { ...constraint, name: indexName(table, constraint) }
        : constraint;
      return withParts(named, nameOf);
    }),
    options: table.options,
    metadata: table.metadata.options,
  };
}

/** Puts a table together again. */
export function tableOf(draft: TableDraft): Table {
  const columns: ColumnBuilders = Object.fromEntries(draft.columns);
  return new Table(
    draft.name,
    new MetaData(draft.metadata),
    columns,
    draft.constraints,
    { ...draft.options, ...(draft.schema ? { schema: draft.schema } : {}) },
  );
}

/** A table that only knows some columns' names: enough to write an index. */
export function tableStub(
  name: string,
  schema: string | undefined,
  columns: ColumnBuilders,
  metadata: MetaDataOptions = {},
  constraints: readonly Constraint[] = [],
): Table {
  return new Table(
    name,
    new MetaData(metadata),
    columns,
    constraints,
    schema ? { schema } : {},
  );
}

function bareColumn(spec: ColumnSpec): AnyColumn {
  const { references, unique: _u, index: _i, name: _n, ...rest } = spec;
  // A key that refers to another table does not number itself; without the
  // reference on the column that must be said.
  return new ColumnBuilder(
    references && spec.primaryKey && spec.autoincrement === undefined
      ? { ...rest, autoincrement: false }
      : rest,
  );
}

/** Applies one change to a draft. */
export function applyChange(
  draft: TableDraft,
  change: TableChange,
  dialect: Dialect,
): void {
  switch (change.kind) {
    case "addColumn": {
      if (change.ifNotExists && draft.columns.has(change.name)) return;
      return addColumn(draft, change, dialect);
    }
    case "dropColumn":
      existing(draft, change.name);
      draft.columns.delete(change.name);
      draft.constraints = draft.constraints.filter((constraint) =>
        !columnsOf(constraint).includes(change.name)
      );
      return;
    case "renameColumn":
      existing(draft, change.name);
      return renameColumn(draft, change.name, change.to, dialect);
    case "alterColumn": {
      const { spec } = existing(draft, change.name);
      draft.columns.set(
        change.name,
        new ColumnBuilder(changedSpec(spec, change.changes)),
      );
      return;
    }
    case "createIndex":
      if (change.ifNotExists && find(draft, change.index.name)) return;
      draft.constraints.push(change.index);
      return;
    case "addConstraint":
      draft.constraints.push(change.constraint);
      return;
    case "dropIndex":
    case "dropConstraint": {
      const isFinal = "isNameFinal" in change && change.isNameFinal;
      const found = find(draft, change.name, isFinal) ??
        alike(draft, change.original, dialect);
      if (change.kind === "dropConstraint") refuseOther(draft, change, found);
      if (found?.kind === "primaryKey") forgetKey(draft, dialect);
      draft.constraints = draft.constraints.filter((one) => one !== found);
      return;
    }
    case "validateConstraint":
      return;
    case "setTableComment": {
      const { comment: _, ...rest } = draft.options;
      draft.options = change.comment === null
        ? rest
        : { ...rest, comment: change.comment };
    }
  }
}

/**
 * The constraint or index of a name, its own or the one it goes by.
 *
 * @param isFinal Whether a name that a convention makes another of does not count.
 */
export function find(
  draft: TableDraft,
  name: string | undefined,
  isFinal = false,
): Constraint | undefined {
  if (name === undefined) return undefined;
  const own = isFinal
    ? undefined
    : draft.constraints.find((constraint) => constraint.name === name);
  return own ??
    draft.constraints.find((constraint) =>
      defaultName(draft, constraint) === name
    ) ?? keyNamed(draft, name);
}

function keyNamed(draft: TableDraft, name: string): Constraint | undefined {
  const key = keyOfColumns(draft);
  return key?.name === name ? key : undefined;
}

function addColumn(
  draft: TableDraft,
  change: AddColumn,
  dialect: Dialect,
): void {
  const { name, column } = change;
  const stub = tableStub(
    draft.name,
    draft.schema,
    { [name]: column },
    draft.metadata,
  );
  const { columns, constraints } = draftOf(stub);
  const key = keyColumns(draft);
  if (change.inlinePrimaryKey && key.length > 0) {
    throw new OperationError(
      `Cannot add column '${name}' as the primary key of table '${draft.name}': it has one (${
        key.join(", ")
      }); drop that first`,
    );
  }
  const bare = { ...change, column: columns.get(name)! };
  const added = addedColumn(stub, bare, dialect);
  draft.columns = withPlaced(draft.columns, name, added, change);
  draft.constraints.push(...constraints);
}

/** Refuses to drop a constraint that is of another type than was said. */
function refuseOther(
  { name: table }: TableDraft,
  { name, type }: DropConstraint,
  found: Constraint | undefined,
): void {
  if (!found || type === undefined || found.kind === type) return;
  throw new OperationError(
    `Cannot drop '${name}' of table '${table}' as '${type}': it is of type '${found.kind}'; say so`,
  );
}

/** Columns that said they were the key say so no longer. */
function forgetKey(draft: TableDraft, dialect: Dialect): void {
  const table = tableOf(draft);
  for (const [name, { spec }] of draft.columns) {
    if (spec.primaryKey) {
      draft.columns.set(name, keyless(table, name, dialect));
    }
  }
}

/** The unnamed constraint that says the same as one whose name is not known here. */
function alike(
  draft: TableDraft,
  original: Constraint | undefined,
  dialect: Dialect,
): Constraint | undefined {
  if (!original) return undefined;
  const told = (constraint: Constraint) =>
    JSON.stringify(
      constraint.kind === "check"
        ? inlineSql(constraint.sql, dialect)
        : constraint.kind === "foreignKey"
        ? [constraint.columns, constraint.targets]
        : constraint.columns,
    );
  return draft.constraints.find((constraint) =>
    constraint.name === undefined && constraint.kind === original.kind &&
    told(constraint) === told(original)
  );
}

function existing(draft: TableDraft, name: string): AnyColumn {
  const column = draft.columns.get(name);
  if (column) return column;
  throw new OperationError(
    `Cannot change column '${name}' of table '${draft.name}': it has ${
      [...draft.columns.keys()].map((known) => `'${known}'`).join(", ")
    }; name one of these`,
  );
}

function changedSpec(
  spec: ColumnSpec,
  changes: Extract<TableChange, { kind: "alterColumn" }>["changes"],
): ColumnSpec {
  const {
    serverDefault: oldDefault,
    comment: oldComment,
    identity: oldIdentity,
    ...rest
  } = spec;
  const { nullable, type, serverDefault, comment, identity } = changes;
  const newIdentity = identity === undefined ? oldIdentity : identity;
  const newDefault = serverDefault === undefined ? oldDefault : serverDefault;
  const newComment = comment === undefined ? oldComment : comment;
  return {
    ...rest,
    nullable: nullable ?? rest.nullable,
    type: type?.spec.type ?? rest.type,
    ...(newDefault === undefined || newDefault === null
      ? {}
      : { serverDefault: newDefault }),
    ...(newComment === undefined || newComment === null
      ? {}
      : { comment: newComment }),
    ...(newIdentity ? { identity: newIdentity } : {}),
    // A key that numbers itself without being told to is told not to.
    ...(identity === null && rest.primaryKey ? { autoincrement: false } : {}),
  };
}

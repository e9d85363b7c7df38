import {
  ColumnBuilder,
  type Constraint,
  type ForeignKeyConstraint,
  MetaData,
  type NamingConvention,
  type Optionality,
  primaryKey,
  type PrimaryKeyConstraint,
  Table,
} from "../../sql/mod.ts";
import type { AnyColumn } from "../operations/operation.ts";
import { draftOf } from "../schema/draft.ts";
import {
  defaultName,
  type NamedTable,
  nameOf,
  undecorated,
} from "../schema/names.ts";
import type { Side } from "./comparator.ts";

/** Takes a table apart for a comparison: database names everywhere, conventions applied. */
export function sideOf(table: Table): Side {
  const draft = draftOf(table);
  const named = draft.constraints.map((constraint): Constraint => {
    const name = nameOf(draft, constraint);
    return name === undefined ? constraint : { ...constraint, name };
  });
  return { table, draft: { ...draft, constraints: named } };
}

/** What is known of the place a description goes to. */
export interface Writing {
  /** The naming convention under which it will be read. */
  readonly naming?: NamingConvention | undefined;
  /** Whether names that the database finds itself are left out. */
  readonly isDefaultNameLeftOut?: boolean;
}

/**
 * A table as a person would write it into a revision: columns by database name,
 * what concerns one column on that column, names only where nothing gives them.
 */
export function describedTable(
  { table, draft }: Side,
  writing: Writing,
): Table {
  const place = placeOf(table.name, writing);
  const columns = new Map(
    [...draft.columns].map(([name, { spec: { info: _, ...spec } }]) => [
      name,
      new ColumnBuilder<unknown, Optionality>(spec),
    ]),
  );
  const constraints: Constraint[] = [];
  for (const given of withNamedKey({ table, draft }, place, columns)) {
    const constraint = plain(given, place, writing);
    if (isColumnsKey(constraint, columns)) {
      for (const name of constraint.columns) {
        columns.set(name, columns.get(name)!.with({ primaryKey: true }));
      }
      continue;
    }
    const column = ownColumn(constraint);
    const builder = column === undefined ? undefined : columns.get(column);
    const said = builder && onColumn(builder, constraint, place);
    if (said && column !== undefined) columns.set(column, said);
    else constraints.push(constraint);
  }
  const { renamedFrom: _, ...options } = table.options;
  return new Table(
    table.name,
    new MetaData(place.metadata),
    Object.fromEntries(columns),
    constraints,
    {
      ...options,
      ...(table.schema === undefined ? {} : { schema: table.schema }),
    },
  );
}

/** Whether a key is one that its columns say themselves: in their order, without a name. */
function isColumnsKey(
  constraint: Constraint,
  columns: ReadonlyMap<string, AnyColumn>,
): constraint is PrimaryKeyConstraint {
  if (constraint.kind !== "primaryKey" || constraint.name !== undefined) {
    return false;
  }
  const inOrder = [...columns.keys()].filter((name) =>
    constraint.columns.includes(name)
  );
  return inOrder.join("\0") === constraint.columns.join("\0");
}

/** A table by name, under a naming convention. */
export function placeOf(name: string, { naming }: Writing): NamedTable {
  return { name, metadata: naming ? { naming } : {} };
}

/** The only column a constraint is about, if it is one. */
export function ownColumn(constraint: Constraint): string | undefined {
  if (constraint.kind === "check" || constraint.columns.length !== 1) {
    return undefined;
  }
  const [column] = constraint.columns;
  return typeof column === "string" ? column : undefined;
}

/** A column that says what a constraint about it alone says, if columns can. */
export function onColumn(
  column: AnyColumn,
  constraint: Constraint,
  place: NamedTable,
): AnyColumn | undefined {
  const { spec } = column;
  switch (constraint.kind) {
    case "unique":
      return constraint.name === undefined && !spec.unique && isBare(constraint)
        ? column.with({ unique: true })
        : undefined;
    case "index": {
      const { name, ...unnamed } = constraint;
      const isPlain = isBare(unnamed) && !spec.index &&
        name === defaultName(place, unnamed);
      return isPlain ? column.with({ index: true }) : undefined;
    }
    case "foreignKey":
      return spec.references ? undefined : withReference(column, constraint);
    default:
      return undefined;
  }
}

/** Whether a constraint says nothing but what it is about. */
function isBare(constraint: Constraint): boolean {
  return Object.entries(constraint).every(([key, value]) =>
    key === "kind" || key === "columns" || !value
  );
}

function withReference(
  { spec }: AnyColumn,
  { kind: _k, columns: _c, targets, ...options }: ForeignKeyConstraint,
): AnyColumn {
  const { autoincrement, ...rest } = spec;
  return new ColumnBuilder({
    ...rest,
    // A key that refers to another table does not number itself anyway.
    ...(autoincrement ? { autoincrement } : {}),
    references: { target: targets[0] ?? "", ...options },
  });
}

/** Without a name, or a part of one, that is given to it anyway. */
function plain(
  constraint: Constraint,
  place: NamedTable,
  { isDefaultNameLeftOut }: Writing,
): Constraint {
  if (constraint.kind === "index") return constraint;
  if (constraint.kind === "check") return undecorated(place, constraint);
  const { name, ...unnamed } = constraint;
  const given = isDefaultNameLeftOut
    ? defaultName(place, unnamed)
    : nameOf(place, unnamed);
  return name === given ? unnamed : constraint;
}

/** The constraints, with the primary key among them if it bears a name of its own. */
function withNamedKey(
  { table, draft }: Side,
  place: NamedTable,
  columns: Map<string, AnyColumn>,
): readonly Constraint[] {
  if (draft.constraints.some(({ kind }) => kind === "primaryKey")) {
    return draft.constraints;
  }
  const key = primaryKey(table.primaryKey.map(({ name }) => name));
  const name = nameOf(draft, key);
  if (name === undefined || name === nameOf(place, key)) {
    return draft.constraints;
  }
  for (const column of key.columns) {
    const builder = columns.get(column);
    if (builder) columns.set(column, builder.with({ primaryKey: false }));
  }
  return [{ ...key, name }, ...draft.constraints];
}

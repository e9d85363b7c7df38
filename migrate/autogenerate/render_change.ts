import type {
  AddConstraint,
  ColumnChanges,
  DropIndex,
  NamedConstraint,
  TableChange,
  TableConstraint,
} from "../operations/operation.ts";
import { find, type TableDraft } from "../schema/draft.ts";
import {
  columnSource,
  constraintSource,
  defaultSource,
  excludeOptions,
  expressionSource,
  foreignKeyOptions,
  indexOptions,
  keyOptions,
  nameSource,
  namesSource,
  partsSource,
  type RenderContext,
  typeSource,
  waysSource,
} from "./render_column.ts";
import { call, isOmitted, objectOf, quoted } from "./source.ts";

/** A change as a call of a method. */
interface ChangeSource {
  readonly method: string;
  readonly args: readonly (string | undefined)[];
  /** Whether the name stands before the table's where both are given. */
  readonly isNamedFirst?: true;
}

const METHODS = {
  unique: "createUniqueConstraint",
  primaryKey: "createPrimaryKey",
  foreignKey: "createForeignKey",
  check: "createCheckConstraint",
  exclude: "createExcludeConstraint",
} as const;

/** A change as a call: of `t`, or with the table's name of `op`. */
export function changeSource(
  change: TableChange,
  draft: TableDraft | undefined,
  context: RenderContext,
): ChangeSource {
  const name = "name" in change ? quoted(change.name) : undefined;
  const original = (source: () => string) => draft ? undefined : source();
  switch (change.kind) {
    case "addColumn":
      return {
        method: change.kind,
        args: [
          name,
          columnSource(change.column, context),
          objectOf({
            ifNotExists: change.ifNotExists ? "true" : undefined,
            inlinePrimaryKey: change.inlinePrimaryKey ? "true" : undefined,
            insertAfter: JSON.stringify(change.insertAfter),
            insertBefore: JSON.stringify(change.insertBefore),
          }),
        ],
      };
    case "dropColumn": {
      const { original: column } = change;
      return {
        method: change.kind,
        args: [
          name,
          objectOf({
            original: column &&
              original(() => columnSource(column, context)),
          }),
        ],
      };
    }
    case "renameColumn":
      return { method: change.kind, args: [name, quoted(change.to)] };
    case "alterColumn":
      return {
        method: change.kind,
        args: [name, columnChanges(change.changes, context)],
      };
    case "createIndex":
      return {
        method: change.kind,
        isNamedFirst: true,
        args: [
          quoted(change.index.name ?? ""),
          partsSource(change.index.columns, context),
          objectOf({
            ...indexOptions(change.index, context),
            ifNotExists: change.ifNotExists ? "true" : undefined,
            concurrently: change.concurrently ? "true" : undefined,
          }),
        ],
      };
    case "dropIndex":
    case "dropConstraint": {
      const { original: former } = change;
      const isIndex = change.kind === "dropIndex";
      return {
        method: change.kind,
        isNamedFirst: true,
        args: [
          changedName(change, context),
          objectOf({
            type: isIndex ? undefined : JSON.stringify(change.type),
            ifExists: change.ifExists ? "true" : undefined,
            concurrently: isIndex && change.concurrently ? "true" : undefined,
            original: former && !(draft && find(draft, change.name))
              ? constraintSource(former, context)
              : undefined,
          }),
        ],
      };
    }
    case "addConstraint":
      return addedConstraint(change, context);
    case "validateConstraint":
      return {
        method: change.kind,
        isNamedFirst: true,
        args: [
          changedName(change, context),
          objectOf({ type: JSON.stringify(change.type) }),
        ],
      };
    case "setTableComment": {
      const { comment, original: former } = change;
      const options = objectOf({
        original: former === undefined
          ? undefined
          : original(() => JSON.stringify(former)),
      });
      return comment === null
        ? { method: "dropTableComment", args: [options] }
        : { method: "createTableComment", args: [quoted(comment), options] };
    }
  }
}

/** The name of what a change is about; one that no convention may change says so. */
function changedName(
  change: DropIndex | NamedConstraint,
  { imports }: RenderContext,
): string {
  const name = quoted(change.name);
  return "isNameFinal" in change && change.isNameFinal
    ? call(imports.use("finalName"), name)
    : name;
}

function addedConstraint(
  { constraint, notValid }: AddConstraint,
  context: RenderContext,
): ChangeSource {
  const source = constraintSource(constraint, context);
  const later = { notValid: notValid ? "true" : undefined };
  const name = nameSource(constraint, context);
  if (name === undefined || isOmitted(source)) {
    return { method: "addConstraint", args: [source, objectOf(later)] };
  }
  return {
    method: METHODS[constraint.kind],
    isNamedFirst: true,
    args: [name, ...constraintArgs(constraint, later, context)],
  };
}

/** What stands behind the name of a constraint that is added. */
function constraintArgs(
  constraint: TableConstraint,
  later: Readonly<Record<string, string | undefined>>,
  context: RenderContext,
): (string | undefined)[] {
  switch (constraint.kind) {
    case "check":
      return [expressionSource(constraint.sql, context), objectOf(later)];
    case "foreignKey": {
      const { kind: _k, name: _n, columns, targets, ...options } = constraint;
      return [
        namesSource(columns),
        namesSource(targets),
        objectOf({ ...foreignKeyOptions(options), ...later }),
      ];
    }
    case "exclude":
      return [
        waysSource(constraint, context),
        objectOf(excludeOptions(constraint, context)),
      ];
    default:
      return [namesSource(constraint.columns), keyOptions(constraint)];
  }
}

function columnChanges(
  changes: ColumnChanges,
  context: RenderContext,
): string {
  const { type, nullable, serverDefault, comment, identity, using } = changes;
  return objectOf({
    type: type && typeSource(type.spec.type, context),
    using: using && expressionSource(using, context),
    nullable: nullable === undefined ? undefined : String(nullable),
    serverDefault: serverDefault === undefined
      ? undefined
      : serverDefault === null
      ? "null"
      : defaultSource(serverDefault, context),
    identity: JSON.stringify(identity),
    comment: JSON.stringify(comment),
  }) ?? "{}";
}

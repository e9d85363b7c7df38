import type {
  ColumnChanges,
  TableChange,
  TableConstraint,
} from "../operations/operation.ts";
import { find, type TableDraft } from "../schema/draft.ts";
import {
  columnSource,
  constraintSource,
  defaultSource,
  expressionSource,
  foreignKeyOptions,
  indexOptions,
  namesSource,
  partsSource,
  type RenderContext,
  typeSource,
} from "./render_column.ts";
import { isOmitted, objectOf, quoted } from "./source.ts";

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
          name,
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
      return addedConstraint(change.constraint, context);
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

function addedConstraint(
  constraint: TableConstraint,
  context: RenderContext,
): ChangeSource {
  const source = constraintSource(constraint, context);
  if (constraint.name === undefined || isOmitted(source)) {
    return { method: "addConstraint", args: [source] };
  }
  const name = quoted(constraint.name);
  const method = METHODS[constraint.kind];
  switch (constraint.kind) {
    case "check":
      return {
        method,
        isNamedFirst: true,
        args: [name, expressionSource(constraint.sql, context)],
      };
    case "foreignKey": {
      const { kind: _k, name: _n, columns, targets, ...options } = constraint;
      return {
        method,
        isNamedFirst: true,
        args: [
          name,
          namesSource(columns),
          namesSource(targets),
          foreignKeyOptions(options),
        ],
      };
    }
    default:
      return {
        method,
        isNamedFirst: true,
        args: [name, namesSource(constraint.columns)],
      };
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

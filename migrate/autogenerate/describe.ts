import {
  type Constraint,
  Expression,
  type SqlType,
  type Table,
} from "../../sql/mod.ts";
import type {
  AlterColumn,
  Operation,
  TableChange,
} from "../operations/operation.ts";
import { draftOf } from "../schema/draft.ts";
import { fullName } from "../schema/snapshot.ts";

/**
 * What operations do, a line for each difference: `Detected added table
 * 'users'`.
 */
export function describeOperations(
  operations: readonly Operation[],
): string[] {
  return operations.flatMap((operation) =>
    linesOf(operation).map((line) => `Detected ${line}`)
  );
}

function linesOf(operation: Operation): string[] {
  switch (operation.kind) {
    case "createTable":
      return [
        `added table '${operation.table.fullName}'`,
        ...draftOf(operation.table).constraints.filter(({ kind }) =>
          kind === "index"
        ).map((index) =>
          `added ${constraintText(index, operation.table.fullName)}`
        ),
      ];
    case "dropTable":
      return [`removed table '${fullName(operation)}'`];
    case "renameTable":
      return [`renamed table '${fullName(operation)}' to '${operation.to}'`];
    case "alterTable":
      return operation.changes.flatMap((change) =>
        changeLines(change, fullName(operation), operation.original)
      );
    case "autocommitBlock":
      return operation.operations.flatMap(linesOf);
    case "custom":
      return [`${operation.name}()`];
    default:
      return [`${operation.kind}()`];
  }
}

function changeLines(
  change: TableChange,
  table: string,
  original: Table | undefined,
): string[] {
  switch (change.kind) {
    case "addColumn":
      return [`added column '${table}.${change.name}'`];
    case "dropColumn":
      return [`removed column '${table}.${change.name}'`];
    case "renameColumn":
      return [`renamed column '${table}.${change.name}' to '${change.to}'`];
    case "alterColumn":
      return alterLines(
        change,
        `'${table}.${change.name}'`,
        original?.columns.find(({ name }) => name === change.name)?.spec.type,
      );
    case "createIndex":
      return [`added ${constraintText(change.index, table)}`];
    case "addConstraint":
      return [`added ${constraintText(change.constraint, table)}`];
    case "dropIndex":
    case "dropConstraint":
      return [
        `removed ${
          change.original
            ? constraintText({ ...change.original, name: change.name }, table)
            : `'${change.name}' of '${table}'`
        }`,
      ];
    case "validateConstraint":
      return [`validated '${change.name}' of '${table}'`];
    case "setTableComment":
      return [
        change.comment === null
          ? `removed comment of table '${table}'`
          : `changed comment of table '${table}'`,
      ];
  }
}

function alterLines(
  { changes }: AlterColumn,
  column: string,
  before: SqlType | undefined,
): string[] {
  const { type, nullable, serverDefault, comment, identity } = changes;
  return [
    ...(type
      ? [
        `type change ${before ? `from ${typeText(before)} ` : ""}to ${
          typeText(type.spec.type)
        } on ${column}`,
      ]
      : []),
    ...(nullable === undefined
      ? []
      : [`${nullable ? "NULL" : "NOT NULL"} on column ${column}`]),
    ...(serverDefault === undefined ? [] : [`server default on ${column}`]),
    ...(identity === undefined ? [] : [`identity change on ${column}`]),
    ...(comment === undefined ? [] : [`comment change on ${column}`]),
  ];
}

function typeText({ name, args, item }: SqlType): string {
  return `${name}${args.length > 0 ? `(${args.join(", ")})` : ""}${
    item ? ` of ${typeText(item)}` : ""
  }`;
}

const WORDS = {
  unique: "unique constraint",
  primaryKey: "primary key",
  foreignKey: "foreign key",
  check: "check constraint",
  exclude: "exclusion constraint",
  index: "index",
} as const;

function constraintText(constraint: Constraint, table: string): string {
  const { kind, name } = constraint;
  const what = `${WORDS[kind]}${name === undefined ? "" : ` '${name}'`}`;
  if (kind === "check") return `${what} on '${table}'`;
  const columns = constraint.columns.map((part) =>
    part instanceof Expression ? "…" : part
  ).join(", ");
  return kind === "foreignKey"
    ? `${what} (${columns}) to (${constraint.targets.join(", ")}) on '${table}'`
    : `${what} on '${table}' (${columns})`;
}

import {
  and,
  deleteFrom,
  type Dialect,
  or,
  type Statement,
  type Table,
} from "../../sql/mod.ts";
import { IrreversibleError } from "./errors.ts";
import {
  applyChange,
  draftOf,
  find,
  type TableDraft,
  tableStub,
} from "../schema/draft.ts";
import { columnsOf } from "../schema/parts.ts";
import { addedColumn, keyOfColumns } from "../schema/keys.ts";
import { nameOf } from "../schema/names.ts";
import { fullName, type SchemaSnapshot } from "../schema/snapshot.ts";
import type {
  AlterTable,
  AnyColumn,
  BulkInsert,
  ColumnChanges,
  CustomOperation,
  Operation,
  TableChange,
} from "./operation.ts";

/**
 * Reverses a list of operations: each one's inverse, the last one first.
 *
 * What an operation removes is taken from the operation itself (`original`) or
 * from what earlier operations made.
 *
 * @param before The schema before the first operation.
 * @throws {IrreversibleError} If what was removed is not known.
 */
export function reverseOperations(
  operations: readonly Operation[],
  before: SchemaSnapshot,
  dialect: Dialect,
): Operation[] {
  const schema = before.copy();
  const reversed: Operation[] = [];
  const made = new Set<string>();
  for (const operation of known(operations, dialect)) {
    if (operation.kind === "createTable") made.add(operation.table.fullName);
    // Rows of a table that goes again need not be deleted first.
    const goes = operation.kind === "bulkInsert" &&
      made.has(fullName(operation));
    if (!goes) reversed.push(reverseOperation(operation, schema, dialect));
    schema.apply(operation);
  }
  return reversed.reverse();
}

/** Operations with those of one's own that do not say what undoes them as what they stand for. */
function known(
  operations: readonly Operation[],
  dialect: Dialect,
): readonly KnownOperation[] {
  return operations.flatMap((operation): readonly KnownOperation[] => {
    if (operation.kind !== "custom") return [operation];
    const { reverse } = operation;
    return reverse
      ? [{ ...operation, reverse }]
      : known(operation.standsFor(dialect), dialect);
  });
}

type KnownOperation =
  | Exclude<Operation, CustomOperation>
  | CustomOperation & Required<Pick<CustomOperation, "reverse">>;

function reverseOperation(
  operation: KnownOperation,
  schema: SchemaSnapshot,
  dialect: Dialect,
): Operation {
  switch (operation.kind) {
    case "createTable": {
      const { table } = operation;
      return {
        kind: "dropTable",
        table: table.name,
        ...(table.schema ? { schema: table.schema } : {}),
        ifExists: false,
        original: table,
      };
    }
    case "dropTable": {
      const table = operation.original ?? schema.table(operation);
      if (!table) {
        throw new IrreversibleError(
          `Cannot reverse dropTable('${operation.table}'): no revision describes the table; give it as original: table(…)`,
        );
      }
      return { kind: "createTable", table, ifNotExists: false };
    }
    case "renameTable":
      return { ...operation, table: operation.to, to: operation.table };
    case "alterTable":
      return reverseAlterTable(operation, schema, dialect);
    case "execute":
      if (operation.undo === undefined) {
        throw new IrreversibleError(
          "Cannot reverse execute(): nothing says what undoes it; give { undo: … } or write the downgrade",
        );
      }
      return {
        kind: "execute",
        statement: operation.undo,
        undo: operation.statement,
      };
    case "bulkInsert":
      return {
        kind: "execute",
        statement: deleteRows(operation, schema.table(operation)),
      };
    case "custom":
      return operation.reverse();
    case "autocommitBlock":
      return {
        kind: "autocommitBlock",
        operations: reverseOperations(operation.operations, schema, dialect),
      };
  }
}

function deleteRows(
  operation: BulkInsert,
  known: Table | undefined,
): Statement<unknown> {
  const table = operation.into ?? known;
  const key = table?.primaryKey ?? [];
  const isNamed = key.length > 0 &&
    operation.rows.every((row) => key.every((column) => column.key in row));
  if (!table || !isNamed || operation.rows.length === 0) {
    throw new IrreversibleError(
      `Cannot reverse bulkInsert into '${operation.table}': the rows do not name their primary key; write the downgrade`,
    );
  }
  const conditions = operation.rows.map((row) =>
    and(...key.map((column) => column.eq(row[column.key])))
  );
  return deleteFrom(table).where(or(...conditions));
}

function reverseAlterTable(
  operation: AlterTable,
  schema: SchemaSnapshot,
  dialect: Dialect,
): AlterTable {
  const table = operation.original ?? schema.table(operation);
  const draft = table && draftOf(table);
  const reversed: TableChange[][] = [];
  for (const change of operation.changes) {
    reversed.push(reverseChange(change, draft, operation.table, dialect));
    if (draft) applyChange(draft, change, dialect);
  }
  const { original: _, referring: _r, partialReordering, ...rest } = operation;
  if (partialReordering && !table) {
    throw new IrreversibleError(
      `Cannot reverse the order of columns of table '${operation.table}': what it was is not known; give alterTable(…, { original: table(…) })`,
    );
  }
  const former = table?.columns.map(({ name }) => name) ?? [];
  return {
    ...rest,
    changes: reversed.reverse().flat(),
    ...(partialReordering ? { partialReordering: [former] } : {}),
  };
}

function reverseChange(
  change: TableChange,
  draft: TableDraft | undefined,
  table: string,
  dialect: Dialect,
): TableChange[] {
  const unknown = (what: string, give: string) =>
    new IrreversibleError(
      `Cannot reverse ${what} of table '${table}': what it was is not known; give ${give}`,
    );
  switch (change.kind) {
    case "addColumn": {
      const { name, column } = change;
      const stub = tableStub(table, undefined, { [name]: column });
      const original = addedColumn(stub, change, dialect);
      return [{ kind: "dropColumn", name, original }];
    }
    case "dropColumn": {
      const column = change.original ?? draft?.columns.get(change.name);
      if (!column) {
        throw unknown(`dropColumn('${change.name}')`, "{ original: text() }");
      }
      const lost = change.original
        ? []
        : draft?.constraints.filter((one) =>
          columnsOf(one).includes(change.name)
        ) ?? [];
      const key = draft && !change.original ? keyOfColumns(draft) : undefined;
      const isAlone = key === undefined || key.columns.length === 1;
      if (key && !isAlone && key.columns.includes(change.name)) lost.push(key);
      return [
        {
          kind: "addColumn",
          name: change.name,
          column,
          ifNotExists: false,
          ...(column.spec.primaryKey && isAlone
            ? { inlinePrimaryKey: true }
            : {}),
        },
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
    case "renameColumn":
      return [{ kind: "renameColumn", name: change.to, to: change.name }];
    case "alterColumn": {
      const column = draft?.columns.get(change.name);
      if (!column) {
        throw unknown(
          `alterColumn('${change.name}')`,
          "alterTable(…, { original: table(…) })",
        );
      }
      return [{
        kind: "alterColumn",
        name: change.name,
        changes: formerColumn(column, change.changes),
      }];
    }
    case "createIndex":
      return [{
        kind: "dropIndex",
        name: change.index.name ?? "",
        ifExists: change.ifNotExists,
        concurrently: change.concurrently,
        original: change.index,
      }];
    case "dropIndex": {
      const index = change.original ?? find(draft ?? NOTHING, change.name);
      if (index?.kind !== "index") {
        throw unknown(`dropIndex('${change.name}')`, "{ original: index(…) }");
      }
      return [{
        kind: "createIndex",
        index,
        ifNotExists: change.ifExists,
        concurrently: change.concurrently,
      }];
    }
    case "addConstraint": {
      const { constraint } = change;
      const { kind: type } = constraint;
      // The name that a convention makes of it is the one it has afterwards.
      const name = draft ? nameOf(draft, constraint) : constraint.name;
      if (name === undefined) {
        throw unknown("addConstraint()", "the constraint a name");
      }
      const isFinal = draft !== undefined || "isNameFinal" in constraint;
      return [{
        kind: "dropConstraint",
        name,
        type,
        ...(isFinal ? { isNameFinal: true } : {}),
        original: constraint,
      }];
    }
    case "dropConstraint": {
      const constraint =
        find(draft ?? NOTHING, change.name, change.isNameFinal) ??
          change.original;
      if (!constraint || constraint.kind === "index") {
        throw unknown(
          `dropConstraint('${change.name}')`,
          "{ original: unique(…) }",
        );
      }
      return [{ kind: "addConstraint", constraint }];
    }
    case "validateConstraint":
      // What was looked at stays so.
      return [];
    case "setTableComment": {
      const former = change.original ?? draft?.options.comment ??
        (draft ? null : undefined);
      if (former === undefined) {
        throw unknown("the comment", "{ original: … }");
      }
      return [{
        kind: "setTableComment",
        comment: former,
        original: change.comment,
      }];
    }
  }
}

const NOTHING: TableDraft = {
  name: "",
  schema: undefined,
  columns: new Map(),
  constraints: [],
  options: {},
  metadata: {},
};

function formerColumn(
  column: AnyColumn,
  changes: ColumnChanges,
): ColumnChanges {
  const { spec } = column;
  return {
    ...(changes.nullable === undefined ? {} : { nullable: spec.nullable }),
    ...(changes.type === undefined ? {} : { type: column }),
    ...(changes.serverDefault === undefined
      ? {}
      : { serverDefault: spec.serverDefault ?? null }),
    ...(changes.comment === undefined ? {} : { comment: spec.comment ?? null }),
    ...(changes.identity === undefined
      ? {}
      : { identity: spec.identity ?? null }),
  };
}

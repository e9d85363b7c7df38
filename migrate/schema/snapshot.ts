import type { Dialect, Table } from "../../sql/mod.ts";
import type {
  AlterTable,
  Operation,
  TableReference,
} from "../operations/operation.ts";
import { reordered } from "./column_order.ts";
import { applyChange, draftOf, type TableDraft, tableOf } from "./draft.ts";
import { renameTarget, renameTargetTable } from "./renaming.ts";

/**
 * The schema as the operations so far have made it: no database is asked.
 *
 * It knows what recorded operations say. What raw SQL or another tool made is
 * not in it, and whoever needs such a table must be given its description.
 */
export class SchemaSnapshot {
  readonly #tables: Map<string, Table>;
  readonly #dialect: Dialect;

  /** Starts with the given tables, or with none. */
  constructor(dialect: Dialect, tables: Iterable<Table> = []) {
    this.#dialect = dialect;
    this.#tables = new Map();
    for (const table of tables) this.#tables.set(table.fullName, table);
  }

  /** Every known table. */
  get tables(): readonly Table[] {
    return [...this.#tables.values()];
  }

  /** A copy that changes on its own. */
  copy(): SchemaSnapshot {
    return new SchemaSnapshot(this.#dialect, this.#tables.values());
  }

  /** Takes what an operation says of tables for what is there. */
  believe({ original, referring = [] }: AlterTable): void {
    for (const table of original ? [original, ...referring] : referring) {
      this.#tables.set(table.fullName, table);
    }
  }

  /** The table of a name, if an operation has described it. */
  table(reference: TableReference): Table | undefined {
    return this.#tables.get(fullName(reference));
  }

  /** Tables with a foreign key to the given one, itself excepted. */
  referring(reference: TableReference): Table[] {
    const name = fullName(reference);
    return this.tables.filter((table) =>
      table.fullName !== name &&
      table.foreignKeys.some((key) => key.targetTable === name)
    );
  }

  /** Follows an operation. */
  apply(operation: Operation): void {
    switch (operation.kind) {
      case "createTable": {
        const { table, ifNotExists } = operation;
        if (ifNotExists && this.#tables.has(table.fullName)) return;
        this.#tables.set(table.fullName, table);
        return;
      }
      case "dropTable":
        this.#tables.delete(fullName(operation));
        return;
      case "renameTable":
        return this.#rename(operation, operation.to);
      case "alterTable": {
        this.believe(operation);
        const table = this.table(operation);
        if (!table) return;
        const draft = draftOf(table);
        for (const change of operation.changes) {
          applyChange(draft, change, this.#dialect);
          if (change.kind !== "renameColumn") continue;
          this.#edit((other) =>
            renameTarget(other, table.fullName, change.name, change.to)
          );
        }
        if (operation.partialReordering) {
          draft.columns = reordered(draft.columns, operation.partialReordering);
        }
        this.#tables.set(table.fullName, tableOf(draft));
        return;
      }
      case "autocommitBlock":
        for (const inner of operation.operations) this.apply(inner);
        return;
      case "custom":
        for (const inner of operation.standsFor(this.#dialect)) {
          this.apply(inner);
        }
    }
  }

  #rename(reference: TableReference, to: string): void {
    const table = this.table(reference);
    const from = fullName(reference);
    const target = fullName({ ...reference, table: to });
    if (table) {
      this.#tables.delete(from);
      const draft = draftOf(table);
      draft.name = to;
      this.#tables.set(target, tableOf(draft));
    }
    this.#edit((other) => renameTargetTable(other, from, target));
  }

  #edit(change: (draft: TableDraft) => void): void {
    for (const [name, table] of this.#tables) {
      if (table.foreignKeys.length === 0) continue;
      const draft = draftOf(table);
      change(draft);
      this.#tables.set(name, tableOf(draft));
    }
  }
}

/** Which table it is. */
export function referenceTo({ name, schema }: Table): TableReference {
  return schema === undefined ? { table: name } : { table: name, schema };
}

/** `schema.table`, or the name alone. */
export function fullName({ table, schema }: TableReference): string {
  return schema === undefined ? table : `${schema}.${table}`;
}

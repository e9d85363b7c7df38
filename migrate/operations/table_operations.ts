import type {
  exclude,
  ExcludeOptions,
  Expression,
  ForeignKeyOptions,
  KeyOptions,
  Table,
  UniqueOptions,
} from "../../sql/mod.ts";
import type { AnyColumn, ColumnChanges, Recreate } from "./operation.ts";
import type {
  AddColumnOptions,
  AddConstraintOptions,
  ConstraintName,
  CreateIndexOptions,
  DropConstraintOptions,
  DropIndexOptions,
  NamedConstraintOptions,
  TableChanges,
} from "./table_changes.ts";

/** Where a table lies, for operations on a table that exists. */
export interface InSchema {
  /** The table's schema. @default the database's own */
  readonly schema?: string;
}

/** Settings of a whole change of a table. */
export interface AlterTableOptions extends InSchema {
  /**
   * Whether the table is rebuilt: only where ALTER is not enough, always, or
   * never.
   *
   * @default {"auto"}
   */
  readonly recreate?: Recreate;
  /**
   * Lists of columns, each in the order that they shall have; the others keep
   * to theirs. Only a rebuild can reorder columns, so only SQLite.
   */
  readonly partialReordering?: readonly (readonly string[])[];
  /** What the table is before, where the revisions do not say so. */
  readonly original?: Table;
  /**
   * The tables that refer to it, where the revisions do not say so. A rebuild
   * must know them to keep their rows.
   */
  readonly referring?: readonly Table[];
}

/**
 * Changes of one table that stand alone: each method is an `alterTable()` of one
 * change.
 */
export abstract class TableOperations {
  /** Changes one table. */
  abstract alterTable(
    table: string,
    record: (changes: TableChanges) => void,
    options?: AlterTableOptions,
  ): void;

  /** Adds a column. */
  addColumn(
    table: string,
    name: string,
    column: AnyColumn,
    options: AddColumnOptions & InSchema = {},
  ): void {
    const { schema, ...rest } = options;
    this.alterTable(
      table,
      (t) => t.addColumn(name, column, rest),
      inSchema(schema),
    );
  }

  /** Removes a column. */
  dropColumn(
    table: string,
    name: string,
    options: InSchema & { readonly original?: AnyColumn } = {},
  ): void {
    const { original, ...rest } = options;
    this.alterTable(
      table,
      (t) => t.dropColumn(name, original ? { original } : {}),
      rest,
    );
  }

  /** Gives a column another name. */
  renameColumn(
    table: string,
    name: string,
    to: string,
    options: InSchema = {},
  ): void {
    this.alterTable(table, (t) => t.renameColumn(name, to), options);
  }

  /** Changes a column's type, default, remark, or whether it may be NULL. */
  alterColumn(
    table: string,
    name: string,
    changes: ColumnChanges,
    options: AlterTableOptions = {},
  ): void {
    this.alterTable(table, (t) => t.alterColumn(name, changes), options);
  }

  /** Makes an index. */
  createIndex(
    name: ConstraintName,
    table: string,
    columns: readonly (string | Expression<unknown>)[],
    options: CreateIndexOptions & InSchema = {},
  ): void {
    const { schema, ...rest } = options;
    this.alterTable(
      table,
      (t) => t.createIndex(name, columns, rest),
      inSchema(schema),
    );
  }

  /** Removes an index. */
  dropIndex(
    name: ConstraintName,
    table: string,
    options: DropIndexOptions & InSchema = {},
  ): void {
    const { schema, ...rest } = options;
    this.alterTable(table, (t) => t.dropIndex(name, rest), inSchema(schema));
  }

  /** Makes values of columns unique together. */
  createUniqueConstraint(
    name: ConstraintName,
    table: string,
    columns: readonly string[],
    options: UniqueOptions & AlterTableOptions = {},
  ): void {
    const [place, rest] = split(options);
    this.alterTable(
      table,
      (t) => t.createUniqueConstraint(name, columns, rest),
      place,
    );
  }

  /** Makes columns name a row of another table: `["users.id"]`. */
  createForeignKey(
    name: ConstraintName,
    table: string,
    columns: readonly string[],
    targets: readonly string[],
    options:
      & Omit<ForeignKeyOptions, "name">
      & AddConstraintOptions
      & AlterTableOptions = {},
  ): void {
    const [place, rest] = split(options);
    this.alterTable(
      table,
      (t) => t.createForeignKey(name, columns, targets, rest),
      place,
    );
  }

  /** Adds a condition that every row meets. */
  createCheckConstraint(
    name: ConstraintName,
    table: string,
    condition: Expression<unknown>,
    options: AddConstraintOptions & AlterTableOptions = {},
  ): void {
    const [place, rest] = split(options);
    this.alterTable(
      table,
      (t) => t.createCheckConstraint(name, condition, rest),
      place,
    );
  }

  /**
   * Refuses two rows that are alike in all the ways that are given (Postgres).
   *
   * @example No room twice at one time
   * ```ts
   * import { Operations } from "@aludel/aludel/migrate";
   * import { text } from "@aludel/aludel/sql";
   * import { equal } from "node:assert/strict";
   *
   * const op = new Operations();
   * op.createExcludeConstraint("no_overlap", "bookings", [
   *   ["room", "="],
   *   [text("tsrange(begins, ends)"), "&&"],
   * ]);
   * equal(op.take().length, 1);
   * ```
   */
  createExcludeConstraint(
    name: ConstraintName,
    table: string,
    ways: Parameters<typeof exclude>[0],
    options: Omit<ExcludeOptions, "name"> & InSchema = {},
  ): void {
    const { schema, ...rest } = options;
    this.alterTable(
      table,
      (t) => t.createExcludeConstraint(name, ways, rest),
      inSchema(schema),
    );
  }

  /**
   * Looks at the rows that a constraint made with `notValid` has not looked at.
   * In a revision of its own it holds no lock that others wait for.
   */
  validateConstraint(
    name: ConstraintName,
    table: string,
    options: NamedConstraintOptions & InSchema = {},
  ): void {
    const { schema, ...rest } = options;
    this.alterTable(
      table,
      (t) => t.validateConstraint(name, rest),
      inSchema(schema),
    );
  }

  /** Makes columns the primary key. */
  createPrimaryKey(
    name: ConstraintName,
    table: string,
    columns: readonly string[],
    options: KeyOptions & AlterTableOptions = {},
  ): void {
    const [place, rest] = split(options);
    this.alterTable(
      table,
      (t) => t.createPrimaryKey(name, columns, rest),
      place,
    );
  }

  /** Removes a constraint by its name. */
  dropConstraint(
    name: ConstraintName,
    table: string,
    options: DropConstraintOptions & InSchema = {},
  ): void {
    const { schema, ...rest } = options;
    this.alterTable(
      table,
      (t) => t.dropConstraint(name, rest),
      inSchema(schema),
    );
  }

  /** Keeps a remark with a table, where the database keeps any. */
  createTableComment(
    table: string,
    comment: string,
    options: InSchema & { readonly original?: string | null } = {},
  ): void {
    const { schema, ...rest } = options;
    this.alterTable(
      table,
      (t) => t.createTableComment(comment, rest),
      inSchema(schema),
    );
  }

  /** Removes a table's remark. */
  dropTableComment(
    table: string,
    options: InSchema & { readonly original?: string | null } = {},
  ): void {
    const { schema, ...rest } = options;
    this.alterTable(
      table,
      (t) => t.dropTableComment(rest),
      inSchema(schema),
    );
  }
}

/** Where and how a table is altered, and what is left of the options. */
function split<O extends AlterTableOptions>(
  { schema, recreate, partialReordering, original, referring, ...rest }: O,
): [AlterTableOptions, typeof rest] {
  return [
    {
      ...inSchema(schema),
      ...(recreate ? { recreate } : {}),
      ...(partialReordering ? { partialReordering } : {}),
      ...(original ? { original } : {}),
      ...(referring ? { referring } : {}),
    },
    rest,
  ];
}

function inSchema(schema: string | undefined): InSchema {
  return schema === undefined ? {} : { schema };
}

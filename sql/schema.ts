import type {
  ColumnBuilder,
  ColumnSpec,
  ColumnValue,
  ForeignKeyOptions,
  Optionality,
} from "./column.ts";
import { type Compiler, tableName } from "./compiler.ts";
import { CompileError } from "./errors.ts";
import type { Constraint, PrimaryKeyConstraint } from "./constraint.ts";
import {
  type AnyColumns,
  type Column,
  columnOf,
  columnsFor,
  FromClause,
} from "./from.ts";
import { createAll, type SchemaOptions, type SchemaTarget } from "./ddl.ts";

/** Columns by key, as they are described. */
export type ColumnBuilders = Readonly<
  Record<string, ColumnBuilder<unknown, Optionality>>
>;

/** The columns of a table by key. */
export type ColumnsOf<S, Name = unknown> = {
  readonly [
    K in keyof S as S[K] extends ColumnBuilder<unknown, Optionality> ? K : never
  ]: Column<ColumnValue<S[K]>, Name>;
};

/** A row of a table as a plain object. */
export type RowOf<S> = {
  -readonly [
    K in keyof S as S[K] extends ColumnBuilder<unknown, Optionality> ? K : never
  ]: ColumnValue<S[K]>;
};

/** The keys of columns that a new row may leave out. */
export type OptionalKeys<S> = {
  [K in keyof S]: S[K] extends ColumnBuilder<unknown, true> ? K : never;
}[keyof S];

/** What a new row needs: what may be left out is optional. */
export type NewRow<S> =
  & { [K in Exclude<keyof S, OptionalKeys<S>>]: ColumnValue<S[K]> }
  & { [K in OptionalKeys<S>]?: ColumnValue<S[K]> };

/** Names for constraints that were given none: `{table}`, `{columns}`, `{referred}`. */
export interface NamingConvention {
  /** Indexes. @default {"ix_{table}_{columns}"} */
  readonly index?: string;
  /** Unique constraints. */
  readonly unique?: string;
  /** Foreign keys. */
  readonly foreignKey?: string;
  /** Primary keys. */
  readonly primaryKey?: string;
  /** Exclusion constraints. */
  readonly exclude?: string;
  /** Checks; `{name}` is the name they were given. */
  readonly check?: string;
}

/** Settings of a {@linkcode MetaData}. */
export interface MetaDataOptions {
  /** The schema of tables that name none. */
  readonly schema?: string;
  /** How unnamed constraints are named. */
  readonly naming?: NamingConvention;
}

/**
 * Tables that belong together: Fowler's Metadata Mapping starts here. It is what
 * a {@linkcode MetaData} is without DDL, which a Worker whose tables are made by
 * migrations need not carry.
 */
export class TableSet {
  /** Its tables by full name. */
  readonly tables: Map<string, Table> = new Map();
  /** The settings it was made with. */
  readonly options: MetaDataOptions;

  /** Makes an empty set. */
  constructor(options: MetaDataOptions = {}) {
    this.options = options;
  }
}

/** Tables that belong together, to be described and made. */
export class MetaData extends TableSet {
  /**
   * Creates tables, their types and indexes that are not there, referenced
   * tables first, in one batch; `dropAll()` drops them.
   */
  createAll(target: SchemaTarget, options?: SchemaOptions): Promise<void> {
    return createAll(this, target, options);
  }
}

/** Settings of a table. */
export interface TableOptions {
  /** Its schema. @default the MetaData's */
  readonly schema?: string;
  /** A comment kept by the database, where it keeps any. */
  readonly comment?: string;
  /** Whether it is kept by its primary key alone, on SQLite. @default {false} */
  readonly withoutRowid?: boolean;
  /** Whether SQLite refuses values of other types than the columns'. @default {false} */
  readonly strict?: boolean;
  /** The name it had before, for migrations. */
  readonly renamedFrom?: string;
}

/** A foreign key with its columns found. */
export interface ForeignKey extends ForeignKeyOptions {
  /** @ignore */
  readonly kind: "foreignKey";
  /** The table that has it. */
  readonly table: Table;
  /** The referring columns. */
  readonly columns: readonly Column<unknown>[];
  /** The full name of the referenced table. */
  readonly targetTable: string;
  /** The names of the referenced columns. */
  readonly targetColumns: readonly string[];
}

/**
 * A table: its name, its columns, and what holds between them.
 *
 * @typeParam S Its columns as they were described.
 * @typeParam Name Its name.
 */
// deno-lint-ignore no-explicit-any -- a table of any columns takes, and is, every table
export class Table<S = any, Name extends string = string>
  extends FromClause<ColumnsOf<S, Name>, RowOf<S>, Name> {
  /** Never present: carries the columns' types. */
  declare readonly "~shape": S;
  /** Its name. */
  readonly name: string;
  /** Its schema. */
  readonly schema: string | undefined;
  /** The set it belongs to. */
  readonly metadata: TableSet;
  /** Its columns by key. */
  override readonly c: ColumnsOf<S, Name>;
  /** Constraints and indexes, those written on columns too. */
  readonly constraints: readonly Constraint[];
  /** The settings it was made with. */
  readonly options: TableOptions;
  #foreignKeys: readonly ForeignKey[] | undefined;
  #primaryKey: readonly Column<unknown>[] | undefined;

  /** Makes a table and enters it into its set; `table()` reads better. */
  constructor(
    name: string,
    metadata: TableSet,
    columns: S,
    constraints: readonly Constraint[] = [],
    options: TableOptions = {},
  ) {
    super();
    this.name = name;
    this.schema = options.schema ?? metadata.options.schema;
    this.metadata = metadata;
    this.options = options;
    const entries = Object.entries(columns as ColumnBuilders);
    this.c = columnsFor(entries, this);
    this.constraints = [
      ...entries.flatMap(([key, { spec }]) => columnConstraints(key, spec)),
      ...constraints,
    ];
    if (metadata.tables.has(this.fullName)) {
      throw new CompileError(
        `Cannot add table "${this.fullName}": its name is taken; use another`,
      );
    }
    metadata.tables.set(this.fullName, this);
  }

  /** @ignore */
  override get kind(): string {
    return "table";
  }

  /** @ignore */
  override get isNamed(): boolean {
    return true;
  }

  /** Itself. */
  override get table(): Table {
    return this;
  }

  /** `schema.name`, or the name alone. */
  get fullName(): string {
    return this.schema ? `${this.schema}.${this.name}` : this.name;
  }

  /** The word that labels of its columns start with. */
  override get labelPrefix(): string {
    return this.name;
  }

  /** The columns of its primary key, in order. */
  get primaryKey(): readonly Column<unknown>[] {
    return this.#primaryKey ??= this.constraints.find(isKey)?.columns
      .map((name) => this.column(name)) ??
      this.columns.filter(({ spec }) => spec.primaryKey);
  }

  /** Its foreign keys, with their columns found. */
  get foreignKeys(): readonly ForeignKey[] {
    return this.#foreignKeys ??= foreignKeysOf(this, this.constraints);
  }

  /** The primary key column that the database numbers by itself, if there is one. */
  get autoincrementColumn(): Column<unknown> | undefined {
    const [column, another] = this.primaryKey;
    if (!column || another) return undefined;
    const { spec } = column;
    const isFree = /^(integer|bigint)$/.test(spec.type.name) &&
      !spec.references && spec.default === undefined &&
      spec.serverDefault === undefined;
    return spec.identity || (spec.autoincrement ?? isFree) ? column : undefined;
  }

  /**
   * The column of a key or name.
   *
   * @throws {CompileError} If it has none such.
   */
  column(name: string): Column<unknown> {
    return columnOf(this, name);
  }

  /** Writes the name by which its columns are qualified. */
  override reference(compiler: Compiler): void {
    compiler.write(tableName(this, compiler.dialect));
  }

  /** @ignore */
  override compile(compiler: Compiler): void {
    this.reference(compiler);
  }
}

function isKey(one: Constraint): one is PrimaryKeyConstraint {
  return one.kind === "primaryKey";
}

function foreignKeysOf(
  table: Table,
  constraints: readonly Constraint[],
): ForeignKey[] {
  return constraints.filter((one) => one.kind === "foreignKey").map((
    { columns, targets, ...options },
  ) => {
    const split = targets.map((target) => /(.*)\.(.*)/.exec(target) ?? []);
    const owner = split[0]?.[1] ?? "";
    return {
      ...options,
      table,
      columns: columns.map((name) => table.column(name)),
      // An unqualified target lies in the referring table's schema.
      targetTable: table.schema && !owner.includes(".")
        ? `${table.schema}.${owner}`
        : owner,
      targetColumns: split.map(([, , name = ""]) => name),
    };
  });
}

/** Adds a column to a table that was described before: of a class that shares it. */
export function addColumn(
  table: Table,
  key: string,
  { spec }: ColumnBuilder<unknown, Optionality>,
): Column<unknown> {
  // What was found out before stays found.
  const { foreignKeys, "~source": { columns } } = table;
  const column = columnsFor<AnyColumns>([[key, { spec }]], table)[
    key
  ] as Column<unknown>;
  Object.assign(table.c, { [key]: column });
  (columns as Column<unknown>[]).push(column);
  const constraints = columnConstraints(key, spec);
  (table.constraints as Constraint[]).push(...constraints);
  (foreignKeys as ForeignKey[]).push(...foreignKeysOf(table, constraints));
  return column;
}

function columnConstraints(key: string, spec: ColumnSpec): Constraint[] {
  const { references, unique, index } = spec;
  const { target, ...options } = references ?? {};
  const columns = [key];
  return [
    ...target
      ? [{
        kind: "foreignKey" as const,
        columns,
        targets: [target],
        ...options,
      }]
      : [],
    ...unique ? [{ kind: "unique" as const, columns }] : [],
    ...index ? [{ kind: "index" as const, columns }] : [],
  ];
}

/**
 * Describes a table and enters it into a {@linkcode MetaData}.
 *
 * @example
 * ```ts
 * import { integer, MetaData, table, text } from "@aludel/aludel/sql";
 * import { strictEqual } from "node:assert/strict";
 *
 * const users = table("users", new MetaData(), {
 *   id: integer().primaryKey(),
 *   name: text(50),
 * });
 * strictEqual(users.c.name.name, "name");
 * ```
 */
export function table<S extends ColumnBuilders, const Name extends string>(
  name: Name,
  metadata: TableSet,
  columns: S,
  constraints: readonly Constraint[] = [],
  options: TableOptions = {},
): Table<S, Name> {
  return new Table(name, metadata, columns, constraints, options);
}

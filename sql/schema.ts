import type {
  ColumnBuilder,
  ColumnSpec,
  ColumnValue,
  ForeignKeyOptions,
  Optionality,
} from "./column.ts";
import type { Compiler } from "./compiler.ts";
import { CompileError } from "./errors.ts";
import type { Expression } from "./expression.ts";
import { Column, FromClause } from "./from.ts";
import { createAll, type SchemaOptions, type SchemaTarget } from "./ddl.ts";
import { type RowSource, rowSource } from "./statement.ts";
import { sortTables } from "./_table_order.ts";

/** Columns by key, as they are described. */
export type ColumnBuilders = Readonly<
  Record<string, ColumnBuilder<unknown, Optionality>>
>;

/** The columns of a table by key. */
export type ColumnsOf<S> = {
  readonly [
    K in keyof S as S[K] extends ColumnBuilder<unknown, Optionality> ? K : never
  ]: Column<ColumnValue<S[K]>>;
};

/** A row of a table as a plain object. */
export type RowOf<S> = {
  -readonly [
    K in keyof S as S[K] extends ColumnBuilder<unknown, Optionality> ? K : never
  ]: ColumnValue<S[K]>;
};

type OptionalKeys<S> = {
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

/** A set of tables that belong together: Fowler's Metadata Mapping starts here. */
export class MetaData {
  /** Its tables by full name. */
  readonly tables: Map<string, Table> = new Map();
  /** The settings it was made with. */
  readonly options: MetaDataOptions;

  /** Makes an empty set. */
  constructor(options: MetaDataOptions = {}) {
    this.options = options;
  }

  /** Its tables, referenced ones first. */
  get sortedTables(): Table[] {
    return sortTables([...this.tables.values()]).tables;
  }

  /** Creates every table and index that is not there, in one batch; `dropAll()` drops them. */
  createAll(target: SchemaTarget, options?: SchemaOptions): Promise<void> {
    return createAll(this, target, options);
  }
}

/** A foreign key: columns of a table that name a row of another. */
export interface ForeignKeyConstraint extends ForeignKeyOptions {
  /** @ignore */
  readonly kind: "foreignKey";
  /** The columns' keys or names. */
  readonly columns: readonly string[];
  /** What they name, each as `table.column`. */
  readonly targets: readonly string[];
}

/** Columns whose values together are unique. */
export interface UniqueConstraint {
  /** @ignore */
  readonly kind: "unique";
  /** The constraint's name. */
  readonly name?: string;
  /** The columns' keys or names. */
  readonly columns: readonly string[];
}

/** Columns that together name a row. */
export interface PrimaryKeyConstraint {
  /** @ignore */
  readonly kind: "primaryKey";
  /** The constraint's name. */
  readonly name?: string;
  /** The columns' keys or names. */
  readonly columns: readonly string[];
}

/** A condition that every row meets. */
export interface CheckConstraint {
  /** @ignore */
  readonly kind: "check";
  /** The constraint's name. */
  readonly name?: string;
  /** The condition. */
  readonly sql: Expression<unknown>;
}

/** An index. */
export interface IndexConstraint {
  /** @ignore */
  readonly kind: "index";
  /** Its name. @default from the naming convention */
  readonly name?: string;
  /** Columns' keys or names, or expressions. */
  readonly columns: readonly (string | Expression<unknown>)[];
  /** Whether equal entries are refused. */
  readonly unique?: boolean;
  /** Which rows are in it. */
  readonly where?: Expression<unknown>;
}

/** Anything that stands in a table beside its columns. */
export type Constraint =
  | ForeignKeyConstraint
  | UniqueConstraint
  | PrimaryKeyConstraint
  | CheckConstraint
  | IndexConstraint;

/** Columns that name a row of another table. */
export function foreignKey(
  columns: readonly string[],
  targets: readonly string[],
  options: ForeignKeyOptions = {},
): ForeignKeyConstraint {
  return { kind: "foreignKey", columns, targets, ...options };
}

/** Columns whose values together are unique. */
export function unique(
  columns: readonly string[],
  name?: string,
): UniqueConstraint {
  return { kind: "unique", columns, ...(name && { name }) };
}

/** Columns that together are the primary key. */
export function primaryKey(
  columns: readonly string[],
  name?: string,
): PrimaryKeyConstraint {
  return { kind: "primaryKey", columns, ...(name && { name }) };
}

/** A condition that every row meets. */
export function check(
  sql: Expression<unknown>,
  name?: string,
): CheckConstraint {
  return { kind: "check", sql, ...(name && { name }) };
}

/** An index over columns or expressions. */
export function index(
  name: string | undefined,
  columns: readonly (string | Expression<unknown>)[],
  options: { readonly unique?: boolean; readonly where?: Expression<unknown> } =
    {},
): IndexConstraint {
  return { kind: "index", columns, ...(name && { name }), ...options };
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

declare const tableShape: unique symbol;

/** A foreign key with its columns found. */
export interface ForeignKey extends ForeignKeyOptions {
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
 */
export class Table<S = unknown> extends FromClause {
  /** Never present: carries the columns' types. */
  declare readonly [tableShape]: S;
  /** Its name. */
  readonly name: string;
  /** Its schema. */
  readonly schema: string | undefined;
  /** The set it belongs to. */
  readonly metadata: MetaData;
  /** Its columns by key. */
  override readonly c: ColumnsOf<S> & Readonly<Record<string, Column<unknown>>>;
  /** Constraints and indexes, those written on columns too. */
  readonly constraints: readonly Constraint[];
  /** The settings it was made with. */
  readonly options: TableOptions;
  #foreignKeys: readonly ForeignKey[] | undefined;

  /** Makes a table and enters it into its set; `table()` reads better. */
  constructor(
    name: string,
    metadata: MetaData,
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
    this.c = Object.fromEntries(
      entries.map(([key, { spec }]) => [key, new Column(key, spec, this)]),
    ) as this["c"];
    this.constraints = [
      ...entries.flatMap(([key, { spec }]) => columnConstraints(key, spec)),
      ...constraints,
    ];
    if (metadata.tables.has(this.fullName)) {
      throw new CompileError(
        `Cannot add table "${this.fullName}": the MetaData has one of that name; use another name or another MetaData`,
      );
    }
    metadata.tables.set(this.fullName, this);
  }

  override get kind(): string {
    return "table";
  }

  override get isNamed(): boolean {
    return true;
  }

  /** `schema.name`, or the name alone. */
  get fullName(): string {
    return this.schema ? `${this.schema}.${this.name}` : this.name;
  }

  override get labelPrefix(): string {
    return this.name;
  }

  /** What `select()` needs to know of it. */
  get [rowSource](): RowSource {
    return { from: this, columns: this.columns };
  }

  /** Its columns in order. */
  get columns(): readonly Column<unknown>[] {
    return Object.values(this.c);
  }

  /** The columns of its primary key, in order. */
  get primaryKey(): readonly Column<unknown>[] {
    for (const constraint of this.constraints) {
      if (constraint.kind === "primaryKey") {
        return constraint.columns.map((name) => this.column(name));
      }
    }
    return this.columns.filter(({ spec }) => spec.primaryKey);
  }

  /** Its foreign keys, with their columns found. */
  get foreignKeys(): readonly ForeignKey[] {
    return this.#foreignKeys ??= this.constraints.filter((c) =>
      c.kind === "foreignKey"
    ).map((
      { columns, targets, ...options },
    ) => {
      const split = targets.map((target) => {
        const dot = target.lastIndexOf(".");
        return [target.slice(0, dot), target.slice(dot + 1)] as const;
      });
      const owner = split[0]?.[0] ?? "";
      return {
        ...options,
        columns: columns.map((name) => this.column(name)),
        // An unqualified target lies in the referring table's schema.
        targetTable: this.schema && !owner.includes(".")
          ? `${this.schema}.${owner}`
          : owner,
        targetColumns: split.map(([, name]) => name),
      };
    });
  }

  /** The primary key column that the database numbers by itself, if there is one. */
  get autoincrementColumn(): Column<unknown> | undefined {
    const key = this.primaryKey;
    const [column] = key;
    if (key.length !== 1 || !column) return undefined;
    const { spec } = column;
    if (spec.identity) return column;
    const isInteger = spec.type.name === "integer" ||
      spec.type.name === "bigint";
    return (spec.autoincrement ??
        (isInteger && !spec.references && spec.default === undefined &&
          spec.serverDefault === undefined))
      ? column
      : undefined;
  }

  /**
   * The column of a key or name.
   *
   * @throws {CompileError} If it has none such.
   */
  column(name: string): Column<unknown> {
    const own: Readonly<Record<string, Column<unknown>>> = this.c;
    const found = Object.hasOwn(own, name)
      ? own[name]
      : this.columns.find((column) => column.name === name);
    if (found) return found;
    throw new CompileError(
      `Cannot find column "${name}" in table "${this.fullName}": it has ${
        Object.keys(own).map((key) => `"${key}"`).join(", ")
      }`,
    );
  }

  override reference(compiler: Compiler): void {
    compiler.tableName(this);
  }

  override compile(compiler: Compiler): void {
    compiler.tableName(this);
  }
}

function columnConstraints(key: string, spec: ColumnSpec): Constraint[] {
  const found: Constraint[] = [];
  if (spec.references) {
    const { target, ...options } = spec.references;
    found.push(foreignKey([key], [target], options));
  }
  if (spec.unique) found.push(unique([key]));
  if (spec.index) found.push(index(undefined, [key]));
  return found;
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
export function table<S extends ColumnBuilders>(
  name: string,
  metadata: MetaData,
  columns: S,
  constraints: readonly Constraint[] = [],
  options: TableOptions = {},
): Table<S> {
  return new Table(name, metadata, columns, constraints, options);
}

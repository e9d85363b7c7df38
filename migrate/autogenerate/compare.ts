import {
  type Dialect,
  type Engine,
  inlineSql,
  MetaData,
  reflect,
  sortTables,
  type Table,
} from "../../sql/mod.ts";
import { MigrateError } from "../errors.ts";
import type { Operation, TableChange } from "../operations/operation.ts";
import { SchemaSnapshot } from "../schema/snapshot.ts";
import { arrange } from "./arrange.ts";
import {
  chooseComparators,
  type Comparator,
  type CompareContext,
  STOP,
  type TablePair,
} from "./comparator.ts";
import { comments } from "./compare/comments.ts";
import * as columns from "./compare/columns.ts";
import * as constraints from "./compare/constraints.ts";
import { defaults } from "./compare/defaults.ts";
import { indexes } from "./compare/indexes.ts";
import { createTables, dropTables } from "./compare/tables.ts";
import { types } from "./compare/types.ts";
import {
  describedTable,
  referenceTo,
  sideOf,
  type Writing,
} from "./described.ts";
import { comparisonDialect } from "./dialects.ts";
import { Filter } from "./filter.ts";
import type { CompareOptions, MetaDataSource } from "./options.ts";
import {
  isLikeColumn,
  isLikeTable,
  Renames,
  RenameUndecidedError,
} from "./renames.ts";
import { normalSql } from "./sql_text.ts";

/** What a comparison has found. */
export interface Comparison {
  /** What leads from what is there to what is wanted, in an order that can run. */
  readonly operations: readonly Operation[];
  /** What differs and is left to the author. */
  readonly remarks: readonly string[];
}

/** The comparators that there are without plugins. */
const BUILT_IN: readonly Comparator[] = [
  columns.columns,
  columns.nullability,
  columns.computed,
  columns.identity,
  columns.primaryKey,
  types,
  defaults,
  comments,
  constraints.uniques,
  indexes,
  constraints.foreignKeys,
  constraints.checks,
];

/**
 * Compares metadata with a database. Nothing is changed.
 *
 * @example What a new column comes to
 * ```ts
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { compareMetadata, describeOperations } from "@aludel/aludel/migrate";
 * import { createEngine, integer, MetaData, sql, table, text } from "@aludel/aludel/sql";
 * import { deepEqual } from "node:assert/strict";
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * await engine.execute(sql`CREATE TABLE users (id INTEGER PRIMARY KEY)`);
 *
 * const metadata = new MetaData();
 * table("users", metadata, { id: integer().primaryKey(), name: text().nullable() });
 * const { operations } = await compareMetadata(engine, metadata);
 *
 * deepEqual(describeOperations(operations), ["Detected added column 'users.name'"]);
 * ```
 *
 * @throws {RenameUndecidedError} If something may have been renamed, and nobody says so.
 */
export async function compareMetadata(
  engine: Engine,
  metadata: MetaDataSource,
  options: CompareOptions = {},
): Promise<Comparison> {
  const wanted = tablesOf(metadata);
  const { includeSchemas = [] } = options;
  const filter = new Filter(options);
  const actual: Table[] = [];
  const own = ownSchema(engine.dialect, options);
  for (const schema of [undefined, ...includeSchemas]) {
    if (schema === own) continue;
    if (schema !== undefined && !filter.name(schema, "schema", {})) continue;
    const found = await reflect(engine, new MetaData(), {
      include: (name) => filter.table(name, schema),
      ...(schema === undefined ? {} : { schema }),
    });
    actual.push(...found.tables.values());
  }
  return await compareTables(wanted, actual, engine.dialect, options);
}

/**
 * Compares two schemas that are known already: metadata with what revisions
 * say, for instance, which needs no database.
 *
 * @throws {RenameUndecidedError} If something may have been renamed, and nobody says so.
 */
export async function compareTables(
  wanted: readonly Table[],
  actual: readonly Table[],
  dialect: Dialect,
  options: CompareOptions = {},
): Promise<Comparison> {
  return await new Run(dialect, options).compare(wanted, actual);
}

/**
 * Tells whether two descriptions of a table say the same.
 */
export function isSameTable(
  wanted: Table,
  actual: Table,
  dialect: Dialect,
): boolean {
  const options = { compareServerDefault: true };
  return new Run(dialect, options).changes(wanted, actual).length === 0;
}

/**
 * The tables of several metadata.
 *
 * @throws {MigrateError} If two have a table of one name.
 */
export function tablesOf(source: MetaDataSource): Table[] {
  const all = source instanceof MetaData ? [source] : source;
  const found = new Map<string, Table>();
  for (const { tables } of all) {
    for (const [name, table] of tables) {
      if (found.has(name)) {
        throw new MigrateError(
          "table-twice",
          `Cannot compare table '${name}': two of the metadata describe it; leave it to one`,
        );
      }
      found.set(name, table);
    }
  }
  return [...found.values()];
}

function ownSchema(dialect: Dialect, options: CompareOptions): string {
  return comparisonDialect(dialect, options.comparisonDialect).defaultSchema;
}

/** One comparison. */
class Run {
  readonly #context: CompareContext;
  readonly #comparators: readonly Comparator[];
  readonly #renames: Renames;
  readonly #remarks = new Set<string>();
  readonly #writing: Writing;

  constructor(dialect: Dialect, options: CompareOptions) {
    const comparison = comparisonDialect(dialect, options.comparisonDialect);
    const { rewritesSql } = comparison;
    this.#writing = { naming: options.naming };
    this.#renames = new Renames(options);
    this.#comparators = chooseComparators(
      [...BUILT_IN, ...options.plugins ?? []],
      options.comparators ?? ["*"],
      dialect,
    );
    this.#context = {
      dialect,
      comparison,
      options,
      filter: new Filter(options),
      sql: (expression) =>
        normalSql(inlineSql(expression, dialect), rewritesSql),
      remark: (text) => this.#remarks.add(text),
    };
  }

  async compare(
    wanted: readonly Table[],
    actual: readonly Table[],
  ): Promise<Comparison> {
    const { dialect } = this.#context;
    const now = this.#byKey(this.#inScope(wanted));
    const there = actual.filter(this.#counts);
    const schema = new SchemaSnapshot(dialect, there);
    const renamed = [
      ...await this.#renameTables(now, schema),
      ...await this.#renameColumns(now, schema),
    ];
    if (this.#renames.undecided.length > 0) {
      throw new RenameUndecidedError(this.#renames.undecided);
    }
    const before = this.#byKey(schema.tables);
    const { created, dropped, kept } = this.#sort(now, before);
    const removal = dropTables(
      dropped,
      kept.map(({ actual }) => actual),
    );
    const operations = [
      ...renamed,
      ...createTables(created, this.#writing),
      ...removal.early,
      ...kept.flatMap(({ wanted, actual }) => this.#alter(wanted, actual)),
      ...removal.late,
    ];
    return {
      operations: this.#withOriginals(operations, there),
      remarks: [...this.#remarks],
    };
  }

  /** The changes that lead from one description of a table to another. */
  changes(wanted: Table, actual: Table): TableChange[] {
    const pair: TablePair = {
      reference: referenceTo(actual),
      wanted: sideOf(wanted),
      actual: this.#context.filter.prune(sideOf(actual)),
    };
    const found: TableChange[] = [];
    for (const comparator of this.#comparators) {
      const more = comparator.compare(pair, this.#context);
      if (more === STOP) break;
      found.push(...more);
    }
    return arrange(found, pair, this.#writing);
  }

  #alter(wanted: Table, actual: Table): Operation[] {
    const changes = this.changes(wanted, actual);
    return changes.length === 0 ? [] : [{
      kind: "alterTable",
      ...referenceTo(actual),
      changes,
      recreate: "auto",
    }];
  }

  /** With what each table is before, so that operations can be planned and undone. */
  #withOriginals(
    operations: readonly Operation[],
    there: readonly Table[],
  ): Operation[] {
    const { dialect, comparison } = this.#context;
    const schema = new SchemaSnapshot(dialect, there);
    const describe = (table: Table) =>
      describedTable(sideOf(table), {
        ...this.#writing,
        // Names that the database found itself it finds again.
        isDefaultNameLeftOut: comparison.namesConstraints,
      });
    return operations.map((operation) => {
      const table = "table" in operation && typeof operation.table === "string"
        ? schema.table({ ...operation, table: operation.table })
        : undefined;
      const referring = operation.kind === "alterTable" &&
          comparison.rebuildsTables
        ? schema.referring(operation)
        : [];
      schema.apply(operation);
      return table &&
          (operation.kind === "alterTable" || operation.kind === "dropTable")
        ? {
          ...operation,
          original: describe(table),
          ...(referring.length > 0
            ? { referring: referring.map(describe) }
            : {}),
        }
        : operation;
    });
  }

  /** What is new, what is gone, and what is on both sides. */
  #sort(now: ReadonlyMap<string, Table>, before: ReadonlyMap<string, Table>) {
    const { filter } = this.#context;
    const wanted = sortTables([...now.values()]);
    const created = wanted.filter((table) =>
      !before.has(this.#key(table)) &&
      filter.object(table, table.name, "table", false)
    );
    const dropped = [...before].filter(([key, table]) =>
      !now.has(key) && filter.object(table, table.name, "table", true)
    ).map(([, table]) => table);
    const kept = wanted.flatMap((table) => {
      const there = before.get(this.#key(table));
      return there && filter.object(table, table.name, "table", false, there)
        ? [{ wanted: table, actual: there }]
        : [];
    });
    return { created, dropped, kept };
  }

  async #renameTables(
    now: ReadonlyMap<string, Table>,
    schema: SchemaSnapshot,
  ): Promise<Operation[]> {
    const { created, dropped } = this.#sort(now, this.#byKey(schema.tables));
    const { dialect } = this.#context;
    const operations: Operation[] = [];
    for (const home of new Set(created.map((table) => table.schema))) {
      const inHome = (tables: readonly Table[]) =>
        tables.filter((table) => table.schema === home).map((table) => ({
          name: table.name,
          renamedFrom: table.options.renamedFrom,
          thing: table,
        }));
      const place = home === undefined ? {} : { schema: home };
      const found = await this.#renames.match(
        inHome(created),
        inHome(dropped),
        (a, b) => isLikeTable(a, b, dialect),
        (table) => ({ table, ...place }),
      );
      for (const [table, to] of found) {
        operations.push({ kind: "renameTable", table, to, ...place });
      }
    }
    for (const operation of operations) schema.apply(operation);
    return operations;
  }

  async #renameColumns(
    now: ReadonlyMap<string, Table>,
    schema: SchemaSnapshot,
  ): Promise<Operation[]> {
    const { kept } = this.#sort(now, this.#byKey(schema.tables));
    const { dialect, filter } = this.#context;
    const operations: Operation[] = [];
    for (const { wanted, actual } of kept) {
      const there = filter.prune(sideOf(actual));
      const only = (
        table: Table,
        names: Iterable<string>,
        other: { has(name: string): boolean },
        isReflected: boolean,
      ) =>
        [...names].filter((name) => !other.has(name)).map((name) => {
          const thing = table.column(name);
          return { name, renamedFrom: thing.spec.renamedFrom, thing };
        }).filter(({ name, thing }) =>
          filter.object(thing, name, "column", isReflected)
        );
      const { columns } = sideOf(wanted).draft;
      const known = there.draft.columns;
      const found = await this.#renames.match(
        only(wanted, columns.keys(), known, false),
        only(actual, known.keys(), columns, true),
        (a, b) => isLikeColumn(a, b, dialect),
        (column) => ({ ...referenceTo(actual), column }),
      );
      if (found.size === 0) continue;
      operations.push({
        kind: "alterTable",
        ...referenceTo(actual),
        changes: [...found].map(([name, to]) => ({
          kind: "renameColumn",
          name,
          to,
        })),
        recreate: "auto",
      });
    }
    for (const operation of operations) schema.apply(operation);
    return operations;
  }

  /** The tables that lie where tables are compared. */
  #inScope(tables: readonly Table[]): Table[] {
    const { options, comparison, remark } = this.#context;
    const schemas = new Set([
      undefined,
      comparison.defaultSchema,
      ...options.includeSchemas ?? [],
    ]);
    return tables.filter(this.#counts).filter((table) => {
      if (schemas.has(table.schema)) return true;
      remark(
        `Table '${table.fullName}' is left alone; name its schema in includeSchemas`,
      );
      return false;
    });
  }

  readonly #counts = ({ name }: Table): boolean =>
    !this.#context.options.ignoredTables?.includes(name);

  #byKey(tables: readonly Table[]): Map<string, Table> {
    return new Map(tables.map((table) => [this.#key(table), table]));
  }

  /** A table's name as the database tells tables apart. */
  #key({ name, schema }: Table): string {
    const { keptName, defaultSchema } = this.#context.comparison;
    return JSON.stringify([schema ?? defaultSchema, keptName(name)]);
  }
}

import type { Dialect, Engine } from "../../sql/mod.ts";
import { ORPHANS_LABEL } from "../dialects/_guard_labels.ts";
import type { MigrationDialect } from "../dialects/implementation.ts";
import type { PlannedStatement } from "../planner/statement.ts";
import { type HistoryEntry, type HistoryRow, historyRow } from "./history.ts";
import { HistoryTable } from "./history_table.ts";
import type { VersionTableOptions } from "./options.ts";
import { VersionTable } from "./version_table.ts";

/** What both tables hold. */
export interface StoredState {
  /** The rows of the table of heads, sorted. */
  readonly heads: readonly string[];
  /** Whether the table of heads is there. */
  readonly hasVersionTable: boolean;
  /** Whether every table that is wanted is there. */
  readonly isComplete: boolean;
  /** The rows of the history, oldest first. */
  readonly history: readonly HistoryRow[];
}

type Rows = readonly (readonly unknown[])[];

/** The table of heads, and the table of history where there is one. */
export class VersionStore {
  /** Which revisions the database holds. */
  readonly versions: VersionTable;
  /** What was done, by whom and when; absent where nobody wants to know. */
  readonly history: HistoryTable | undefined;
  readonly #dialect: Dialect;
  readonly #migrations: MigrationDialect;

  /** Keeps to one database's dialect. */
  constructor(
    dialect: Dialect,
    migrations: MigrationDialect,
    options: VersionTableOptions = {},
  ) {
    const { historyTable = "aludel_history", versionTableSchema } = options;
    this.versions = new VersionTable(dialect, migrations, options);
    this.history = historyTable === false
      ? undefined
      : new HistoryTable(historyTable, versionTableSchema, dialect, migrations);
    this.#dialect = dialect;
    this.#migrations = migrations;
  }

  /** The names of both tables, which no comparison of schemas should see. */
  get tableNames(): string[] {
    return this.#tables.map(({ name }) => name);
  }

  get #tables(): readonly (VersionTable | HistoryTable)[] {
    return this.history ? [this.versions, this.history] : [this.versions];
  }

  /** Makes the tables where they are not there. */
  create(): PlannedStatement[] {
    return this.#tables.map((each) => each.create());
  }

  /** Reads both tables: one trip where they are there, which is the rule. */
  async read(engine: Engine): Promise<StoredState> {
    const tables = this.#tables;
    try {
      const results = await engine.sendBatch(
        tables.map(({ select }) => ({ sql: select, params: [] })),
      );
      return stateOf(results[0]?.rows, results[1]?.rows ?? []);
    } catch {
      // One more trip tells which of them is missing; the rule on a new database.
      const found = await engine.sendBatch(
        tables.map((table) => table.exists()),
      );
      const read: (Rows | undefined)[] = [];
      for (const [at, table] of tables.entries()) {
        const isThere = found[at]?.rows.length !== 0;
        read.push(isThere ? await table.rows(engine) : undefined);
      }
      const [heads, history] = read;
      return stateOf(heads, this.history ? history : []);
    }
  }

  /** Writes a complete history row of its own: a stamp, a repair. */
  record(entry: HistoryEntry): PlannedStatement[] {
    return this.history?.record(entry) ?? [];
  }

  /** Aborts the batch if more rows name missing rows than did before it. */
  expectNoNewOrphans(): PlannedStatement[] {
    const { orphans, orphanTables } = this.#migrations;
    if (orphans === undefined || orphanTables === undefined) return [];
    return [
      this.#migrations.guard({
        label: ORPHANS_LABEL,
        condition: `${orphans} <= ${this.history?.orphansBefore ?? "0"}`,
        detail: orphanTables,
      }, this.#dialect),
    ];
  }
}

function stateOf(
  heads: readonly (readonly unknown[])[] | undefined,
  history: readonly (readonly unknown[])[] | undefined,
): StoredState {
  return {
    heads: (heads ?? []).map(([version]) => version as string),
    hasVersionTable: heads !== undefined,
    isComplete: heads !== undefined && history !== undefined,
    history: (history ?? []).map(historyRow),
  };
}

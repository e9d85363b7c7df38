import {
  type ColumnBuilders,
  createTable,
  type Dialect,
  type Engine,
  integer,
  MetaData,
  primaryKey,
  quoteName,
  Raw,
  sql,
  type SqlValue,
  type Table,
  table,
  text,
} from "../sql/mod.ts";
import {
  HEADS_LABEL,
  ORPHANS_LABEL,
  RUNNING_LABEL,
} from "./dialects/_guard_labels.ts";
import type { MigrationDialect } from "./dialects/implementation.ts";
import type { HeadChange } from "./graph/heads.ts";
import {
  plainStatement,
  type PlannedStatement,
  planStatement,
} from "./planner/statement.ts";

/** Where a database keeps which revisions it holds. */
export interface VersionTableOptions {
  /**
   * The table of heads. `"alembic_version"` takes over, or hands back, a
   * database that Alembic manages.
   *
   * @default {"aludel_version"}
   */
  readonly versionTable?: string;
  /** The schema of both tables. @default the database's own */
  readonly versionTableSchema?: string;
  /** Whether the table of heads has a primary key. @default {true} */
  readonly versionTablePrimaryKey?: boolean;
  /** Columns of one's own in the table of heads; they need defaults. */
  readonly versionTableColumns?: ColumnBuilders;
  /**
   * The table of what was done, by whom and when; `false` for none.
   *
   * @default {"aludel_history"}
   */
  readonly historyTable?: string | false;
}

/** What happened to a revision. */
export type HistoryDirection = "upgrade" | "downgrade" | "stamp" | "repair";

/** One row of the history table. */
export interface HistoryRow {
  /** Its number; rows are never changed once done. */
  readonly seq: number;
  /** The revision. */
  readonly version: string;
  /** What happened to it. */
  readonly direction: HistoryDirection;
  /** `"running"` while a step of several parts is under way. */
  readonly state: "applied" | "running";
  /** The digest of its operations; `null` for a stamp. */
  readonly checksum: string | null;
  /** When it began, as ISO text. */
  readonly appliedAt: string;
  /** Who ran it. */
  readonly appliedBy: string;
  /** How long the database took, in milliseconds; `null` while running. */
  readonly ms: number | null;
  /** How many statements it was. */
  readonly statements: number;
  /** How far a running step has come. */
  readonly checkpoint: string | null;
  /** Until when its runner has it for itself, as ISO text. */
  readonly lockedUntil: string | null;
}

/** What is written about a step. */
export interface HistoryEntry {
  /** The revision. */
  readonly version: string;
  /** What happens to it. */
  readonly direction: HistoryDirection;
  /** The digest of its operations, if it has any. */
  readonly checksum: string | null;
  /** Who runs it. */
  readonly appliedBy: string;
  /** How many statements it is. */
  readonly statements: number;
}

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

/** Writes and reads the table of heads and the table of history. */
export class VersionStore {
  /** The name of the table of heads, for messages. */
  readonly versionTable: string;
  readonly #dialect: Dialect;
  readonly #migrations: MigrationDialect;
  readonly #options: VersionTableOptions;
  /** Quoted names, ready for SQL text. */
  readonly #version: string;
  readonly #history: string | undefined;

  /** Keeps to one database's dialect. */
  constructor(
    dialect: Dialect,
    migrations: MigrationDialect,
    options: VersionTableOptions = {},
  ) {
    const {
      versionTable = "aludel_version",
      historyTable = "aludel_history",
      versionTableSchema: schema,
    } = options;
    const quoted = (name: string) =>
      (schema === undefined ? "" : `${quoteName(schema, dialect)}.`) +
      quoteName(name, dialect);
    this.versionTable = versionTable;
    this.#dialect = dialect;
    this.#migrations = migrations;
    this.#options = options;
    this.#version = quoted(versionTable);
    this.#history = historyTable === false ? undefined : quoted(historyTable);
  }

  /** Whether what was done is kept. */
  get hasHistory(): boolean {
    return this.#history !== undefined;
  }

  /** The names of both tables, which no comparison of schemas should see. */
  get tableNames(): string[] {
    const { historyTable = "aludel_history" } = this.#options;
    return historyTable === false
      ? [this.versionTable]
      : [this.versionTable, historyTable];
  }

  /** Makes the tables where they are not there. */
  create(): PlannedStatement[] {
    const {
      versionTablePrimaryKey = true,
      versionTableColumns = {},
      versionTableSchema: schema,
    } = this.#options;
    const options = schema === undefined ? {} : { schema };
    const metadata = new MetaData();
    const [version, history] = this.tableNames;
    const tables: Table[] = [
      table(
        version!,
        metadata,
        { version_num: text(), ...versionTableColumns },
        versionTablePrimaryKey
          ? [primaryKey(["version_num"], `${version}_pkc`)]
          : [],
        options,
      ),
    ];
    if (history !== undefined) {
      tables.push(table(history, metadata, historyColumns(), [], options));
    }
    return tables.map((each) =>
      plainStatement(createTable(each, this.#dialect, { ifNotExists: true }))
    );
  }

  /** Reads both tables: one trip where they are there, which is the rule. */
  async read(engine: Engine): Promise<StoredState> {
    const texts = [this.#selectHeads(), ...this.#selectHistory()];
    try {
      const results = await engine.sendBatch(
        texts.map((sql) => ({ sql, params: [] })),
      );
      return stateOf(results[0]?.rows, results[1]?.rows ?? []);
    } catch {
      // One more trip tells which of them is missing; the rule on a new database.
      const found = await engine.sendBatch(
        this.tableNames.map((table) => this.#exists(table)),
      );
      const rowsOf = (at: number) =>
        texts[at] !== undefined && found[at]?.rows.length === 0
          ? undefined
          : this.#rows(engine, texts[at], this.tableNames[at]);
      const heads = await rowsOf(0);
      const history = await rowsOf(1);
      return stateOf(heads, history);
    }
  }

  /**
   * Reads the heads.
   *
   * @returns `undefined` if the table is not there.
   */
  async heads(engine: Engine): Promise<string[] | undefined> {
    const rows = await this.#rows(
      engine,
      this.#selectHeads(),
      this.versionTable,
    );
    return rows?.map(([version]) => version as string);
  }

  /** Reads the history, oldest first; a missing table holds none. */
  async history(engine: Engine): Promise<HistoryRow[]> {
    const [select] = this.#selectHistory();
    if (select === undefined) return [];
    const rows = await this.#rows(engine, select, this.tableNames[1]!);
    return (rows ?? []).map(historyRow);
  }

  /** Aborts the batch unless the rows are exactly these. */
  expectHeads(heads: readonly string[]): PlannedStatement {
    const actual = this.#migrations.joined("version_num", this.#version);
    return this.#migrations.guard({
      label: HEADS_LABEL,
      condition: `${actual} = ${this.#literal([...heads].sort().join(","))}`,
      detail: actual,
    }, this.#dialect);
  }

  /** Exchanges version rows. */
  change({ deletes, update, inserts }: HeadChange): PlannedStatement[] {
    const version = new Raw(this.#version);
    return [
      ...deletes.map((row) =>
        sql`DELETE FROM ${version} WHERE version_num = ${row}`
      ),
      ...inserts.map((row) =>
        sql`INSERT INTO ${version} (version_num) VALUES (${row})`
      ),
      ...(update
        ? [
          sql`UPDATE ${version} SET version_num = ${update.to} WHERE version_num = ${update.from}`,
        ]
        : []),
    ].map((statement) => planStatement(statement, this.#dialect));
  }

  /** Empties the table of heads. */
  purge(): PlannedStatement {
    return plainStatement(`DELETE FROM ${this.#version}`);
  }

  /**
   * Begins the history row of a step.
   *
   * @param options.isWhole Whether the step is one batch, done when it is done.
   * @param options.countOrphans Whether rows that name missing rows are counted first.
   */
  begin(
    entry: HistoryEntry,
    options: {
      readonly isWhole: boolean;
      readonly countOrphans: boolean;
      readonly leaseMs: number;
    },
  ): PlannedStatement[] {
    if (this.#history === undefined) return [];
    const { now, later, orphans } = this.#migrations;
    const history = new Raw(this.#history);
    const counted = options.countOrphans && orphans ? orphans : "NULL";
    return [planStatement(
      sql`INSERT INTO ${history} (seq, version, direction, state, checksum, applied_at, applied_by, ms, statements, orphans, checkpoint, locked_until) SELECT coalesce(max(seq), 0) + 1, ${entry.version}, ${entry.direction}, ${
        options.isWhole ? "applied" : "running"
      }, ${entry.checksum}, ${new Raw(
        now,
      )}, ${entry.appliedBy}, NULL, ${new Raw(
        String(entry.statements),
      )}, ${new Raw(counted)}, ${options.isWhole ? null : "1"}, ${new Raw(
        options.isWhole ? "NULL" : later(options.leaseMs),
      )} FROM ${history}`,
      this.#dialect,
    )];
  }

  /** Writes a complete history row of its own: a stamp, a repair. */
  record(entry: HistoryEntry): PlannedStatement[] {
    return [
      ...this.begin(entry, { isWhole: true, countOrphans: false, leaseMs: 0 }),
      ...this.finish(entry),
    ];
  }

  /** Completes the history row of a step. */
  finish(entry: HistoryEntry): PlannedStatement[] {
    if (this.#history === undefined) return [];
    return [planStatement(
      sql`UPDATE ${new Raw(
        this.#history,
      )} SET state = 'applied', checkpoint = NULL, locked_until = NULL, ms = ${new Raw(
        this.#migrations.since("applied_at"),
      )} WHERE seq = ${this.#lastOf(entry)}`,
      this.#dialect,
    )];
  }

  /** Notes how far a step of several parts has come. */
  advance(
    entry: HistoryEntry,
    checkpoint: string,
    leaseMs: number,
  ): PlannedStatement {
    return planStatement(
      sql`UPDATE ${new Raw(
        this.#history!,
      )} SET checkpoint = ${checkpoint}, applied_by = ${entry.appliedBy}, locked_until = ${new Raw(
        this.#migrations.later(leaseMs),
      )} WHERE seq = ${this.#lastOf(entry)}`,
      this.#dialect,
    );
  }

  /** Lets another runner take a step up at once. */
  release(entry: HistoryEntry): PlannedStatement {
    return planStatement(
      sql`UPDATE ${new Raw(this.#history!)} SET locked_until = ${new Raw(
        this.#migrations.now,
      )} WHERE state = 'running' AND seq = ${this.#lastOf(entry)}`,
      this.#dialect,
    );
  }

  /** Aborts the batch if a step of several parts is under way. */
  expectNoneRunning(): PlannedStatement {
    const running =
      `(SELECT coalesce(min(version), '') FROM ${this.#history} WHERE state = 'running')`;
    return this.#migrations.guard({
      label: RUNNING_LABEL,
      condition: `${running} = ''`,
      detail: running,
    }, this.#dialect);
  }

  /** Aborts the batch unless a step is exactly here, in its runner's hands. */
  expectCheckpoint(entry: HistoryEntry, checkpoint: string): PlannedStatement {
    return this.#migrations.guard({
      label: RUNNING_LABEL,
      condition:
        `EXISTS (SELECT 1 FROM ${this.#history} WHERE state = 'running' AND version = ${
          this.#literal(entry.version)
        } AND direction = ${this.#literal(entry.direction)} AND checkpoint = ${
          this.#literal(checkpoint)
        } AND applied_by = ${this.#literal(entry.appliedBy)})`,
      detail: this.#literal(entry.version),
    }, this.#dialect);
  }

  /** Aborts the batch if a running step's time is not over yet. */
  expectExpired(row: HistoryRow): PlannedStatement {
    return this.#migrations.guard({
      label: RUNNING_LABEL,
      condition:
        `EXISTS (SELECT 1 FROM ${this.#history} WHERE seq = ${row.seq} AND state = 'running' AND locked_until <= ${this.#migrations.now})`,
      detail: this.#literal(row.version),
    }, this.#dialect);
  }

  /** Aborts the batch if more rows name missing rows than did before it. */
  expectNoNewOrphans(): PlannedStatement[] {
    const { orphans, orphanTables } = this.#migrations;
    if (orphans === undefined || orphanTables === undefined) return [];
    const before = this.#history === undefined
      ? "0"
      : `(SELECT coalesce(orphans, 0) FROM ${this.#history} ORDER BY seq DESC LIMIT 1)`;
    return [
      this.#migrations.guard({
        label: ORPHANS_LABEL,
        condition: `${orphans} <= ${before}`,
        detail: orphanTables,
      }, this.#dialect),
    ];
  }

  #lastOf(entry: HistoryEntry): Raw {
    return new Raw(
      `(SELECT max(seq) FROM ${this.#history} WHERE version = ${
        this.#literal(entry.version)
      })`,
    );
  }

  #literal(value: SqlValue): string {
    return this.#dialect.literal(value);
  }

  #selectHeads(): string {
    return `SELECT version_num FROM ${this.#version} ORDER BY version_num`;
  }

  #selectHistory(): string[] {
    return this.#history === undefined ? [] : [
      `SELECT seq, version, direction, state, checksum, applied_at, applied_by, ms, statements, checkpoint, locked_until FROM ${this.#history} ORDER BY seq`,
    ];
  }

  #exists(table: string): PlannedStatement {
    return this.#migrations.tableExists(
      table,
      this.#options.versionTableSchema,
      this.#dialect,
    );
  }

  async #rows(
    engine: Engine,
    select: string | undefined,
    table: string | undefined,
  ): Promise<readonly (readonly unknown[])[] | undefined> {
    if (select === undefined || table === undefined) return [];
    for (let isSecond = false;; isSecond = true) {
      try {
        return (await engine.send({ sql: select, params: [] })).rows;
      } catch (error) {
        const { rows } = await engine.send(this.#exists(table));
        if (rows.length === 0) return undefined;
        // Another runner may have made it between the two questions.
        if (isSecond) throw error;
      }
    }
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

function historyColumns(): ColumnBuilders {
  return {
    seq: integer().primaryKey({ autoincrement: false }),
    version: text(),
    direction: text(),
    state: text(),
    checksum: text().nullable(),
    applied_at: text(),
    applied_by: text(),
    ms: integer().nullable(),
    statements: integer(),
    orphans: integer().nullable(),
    checkpoint: text().nullable(),
    locked_until: text().nullable(),
  };
}

function historyRow(row: readonly unknown[]): HistoryRow {
  const number = (value: unknown) => value === null ? null : Number(value);
  return {
    seq: Number(row[0]),
    version: String(row[1]),
    direction: row[2] as HistoryDirection,
    state: row[3] as HistoryRow["state"],
    checksum: row[4] as string | null,
    appliedAt: String(row[5]),
    appliedBy: String(row[6]),
    ms: number(row[7]),
    statements: Number(row[8]),
    checkpoint: row[9] as string | null,
    lockedUntil: row[10] as string | null,
  };
}

import {
  type Engine,
  MetaData,
  Raw,
  sql,
  type SqlValue,
  type Table,
  table,
} from "../../sql/mod.ts";
import { RUNNING_LABEL } from "../dialects/_guard_labels.ts";
import { type PlannedStatement, planStatement } from "../planner/statement.ts";
import {
  historyColumns,
  type HistoryEntry,
  type HistoryRow,
  historyRow,
} from "./history.ts";
import { StoredTable } from "./stored_table.ts";

/** The table of what was done, by whom and when. */
export class HistoryTable extends StoredTable {
  /** @ignore */
  override get select(): string {
    return `SELECT seq, version, direction, state, checksum, applied_at, applied_by, ms, statements, checkpoint, locked_until FROM ${this.quoted} ORDER BY seq`;
  }

  /** @ignore */
  override get description(): Table {
    return table(this.name, new MetaData(), historyColumns(), [], this.place);
  }

  /** How many rows named missing rows before the last step, as SQL. */
  get orphansBefore(): string {
    return `(SELECT coalesce(orphans, 0) FROM ${this.quoted} ORDER BY seq DESC LIMIT 1)`;
  }

  /** Reads it, oldest row first; a missing table holds none. */
  async read(engine: Engine): Promise<HistoryRow[]> {
    return (await this.rows(engine) ?? []).map(historyRow);
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
  ): PlannedStatement {
    const { now, later, orphans } = this.migrations;
    const history = new Raw(this.quoted);
    const counted = options.countOrphans && orphans ? orphans : "NULL";
    return planStatement(
      sql`INSERT INTO ${history} (seq, version, direction, state, checksum, applied_at, applied_by, ms, statements, orphans, checkpoint, locked_until) SELECT coalesce(max(seq), 0) + 1, ${entry.version}, ${entry.direction}, ${
        options.isWhole ? "applied" : "running"
      }, ${entry.checksum}, ${new Raw(
        now,
      )}, ${entry.appliedBy}, NULL, ${new Raw(
        String(entry.statements),
      )}, ${new Raw(counted)}, ${options.isWhole ? null : "1"}, ${new Raw(
        options.isWhole ? "NULL" : later(options.leaseMs),
      )} FROM ${history}`,
      this.dialect,
    );
  }

  /** Writes a complete history row of its own: a stamp, a repair. */
  record(entry: HistoryEntry): PlannedStatement[] {
    return [
      this.begin(entry, { isWhole: true, countOrphans: false, leaseMs: 0 }),
      this.finish(entry),
    ];
  }

  /** Completes the history row of a step. */
  finish(entry: HistoryEntry): PlannedStatement {
    return planStatement(
      sql`UPDATE ${new Raw(
        this.quoted,
      )} SET state = 'applied', checkpoint = NULL, locked_until = NULL, ms = ${new Raw(
        this.migrations.since("applied_at"),
      )} WHERE seq = ${this.#lastOf(entry)}`,
      this.dialect,
    );
  }

  /** Notes how far a step of several parts has come. */
  advance(
    entry: HistoryEntry,
    checkpoint: string,
    leaseMs: number,
  ): PlannedStatement {
    return planStatement(
      sql`UPDATE ${new Raw(
        this.quoted,
      )} SET checkpoint = ${checkpoint}, applied_by = ${entry.appliedBy}, locked_until = ${new Raw(
        this.migrations.later(leaseMs),
      )} WHERE seq = ${this.#lastOf(entry)}`,
      this.dialect,
    );
  }

  /** Lets another runner take a step up at once. */
  release(entry: HistoryEntry): PlannedStatement {
    return planStatement(
      sql`UPDATE ${new Raw(this.quoted)} SET locked_until = ${new Raw(
        this.migrations.now,
      )} WHERE state = 'running' AND seq = ${this.#lastOf(entry)}`,
      this.dialect,
    );
  }

  /** Aborts the batch if a step of several parts is under way. */
  expectNoneRunning(): PlannedStatement {
    const running =
      `(SELECT coalesce(min(version), '') FROM ${this.quoted} WHERE state = 'running')`;
    return this.migrations.guard({
      label: RUNNING_LABEL,
      condition: `${running} = ''`,
      detail: running,
    }, this.dialect);
  }

  /** Aborts the batch unless a step is exactly here, in its runner's hands. */
  expectCheckpoint(entry: HistoryEntry, checkpoint: string): PlannedStatement {
    return this.migrations.guard({
      label: RUNNING_LABEL,
      condition:
        `EXISTS (SELECT 1 FROM ${this.quoted} WHERE state = 'running' AND version = ${
          this.#literal(entry.version)
        } AND direction = ${this.#literal(entry.direction)} AND checkpoint = ${
          this.#literal(checkpoint)
        } AND applied_by = ${this.#literal(entry.appliedBy)})`,
      detail: this.#literal(entry.version),
    }, this.dialect);
  }

  /** Aborts the batch if a running step's time is not over yet. */
  expectExpired(row: HistoryRow): PlannedStatement {
    return this.migrations.guard({
      label: RUNNING_LABEL,
      condition:
        `EXISTS (SELECT 1 FROM ${this.quoted} WHERE seq = ${row.seq} AND state = 'running' AND locked_until <= ${this.migrations.now})`,
      detail: this.#literal(row.version),
    }, this.dialect);
  }

  #lastOf(entry: HistoryEntry): Raw {
    return new Raw(
      `(SELECT max(seq) FROM ${this.quoted} WHERE version = ${
        this.#literal(entry.version)
      })`,
    );
  }

  #literal(value: SqlValue): string {
    return this.dialect.literal(value);
  }
}

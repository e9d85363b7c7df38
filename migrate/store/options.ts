import type { ColumnBuilders } from "../../sql/mod.ts";

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

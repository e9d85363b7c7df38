import { type ColumnBuilders, integer, text } from "../../sql/mod.ts";

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

/** Its columns. */
export function historyColumns(): ColumnBuilders {
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

/** A row as it is read. */
export function historyRow(row: readonly unknown[]): HistoryRow {
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

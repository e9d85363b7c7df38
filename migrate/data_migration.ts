import type { Expression, Statement } from "../sql/mod.ts";

/** The rows of one chunk. */
export interface Chunk {
  /** The key's last value of the chunk before; `null` at the start. */
  readonly after: string | number | null;
  /** The key's last value of this chunk. */
  readonly upTo: string | number;
  /** The condition that a row of this chunk meets, for a WHERE. */
  readonly where: Expression<unknown>;
}

/** Work on rows, in chunks small enough for one batch each. */
export interface DataMigration {
  /** The table whose rows are walked. */
  readonly table: string;
  /** The column that orders them: unique, not NULL. */
  readonly key: string;
  /** Rows in a chunk. @default {1000} */
  readonly size?: number;
  /** The statements for one chunk. */
  readonly chunk: (
    chunk: Chunk,
  ) => Statement<unknown> | readonly Statement<unknown>[];
}

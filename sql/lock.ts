import type { Compiler } from "./compiler.ts";
import { Node } from "./node.ts";
import { changed, fromOf, type Select } from "./select.ts";
import type { Selectable } from "./statement.ts";

/** How rows are locked. */
export interface LockOptions {
  /** Shared instead of exclusive. @default {false} */
  readonly read?: boolean;
  /** Only against changes of keys: `FOR NO KEY UPDATE`, `FOR KEY SHARE`. @default {false} */
  readonly keyShare?: boolean;
  /** Only the rows of these. @default all of the query's */
  readonly of?: readonly Selectable[];
  /** Fail instead of waiting. @default {false} */
  readonly nowait?: boolean;
  /** Leave out locked rows. @default {false} */
  readonly skipLocked?: boolean;
}

/** `FOR UPDATE` and its kin; not a word on databases that lock no rows. */
class Lock extends Node {
  readonly options: LockOptions;
  constructor(options: LockOptions) {
    super();
    this.options = options;
  }
  override get kind(): string {
    return "lock";
  }
  override compile(compiler: Compiler): void {
    if (!compiler.dialect.features.forUpdate) return;
    const { read, keyShare, of, nowait, skipLocked } = this.options;
    const exclusive = keyShare ? "NO KEY UPDATE" : "UPDATE";
    const shared = keyShare ? "KEY SHARE" : "SHARE";
    compiler.write(` FOR ${read ? shared : exclusive}`);
    if (of) {
      compiler.write(" OF ");
      compiler.each(of, ", ", (one) => fromOf(one).reference(compiler));
    }
    if (nowait) compiler.write(" NOWAIT");
    if (skipLocked) compiler.write(" SKIP LOCKED");
  }
}

/**
 * Locks the rows that a query finds, on databases that lock rows; elsewhere the
 * query stays as it is.
 *
 * @example
 * ```ts
 * import { integer, MetaData, select, table, withForUpdate } from "@aludel/aludel/sql";
 *
 * const jobs = table("jobs", new MetaData(), { id: integer().primaryKey() });
 * withForUpdate(select(jobs).limit(1), { skipLocked: true });
 * ```
 */
export function withForUpdate<Row, Sources>(
  query: Select<Row, Sources>,
  options: LockOptions = {},
): Select<Row, Sources> {
  return changed(query, { lock: new Lock(options) });
}

import {
  and,
  type Engine,
  literal,
  quoteName,
  Raw,
  sql,
  type Statement,
} from "../../sql/mod.ts";
import type { DataMigration } from "../data_migration.ts";
import { OperationError } from "../operations/errors.ts";
import { type PlannedStatement, planStatement } from "../planner/statement.ts";

/** A value that orders rows. */
type Key = string | number;

/** What a walk over rows needs of its runner. */
export interface ChunkRun {
  /** Where the rows are. */
  readonly engine: Engine;
  /** Sends statements in one trip, all or none. */
  readonly send: (statements: readonly PlannedStatement[]) => Promise<void>;
  /** Is told after every chunk. */
  readonly report: (rows: { readonly chunks: number }) => void;
  /** The last key that is done; `null` at the start. */
  readonly from: Key | null;
  /** A guard that the walk stands exactly there. */
  readonly expect: (after: Key | null) => PlannedStatement;
  /** Notes that the walk stands there, or is over. */
  readonly advance: (upTo: Key | undefined) => PlannedStatement;
}

/**
 * Walks the rows of a table in chunks by key. Each chunk is one batch that
 * notes how far the walk has come, so it is done once, whoever is interrupted.
 */
export async function runChunks(
  data: DataMigration,
  run: ChunkRun,
): Promise<void> {
  const { engine } = run;
  const { size = 1000 } = data;
  if (!Number.isInteger(size) || size < 1) {
    throw new OperationError(
      `Cannot walk table '${data.table}': size is ${size}; give a whole number of at least 1`,
    );
  }
  const table = new Raw(quoteName(data.table, engine.dialect));
  const key = new Raw<Key>(quoteName(data.key, engine.dialect));
  let after = run.from;
  for (let chunks = 1;; chunks++) {
    const above = after === null
      ? new Raw<boolean>("1 = 1")
      : key.gt(literal(after));
    const { rows } = await engine.send(
      engine.prepare(
        sql`SELECT max(k) FROM (SELECT ${key} AS k FROM ${table} WHERE ${above} ORDER BY ${key} LIMIT ${new Raw(
          String(size),
        )}) AS chunk`,
      ),
    );
    const upTo = (rows[0]?.[0] ?? null) as Key | null;
    if (upTo === null) {
      return await run.send([run.expect(after), run.advance(undefined)]);
    }
    const within = key.lte(literal(upTo));
    const made = data.chunk({
      after,
      upTo,
      where: after === null ? within : and(above, within),
    });
    const statements: readonly Statement<unknown>[] = Array.isArray(made)
      ? made
      : [made];
    await run.send([
      run.expect(after),
      ...statements.map((one) => planStatement(one, engine.dialect)),
      run.advance(upTo),
    ]);
    after = upTo;
    run.report({ chunks });
  }
}

import { type BoundStatement, type Engine, sql } from "../../sql/mod.ts";
import { SessionError } from "../errors.ts";

/**
 * What was prepared in an engine's database and is neither committed nor
 * rolled back: after a failure between the two phases, by its id.
 *
 * @throws {SessionError} If the engine cannot prepare (`"orm/unsupported"`).
 */
export async function preparedTransactions(engine: Engine): Promise<string[]> {
  check(engine);
  const rows = await engine.execute(
    sql`SELECT gid FROM pg_prepared_xacts WHERE database = current_database() ORDER BY prepared`,
  );
  return rows.map(({ gid }) => String(gid));
}

/**
 * Commits what was prepared, whoever prepared it.
 *
 * @param id As an `InDoubtError` or {@linkcode preparedTransactions} says it.
 * @throws {SessionError} If the engine cannot prepare (`"orm/unsupported"`).
 */
export function commitPrepared(engine: Engine, id: string): Promise<void> {
  return say(engine, "COMMIT PREPARED", id);
}

/**
 * Undoes what was prepared, whoever prepared it.
 *
 * @param id As an `InDoubtError` or {@linkcode preparedTransactions} says it.
 * @throws {SessionError} If the engine cannot prepare (`"orm/unsupported"`).
 */
export function rollbackPrepared(engine: Engine, id: string): Promise<void> {
  return say(engine, "ROLLBACK PREPARED", id);
}

/** What ends a transaction so that its database keeps it, undecided. */
export function prepareStatement(engine: Engine, id: string): BoundStatement {
  return statement(engine, "PREPARE TRANSACTION", id);
}

async function say(engine: Engine, words: string, id: string): Promise<void> {
  const one = statement(engine, words, id);
  engine.log(one.sql);
  await engine.send(one);
}

function statement(engine: Engine, words: string, id: string): BoundStatement {
  check(engine);
  // No placeholder can stand here.
  return { sql: `${words} ${engine.dialect.literal(id)}`, params: [] };
}

function check({ name, capabilities }: Engine): void {
  if (capabilities.twoPhase) return;
  throw new SessionError(
    "orm/unsupported",
    `Cannot commit in two phases on engine "${name}": it cannot prepare a transaction; use a Session, whose PartialCommitError names what was committed`,
  );
}

/**
 * The steps that begin and end a transaction: commit, flush, rollback,
 * savepoints, the flush before a query, and work that is tried again.
 */
import { StaleDataError } from "./errors.ts";
import { hooks } from "./hooks.ts";
import { isModified } from "./object_set.ts";
import type { Session } from "./session.ts";
import type { NestedTransaction } from "./session_contract.ts";
import {
  attempt,
  exclusively,
  hold,
  mustHold,
  rollBackHeld,
  type SessionCore,
} from "./session_unit.ts";
import { writeChanges } from "./session_writes.ts";

/** Writes what changed, then ends what is held; objects follow at last. */
export function commit(core: SessionCore): Promise<void> {
  const { session, unit } = core;
  return exclusively(unit, "commit", async () => {
    hooks.hear?.("beforeCommit", session);
    const committed: string[] = [];
    const finish = await writeChanges(core, committed);
    for (const [engine, held] of unit.held) {
      await attempt(unit, engine, committed, () => held.commit());
      engine.log("COMMIT");
      committed.push(engine.name);
    }
    unit.held.clear();
    unit.savepoints = [];
    finish();
    unit.objects.settle(session.options.expireOnCommit);
    hooks.hear?.("afterCommit", session);
  });
}

/** Writes what changed into transactions that stay open. */
export function flush(core: SessionCore): Promise<void> {
  const { session, unit } = core;
  return exclusively(unit, "flush", async () => {
    const { bind } = session.options;
    if (bind) mustHold(bind);
    (await writeChanges(core))();
  });
}

/** Undoes what is held, and gives objects back what they were. */
export function rollback(core: SessionCore): Promise<void> {
  const { session, unit } = core;
  return exclusively(unit, "rollback", async () => {
    unit.failure = undefined;
    await rollBackHeld(unit);
    unit.objects.rollback();
    hooks.hear?.("afterRollback", session);
  });
}

/** Sets a savepoint in every transaction that is held. */
export async function beginNested(
  core: SessionCore,
): Promise<NestedTransaction> {
  const { session, unit } = core;
  await session.flush();
  const { bind } = session.options;
  if (bind) await hold(unit, bind);
  const name = `aludel_${unit.savepoints.length + 1}`;
  const depth = unit.savepoints.push(name);
  const say = async (sql: string): Promise<void> => {
    for (const [engine, held] of unit.held) {
      engine.log(sql);
      await held.execute({ sql, params: [] });
    }
  };
  await say(`SAVEPOINT ${name}`);
  unit.objects.begin();
  const end = (what: string, sql: readonly string[], isKept: boolean) =>
    exclusively(unit, what, async () => {
      if (unit.savepoints.length < depth) return;
      if (isKept) (await writeChanges(core))();
      else unit.failure = undefined;
      for (const one of sql) await say(`${one} ${name}`);
      for (; unit.savepoints.length >= depth; unit.savepoints.pop()) {
        if (isKept) unit.objects.release();
        else unit.objects.rollback(true);
      }
    });
  const rollback = (): Promise<void> =>
    end("rollback", ["ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT"], false);
  return {
    commit: () => end("commit", ["RELEASE SAVEPOINT"], true),
    rollback,
    [Symbol.asyncDispose]: rollback,
  };
}

/** Writes what changed before a query, where a transaction can be held. */
export async function autoflush(core: SessionCore): Promise<void> {
  const { session, unit } = core;
  if (unit.autoflush) return await unit.autoflush;
  if (
    session.options.autoflush === false || unit.quiet > 0 || unit.busy ||
    !(unit.objects.pending.size > 0 || unit.objects.doomed.size > 0 ||
      unit.objects.persistent().some(isModified))
  ) return;
  unit.autoflush = exclusively(unit, "autoflush", async () => {
    (await writeChanges(core, undefined, true))();
  }).finally(() => unit.autoflush = undefined);
  await unit.autoflush;
}

/** Work in a session of its own, tried again while rows turn out stale. */
export async function optimistic<S extends Session, T>(
  open: () => S,
  work: (session: S) => Promise<T>,
  retries: number,
): Promise<T> {
  for (let attempt = 0;; attempt++) {
    const session = open();
    try {
      const result = await work(session);
      await session.commit();
      return result;
    } catch (error) {
      if (!(error instanceof StaleDataError) || attempt >= retries) {
        throw error;
      }
    } finally {
      await session.close();
    }
  }
}

/**
 * The steps that begin and end a transaction: commit, flush, rollback,
 * savepoints, the flush before a query, and work that is tried again.
 */
import type { Engine, HeldUnit } from "../sql/mod.ts";
import { StaleDataError } from "./errors.ts";
import { hooks } from "./hooks.ts";
import type { Session } from "./session.ts";
import { engineFor } from "./session_binds.ts";
import type { NestedTransaction } from "./session_contract.ts";
import {
  attempt,
  exclusively,
  holderOf,
  isInteractive,
  type SessionCore,
  sibling,
} from "./session_unit.ts";
import { writeChanges } from "./session_writes.ts";

/** Writes what changed, then ends what is held; objects follow at last. */
export function commit(core: SessionCore): Promise<void> {
  const { session, unit } = core;
  return exclusively(unit, "commit", async () => {
    hooks.hear?.("beforeCommit", session);
    const committed: string[] = [];
    const finish = await writeChanges(core, committed);
    await unit.held?.commit(
      committed,
      (engine, end) => attempt(unit, engine, committed, end),
    );
    finish();
    unit.objects.settle(session.options.expireOnCommit);
    unit.held?.settle();
    hooks.hear?.("afterCommit", session);
  });
}

/** Writes what changed into transactions that stay open. */
export function flush(core: SessionCore): Promise<void> {
  const { session: { options: { bind } }, unit } = core;
  return exclusively(unit, "flush", async () => {
    if (bind) holderOf(unit, bind);
    (await writeChanges(core))();
  });
}

/** Undoes what is held, and gives objects back what they were; at the end, they stay as they are. */
export function rollback(core: SessionCore, isEnd = false): Promise<void> {
  const { session, unit } = core;
  return exclusively(unit, "rollback", async () => {
    unit.failure = undefined;
    try {
      await unit.held?.rollback(false, isEnd);
    } finally {
      if (!isEnd) unit.objects.rollback();
    }
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
  return await holderOf(unit, bind ?? engineFor(core, { flushing: true }))
    .nest(heldUnit(core), bind);
}

/** Writes what changed before queries, where a transaction can be held. */
export async function autoflush(
  core: SessionCore,
  engines: readonly Engine[],
): Promise<void> {
  const engine = engines.find(isInteractive);
  if (engine) await holderOf(core.unit, engine).autoflush(heldUnit(core));
}

/** What the session lends to the transactions that hold its work. */
function heldUnit(core: SessionCore): HeldUnit {
  const { session, unit } = core;
  const { objects } = unit;
  return {
    isDirty: () =>
      session.options.autoflush !== false && !unit.quiet && !unit.busy &&
      [session.new, session.dirty, session.deleted].flat().length > 0,
    step: (what, work) => exclusively(unit, what, work),
    write: async (isAuto) => (await writeChanges(core, undefined, isAuto))(),
    undo(undone) {
      unit.failure = undefined;
      objects.rollback(undone);
    },
  };
}

/** Work in a session of its own, tried again while rows turn out stale. */
export async function optimistic<S extends Session, T>(
  session: S,
  work: (session: S) => Promise<T>,
  retries: number,
): Promise<T> {
  const { pinned } = session["~core"];
  for (let attempt = 0;; attempt++) {
    const own = sibling(session, { pinned, validates: true });
    try {
      const result = await work(own);
      await own.commit();
      return result;
    } catch (error) {
      if (!(error instanceof StaleDataError) || attempt >= retries) {
        throw error;
      }
    } finally {
      await own.close();
    }
  }
}

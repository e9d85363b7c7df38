import { HeldTransactions } from "../../sql/mod.ts";
import type { Session } from "../session.ts";
import { copyValue, type InstanceState, sameValue, stateOf } from "../state.ts";

/**
 * Has a session warn, through its `warn` option, of what a rollback takes away
 * unseen: what was added, changed or deleted after a write had failed. Nothing
 * more could be written by then; the rollback that has to follow discards it.
 *
 * It is about engines that hold a transaction open. Where a commit is one
 * batch, one that failed leaves the session as it was, and nothing is lost
 * that the program does not roll back itself.
 *
 * @example
 * ```ts
 * import { Entity, integer, Session, text, warnOfDiscarded } from "@aludel/aludel/orm";
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createEngine, MetaData } from "@aludel/aludel/sql";
 * import { rejects, strictEqual } from "node:assert/strict";
 *
 * abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
 *   static override metadata = new MetaData();
 * }
 * class User extends Base.table("users", { name: text(50).unique() }) {}
 *
 * const warnings: string[] = [];
 * await using engine = createEngine(sqlite(":memory:"));
 * await Base.metadata.createAll(engine);
 * await using session = warnOfDiscarded(
 *   new Session({ bind: engine, warn: (message) => warnings.push(message) }),
 * );
 * session.addAll([new User({ name: "ed" }), new User({ name: "ed" })]);
 * await rejects(session.flush());
 * session.add(new User({ name: "too late" }));
 * await session.rollback();
 * strictEqual(warnings.length, 1);
 * ```
 *
 * @returns The session.
 */
export function warnOfDiscarded<S extends Session>(session: S): S {
  const { unit } = session["~core"];
  unit.held ??= new HeldTransactions();
  let known: ReadonlyMap<InstanceState, Change> | undefined;
  unit.held.listener = (what) => {
    if (what === "failure") {
      // Of several failures the first counts: nothing was written since.
      known ??= changesOf(session);
      return;
    }
    const before = known;
    known = undefined;
    if (!before) return;
    const late = [...changesOf(session)].filter(([state, change]) =>
      !isSame(state, change, before.get(state))
    );
    if (late.length === 0) return;
    const names = new Set(late.map(([{ mapper }]) => mapper.name));
    unit.objects.warn(
      `What was done to ${
        [...names].join(", ")
      } after a write had failed is discarded by the rollback; roll back before you go on`,
    );
  };
  return session;
}

/** What is about to become of an object. */
interface Change {
  readonly kind: "insert" | "update" | "delete";
  readonly values: readonly unknown[];
}

function changesOf(session: Session): Map<InstanceState, Change> {
  const changes = new Map<InstanceState, Change>();
  const note = (objects: readonly object[], kind: Change["kind"]): void => {
    for (const state of objects.map(stateOf)) {
      const values = state.mapper.columns.map((column) =>
        copyValue(state.read(column))
      );
      changes.set(state, { kind, values });
    }
  };
  note(session.new, "insert");
  note(session.dirty, "update");
  note(session.deleted, "delete");
  return changes;
}

function isSame(
  { mapper }: InstanceState,
  a: Change,
  b: Change | undefined,
): boolean {
  return a.kind === b?.kind &&
    mapper.columns.every((column, i) =>
      sameValue(a.values[i], b.values[i], column)
    );
}

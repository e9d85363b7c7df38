/**
 * Writes a plan: to each engine its statements, in one trip where it holds no
 * transaction, with keys taken beforehand where the engine needs that.
 */
import {
  batchWrites,
  type Column,
  type DriverResult,
  select,
} from "../sql/mod.ts";
import { Emitter } from "./emission.ts";
import { StaleDataError } from "./errors.ts";
import { staleAt } from "./_guard.ts";
import { hooks } from "./hooks.ts";
import { engineFor } from "./session_binds.ts";
import { planWrites } from "./session_plan.ts";
import { take } from "./session_reads.ts";
import {
  attempt,
  holderOf,
  isInteractive,
  type OpenUnit,
  send,
  type SessionCore,
} from "./session_unit.ts";
import type { InstanceState } from "./state.ts";
import type { Values } from "./work.ts";

/** Sends what changed; gives what is to be done to the objects then. */
export async function writeChanges(
  core: SessionCore,
  committed?: string[],
  isAuto = false,
): Promise<() => void> {
  const { session, unit } = core;
  const { objects } = unit;
  hooks.hear?.("beforeFlush", session);
  const plan = await planWrites(core);
  const { works, saved, settled, gone } = plan;
  if (works.length + saved.size + settled.size + gone.size === 0) {
    return () => {};
  }
  const byEngine = Map.groupBy(
    works,
    ({ mapper, identityToken }) =>
      engineFor(core, { mapper, identityToken, flushing: true }),
  );
  if (!committed) {
    const engines = [...byEngine.keys()];
    if (isAuto && !engines.every(isInteractive)) return () => {};
    for (const engine of engines) holderOf(unit, engine);
  }
  hooks.around?.planned(unit, plan);
  // Keys are taken from sequences where they cannot be known inside the batch.
  for (const [engine, works] of byEngine) {
    await batchWrites(engine.dialect).reserveKeys?.(
      works.filter(({ kind, state }) => kind === "insert" && state),
      engine,
      (statements) => send(unit, engine, statements),
    );
  }
  const generated: Map<InstanceState, Values> = new Map();
  const emitters = [...byEngine].map(([engine, works]) => {
    if (!unit.held?.has(engine)) engine.log("BEGIN (implicit)");
    return new Emitter(engine, core, works, generated);
  });
  // Where one of several engines fails, what the others can hold is undone.
  const isFinal = ({ engine }: Emitter) =>
    committed && !unit.held?.has(engine) &&
    !(isInteractive(engine) && byEngine.size > 1);
  // What can be undone goes first.
  const inTurn = [
    ...emitters.filter((one) => !isFinal(one)),
    ...emitters.filter(isFinal).reverse(),
  ];
  for (const emitter of inTurn) {
    const { engine, writes } = emitter;
    await attempt(unit, engine, committed, async () => {
      const held = isFinal(emitter) ? undefined : holderOf(unit, engine);
      await held?.hold(engine);
      try {
        const prepared = writes.map((one) => one.prepared);
        // A commit of its own is a batch, whatever it writes.
        const answers = held
          ? await held.send(engine, prepared)
          : await engine.sendBatch([
            ...prepared,
            ...unit.held?.seal?.(engine) ?? [],
          ]);
        writes.forEach((one, i) => take(unit, one, answers[i] as DriverResult));
      } catch (error) {
        throw await nameFailure(unit, error, emitter);
      }
    });
    if (isFinal(emitter)) {
      engine.log("COMMIT");
      committed!.push(engine.name);
    }
  }
  hooks.hear?.("afterFlush", session, plan);
  return () => {
    objects.finish(plan, generated, unit.held);
    unit.told?.(generated.keys());
    hooks.hear?.("afterFlushPostexec", session, plan);
  };
}

/** The stale object of a guard that failed; asked for where many share one. */
async function nameFailure(
  unit: OpenUnit,
  error: unknown,
  { engine, guarded }: Emitter,
): Promise<unknown> {
  const works = guarded[staleAt(error) ?? -1];
  const [first] = works ?? [];
  if (!works || !first) return error;
  let stale = first;
  if (works.length > 1 && !unit.held?.has(engine)) {
    const columns = [...first.where.keys()];
    const [key] = columns as [Column<unknown>];
    const rows = await engine.execute(
      select(...columns).where(
        key.in(works.map(({ where }) => where.get(key))),
      ),
    );
    const here = new Set(rows.map((row) => [row].flat().join()));
    stale = works.find(({ where }) => !here.has([...where.values()].join())) ??
      first;
  }
  const { state, mapper, where } = stale;
  return new StaleDataError(
    state?.mapper.name ?? `a pair of ${mapper.name}`,
    state?.primaryKey ?? [...where.values()],
    { cause: error },
  );
}

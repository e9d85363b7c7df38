/**
 * Writes a plan: to each engine its statements, in one trip where it holds no
 * transaction, with keys taken beforehand where the engine needs that.
 */
import {
  batchWrites,
  type Column,
  type DriverResult,
  type Engine,
  type PreparedStatement,
  readResult,
  select,
} from "../sql/mod.ts";
import { Emitter } from "./emission.ts";
import { StaleDataError } from "./errors.ts";
import { staleAt } from "./_guard.ts";
import { hooks } from "./hooks.ts";
import { engineFor } from "./session_binds.ts";
import { planWrites } from "./session_plan.ts";
import {
  attempt,
  holderOf,
  isInteractive,
  type OpenUnit,
  send,
  type SessionCore,
} from "./session_unit.ts";
import type { InstanceState } from "./state.ts";
import type { Plan } from "./unit_of_work.ts";
import type { Values, Work } from "./work.ts";

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
  const engineOf = ({ mapper, identityToken }: Work): Engine =>
    engineFor(core, { mapper, identityToken, flushing: true });
  const engines = new Set(works.map(engineOf));
  if (!committed) {
    if (isAuto && ![...engines].every(isInteractive)) return () => {};
    for (const engine of engines) holderOf(unit, engine);
  }
  hooks.around?.planned(unit, plan);
  await reserveKeys(unit, plan, engineOf);
  const writes = emit(core, plan, engineOf);
  const generated: Map<InstanceState, Values> = new Map();
  const isFinal = ({ emitter: { engine } }: EngineWrites): boolean =>
    committed !== undefined && !unit.held?.has(engine);
  // What can be undone goes first.
  const inTurn = [
    ...writes.filter((one) => !isFinal(one)),
    ...writes.filter(isFinal).reverse(),
  ];
  for (const one of inTurn) {
    const { emitter, prepared } = one;
    const { engine } = emitter;
    await attempt(unit, engine, committed, async () => {
      if (!committed) await unit.held?.hold(engine);
      try {
        await writeEngine(unit, emitter, prepared);
      } catch (error) {
        throw await nameFailure(unit, error, emitter);
      }
    });
    if (isFinal(one)) {
      engine.log("COMMIT");
      committed?.push(engine.name);
    }
    for (const [state, values] of emitter.generated) {
      generated.set(state, values);
    }
  }
  hooks.hear?.("afterFlush", session, plan);
  return () => {
    objects.finish(plan, generated, unit.held);
    unit.told?.(generated.keys());
    hooks.hear?.("afterFlushPostexec", session, plan);
  };
}

/** What one engine is to write: the statements, and the same as text and values. */
interface EngineWrites {
  readonly emitter: Emitter;
  readonly prepared: PreparedStatement[];
}

/** Sends what one engine is to write, and takes what it gives back. */
async function writeEngine(
  unit: OpenUnit,
  { engine, emissions }: Emitter,
  prepared: readonly PreparedStatement[],
): Promise<void> {
  const results = unit.held?.has(engine)
    ? await send(unit, engine, prepared)
    : await engine.sendBatch([
      ...prepared,
      ...unit.held?.seal?.(engine) ?? [],
    ]);
  emissions.forEach(({ statement, receive }, i) =>
    receive?.(
      readResult(
        statement.shape,
        prepared[i] as PreparedStatement,
        results[i] as DriverResult,
      ),
    )
  );
}

/** The statements of a plan, by engine. */
function emit(
  core: SessionCore,
  plan: Plan,
  engineOf: (work: Work) => Engine,
): EngineWrites[] {
  return [...Map.groupBy(plan.works, engineOf)].map(([engine, works]) => {
    if (!core.unit.held?.has(engine)) engine.log("BEGIN (implicit)");
    const emitter = new Emitter(engine, core.warn);
    emitter.write(works);
    const prepared = emitter.emissions.map(({ statement }) => {
      const one = engine.prepare(statement);
      engine.echo(one);
      return one;
    });
    return { emitter, prepared };
  });
}

/** Takes keys from sequences, where they cannot be known inside the batch. */
async function reserveKeys(
  unit: OpenUnit,
  plan: Plan,
  engineOf: (work: Work) => Engine,
): Promise<void> {
  const rows = plan.works.filter(({ kind, state }) =>
    kind === "insert" && state
  );
  const byEngine = Map.groupBy(rows, engineOf);
  for (const [engine, works] of byEngine) {
    await batchWrites(engine.dialect).reserveKeys?.(
      works,
      engine,
      (statements) => send(unit, engine, statements),
    );
  }
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

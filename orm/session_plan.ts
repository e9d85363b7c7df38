/**
 * What a commit or flush is to do: reads what the plan has to know, fills in
 * what the program left out, and asks the planner.
 */
import { hooks } from "./hooks.ts";
import { isModified } from "./object_set.ts";
import { sendReads } from "./session_reads.ts";
import type { SessionCore } from "./session_unit.ts";
import type { InstanceState } from "./state.ts";
import { type Plan, planUnit } from "./unit_of_work.ts";
import { rowOf, type Work, workOn } from "./work.ts";

/** Plans what changed, when everything that a delete touches is known. */
export async function planWrites(core: SessionCore): Promise<Plan> {
  const { session, unit } = core;
  const { objects } = unit;
  for (;;) {
    const deleted = objects.collect();
    const states = objects.persistent();
    const reads = session.readsBefore(deleted, states);
    if (reads.length > 0) {
      await sendReads(core, reads);
      continue;
    }
    unit.told = hooks.rows?.(
      objects.pending,
      states.filter(isModified),
      deleted,
    );
    const plan = planUnit(objects, deleted);
    for (const state of plan.saved.keys()) {
      const odd = state.mapper.polymorphism?.complaint?.(state);
      if (odd) objects.warn(odd);
    }
    return core.validates
      ? { ...plan, works: [...unchanged(states, plan), ...plan.works] }
      : plan;
  }
}

/** Writes that change nothing, and fail unless a row is as it was read. */
function unchanged(states: readonly InstanceState[], plan: Plan): Work[] {
  return states.flatMap((state): Work[] => {
    const { committed, mapper: { versionColumn, columns, tables } } = state;
    if (versionColumn && (plan.saved.has(state) || plan.gone.has(state))) {
      return [];
    }
    return tables.flatMap((row): Work | [] => {
      const { table, key } = row;
      if (versionColumn && versionColumn.table !== table) return [];
      const where = rowOf(state, row);
      const values = new Map(key.map((column) => [column, where.get(column)]));
      columns.forEach((column, i) => {
        const value = committed?.[i];
        if (
          !versionColumn && value !== undefined && column.table === table &&
          column.type?.name !== "json"
        ) where.set(column, value);
      });
      return workOn("update", state, table, values, where, true);
    });
  });
}

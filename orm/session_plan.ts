/**
 * What a commit or flush is to do: reads what the plan has to know, fills in
 * what the program left out, and asks the planner.
 */
import { hooks } from "./hooks.ts";
import { isModified } from "./object_set.ts";
import { sendReads } from "./session_reads.ts";
import type { SessionCore } from "./session_unit.ts";
import type { InstanceState } from "./state.ts";
import { nextVersion } from "./version.ts";
import { type Plan, planUnit } from "./unit_of_work.ts";
import { type Values, type Work, workOn } from "./work.ts";

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
    const plan = planUnit({
      pending: objects.pending,
      persistent: states,
      deleted,
      defaults: fillDefaults,
      warn: core.warn,
    });
    for (const state of plan.saved.keys()) {
      const odd = state.mapper.polymorphism?.complaint?.(state);
      if (odd) core.warn(odd);
    }
    return core.validates
      ? { ...plan, works: [...unchanged(states, plan), ...plan.works] }
      : plan;
  }
}

/** Writes that change nothing, and fail unless a row is as it was read. */
function unchanged(states: readonly InstanceState[], plan: Plan): Work[] {
  return states.flatMap((state): Work[] => {
    const { mapper, committed } = state;
    const { versionColumn, primaryKey, columns, tables } = mapper;
    if (versionColumn && (plan.saved.has(state) || plan.gone.has(state))) {
      return [];
    }
    const known = versionColumn
      ? tables.filter(({ table }) => table === versionColumn.table)
      : tables;
    return known.map(({ table, key }): Work => {
      const values: Values = new Map(
        key.map((column, i) => [column, state.primaryKey[i]]),
      );
      const where: Values = new Map(values);
      columns.forEach((column, i) => {
        const value = committed?.[i];
        if (
          value !== undefined && column.table === table &&
          !primaryKey.includes(column) &&
          (versionColumn
            ? column === versionColumn
            : column.type?.name !== "json")
        ) where.set(column, value);
      });
      return workOn("update", state, table, values, where, true);
    });
  });
}

/** Client defaults and version counters, for columns that the program left out. */
function fillDefaults(
  state: InstanceState,
  values: Values,
  isInsert: boolean,
): void {
  for (const column of state.mapper.columns) {
    if (values.has(column)) continue;
    const { default: initial, onUpdate } = column.spec;
    const made = isInsert ? initial : onUpdate;
    if (column === state.mapper.versionColumn) {
      const before = isInsert ? undefined : state.before(column);
      const version = nextVersion(column, before);
      if (version !== undefined) values.set(column, version);
    } else if (made !== undefined) {
      values.set(column, typeof made === "function" ? made() : made);
    }
  }
}

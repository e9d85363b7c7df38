import { declaresRelation } from "./_declared.ts";
import { MappingError, StateError } from "./errors.ts";
import { handleOf } from "./handles/handle.ts";
import { type InstanceState, sameValue, stateOf } from "./state.ts";

/** What changed in an attribute since its row was read or written. */
export interface History<T = unknown> {
  /** What came. */
  readonly added: readonly T[];
  /** What stayed. */
  readonly unchanged: readonly T[];
  /** What went, as far as it was loaded. */
  readonly deleted: readonly T[];
}

/**
 * What changed in an attribute. A value that was set back is unchanged: dates,
 * documents and bytes are compared by what they hold.
 *
 * @example
 * ```ts
 * import { Entity, historyOf, integer, text } from "@aludel/aludel/orm";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * class User extends Entity.table("users", {
 *   id: integer().primaryKey(),
 *   name: text(),
 * }) {}
 * deepStrictEqual(historyOf(new User({ name: "ed" }), "name"), {
 *   added: ["ed"],
 *   unchanged: [],
 *   deleted: [],
 * });
 * ```
 *
 * @param object The object.
 * @param key The attribute: a column's or a relation's.
 */
export function historyOf(object: object, key: string): History {
  const state = stateOf(object);
  if (declaresRelation(state.mapper, key)) return relationHistory(state, key);
  const at = columnIndex(state, key);
  const column = state.mapper.columns[at] as typeof state.mapper.columns[0];
  const now = state.read(column);
  const before = state.committed?.[at];
  const is = now === undefined ? [] : [now];
  const was = before === undefined || before === null ? [] : [before];
  if (state.committed && before !== undefined) {
    if (sameValue(now, before, column)) {
      return { added: [], unchanged: is, deleted: [] };
    }
    if (now === undefined && !state.absent?.has(key)) {
      return { added: [null], unchanged: [], deleted: was };
    }
  }
  return { added: is, unchanged: [], deleted: now === undefined ? [] : was };
}

function relationHistory(state: InstanceState, key: string): History {
  const handle = handleOf(state.object, state.mapper.relation(key));
  const { additions, removals, known } = handle;
  const isNone = !handle.relation.isMany && handle.isChanged && !known.length;
  return {
    added: isNone ? [null] : [...additions],
    unchanged: known.filter((item) => !additions.includes(item)),
    deleted: [...removals],
  };
}

/**
 * Takes an attribute's value away: its column becomes NULL.
 *
 * @throws {StateError} If it has none.
 */
export function unset(object: object, key: string): void {
  const state = stateOf(object);
  const column = state.mapper.columns[columnIndex(state, key)];
  if (column && state.read(column) === undefined) {
    throw new StateError(
      `Cannot unset ${state.mapper.name}.${key}: it has no value`,
    );
  }
  state.object[key] = null;
}

function columnIndex({ mapper }: InstanceState, key: string): number {
  const at = mapper.columns.findIndex((column) => mapper.keyOf(column) === key);
  if (at >= 0) return at;
  throw new MappingError(
    `Cannot find attribute "${key}" of ${mapper.name}: name a column or a relation`,
  );
}

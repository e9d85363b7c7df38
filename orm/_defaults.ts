import type { InstanceState } from "./state.ts";
import { nextVersion } from "./version.ts";
import type { Values } from "./work.ts";

/** Client defaults and version counters, for columns that the program left out. */
export function fillDefaults(
  state: InstanceState,
  values: Values,
  isInsert: boolean,
): void {
  for (const column of state.mapper.columns) {
    if (values.has(column)) continue;
    const { default: initial, onUpdate } = column.spec;
    const made = isInsert ? initial : onUpdate;
    const value = column === state.mapper.versionColumn
      ? nextVersion(column, isInsert ? undefined : state.before(column))
      : typeof made === "function"
      ? made()
      : made;
    if (value !== undefined) values.set(column, value);
  }
}

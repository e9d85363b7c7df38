import type { Column, RowSource } from "../sql/mod.ts";
import { hooks } from "./hooks.ts";
import type { MakeObject, Mapper } from "./mapper.ts";
import type { ObjectSet } from "./object_set.ts";
import {
  adoptState,
  copyValue,
  identityKey,
  type InstanceState,
  keyText,
  sameValue,
  stateOf,
} from "./state.ts";

/** What makes objects of one class of a row's columns: the one that is here, else a new one. */
export function makeObjects(
  set: ObjectSet,
  mapper: Mapper,
  given: RowSource["columns"],
  overwrite: boolean,
  token?: string,
): MakeObject {
  const { identityMap } = set;
  // An alias has columns of its own, of the same descriptions; those of a
  // subquery have only their keys.
  const known = mapper.allColumns;
  const columns = given.map((column) =>
    known.includes(column)
      ? column
      : known.find(({ spec }) => spec === column.spec) ??
        known.find(({ key }) => key === column.key) ?? column
  );
  const { length } = columns;
  const keys = columns.map((column) => mapper.keyOf(column));
  const keyAt = mapper.primaryKey.map((column) => columns.indexOf(column));
  const [only = 0] = keyAt;
  const isSimple = keyAt.length === 1;
  const name = identityKey(mapper, [""], token);
  const isWhole = length === known.length &&
    columns.every((column, i) => column === known[i]);
  const { prototype } = mapper.cls;
  return (row, at) => {
    let identity: string;
    if (isSimple) {
      const value = row[at + only];
      if (value === null) return null;
      identity = name + keyText(value);
    } else {
      const key = keyAt.map((i) => row[at + i]);
      if (key.every((value) => value === null)) return null;
      identity = identityKey(mapper, key, token);
    }
    const here = identityMap.get(identity);
    if (here) {
      fill(stateOf(here), columns, row, at, overwrite);
      return here;
    }
    const object: Record<string, unknown> = Object.create(prototype);
    const state = adoptState(object, mapper);
    state.key = identity;
    state.session = set;
    if (token !== undefined) state.identityToken = token;
    let isPlain = isWhole && row.length === length;
    for (let i = 0; i < length; i++) {
      const value = row[at + i];
      object[keys[i] as string] = value;
      if (typeof value === "object" && value !== null) isPlain = false;
    }
    // A row of plain values that nobody else has is its own snapshot.
    if (isPlain) state.committed = row as unknown[];
    else if (isWhole) {
      state.committed = row.slice(at, at + length).map(copyValue);
    } else {
      state.snapshot();
      for (const column of known) {
        if (!columns.includes(column)) hooks.unload!(state, column);
      }
    }
    identityMap.set(identity, object);
    mapper.parts.reconstructor?.(object as never);
    hooks.hear?.("load", object, set);
    hooks.hear?.("loadedAsPersistent", object, set);
    return object;
  };
}

/** Gives an object what a row says of attributes that are expired or not here. */
function fill(
  state: InstanceState,
  columns: readonly Column<unknown>[],
  row: readonly unknown[],
  start: number,
  overwrite: boolean,
): void {
  const { mapper, isExpired, absent } = state;
  if (!overwrite && !isExpired && !absent?.size) return;
  const committed = state.committed ??= [];
  columns.forEach((column, i) => {
    const isAbsent = absent?.has(mapper.keyOf(column));
    if (!overwrite && !isExpired && !isAbsent) return;
    const at = mapper.columns.indexOf(column);
    const now = state.read(column);
    // What the program set since stays.
    const isChanged = now !== undefined && at >= 0 &&
      !sameValue(now, committed[at], column);
    if (at >= 0) committed[at] = copyValue(row[start + i]);
    if (overwrite || !isChanged) state.write(column, row[start + i]);
  });
  if (isExpired) mapper.polymorphism?.refreshed?.(state, columns);
  if (isExpired || overwrite) hooks.hear?.("refresh", state.object);
  state.isExpired = false;
}

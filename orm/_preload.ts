import {
  among,
  attach,
  keysOf,
  ownerColumns,
  relatedQuery,
} from "./loading/related.ts";
import type { Read, Reader } from "./loading/loader.ts";
import { type Select, withOnlyColumns } from "../sql/mod.ts";
import { type Handle, handleOf, ManyHandle } from "./handles.ts";
import type { Relation } from "./relation.ts";
import type { InstanceState } from "./state.ts";

/**
 * The reads that must come before a unit of work can be planned: members of
 * deleted objects that go or lose their owner with them, along every cascade,
 * and what a one-to-one held before it was set.
 */
export function readsBefore(
  deleted: ReadonlySet<InstanceState>,
  states: readonly InstanceState[],
  read: Reader["read"],
): Read[] {
  const wanted = new Map<Relation, object[]>();
  const want = (relation: Relation, owner: object): void => {
    const owners = wanted.get(relation);
    if (owners) owners.push(owner);
    else wanted.set(relation, [owner]);
  };
  for (const { object, mapper } of deleted) {
    for (const relation of mapper.relations.values()) {
      const handle = handleOf(object, relation);
      if (isNeeded(relation) && (!handle.isLoaded || isUnknown(handle))) {
        want(relation, object);
      }
    }
  }
  for (const state of states) {
    if (deleted.has(state)) continue;
    for (const handle of state.handles.values()) {
      if (
        handle instanceof ManyHandle
          ? handle.replaces
          : handle.isChanged && isUnknown(handle)
      ) want(handle.relation, state.object);
    }
    const { mapper, committed } = state;
    for (const relation of mapper.relations.values()) {
      if (
        relation.options.passiveUpdates === false &&
        relation.localPairs.length > 0 &&
        !handleOf(state.object, relation).isLoaded &&
        mapper.primaryKey.some((column) =>
          state.read(column) !== committed?.[mapper.columns.indexOf(column)]
        )
      ) want(relation, state.object);
    }
  }
  const reads: Read[] = [];
  const along = (
    relation: Relation,
    query: Select<unknown>,
    owners: () => readonly object[],
    path: readonly Relation[],
  ): void => {
    const found = read(query, (rows) => attach(relation, owners(), rows));
    reads.push(found);
    if (!relation.cascade.has("delete")) return;
    const items = (): object[] =>
      found.rows.map((row) =>
        (relation.secondary ? (row as object[])[0] : row) as object
      );
    for (const next of relation.target.relations.values()) {
      if (!isNeeded(next) || path.includes(next)) continue;
      const keys = withOnlyColumns(query, ...ownerColumns(next));
      along(
        next,
        relatedQuery(next, (columns) => among(columns, keys)),
        items,
        [...path, next],
      );
    }
  };
  for (const [relation, owners] of wanted) {
    const keys = keysOf(relation, owners);
    if (keys.length === 0) attach(relation, owners, []);
    else {
      along(
        relation,
        relatedQuery(relation, (columns) => among(columns, keys)),
        () => owners,
        [],
      );
    }
  }
  return reads;
}

/** Whether deleting an object asks who its members are. */
function isNeeded({ kind, options, cascade }: Relation): boolean {
  if (options.viewOnly || options.passiveDeletes) return false;
  return kind.startsWith("one") || cascade.has("delete");
}

/** Whether the row that a one-to-one held before it was set is not known. */
function isUnknown(handle: Handle): boolean {
  return !(handle instanceof ManyHandle) && handle.committed === undefined &&
    handle.relation.kind === "oneToOne";
}

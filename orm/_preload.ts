import {
  among,
  attach,
  keysOf,
  ownerColumns,
  relatedQuery,
} from "./loading/related.ts";
import type { Read, Reader } from "./loading/loader.ts";
import { type Select, withOnlyColumns } from "../sql/mod.ts";
import { handleOf } from "./handles/handle.ts";
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
  reader: Reader,
): Read[] {
  const wanted: [relation: Relation, owner: object][] = [];
  for (const { object, mapper } of deleted) {
    for (const relation of mapper.relations.values()) {
      if (relation.isAsked && !handleOf(object, relation).before) {
        wanted.push([relation, object]);
      }
    }
  }
  for (const state of states) {
    if (deleted.has(state)) continue;
    const { mapper, object, handles } = state;
    for (const { isReplaced, relation } of handles.values()) {
      // Of what a row itself names, nobody need know what it was.
      if (isReplaced && relation.localPairs.length > 0) {
        wanted.push([relation, object]);
      }
    }
    for (const relation of mapper.relations.values()) {
      if (
        relation.options.passiveUpdates === false && relation.isReferred &&
        !handleOf(object, relation).isLoaded &&
        mapper.primaryKey.some((column) =>
          state.read(column) !== state.before(column)
        )
      ) wanted.push([relation, object]);
    }
  }
  const reads: Read[] = [];
  const along = (
    relation: Relation,
    query: Select<unknown>,
    owners: () => readonly object[],
    path: readonly Relation[],
  ): void => {
    const found = reader.read(
      query,
      (rows) => attach(relation, owners(), rows),
      true,
    );
    reads.push(found);
    if (!relation.cascade.has("delete")) return;
    const items = (): object[] =>
      found.rows.map((row) => relation.read(row)[0]);
    for (const next of relation.target.relations.values()) {
      if (!next.isAsked || path.includes(next)) continue;
      const keys = withOnlyColumns(query, ...ownerColumns(next));
      along(
        next,
        relatedQuery(next, (columns) => among(columns, keys)),
        items,
        [...path, next],
      );
    }
  };
  for (const [relation, pairs] of Map.groupBy(wanted, ([one]) => one)) {
    const owners = pairs.map(([, owner]) => owner);
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

import {
  attach,
  ownerColumns,
  queryOf,
  relatedQuery,
} from "./loading/related.ts";
import type { Read, Reader } from "./loading/loader.ts";
import { type Select, withOnlyColumns } from "../sql/mod.ts";
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
  const wanted = [...new Set([...deleted, ...states])].flatMap((state) =>
    [...state.mapper.relations.values()]
      .filter((relation) => mustKnow(relation, state, deleted.has(state)))
      .map((relation) => ({ relation, owner: state.object }))
  );
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
      along(next, relatedQuery(next, keys), items, [...path, next]);
    }
  };
  for (const [relation, found] of Map.groupBy(wanted, (one) => one.relation)) {
    const owners = found.map(({ owner }) => owner);
    const query = queryOf(relation, owners);
    if (query) along(relation, query, () => owners, []);
  }
  return reads;
}

/** Whether it must be known what the database has of an object's relation. */
function mustKnow(
  relation: Relation,
  state: InstanceState,
  isGoing: boolean,
): boolean {
  const { items, before } = state.handles.get(relation.key) ?? {};
  if (before) return false;
  if (isGoing) return relation.isAsked;
  // Of what was replaced by a row that names it itself, nobody need know what it was.
  if (items) return relation.localPairs.length > 0;
  return relation.options.passiveUpdates === false && relation.isReferred &&
    state.mapper.primaryKey.some((column) =>
      state.read(column) !== state.before(column)
    );
}

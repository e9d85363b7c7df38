import {
  and,
  type Column,
  type Expression,
  type FromClause,
  In,
  or,
  Phrase,
  Select,
} from "../../sql/mod.ts";
import { handleOf } from "../handles/handle.ts";
import type { Relation } from "../relation.ts";
import { column } from "../relations/base.ts";
import { keyText as partText, stateOf } from "../state.ts";

/** The columns of the objects that have a relation, by which it is found. */
export function ownerColumns(
  relation: Relation,
  from: FromClause = relation.parent.from,
): readonly Column<unknown>[] {
  return relation.own.map((key) => column(from, key));
}

/** A query of the related objects of owners with some keys, with what ties them to those. */
export function relatedQuery(
  relation: Relation,
  keys: Select<unknown> | readonly (readonly unknown[])[],
): Select<unknown> {
  const { extra, sides: [referring, referenced], options, ties } = relation;
  let query = relation.select().where(among(ties, keys));
  if (extra) query = query.where(extra(referring, referenced));
  const order = options.orderBy?.();
  return order === undefined ? query : query.orderBy(...[order].flat());
}

/** The same of owners; where none has a key, they have no objects and nobody is asked. */
export function queryOf(
  relation: Relation,
  owners: readonly object[],
): Select<unknown> | undefined {
  const keys = keysOf(relation, owners);
  if (keys.length > 0) return relatedQuery(relation, keys);
  attach(relation, owners, []);
  return undefined;
}

/** Columns among the rows of a query, or among known keys. */
export function among(
  columns: readonly Expression<unknown>[],
  keys: Select<unknown> | readonly (readonly unknown[])[],
): Expression<boolean> {
  const [only] = columns;
  if (only && columns.length === 1) {
    return only.in(keys instanceof Select ? keys : keys.map(([key]) => key));
  }
  return keys instanceof Select
    ? new In(new Phrase("row", ["(", columns, ")"], undefined), keys, false)
    : or(...keys.map((key) => and(...columns.map((one, i) => one.eq(key[i])))));
}

/** Hands loaded objects to their owners. */
export function attach(
  relation: Relation,
  owners: readonly object[],
  rows: readonly unknown[],
  overwrite = false,
): void {
  const found = Map.groupBy(
    rows.map((row) => relation.read(row)),
    ([, key]) => keyText(key),
  );
  for (const owner of owners) {
    const group = found.get(keyText(keyOf(relation, owner))) ?? [];
    const items = new Set(group.map(([item]) => item));
    hand(relation, owner, [...items], overwrite);
  }
}

/** Hands an owner its objects, unless it has them or others are to stay. */
export function hand(
  relation: Relation,
  owner: object,
  items: readonly object[],
  overwrite = false,
): void {
  const { inverse, isReferred } = relation;
  const handle = handleOf(owner, relation);
  if (overwrite) handle.expire();
  if (!handle.before) handle.receive(items);
  // The other side of one-to-many is known as well.
  if (isReferred && inverse && !inverse.isMany) {
    for (const item of items) handleOf(item, inverse).receive([owner]);
  }
}

/** The keys by which owners' related objects are found; owners without one have none. */
export function keysOf(
  relation: Relation,
  owners: readonly object[],
): unknown[][] {
  const keys = owners.map((owner) => keyOf(relation, owner))
    .filter((key) => !key.includes(null) && !key.includes(undefined));
  return [...new Map(keys.map((key) => [keyText(key), key])).values()];
}

/** What an owner's related objects are found by. */
function keyOf(relation: Relation, owner: object): unknown[] {
  return stateOf(owner).stored(ownerColumns(relation));
}

function keyText(key: readonly unknown[]): string {
  return key.map(partText).join("\0");
}

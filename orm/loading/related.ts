import {
  and,
  type Column,
  type Expression,
  type FromClause,
  type RowSource,
  rowSource,
  Select,
  select,
  type Selectable,
  Tuple,
} from "../../sql/mod.ts";
import { handleOf, ManyHandle } from "../handles.ts";
import { column, type Relation } from "../relation.ts";
import { keyText as partText, stateOf } from "../state.ts";

/** The columns of the objects that have a relation, by which it is found. */
export function ownerColumns(
  relation: Relation,
  from: FromClause = relation.parent.from,
): readonly Column<unknown>[] {
  const { localPairs, remotePairs } = relation;
  const keys = relation.kind === "manyToOne"
    ? remotePairs.map((pair) => pair.to)
    : localPairs.map((pair) => pair.from);
  return keys.map((key) => column(from, key) as Column<unknown>);
}

/** A query of the related objects of some owners, with what ties them to those. */
export function relatedQuery(
  relation: Relation,
  among: (columns: readonly Expression<unknown>[]) => Expression<boolean>,
): Select<unknown> {
  const { target, secondary, localPairs, remotePairs, options } = relation;
  // A relation to its own class would meet itself in the owners' query.
  const from = target.from;
  const entity = sourceOf(target.source);
  const at = (table: FromClause, key: string): Column<unknown> =>
    column(table, key) as Column<unknown>;
  let query: Select<unknown>;
  if (secondary) {
    const ties = localPairs.map((pair) => at(secondary, pair.to));
    query = select(entity, ...ties)
      .join(
        secondary,
        and(
          ...remotePairs.map((pair) =>
            at(secondary, pair.to).eq(at(from, pair.from))
          ),
        ),
      ).where(among(ties));
  } else {
    const ties = relation.kind === "manyToOne"
      ? remotePairs.map((pair) => at(from, pair.from))
      : localPairs.map((pair) => at(from, pair.to));
    query = select(entity).where(among(ties));
  }
  const { extra, parent } = relation;
  if (extra) {
    query = query.where(
      relation.kind === "manyToOne"
        ? extra(parent.from, from)
        : extra(secondary ?? from, secondary ? from : parent.from),
    );
  }
  const order = options.orderBy?.();
  return order === undefined ? query : query.orderBy(...[order].flat());
}

function sourceOf(source: RowSource): Selectable {
  return { [rowSource]: source };
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
  const tuple = new Tuple(columns);
  return keys instanceof Select
    ? tuple.in(keys)
    : keys.map((key) =>
      columns.map((column, i) => column.eq(key[i])).reduce((all, one) =>
        all.and(one)
      )
    ).reduce((all, one) => all.or(one));
}

/** Hands loaded objects to their owners. */
export function attach(
  relation: Relation,
  owners: readonly object[],
  rows: readonly unknown[],
  overwrite = false,
): void {
  const { secondary, localPairs, remotePairs, kind } = relation;
  const found = new Map<string, Set<object>>();
  const put = (key: readonly unknown[], item: object): void => {
    const text = keyText(key);
    const items = found.get(text);
    if (items) items.add(item);
    else found.set(text, new Set([item]));
  };
  const { target } = relation;
  const tied = kind === "manyToOne"
    ? remotePairs.map((pair) => target.column(pair.from))
    : secondary
    ? []
    : localPairs.map((pair) => target.column(pair.to));
  for (const row of rows) {
    if (secondary) {
      const [item, ...key] = row as [object, ...unknown[]];
      put(key, item);
    } else put(read(row as object, tied), row as object);
  }
  const own = ownerColumns(relation);
  for (const owner of owners) {
    const items = found.get(keyText(read(owner, own)));
    hand(relation, owner, items ? [...items] : [], overwrite);
  }
}

/** Hands an owner its objects, unless it has them or others are to stay. */
export function hand(
  relation: Relation,
  owner: object,
  items: readonly object[],
  overwrite = false,
): void {
  const { kind, inverse, localPairs } = relation;
  const handle = handleOf(owner, relation);
  if (overwrite) handle.expire();
  if (handle instanceof ManyHandle) {
    if (!handle.isLoaded) handle.receive(items);
  } else if (!handle.isLoaded || handle.committed === undefined) {
    handle.receive(items[0] ?? null);
    if (items.length > 1) {
      handle.state.session?.warn(
        `${relation.parent.name}.${relation.key} found ${items.length} objects where one belongs; the first is taken`,
      );
    }
  }
  // The other side of one-to-many is known as well.
  if (kind !== "manyToMany" && localPairs.length > 0 && inverse) {
    for (const item of items) {
      const back = handleOf(item, inverse);
      if (!(back instanceof ManyHandle)) back.receive(owner);
    }
  }
}

/** The keys by which owners' related objects are found; owners without one have none. */
export function keysOf(
  relation: Relation,
  owners: readonly object[],
): unknown[][] {
  const own = ownerColumns(relation);
  const keys = new Map<string, unknown[]>();
  for (const owner of owners) {
    const key = read(owner, own);
    if (key.every((value) => value !== null && value !== undefined)) {
      keys.set(keyText(key), key);
    }
  }
  return [...keys.values()];
}

/** Values of an object's columns. */
function read(object: object, columns: readonly Column<unknown>[]): unknown[] {
  const state = stateOf(object);
  const { mapper, committed } = state;
  return columns.map((column) =>
    // The database knows a row by the key that it has there.
    (mapper.primaryKey.includes(column)
      ? committed?.[mapper.columns.indexOf(column)]
      : undefined) ?? state.read(column)
  );
}

function keyText(key: readonly unknown[]): string {
  return key.map(partText).join("\0");
}

import {
  Alias,
  and,
  copyOf,
  type FromClause,
  Join,
  type RowItem,
  Select,
  type SelectOption,
  uniqueRows,
} from "../../sql/mod.ts";
import type { Relation } from "../relation.ts";
import {
  aliasOf,
  conditionOf,
  type Criterion,
  sourceAt,
  viewOf,
} from "../relation_view.ts";
import { populateExisting } from "../session_options.ts";
import { wrapQuery } from "./_derived.ts";
import type {
  Level,
  LoaderOption,
  LoadOption,
  QueryOption,
  Request,
} from "./loader.ts";
import { planBelow, planOptions, tableIn } from "./options.ts";
import { hand, relatedQuery } from "./related.ts";
import { holdsKeys, ownerKeys, selectRelated } from "./selectin.ts";

/** Settings of {@linkcode joinedload}. */
export interface JoinedloadOptions {
  /** Whether every owner has a related object, so that an inner join does. @default {false} */
  readonly innerJoin?: boolean;
}

/**
 * Loads a relation in the query's own statement, by an outer join of an alias
 * that neither conditions nor sorting see. Rows that only the join repeats
 * come once.
 *
 * A query that LIMIT cuts is put into a subquery before a collection is
 * joined, so that it counts owners. Where a join would change what the query
 * finds (DISTINCT, GROUP BY), where the collection has an order, and where the
 * platform takes no more columns, the relation goes in a statement of its own,
 * in the same trip.
 *
 * @example
 * ```ts ignore
 * select(Address).options(joinedload(Address.r.user));
 * ```
 *
 * @param relation The relation, as `Address.r.user`.
 * @param then What is loaded below it.
 */
export function joinedload<
  Key extends string,
  C,
  const Sub extends readonly SelectOption[] = [],
>(relation: Relation<Key, C>, ...then: Sub): LoaderOption<Key, Sub> {
  return joined(relation, then, { innerJoin: false });
}

/** As {@linkcode joinedload}, where every owner has a related object: an inner join. */
export function innerJoinedload<
  Key extends string,
  C,
  const Sub extends readonly SelectOption[] = [],
>(relation: Relation<Key, C>, ...then: Sub): LoaderOption<Key, Sub> {
  return joined(relation, then, { innerJoin: true });
}

function joined<Key extends string, C, Sub extends readonly SelectOption[]>(
  relation: Relation<Key, C>,
  then: Sub,
  { innerJoin = false }: JoinedloadOptions,
): LoaderOption<Key, Sub> {
  const view = viewOf(relation);
  const { of, from, criterion, source } = view;
  // Planned with the join; sent with the other reads.
  const reads = new WeakMap<Request, ReturnType<typeof planBelow>>();
  return {
    kind: "loader",
    plan: planOptions,
    key: relation.key,
    relation: of,
    from,
    then,
    prepare(this: LoadOption, request, level) {
      if (!level?.joined || source || !canJoin(of, level, request)) return;
      const below = { ...level, joined: level.joined };
      const isInner = innerJoin && below.joined.isInner;
      const alias = aliasOf(of.target);
      if (of.isMany) wrap(request);
      const steps = stepsTo(of, below.joined, alias, criterion, request);
      const sent = request.sent as Select<unknown>;
      const joins = [
        ...sent.state.joins,
        ...steps.map((step) =>
          new Join(isInner ? "JOIN" : "LEFT JOIN", step.from, step.on)
        ),
      ];
      request.sent = copyOf(sent, { state: { ...sent.state, joins } });
      reads.set(
        request,
        addPart(of, below, alias, isInner, request, this.then),
      );
    },
    load(this: LoadOption, one, level, request) {
      return reads.get(request)?.reads() ??
        selectRelated(one, level, request, this.then ?? [], view);
    },
  };
}

/**
 * Takes a relation from what the query joins by itself: from the class's own
 * table, or from the alias that `ofType()` names. The collection holds what
 * the query's rows hold.
 *
 * @example
 * ```ts ignore
 * select(User).join(User.r.addresses).where(Address.c.email.like("%@a"))
 *   .options(containsEager(User.r.addresses));
 * ```
 */
export function containsEager<
  Key extends string,
  C,
  const Sub extends readonly SelectOption[] = [],
>(relation: Relation<Key, C>, ...then: Sub): LoaderOption<Key, Sub> {
  const { of, from, to = of.target.from } = viewOf(relation);
  const reads = new WeakMap<Request, ReturnType<typeof planBelow>>();
  return {
    kind: "loader",
    plan: planOptions,
    key: relation.key,
    relation: of,
    from,
    then,
    prepare(this: LoadOption, request, level) {
      if (!level?.joined) return;
      const below = { ...level, joined: level.joined };
      reads.set(
        request,
        addPart(of, below, to, below.joined.isInner, request, this.then),
      );
    },
    load: (_relation, _level, request) => reads.get(request)?.reads() ?? [],
  };
}

/** Whether a join leaves what the query finds as it is, within the platform's limits. */
function canJoin(relation: Relation, level: Level, request: Request): boolean {
  const { sent, reader } = request;
  if (!(sent instanceof Select)) return false;
  const { distinct, groupBy } = sent.state;
  const { columns = Infinity } =
    reader.engineOf(request.asked).capabilities.limits;
  const { source } = relation.target;
  // Options that choose columns know those of the class's own table only.
  const isChosen = sent.optionList.some((option) =>
    (option as QueryOption).rewrite
  );
  return groupBy.length === 0 && !isChosen &&
    holdsKeys(relation, level) &&
    !(relation.isMany && (relation.options.orderBy || distinct)) &&
    sent.expressions.length + source.columns.length <= columns &&
    level.joined !== undefined;
}

/** Puts a query that LIMIT cuts into a subquery, so that it counts owners. */
function wrap(request: Request): void {
  const sent = request.sent as Select<unknown>;
  if (!sent.state.limit && !sent.state.offset) return;
  const { query, parts } = wrapQuery(sent);
  request.sent = query;
  request.parts = parts;
}

function stepsTo(
  relation: Relation,
  { from, part }: NonNullable<Level["joined"]>,
  alias: FromClause,
  criterion: Criterion<unknown> | undefined,
  request: Request,
) {
  const { secondary, target, parent } = relation;
  const steps = relation.steps(
    request.parts?.[part] ?? tableIn(parent, from),
    alias,
    secondary && new Alias(secondary),
  );
  const more = [
    conditionOf(criterion, target, alias),
    ...request.spread.map((option) => option.criterionOf?.(target, alias)),
  ].filter((one) => one !== undefined);
  const last = steps.length - 1;
  return steps.map((step, i) =>
    i === last && more.length > 0
      ? { ...step, on: and(step.on, ...more) }
      : step
  );
}

/** The rows that are sent for get one more part: the related objects. */
function addPart(
  relation: Relation,
  level: Level & { readonly joined: NonNullable<Level["joined"]> },
  from: FromClause,
  isInner: boolean,
  request: Request,
  then: readonly SelectOption[] = [],
): ReturnType<typeof planBelow> {
  const { asked, finish } = request;
  const sent = request.sent as Select<unknown>;
  const overwrite = asked.optionList.includes(populateExisting);
  const { items } = sent.shape;
  const part = items.length;
  if (part === asked.shape?.items.length) {
    finish.push((rows) => restore(rows, asked as Select<unknown>));
  }
  const source = sourceAt(relation.target, from);
  const more: RowItem[] = [...items, { source, expressions: source.columns }];
  request.sent = copyOf(sent, { shape: { kind: "tuple", items: more } });
  const found = new Map<object, Set<object>>();
  const children = new Set<object>();
  const below = planBelow(
    then,
    relation,
    {
      query: relatedQuery(relation, ownerKeys(relation, level)),
      from: relation.target.from,
      objects: () => [...children],
      joined: { from, part, isInner },
    },
    request,
  );
  finish.push((rows) => {
    for (const row of rows as (object | null)[][]) {
      const owner = row[level.joined.part];
      const item = row[part];
      if (!(owner instanceof relation.parent.cls)) continue;
      const items = found.get(owner) ?? new Set();
      found.set(owner, items);
      if (!item) continue;
      items.add(item);
      children.add(item);
    }
    for (const [owner, items] of found) {
      hand(relation, owner, [...items], overwrite);
    }
    below.loaded();
  });
  return below;
}

/** Rows with parts for related objects become those that were asked for. */
function restore(rows: unknown[], { shape }: Select<unknown>): void {
  const { items, kind } = shape;
  const asked = uniqueRows(
    rows.map((row) => {
      const parts = (row as unknown[]).slice(0, items.length);
      return kind === "single"
        ? parts[0]
        : kind === "tuple"
        ? parts
        : Object.fromEntries(items.map(({ key }, i) => [key, parts[i]]));
    }),
  );
  rows.length = 0;
  for (const row of asked) rows.push(row);
}

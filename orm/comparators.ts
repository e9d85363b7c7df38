import {
  Alias,
  and,
  exists,
  type Expression,
  type FromClause,
  literal,
  not,
  select,
} from "../sql/mod.ts";
import { MappingError } from "./errors.ts";
import { tableIn } from "./loading/options.ts";
import { ownerColumns } from "./loading/related.ts";
import { overlap, type Relation } from "./relation.ts";
import { column } from "./relations/base.ts";
import {
  aliasOf,
  conditionOf,
  type Criterion,
  type RelationView,
  viewOf,
} from "./relation_view.ts";
import { stateOf } from "./state.ts";

/**
 * Whether a relation leads to an object, or to one that meets conditions.
 *
 * @example
 * ```ts ignore
 * select(User).where(any(User.r.addresses, (a) => a.email.like("%@example.com")));
 * select(User).where(not(any(User.r.addresses)));
 * ```
 *
 * @param criteria Conditions; of a relation to its own class, made of the columns handed in.
 */
export function any<Key extends string, C>(
  relation: Relation<Key, C>,
  ...criteria: Criterion<C>[]
): Expression<boolean> {
  const view = viewOf(relation);
  const { of, criterion } = view;
  const isSelf = overlap(of.parent.from, of.target.from);
  const to = view.to ??
    (isSelf ? aliasOf(of.target) : of.target.from);
  const given = [...criterion ? [criterion] : [], ...criteria];
  if (isSelf && !view.to && given.some((one) => typeof one !== "function")) {
    throw new MappingError(
      `Cannot ask for any ${of.parent.name}.${of.key}: both sides are ${of.target.name}; make the condition of the columns that are handed in, (columns) => …, or name an alias with ofType()`,
    );
  }
  return related(
    view,
    to,
    given.map((one) => conditionOf(one as Criterion<unknown>, of.target, to)),
  );
}

/** As {@linkcode any}, of a relation to one object. */
export function has<Key extends string, C>(
  relation: Relation<Key, C>,
  ...criteria: Criterion<C>[]
): Expression<boolean> {
  return any(relation, ...criteria);
}

/**
 * Whether a relation leads to this very object.
 *
 * @throws {MappingError} If the object has no key yet.
 */
export function contains(
  relation: Relation,
  object: object,
): Expression<boolean> {
  const view = viewOf(relation);
  const { of, from = of.parent.from } = view;
  if (of.kind === "manyToOne") {
    const values = keysOf(of, object, of.remotePairs.map((pair) => pair.from));
    return and(
      ...ownerColumns(of, from).map((one, i) => one.eq(values[i])),
    );
  }
  const { target } = of;
  const to = view.to ?? aliasOf(target);
  const values = keysOf(of, object, target.primaryKey.map((one) => one.key));
  return related(view, to, [
    and(
      ...target.primaryKey.map((one, i) => column(to, one.key).eq(values[i])),
    ),
  ]);
}

/**
 * Whether a relation to one leads to this object, or, of `null`, to none.
 *
 * @throws {MappingError} If the object has no key yet.
 */
export function isRelated(
  relation: Relation,
  object: object | null,
): Expression<boolean> {
  if (object !== null) return contains(relation, object);
  const { of, from = of.parent.from } = viewOf(relation);
  return of.kind === "manyToOne"
    ? and(...ownerColumns(of, from).map((one) => one.isNull()))
    : not(any(relation));
}

/**
 * Whether a row is among those that an object's relation leads to.
 *
 * @example
 * ```ts ignore
 * select(Address).where(withParent(ed, User.r.addresses));
 * ```
 *
 * @throws {MappingError} If the object has no key yet.
 */
export function withParent(
  object: object,
  relation: Relation,
): Expression<boolean> {
  const { of, to = of.target.from } = viewOf(relation);
  const { secondary, localPairs, remotePairs, kind } = of;
  const values = keysOf(of, object, ownerColumns(of).map((one) => one.key));
  if (secondary) {
    const through = new Alias(secondary);
    return exists(
      select(literal(1)).from(through).where(
        ...remotePairs.map((pair) =>
          column(through, pair.to).eq(column(to, pair.from))
        ),
        ...localPairs.map((pair, i) => column(through, pair.to).eq(values[i])),
      ),
    );
  }
  const ties = kind === "manyToOne"
    ? remotePairs.map((pair) => pair.from)
    : localPairs.map((pair) => pair.to);
  return and(...ties.map((key, i) => column(to, key).eq(values[i])));
}

function related(
  { of, from = of.parent.from }: RelationView,
  to: FromClause,
  conditions: readonly (Expression<unknown> | undefined)[],
): Expression<boolean> {
  const through = of.secondary && new Alias(of.secondary);
  const steps = of.steps(tableIn(of.parent, from), to, through);
  return exists(
    select(literal(1)).from(...steps.map((step) => step.from)).where(
      ...steps.map((step) => step.on),
      ...conditions.filter((one) => one !== undefined),
    ),
  );
}

function keysOf(
  { parent, key, target }: Relation,
  object: object,
  keys: readonly string[],
): unknown[] {
  const state = stateOf(object);
  return keys.map((one) => {
    const value = state.read(state.mapper.column(one));
    if (value !== undefined && value !== null) return value;
    throw new MappingError(
      `Cannot compare ${parent.name}.${key} with this ${target.name}: it has no key yet; commit it first`,
    );
  });
}

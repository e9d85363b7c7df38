import {
  and,
  Column,
  type Expression,
  type FromClause,
  Operation,
} from "../sql/mod.ts";
import { MappingError } from "./errors.ts";
import { moved, termsOf } from "./_moved.ts";
import { type JoinCondition, overlap, type Pair } from "./relation.ts";

/**
 * How related rows find each other, where foreign keys do not say it or there
 * are several ways. Equal columns of the two sides tie the rows; what else it
 * says must hold of them as well.
 *
 * @example Addresses in one town
 * ```ts
 * import { Entity, integer, joinOn, oneToMany, text } from "@aludel/aludel/orm";
 * import { and } from "@aludel/aludel/sql";
 * import { strictEqual } from "node:assert/strict";
 *
 * class User extends Entity.table("users", {
 *   id: integer().primaryKey(),
 *   inBoston: () =>
 *     oneToMany(Address, {
 *       viewOnly: true,
 *       primaryJoin: joinOn(() =>
 *         and(Address.c.userId.eq(User.c.id), Address.c.city.eq("Boston"))
 *       ),
 *     }),
 * }) {}
 * class Address extends Entity.table("addresses", {
 *   id: integer().primaryKey(),
 *   userId: integer(),
 *   city: text(),
 * }) {}
 * strictEqual(User.r.inBoston.localPairs[0]?.to, "userId");
 * ```
 *
 * @param condition The condition, asked for when every class is there.
 */
export function joinOn(condition: () => Expression<unknown>): JoinCondition {
  return (referring, referenced, foreignKeys, where) => {
    const pairs: Pair[] = [];
    const rest: Expression<unknown>[] = [];
    for (const term of termsOf(condition())) {
      const pair = pairOf(term, referring, referenced, foreignKeys);
      if (pair) pairs.push(pair);
      else rest.push(term);
    }
    if (pairs.length === 0) {
      throw new MappingError(
        `Cannot relate ${where}: its join sets no column of "${referring.labelPrefix}" equal to one of "${referenced.labelPrefix}"; in one table, name the referring column with foreignKeys`,
      );
    }
    if (rest.length === 0) return { pairs };
    return {
      pairs,
      extra: (one, other) =>
        and(
          ...rest.map((term) =>
            moved(
              term,
              new Map([
                ...referenced.members.map((member) => [member, other] as const),
                ...referring.members.map((member) => [member, one] as const),
              ]),
            )
          ),
        ),
    };
  };
}

function pairOf(
  term: Expression<unknown>,
  referring: FromClause,
  referenced: FromClause,
  foreignKeys: readonly string[] | undefined,
): Pair | undefined {
  if (!(term instanceof Operation) || term.operator !== "=") return undefined;
  const [one, other] = term.terms;
  for (const [to, from] of [[one, other], [other, one]]) {
    if (
      to instanceof Column && from instanceof Column &&
      referring.members.includes(to.table) &&
      referenced.members.includes(from.table) &&
      (foreignKeys?.includes(to.key) ?? !overlap(referring, referenced))
    ) return { from: from.key, to: to.key };
  }
  return undefined;
}

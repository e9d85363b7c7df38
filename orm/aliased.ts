import {
  type FromClause,
  type RowSource,
  rowSource,
  type Selectable,
} from "../sql/mod.ts";
import { mapperOf } from "./mapper.ts";
import { aliasOf, columnsAt, makeView, sourceAt } from "./relation_view.ts";

/**
 * A mapped class under another name, so that it can stand twice in a query.
 *
 * @typeParam I The instances.
 * @typeParam C The columns.
 * @typeParam R The relations.
 */
export interface AliasedClass<I, C, R> extends Selectable {
  /** Never present: carries the instances' type. */
  readonly prototype: I;
  /** Its columns under this name. */
  readonly c: C;
  /** Its relations, which lead from this name. */
  readonly r: R;
  /** What its rows come from. */
  readonly from: FromClause;
}

/**
 * Gives a mapped class another name for one query.
 *
 * @example
 * ```ts ignore
 * const boss = aliased(User);
 * select(User).join(ofType(User.r.manager, boss)).where(boss.c.name.eq("ed"));
 * ```
 *
 * @param name The name; without one it is numbered.
 */
export function aliased<I, C, R>(
  cls: Selectable & { readonly prototype: I; readonly c: C; readonly r: R },
  name?: string,
): AliasedClass<I, C, R> {
  const mapper = mapperOf(cls);
  const from: FromClause = aliasOf(mapper, name);
  const source: RowSource = sourceAt(mapper, from);
  return {
    prototype: cls.prototype,
    from,
    c: columnsAt(mapper, from) as C,
    get r(): R {
      return Object.fromEntries(
        [...mapper.relations].map((
          [key, relation],
        ) => [key, makeView(relation, { from })]),
      ) as R;
    },
    [rowSource]: source,
  };
}

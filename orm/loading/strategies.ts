import type { SelectOption } from "../../sql/mod.ts";
import { NotLoadedError } from "../errors.ts";
import type { Relation } from "../relation.ts";
import { viewOf } from "../relation_view.ts";
import type { LoadOption } from "./loader.ts";
import { planOptions } from "./options.ts";
import { hand } from "./related.ts";

function about(relation: Relation | "*"): Pick<
  LoadOption,
  "kind" | "plan" | "relation" | "from"
> {
  const { of, from } = relation === "*"
    ? { of: relation, from: undefined }
    : viewOf(relation);
  return { kind: "loader", plan: planOptions, relation: of, from };
}

/** Settings of {@linkcode raiseload}. */
export interface RaiseloadOptions {
  /** Whether an object that is in memory may be handed out. @default {false} */
  readonly sqlOnly?: boolean;
}

/**
 * Forbids to load a relation later; `"*"` every relation that no other option
 * names.
 *
 * @example
 * ```ts ignore
 * select(User).options(selectinload(User.r.addresses), raiseload("*"));
 * ```
 */
export function raiseload(
  relation: Relation | "*",
  { sqlOnly = false }: RaiseloadOptions = {},
): LoadOption {
  return {
    ...about(relation),
    lazy({ parent, key }, _state, isLocal) {
      if (sqlOnly && isLocal) return;
      throw new NotLoadedError(
        parent.name,
        key,
        `raiseload(${
          sqlOnly ? "…, { sqlOnly: true }" : "…"
        }) of its query forbids to load it later: load it with the query, options(selectinload(${parent.name}.r.${key}))`,
      );
    },
  };
}

/** Leaves a relation empty, and takes it for loaded. */
export function noload(relation: Relation | "*"): LoadOption {
  return {
    ...about(relation),
    loaded(one, objects) {
      for (const object of objects) hand(one, object, []);
    },
  };
}

/**
 * Leaves a relation to be loaded later, with what is loaded below it then;
 * `"*"` every relation that no other option names.
 */
export function lazyload(
  relation: Relation | "*",
  ...then: readonly SelectOption[]
): LoadOption {
  return { ...about(relation), then };
}

/** Leaves it as it is how a relation is loaded, and says what is loaded below it. */
export function defaultload<
  Key extends string,
  C,
  const Sub extends readonly SelectOption[] = [],
>(relation: Relation<Key, C>, ...then: Sub): LoadOption {
  return { ...about(relation), then, isDefault: true };
}

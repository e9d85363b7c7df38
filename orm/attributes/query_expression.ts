import {
  type Column,
  copyOf,
  type Expression,
  literal,
  Raw,
  type RowItem,
  type Select,
  type SelectOption,
} from "../../sql/mod.ts";
import type { AttributeSpec } from "../attribute.ts";
import type { Mapper } from "../mapper.ts";
import type { SameRow } from "../session_options.ts";
import { columnProperty, PropertyColumn } from "./column_property.ts";

/**
 * An attribute whose expression each query gives with
 * {@linkcode withExpression}; without one it is `null`.
 *
 * @example
 * ```ts
 * import { Entity, integer, queryExpression, withExpression } from "@aludel/aludel/orm";
 * import { minus, select } from "@aludel/aludel/sql";
 *
 * class Offer extends Entity.table("offers", {
 *   id: integer().primaryKey(),
 *   price: integer(),
 *   discounted: queryExpression<number>(),
 * }) {}
 * select(Offer).options(
 *   withExpression(Offer.c.discounted, minus(Offer.c.price, 5)),
 * );
 * ```
 */
export function queryExpression<T>(): AttributeSpec<
  T | null,
  Column<T | null>,
  false,
  never
> {
  return columnProperty<T | null>(() => new Raw("NULL"), {
    expireOnFlush: false,
  });
}

/** An option that gives an attribute its expression. */
export interface ExpressionOption extends SelectOption<SameRow> {
  /** @ignore */
  rewrite(statement: Select<unknown>): Select<unknown>;
}

/**
 * Gives a {@linkcode queryExpression} its expression in one query. Objects
 * that are there keep what they have, unless the query overwrites it.
 *
 * @param attribute The attribute, as `Offer.c.discounted`.
 * @param expression What the database computes for it, or a value.
 */
export function withExpression<T>(
  attribute: Column<T | null>,
  expression: Expression<T> | T,
): ExpressionOption {
  return {
    rewrite(statement): Select<unknown> {
      const items = statement.shape.items.map((item): RowItem => {
        const { source } = item;
        const mapper = source?.owner as Mapper | undefined;
        if (!source || !mapper || !source.columns.includes(attribute)) {
          return item;
        }
        const given = new PropertyColumn(
          attribute.key,
          attribute.table,
          expression instanceof Object && "compile" in expression
            ? expression
            : literal(expression),
          {},
          attribute.spec,
        );
        const columns = source.columns.map((column) =>
          column === attribute ? given : column
        );
        return {
          ...item,
          source: { ...source, columns },
          expressions: columns,
        };
      });
      return copyOf(statement, { shape: { ...statement.shape, items } });
    },
  };
}

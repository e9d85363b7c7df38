import type { Column, FromClause } from "../sql/mod.ts";
import type { AnyClass, Mapper } from "./mapper.ts";

/**
 * An attribute that is neither a column nor a relation: a synonym, a hybrid,
 * a composite, a computed property. Each is a function of its own, so that a
 * bundle carries those it names.
 *
 * @typeParam T Its value on an object.
 * @typeParam E What it is in SQL, as `User.c.key`.
 * @typeParam Settable Whether a constructor takes it.
 * @typeParam Covered Columns that it gives, so that a constructor need not be given them.
 */
export interface AttributeSpec<
  T = unknown,
  E = unknown,
  Settable extends boolean = boolean,
  Covered extends string = string,
> {
  /** Tells it from columns and relations. */
  readonly attribute: true;
  /** Never present: carries the types. */
  readonly "~attribute"?: {
    readonly value: T;
    readonly sql: E;
    readonly isSettable: Settable;
    readonly covered: Covered;
  };
  /** Puts it on the class. */
  install?(cls: AnyClass, key: string): void;
  /** What it is in SQL, given the class's columns, which may be those of an alias. */
  expression?(
    c: Readonly<Record<string, unknown>>,
    mapper: Mapper,
    key: string,
    from: FromClause,
  ): unknown;
  /** What a query of the class selects for it. */
  column?(mapper: Mapper, key: string): Column<unknown>;
}

/** Whether a part of a description is such an attribute. */
export function isAttribute(value: unknown): value is AttributeSpec {
  return (value as Partial<AttributeSpec> | null)?.attribute === true;
}

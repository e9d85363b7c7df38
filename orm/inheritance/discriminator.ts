import {
  Column,
  ColumnBuilder,
  type Expression,
  type Optionality,
} from "../../sql/mod.ts";
import type { AttributeSpec } from "../attribute.ts";
import { columnProperty } from "../attributes/column_property.ts";
import { StateError } from "../errors.ts";
import type { Mapper } from "../mapper.ts";

/** What a class is known by among those that share its rows. */
export interface IdentityOptions {
  /** The value by which a row says that it is of this class. */
  readonly identity?: string | number;
  /** Whether there are objects of classes below it only. @default {false} */
  readonly polymorphicAbstract?: boolean;
}

const KEY = "polymorphicOn";

type Marked = { readonly [KEY]?: IdentityOptions };

/**
 * The column whose value says of which class a row is. New objects get the
 * value of their class when they are made, and keep it.
 *
 * @example
 * ```ts
 * import { Entity, integer, joined, polymorphicOn, text } from "@aludel/aludel/orm";
 * import { strictEqual } from "node:assert/strict";
 *
 * class Employee extends Entity.table("employees", {
 *   id: integer().primaryKey(),
 *   name: text(),
 *   type: polymorphicOn(text(), { identity: "employee" }),
 * }) {}
 * class Manager extends joined(Employee, "managers", { level: integer() }, {
 *   identity: "manager",
 * }) {}
 * strictEqual(new Manager({ name: "ed", level: 3 }).type, "manager");
 * ```
 *
 * @param on The column; or, as a function, what the database works out for each row.
 */
export function polymorphicOn<T, O extends Optionality>(
  on: ColumnBuilder<T, O>,
  options: IdentityOptions,
): ColumnBuilder<T, true>;
/**
 * What the database works out for each row to say of which class it is: a
 * CASE, or a column of a related table.
 *
 * @example
 * ```ts
 * import { Entity, integer, polymorphicOn, single } from "@aludel/aludel/orm";
 * import { caseWhen } from "@aludel/aludel/sql";
 *
 * class Person extends Entity.table("people", {
 *   id: integer().primaryKey(),
 *   age: integer(),
 * }, {
 *   attributes: (person) => ({
 *     stage: polymorphicOn(
 *       () => caseWhen(person.c.age.lt(18), "child").else("adult"),
 *       { identity: "adult" },
 *     ),
 *   }),
 * }) {}
 * class Child extends single(Person, {}, { identity: "child" }) {}
 * Child.c.age;
 * ```
 */
export function polymorphicOn<T>(
  on: () => Expression<T>,
  options: IdentityOptions,
): AttributeSpec<T, Column<T>, false, never>;
export function polymorphicOn(
  on: ColumnBuilder<unknown, Optionality> | (() => Expression<unknown>),
  options: IdentityOptions,
): unknown {
  if (typeof on === "function") {
    return { ...columnProperty(on, { expireOnFlush: false }), [KEY]: options };
  }
  return on.with({
    default: () => {
      if (!options.polymorphicAbstract) return options.identity ?? null;
      throw new StateError(
        "Cannot insert an object of an abstract class: it has no identity; make one of a class below it",
      );
    },
    info: { ...on.spec.info, [KEY]: options },
  });
}

/** What was said of the class whose discriminator it is; nothing of other parts of a description. */
export function identityOptionsOf(part: unknown): IdentityOptions | undefined {
  return part instanceof ColumnBuilder || part instanceof Column
    ? (part.spec.info as Marked | undefined)?.[KEY]
    : (part as Marked)[KEY];
}

/** What tells the classes of a mapper's rows apart, and what the mapper's own class is known by. */
export function discriminatorOf(
  mapper: Mapper,
): { column: Column<unknown>; options: IdentityOptions } | undefined {
  for (const column of mapper.columns) {
    const options = identityOptionsOf(column);
    if (options) return { column, options };
  }
  for (const [key, spec] of Object.entries(mapper.parts.attributes ?? {})) {
    const options = identityOptionsOf(spec);
    const column = options && spec.column?.(mapper, key);
    if (column) return { column, options };
  }
  return undefined;
}

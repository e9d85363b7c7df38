import { ColumnBuilder } from "../../sql/mod.ts";
import { finishDescription, mapped, shapeAbove } from "../entity.ts";
import { type AnyClass, definitionOf, Mapper, mapperOf } from "../mapper.ts";
import {
  type DeclarativeOptions,
  type Inheritance,
  tableDefinition,
} from "../mapping.ts";
import type { ConcreteShape, ConcreteSubclassOf } from "./types.ts";
import type { DescribedClass, InstanceOf } from "../types.ts";
import { identityOptionsOf } from "./discriminator.ts";
import { familyOf } from "./family.ts";

/** Settings of a class that takes over columns and shares no row. */
export interface ConcreteOptions {
  /** What its rows are known by in a `polymorphicUnion()`. */
  readonly identity: string | number;
}

type Shape = Readonly<Record<string, unknown>>;

/**
 * A class that inherits from a mapped one and keeps everything in a table of
 * its own: Fowler's Concrete Table Inheritance. It has the base's columns, but
 * not its relations, and its identities are its own: a base and a subclass may
 * both have an object of key 1. Queries of the base do not find it;
 * `polymorphicUnion()` does.
 *
 * @example
 * ```ts
 * import { concrete, Entity, integer, text } from "@aludel/aludel/orm";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * class User extends Entity.table("users", {
 *   id: integer().primaryKey(),
 *   name: text(),
 * }) {}
 * class Guest extends concrete(User, "guests", { room: integer() }, {
 *   identity: "guest",
 * }) {}
 * deepStrictEqual(Object.keys(Guest.c), ["id", "name", "room"]);
 * ```
 *
 * @param base The class that it inherits from.
 * @param table The name of its table.
 * @param shape What it adds: columns, relations and further attributes by key.
 */
export function concrete<
  C extends AnyClass,
  T,
  // deno-lint-ignore ban-types -- without further attributes, there are none
  A = {},
>(
  base: C,
  table: string,
  shape: T,
  options:
    & ConcreteOptions
    & DeclarativeOptions<DescribedClass<ConcreteShape<C, T>, InstanceOf<C>>, A>,
): ConcreteSubclassOf<C, T & A>;
/** The same for {@linkcode mapper}, of a plain class that extends another. */
export function concrete(
  base: AnyClass | Mapper,
  options: ConcreteOptions,
): Inheritance;
export function concrete(
  base: AnyClass | Mapper,
  first: string | ConcreteOptions,
  shape: Shape = {},
  options?: ConcreteOptions & DeclarativeOptions<never, object>,
): unknown {
  // Asked for late: what inherits otherwise may yet add to the base's table.
  const parent = (): Mapper => base instanceof Mapper ? base : mapperOf(base);
  if (typeof first !== "string") {
    const inherits: Inheritance = (cls, table, parts) => {
      const made = new Mapper(cls, table, parts);
      familyOf(parent()).add(first.identity, made);
      return made;
    };
    return inherits;
  }
  const { identity = first, ...rest } = options ?? {};
  const described = mapped(base as AnyClass);
  const description = tableDefinition(
    described,
    first,
    { ...inherited(shapeAbove(base), identity), ...shape },
    (definitionOf(base) ?? parent()).table.metadata,
    rest,
  );
  const { table, parts } = description;
  finishDescription(described, {
    ...description,
    map(cls) {
      const made = new Mapper(cls, table, parts);
      familyOf(parent()).add(identity, made);
      return made;
    },
  });
  return described;
}

/** What a class takes over: columns and what is made of them. */
function inherited(shape: Shape, identity: string | number): Shape {
  return Object.fromEntries(
    Object.entries(shape).flatMap(([key, part]): [string, unknown][] => {
      // Relations, and what is computed of the base's own table, stay there.
      if (typeof part === "function") return [];
      if (!(part instanceof ColumnBuilder)) {
        return "column" in (part as object) ? [] : [[key, part]];
      }
      return [[
        key,
        identityOptionsOf(part)
          ? part.with({ default: identity, info: {} })
          : part,
      ]];
    }),
  );
}

import type { RowSource, Table, TableSet } from "../sql/mod.ts";
import { handleOf } from "./handles/handle.ts";
import { hooks } from "./hooks.ts";
import { stateOf } from "./state.ts";
import {
  type AnyClass,
  define,
  findMapper,
  type Mapper,
  mapperOf,
} from "./mapper.ts";
import {
  type DeclarativeOptions,
  defineAttributes,
  type Described,
  tableDefinition,
} from "./mapping.ts";
import type { Relation } from "./relation.ts";
import type { AbstractEntity } from "./types.ts";

type Shape = Readonly<Record<string, unknown>>;

/** What a class was described with, its bases' part first. */
export function shapeAbove(cls: AnyClass | Mapper): Shape {
  return (cls as Partial<typeof EntityBase>)["~shape"] ?? {};
}

abstract class EntityBase {
  static metadata: TableSet | undefined;
  // What `with()` and `table()` of the bases have gathered; inherited.
  static "~shape": Shape = {};

  constructor(init: Readonly<Record<string, unknown>> = {}) {
    if (!findMapper(new.target)) return;
    const give = (): void => initialize(this, init);
    hooks.made ? hooks.made(this, init, give) : give();
  }

  static with(this: typeof EntityBase, columns: Shape): AnyClass {
    const shape = { ...this["~shape"], ...columns };
    abstract class Base extends this {
      static override "~shape" = shape;
    }
    return Base;
  }

  static table(
    this: typeof EntityBase,
    name: string,
    shape: Shape,
    options?: DeclarativeOptions<never, object>,
  ): AnyClass {
    const described = mapped(this);
    const whole = { ...this["~shape"], ...shape };
    finishDescription(
      described,
      tableDefinition(described, name, whole, this.metadata, options),
    );
    return described;
  }
}

/** A class that stands above a mapped one and carries what mapping adds to it. */
export function mapped(base: AnyClass): AnyClass {
  abstract class Mapped extends base {
    static get table(): Table {
      return mapperOf(this).table;
    }
    static get c(): Readonly<Record<string, unknown>> {
      return mapperOf(this).c;
    }
    static get r(): Readonly<Record<string, Relation>> {
      return Object.fromEntries(mapperOf(this).relations);
    }
    static get "~source"(): RowSource {
      return mapperOf(this).source;
    }
  }
  return Mapped;
}

/** Notes what a described class is made of, and puts its attributes on it. */
export function finishDescription(cls: AnyClass, description: Described): void {
  Object.assign(cls, { "~shape": description.shape });
  defineAttributes(cls, description.parts);
  define(cls, description);
}

/**
 * The base of declarative classes.
 *
 * @example
 * ```ts
 * import { Entity, integer, text } from "@aludel/aludel/orm";
 * import { strictEqual } from "node:assert/strict";
 *
 * class User extends Entity.table("users", {
 *   id: integer().primaryKey(),
 *   name: text(50),
 * }) {
 *   greet(): string {
 *     return `hello, ${this.name}`;
 *   }
 * }
 * strictEqual(new User({ name: "ed" }).greet(), "hello, ed");
 * ```
 */
// deno-lint-ignore ban-types -- a base that describes nothing yet
export const Entity: AbstractEntity<{}, {}> =
  EntityBase as unknown as AbstractEntity<
    // deno-lint-ignore ban-types -- the same
    {},
    // deno-lint-ignore ban-types -- the same
    {}
  >;

/** Gives a new object the values and related objects of its constructor. */
function initialize(
  made: object,
  init: Readonly<Record<string, unknown>>,
): void {
  const { mapper, object } = stateOf(made);
  for (const [column, value] of mapper.polymorphism?.initial ?? []) {
    object[mapper.keyOf(column)] = value;
  }
  for (const [key, value] of Object.entries(init)) {
    if (value === undefined) continue;
    // Attributes that are not columns are accessors of the class.
    if (Object.hasOwn(mapper.c, key)) object[key] = value;
    else handleOf(made, mapper.relation(key)).set(value as never);
  }
}

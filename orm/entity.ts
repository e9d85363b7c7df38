import type { RowSource, Table, TableSet } from "../sql/mod.ts";
import { handleOf } from "./handles/handle.ts";
import { hooks } from "./hooks.ts";
import { stateOf } from "./state.ts";
import { type AnyClass, define, findMapper, mapperOf } from "./mapper.ts";
import {
  type DeclarativeOptions,
  defineAttributes,
  type Described,
  tableDefinition,
} from "./mapping.ts";
import type { Relation } from "./relation.ts";
import type { AbstractEntity } from "./types.ts";

type Shape = Readonly<Record<string, unknown>>;

// What `with()` and `table()` of the bases have gathered, for each class.
const shapes = new WeakMap<object, Shape>();

/** What a class was described with, its bases' part first. */
export function shapeAbove(cls: unknown): Shape {
  for (
    let at: unknown = cls;
    typeof at === "function";
    at = Object.getPrototypeOf(at)
  ) {
    const found = shapes.get(at);
    if (found) return found;
  }
  return {};
}

abstract class EntityBase {
  static metadata: TableSet | undefined;

  constructor(init: Readonly<Record<string, unknown>> = {}) {
    if (findMapper(new.target)) initialize(this, init);
  }

  static with(this: typeof EntityBase, columns: Shape): AnyClass {
    abstract class Base extends this {}
    shapes.set(Base, { ...shapeAbove(this), ...columns });
    return Base;
  }

  static table(
    this: typeof EntityBase,
    name: string,
    shape: Shape,
    options?: DeclarativeOptions<never, object>,
  ): AnyClass {
    const described = mapped(this);
    const whole = { ...shapeAbove(this), ...shape };
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
  shapes.set(cls, description.shape);
  const { relations = {}, attributes = {} } = description.parts;
  defineAttributes(cls, Object.keys(relations), attributes);
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
  object: object,
  init: Readonly<Record<string, unknown>>,
): void {
  const { mapper } = stateOf(object);
  hooks.hear?.("init", object, init);
  try {
    for (const [column, value] of mapper.polymorphism?.initial ?? []) {
      (object as Record<string, unknown>)[mapper.keyOf(column)] = value;
    }
    for (const [key, value] of Object.entries(init)) {
      if (value === undefined) continue;
      // Attributes that are not columns are accessors of the class.
      if (Object.hasOwn(mapper.c, key)) {
        (object as Record<string, unknown>)[key] = value;
      } else handleOf(object, mapper.relation(key)).set(value as never);
    }
  } catch (error) {
    hooks.hear?.("initFailure", object, init);
    throw error;
  }
}

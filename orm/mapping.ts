import {
  type Column,
  ColumnBuilder,
  type ColumnBuilders,
  type Constraint,
  type RowSource,
  rowSource,
  type Table,
  table as makeTable,
  type TableOptions,
  TableSet,
} from "../sql/mod.ts";
import { type AttributeSpec, isAttribute } from "./attribute.ts";
import type { HybridBase } from "./attributes/hybrid.ts";
import { MappingError } from "./errors.ts";
import { handleOf } from "./handles/handle.ts";
import { stateOf } from "./state.ts";
import {
  type AnyClass,
  type Definition,
  findMapper,
  Mapper,
  type MapperParts,
} from "./mapper.ts";
import { named } from "./_names.ts";
import type { Relation, RelationSpec } from "./relation.ts";
import type { InstanceOf } from "./types.ts";

type Specs = Record<string, AttributeSpec>;

/** What an attribute of an imperative mapping may be. */
export type Property =
  | Column<unknown>
  | AttributeSpec
  | (() => RelationSpec<unknown>);

/** Settings of an imperative mapping. */
export interface MapperOptions<
  T = never,
  P = Readonly<Record<string, Property>>,
> {
  /** Relations, columns under other keys, and further attributes, by key. */
  readonly properties?: P;
  /** The keys of the only columns that are mapped. @default all */
  readonly includeProperties?: readonly string[];
  /** The keys of columns that are not mapped. @default none */
  readonly excludeProperties?: readonly string[];
  /** The columns of the identity, where the table declares no primary key. */
  readonly primaryKey?: readonly Column<unknown>[];
  /** Called with each object made from a row, since the constructor is not. */
  readonly reconstructor?: (object: T) => void;
  /** How it inherits from another class: `joined(…)`, `single(…)`. @default not at all */
  readonly inherits?: Inheritance;
}

/** How a mapping inherits from another: makes the mapper of the parts of both. */
export type Inheritance = (
  cls: AnyClass,
  table: Table,
  parts: MapperParts,
) => Mapper;

/** What properties of an imperative mapping are in SQL. */
export type PropertyExpressions<P> = {
  readonly [
    K in keyof P as P[K] extends Column<unknown> | AttributeSpec ? K : never
  ]: P[K] extends Column<infer T> ? Column<T>
    : P[K] extends AttributeSpec<infer _T, infer E> ? E
    : never;
};

/** The relations among properties of an imperative mapping. */
export type PropertyRelations<P> = {
  readonly [
    K in keyof P as P[K] extends Column<unknown> | AttributeSpec ? never : K
  ]: P[K] extends () => RelationSpec<infer C> ? Relation<K & string, C> : never;
};

/**
 * The mapper of a plain class; it stands for the class in queries.
 *
 * @typeParam C The class.
 * @typeParam P Its properties as they are described.
 */
export interface MappedClass<C, P = unknown> extends Mapper {
  /** What conditions and results name, by key: described properties, and columns. */
  readonly c: Mapper["c"] & PropertyExpressions<P>;
  /** Its relations, for joins and loading. */
  readonly r: PropertyRelations<P>;
  /** @ignore */
  readonly prototype: InstanceOf<C>;
  /** What `select()` needs to know of it. */
  readonly [rowSource]: RowSource;
}

/**
 * Maps a plain class, which stays plain, to a table: Fowler's Data Mapper.
 *
 * @example
 * ```ts
 * import { mapper, stateOf } from "@aludel/aludel/orm";
 * import { integer, MetaData, select, table, text } from "@aludel/aludel/sql";
 * import { strictEqual } from "node:assert/strict";
 *
 * class User {
 *   constructor(public login: string) {}
 * }
 * const users = table("users", new MetaData(), {
 *   id: integer().primaryKey(),
 *   user_login: text(),
 * });
 * const mapped = mapper(User, users, {
 *   properties: { login: users.c.user_login },
 * });
 * strictEqual(stateOf(new User("ed")).status, "transient");
 * select(mapped).where(mapped.c.login.eq("ed"));
 * ```
 *
 * @throws {MappingError} If the class is mapped already, or a property names nothing.
 */
export function mapper<
  C extends AnyClass,
  // deno-lint-ignore ban-types -- without properties, there are none
  const P extends Readonly<Record<string, Property>> = {},
>(
  cls: C,
  table: Table,
  options: MapperOptions<InstanceType<C>, P> = {},
): MappedClass<C, P> {
  const { primaryKey, reconstructor } = options;
  if (findMapper(cls)?.cls === cls) {
    throw new MappingError(`Cannot map ${cls.name}: it is mapped already`);
  }
  const sorted = sortOut(cls, table, options);
  const parts = { ...sorted, primaryKey, reconstructor };
  const made = options.inherits?.(cls, table, parts) ??
    new Mapper(cls, table, parts);
  defineAttributes(cls, sorted);
  return Object.defineProperties(made, {
    [rowSource]: { get: () => made.source },
    r: { get: () => Object.fromEntries(made.relations) },
  }) as MappedClass<C, P>;
}

function sortOut(
  cls: AnyClass,
  table: Table,
  options: MapperOptions,
): Pick<MapperParts, "relations" | "attributes" | "columns" | "keys"> {
  const own: Readonly<Record<string, Column<unknown>>> = table.c;
  const { includeProperties, excludeProperties = [] } = options;
  for (const key of [...(includeProperties ?? []), ...excludeProperties]) {
    if (!Object.hasOwn(own, key)) {
      throw new MappingError(
        `Cannot map ${cls.name}: table "${table.fullName}" has no column "${key}"; it has ${
          named(Object.keys(own))
        }`,
      );
    }
  }
  const relations: Record<string, () => RelationSpec<unknown>> = {};
  const attributes: Specs = {};
  const keys = new Map<Column<unknown>, string>();
  for (const [key, property] of Object.entries(options.properties ?? {})) {
    if (typeof property === "function") relations[key] = property;
    else if (isAttribute(property)) attributes[key] = property;
    else if (Object.values(own).includes(property)) keys.set(property, key);
    else {
      throw new MappingError(
        `Cannot map ${cls.name}.${key}: its column is not of table "${table.fullName}"`,
      );
    }
  }
  const columns = Object.fromEntries(
    Object.entries(own).filter(([key, column]) =>
      keys.has(column) ||
      (includeProperties?.includes(key) ?? true) &&
        !excludeProperties.includes(key)
    ).map(([key, column]) => [keys.get(column) ?? key, column]),
  );
  return { relations, attributes, columns, keys };
}

/** Puts relations, each of which gives an object's handle, and further attributes on a class. */
export function defineAttributes(
  cls: AnyClass,
  { relations = {}, attributes = {} }: MapperParts,
): void {
  for (const key of Object.keys(relations)) {
    Object.defineProperty(cls.prototype, key, {
      configurable: true,
      get(this: object) {
        return handleOf(this, stateOf(this).mapper.relation(key));
      },
    });
  }
  for (const [key, spec] of Object.entries(attributes)) {
    spec.install?.(cls, key);
  }
}

/** Settings of a declarative table. */
export interface DeclarativeOptions<Of extends HybridBase, A>
  extends TableOptions {
  /** Constraints and indexes of several columns, or of none. */
  readonly constraints?:
    | readonly Constraint[]
    | ((c: Of["c"]) => readonly Constraint[]);
  /** Attributes that build on the described ones: hybrids, synonyms, computed properties. */
  readonly attributes?: (described: Of) => A;
  /** Called with each object made from a row, since the constructor is not. */
  readonly reconstructor?: (object: Of["prototype"]) => void;
}

/** A class's description, and what is to be put on the class. */
export interface Described extends Definition {
  /** The parts of its mapper. */
  readonly parts: MapperParts;
}

/** What a description is made of, each sort by itself. */
export function sortShape(
  shape: Readonly<Record<string, unknown>>,
  name: string,
): {
  columns: Record<string, ColumnBuilder<unknown>>;
  relations: Record<string, () => RelationSpec<unknown>>;
  attributes: Specs;
} {
  const columns: Record<string, ColumnBuilder<unknown>> = {};
  const relations: Record<string, () => RelationSpec<unknown>> = {};
  const attributes: Specs = {};
  for (const [key, value] of Object.entries(shape)) {
    if (value instanceof ColumnBuilder) columns[key] = value;
    else if (typeof value === "function") {
      relations[key] = value as () => RelationSpec<unknown>;
    } else if (isAttribute(value)) attributes[key] = value;
    else {
      throw new MappingError(
        `Cannot describe "${key}" of table "${name}": it is neither a column nor () => relation`,
      );
    }
  }
  return { columns, relations, attributes };
}

/** The description of a declarative class with a table of its own. */
export function tableDefinition(
  cls: AnyClass,
  name: string,
  shape: Readonly<Record<string, unknown>>,
  metadata: TableSet = new TableSet(),
  options: DeclarativeOptions<never, object> = {},
): Described {
  const { columns, relations, attributes } = sortShape(shape, name);
  const { constraints = [], attributes: further, reconstructor, ...rest } =
    options;
  // The table is made with the description, so that createAll() knows it.
  const made: Table = makeTable(
    name,
    metadata,
    columns as ColumnBuilders,
    [],
    rest,
  );
  const described = { c: made.c, prototype: cls.prototype } as never;
  // What names its columns can only join it now.
  (made.constraints as Constraint[]).push(
    ...typeof constraints === "function"
      ? constraints(made.c as never)
      : constraints,
  );
  Object.assign(attributes, further?.(described));
  const parts = { relations, attributes, reconstructor };
  return {
    table: made,
    parts,
    shape: { ...shape, ...attributes },
    map: (mapped) => new Mapper(mapped, made, parts),
  };
}

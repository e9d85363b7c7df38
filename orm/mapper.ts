import type { Column, RowSource, Table } from "../sql/mod.ts";
import { MappingError } from "./errors.ts";
import type { Relation, RelationSpec } from "./relation.ts";
import { configureRelation } from "./_relation_config.ts";

/** Any class. */
// deno-lint-ignore no-explicit-any -- the type of "any class" takes any arguments
export type AnyClass = abstract new (...args: any[]) => object;

/** Relations by key, each behind a function since classes refer to each other. */
export type RelationSpecs = Readonly<
  Record<string, () => RelationSpec<unknown>>
>;

/**
 * How a class and a table belong together: Fowler's Data Mapper.
 *
 * Relations are found out at first use, when every class is there.
 */
export class Mapper {
  /** The class. */
  readonly cls: AnyClass;
  /** The table. */
  readonly table: Table;
  /** The mapper that this one inherits from, if any. */
  readonly inherits: Mapper | undefined;
  readonly #specs: RelationSpecs;
  #relations: ReadonlyMap<string, Relation> | undefined;
  #source: RowSource | undefined;

  /** Use {@linkcode mapper} or a base class's `table()`. */
  constructor(
    cls: AnyClass,
    table: Table,
    specs: RelationSpecs,
    inherits?: Mapper,
  ) {
    if (table.primaryKey.length === 0) {
      throw new MappingError(
        `Cannot map ${cls.name} to table "${table.fullName}": it has no primary key; mark a column with primaryKey()`,
      );
    }
    this.cls = cls;
    this.table = table;
    this.inherits = inherits;
    this.#specs = specs;
  }

  /** The class's name, for messages. */
  get name(): string {
    return this.cls.name || this.table.name;
  }

  /** The columns of an object, in order. */
  get columns(): readonly Column<unknown>[] {
    return this.table.columns;
  }

  /** The columns that make up its identity: Fowler's Identity Field. */
  get primaryKey(): readonly Column<unknown>[] {
    return this.table.primaryKey;
  }

  /** The column that counts an object's versions, if any: Fowler's Optimistic Offline Lock. */
  get versionColumn(): Column<unknown> | undefined {
    return this.columns.find((column) => column.spec.info?.version);
  }

  /** The mapper whose key space its identities lie in. */
  get root(): Mapper {
    return this.inherits?.root ?? this;
  }

  /** What `select()` needs to know. */
  get source(): RowSource {
    return this.#source ??= {
      from: this.table,
      columns: this.columns.filter((column) => !column.spec.info?.deferred),
      owner: this,
    };
  }

  /** Its relations by key, found out at first use. */
  get relations(): ReadonlyMap<string, Relation> {
    return this.#relations ??= new Map(
      Object.entries(this.#specs).map((
        [key, spec],
      ) => [key, configureRelation(this, key, spec, mapperOf)]),
    );
  }

  /**
   * The relation of a key.
   *
   * @throws {MappingError} If there is none.
   */
  relation(key: string): Relation {
    const found = this.relations.get(key);
    if (found) return found;
    throw new MappingError(
      `Cannot find relation "${key}" of ${this.name}: it has ${
        Object.keys(this.#specs).map((known) => `"${known}"`).join(", ") ||
        "none"
      }`,
    );
  }

  /** Whether its class is another or extends it. */
  isSubclassOf(cls: AnyClass): boolean {
    return this.cls === cls || this.cls.prototype instanceof cls;
  }
}

/** A class's description: how its mapper is made when it is first needed. */
export interface Definition {
  /** The table's name. */
  readonly name: string;
  /** Columns and relations, those of bases first. */
  readonly shape: Readonly<Record<string, unknown>>;
  /** Makes the mapper of the class that extends the described one. */
  map(cls: AnyClass): Mapper;
}

// Classes live as long as the isolate, and so do their mappers.
const mappers = new WeakMap<object, Mapper>();
const definitions = new WeakMap<object, Definition>();

/** Notes how the classes right below a described one are mapped. */
export function define(described: AnyClass, definition: Definition): void {
  definitions.set(described, definition);
}

/** The mapper of a class, made at first use; nothing where it is not mapped. */
export function findMapper(cls: unknown): Mapper | undefined {
  // The mapped class stands right below the described one.
  let mapped = cls as AnyClass;
  for (
    let at: unknown = cls;
    typeof at === "function" && at !== Function.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    const known = mappers.get(at);
    if (known) return known;
    const definition = definitions.get(at);
    if (definition) {
      const made = definition.map(mapped);
      mappers.set(mapped, made);
      return made;
    }
    mapped = at as AnyClass;
  }
  return undefined;
}

/**
 * The mapper of a class.
 *
 * @throws {MappingError} If the class is not mapped.
 */
export function mapperOf(cls: unknown): Mapper {
  const found = findMapper(cls);
  if (found) return found;
  const name = typeof cls === "function" ? cls.name : String(cls);
  throw new MappingError(
    `Cannot use ${name}: it is not mapped; give it a table with Entity.table() or mapper()`,
  );
}

/** The mapper of an object's class. */
export function mapperOfObject(object: object): Mapper {
  return mapperOf(object.constructor);
}

/** Notes the mapper of a class. */
export function setMapper(cls: AnyClass, made: Mapper): void {
  if (mappers.has(cls)) {
    throw new MappingError(`Cannot map ${cls.name}: it is mapped already`);
  }
  mappers.set(cls, made);
}

import type {
  Column,
  Expression,
  FromClause,
  RowSource,
  Table,
} from "../sql/mod.ts";
import type { AttributeSpec } from "./attribute.ts";
import { MappingError } from "./errors.ts";
import { named } from "./_names.ts";
import type { Relation, RelationSpec } from "./relation.ts";
import { refusal } from "./relations/refusal.ts";
import type { InstanceState } from "./state.ts";

/** Any class. */
// deno-lint-ignore no-explicit-any -- the type of "any class" takes any arguments
export type AnyClass = abstract new (...args: any[]) => object;

/** Relations by key, each behind a function since classes refer to each other. */
export type RelationSpecs = Readonly<
  Record<string, () => RelationSpec<unknown>>
>;

/** One of the tables that an object's row is spread over. */
export interface RowTable {
  /** The table. */
  readonly table: Table;
  /** The columns of the identity in it. */
  readonly key: readonly Column<unknown>[];
  /** Whether the database deletes its rows with those that they belong to. */
  readonly isPassive?: boolean | undefined;
}

/** Makes an object of the values that stand in a row from a place on. */
export type MakeObject = (row: readonly unknown[], at: number) => unknown;

/** How a class and those that inherit from it share rows; absent where none does. */
export interface Polymorphism {
  /** What a query must select, so that each row says of which class it is. */
  readonly columns: readonly Column<unknown>[];
  /** What tells new objects of the class from those of others. */
  readonly initial: ReadonlyMap<Column<unknown>, unknown>;
  /** What is odd about an object that is to be written, if anything. */
  complaint?(state: InstanceState): string | undefined;
  /** Whether an object has not what its class adds, since only the base was queried. */
  lacks?(state: InstanceState): boolean;
  /** A row of these columns brought an expired object up to date. */
  refreshed?(state: InstanceState, columns: readonly Column<unknown>[]): void;
  /** Has each row of a source made into an object of its own class. */
  rows(
    source: RowSource,
    make: (mapper: Mapper, columns: RowSource["columns"]) => MakeObject,
  ): MakeObject;
}

/** What a {@linkcode Mapper} is made of. */
export interface MapperParts {
  /** Relations by key. */
  readonly relations?: RelationSpecs;
  /** Attributes that are neither columns nor relations, by key. */
  readonly attributes?: Readonly<Record<string, AttributeSpec>>;
  /** The columns of an object by attribute key. @default the table's */
  readonly columns?: Readonly<Record<string, Column<unknown>>>;
  /** The keys of attributes that are not called as their column. @default none */
  readonly keys?: ReadonlyMap<Column<unknown>, string>;
  /** The columns of its identity. @default the table's primary key */
  readonly primaryKey?: readonly Column<unknown>[] | undefined;
  /** The mapper that it inherits from. */
  readonly inherits?: Mapper | undefined;
  /** What its rows come from. @default its table */
  readonly from?: FromClause | undefined;
  /** The tables of a row, referenced ones first. @default its table */
  readonly tables?: readonly RowTable[] | undefined;
  /** What tells its rows from others of the same tables, where they come from. */
  readonly criterion?: ((from: FromClause) => Expression<unknown>) | undefined;
  /** Called with each object that is made from a row, in place of the constructor. */
  readonly reconstructor?: ((object: never) => void) | undefined;
}

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
  /** What it was made of. */
  readonly parts: MapperParts;
  /** The columns of an object, in order. */
  readonly columns: readonly Column<unknown>[];
  /** The columns that make up its identity: Fowler's Identity Field. */
  readonly primaryKey: readonly Column<unknown>[];
  /** What its rows come from: the table, or several joined. */
  readonly from: FromClause;
  /** The tables that its rows are spread over, referenced ones first. */
  readonly tables: readonly RowTable[];
  /** How it shares its rows with classes that inherit; set when one does. */
  polymorphism: Polymorphism | undefined;
  #relations: ReadonlyMap<string, Relation> | undefined;
  #failure: unknown;
  #source: RowSource | undefined;
  #allColumns: readonly Column<unknown>[] | undefined;
  #c: Readonly<Record<string, unknown>> | undefined;

  /** Use {@linkcode mapper} or a base class's `table()`. */
  constructor(cls: AnyClass, table: Table, parts: MapperParts = {}) {
    const { columns = table.c, primaryKey = table.primaryKey } = parts;
    const { from = table, tables = [{ table, key: primaryKey }] } = parts;
    this.cls = cls;
    this.table = table;
    this.parts = parts;
    this.columns = Object.values(columns);
    this.primaryKey = primaryKey;
    this.from = from;
    this.tables = tables;
    if (
      primaryKey.length === 0 ||
      !primaryKey.every((column) => this.columns.includes(column))
    ) {
      throw new MappingError(
        `Cannot map ${cls.name} to table "${table.fullName}": it has no primary key among its attributes; mark a column with primaryKey(), or give primaryKey`,
      );
    }
    mappers.set(cls, this);
    if (!byTable.has(table)) byTable.set(table, this);
  }

  /** The class's name, for messages. */
  get name(): string {
    return this.cls.name || this.table.name;
  }

  /** The mapper that this one inherits from, if any. */
  get inherits(): Mapper | undefined {
    return this.parts.inherits;
  }

  /** The column that counts an object's versions, if any: Fowler's Optimistic Offline Lock. */
  get versionColumn(): Column<unknown> | undefined {
    return this.columns.find((column) => column.spec.info?.version);
  }

  /** The mapper whose key space its identities lie in. */
  get root(): Mapper {
    return this.inherits?.root ?? this;
  }

  /** The column of a key, in what its rows come from. */
  column(key: string): Column<unknown> {
    return this.from.c[key];
  }

  /** The key of a column's attribute. */
  keyOf(column: Column<unknown>): string {
    return this.parts.keys?.get(column) ?? column.key;
  }

  /** What conditions and results name: columns and other attributes, by key. */
  get c(): Readonly<Record<string, unknown>> {
    return this.#c ??= this.columnsAt(this.from);
  }

  /** The same where its rows come from an alias of the table. */
  columnsAt(from: FromClause): Readonly<Record<string, unknown>> {
    const c: Record<string, unknown> = Object.fromEntries(
      this.columns.map((
        column,
      ) => [
        this.keyOf(column),
        from === this.from ? column : from.c[column.key],
      ]),
    );
    // Attributes name columns, so they are worked out when they are asked for.
    for (const [key, spec] of this.#attributes) {
      Object.defineProperty(c, key, {
        enumerable: true,
        get: () => spec.expression?.(c, this, key, from),
      });
    }
    return c;
  }

  /** What `select()` needs to know. */
  get source(): RowSource {
    const { from, parts } = this;
    return this.#source ??= {
      from,
      columns: this.allColumns.filter(({ spec }) => !spec.info?.deferred),
      // Of a class that others may yet inherit from, it may yet change.
      get where(): Expression<unknown> | undefined {
        return parts.criterion?.(from);
      },
      owner: this,
    };
  }

  /** The columns of an object, and what the database computes for it. */
  get allColumns(): readonly Column<unknown>[] {
    return this.#allColumns ??= [
      ...this.columns,
      ...this.#attributes.flatMap(([key, spec]) =>
        spec.column?.(this, key) ?? []
      ),
    ];
  }

  /**
   * Its relations by key, found out at first use.
   *
   * @throws {MappingError} If one does not fit; later uses throw the same.
   */
  get relations(): ReadonlyMap<string, Relation> {
    if (this.#failure) throw this.#failure;
    if (this.#relations) return this.#relations;
    try {
      this.#relations = new Map([
        ...this.inherits?.relations ?? [],
        ...Object.entries(this.parts.relations ?? {}).map((
          [key, spec],
        ) => [key, this.#relate(key, spec)] as const),
      ]);
      // Other sides are looked up when this one is there for them.
      for (const relation of this.#relations.values()) relation.link();
      return this.#relations;
    } catch (error) {
      throw this.#failure = error;
    }
  }

  #relate(key: string, describe: () => RelationSpec<unknown>): Relation {
    let spec: RelationSpec<unknown>;
    let target: Mapper;
    try {
      spec = describe();
      target = mapperOf(spec.target);
    } catch (cause) {
      throw refusal(
        `${this.name}.${key}`,
        `its class is not there or not mapped (${cause})`,
        { cause },
      );
    }
    return new spec.make(this, key, target, spec);
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
      `Cannot find "${key}" of ${this.name}: it has ${
        named([...this.relations.keys(), ...Object.keys(this.c)])
      }`,
    );
  }

  /** Whether its class is another or extends it. */
  isSubclassOf(cls: AnyClass): boolean {
    return this.cls === cls || this.cls.prototype instanceof cls;
  }

  get #attributes(): [string, AttributeSpec][] {
    return Object.entries(this.parts.attributes ?? {});
  }
}

/** A class's description: how its mapper is made when it is first needed. */
export interface Definition {
  /** The table. */
  readonly table: Table;
  /** Columns and relations, those of bases first. */
  readonly shape: Readonly<Record<string, unknown>>;
  /** Makes the mapper of the class that extends the described one. */
  map(cls: AnyClass): Mapper;
}

// Classes live as long as the isolate, and so do their mappers.
const mappers = new WeakMap<object, Mapper>();
const definitions = new WeakMap<object, Definition>();
const byTable = new WeakMap<object, Mapper>();

/** The mapper of a table: of several classes, the one that was mapped first. */
export function mapperOfTable(table: object): Mapper | undefined {
  return byTable.get(table);
}

/** The description that a class extends, if any. */
export function definitionOf(cls: unknown): Definition | undefined {
  return typeof cls === "function"
    ? definitions.get(cls) ?? definitionOf(Object.getPrototypeOf(cls))
    : undefined;
}

/** Notes how the classes right below a described one are mapped. */
export function define(described: AnyClass, definition: Definition): void {
  definitions.set(described, definition);
}

/** The mapper of a class, made at first use; nothing where it is not mapped. */
export function findMapper(
  cls: unknown,
  below: unknown = cls,
): Mapper | undefined {
  return typeof cls === "function"
    ? mappers.get(cls) ??
      // The mapped class stands right below the described one.
      definitions.get(cls)?.map(below as AnyClass) ??
      findMapper(Object.getPrototypeOf(cls), cls)
    : undefined;
}

/**
 * The mapper of a class.
 *
 * @throws {MappingError} If the class is not mapped.
 */
export function mapperOf(cls: unknown): Mapper {
  const found = findMapper(cls);
  if (found) return found;
  throw new MappingError(
    `Cannot use ${
      (cls as AnyClass | undefined)?.name ?? cls
    }: it is not mapped; give it a table with Entity.table() or mapper()`,
  );
}

/** The mapper of an object's class. */
export function mapperOfObject(object: object): Mapper {
  return mapperOf(object.constructor);
}

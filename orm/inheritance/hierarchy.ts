import { leavesOut, unload } from "../absence.ts";
import {
  addColumn,
  Alias,
  type Column,
  type Expression,
  type FromClause,
  type RowSource,
  Subquery,
  text,
} from "../../sql/mod.ts";
import { finishDescription } from "../entity.ts";
import { MappingError, StateError } from "../errors.ts";
import {
  type AnyClass,
  type Definition,
  definitionOf,
  type MakeObject,
  Mapper,
  mapperOf,
  mapperOfTable,
  type Polymorphism,
} from "../mapper.ts";
import type { InstanceState } from "../state.ts";
import type { Described } from "../mapping.ts";
import { named } from "../_names.ts";
import {
  discriminatorOf,
  type IdentityOptions,
  identityOptionsOf,
  polymorphicOn,
} from "./discriminator.ts";

// The place of a class in its hierarchy, by its mapper.
const members = new WeakMap<Mapper, Member>();

/** Classes that share rows, or the first table of them. */
class Hierarchy {
  /** What says of which class a row is. */
  readonly discriminator: Column<unknown>;
  /** Whether that is a column of the table, which new rows are given. */
  readonly isWritten: boolean;
  /** The classes by identity. */
  readonly byIdentity: Map<string | null, Member> = new Map();

  constructor(root: Mapper, discriminator: Column<unknown>) {
    this.discriminator = discriminator;
    this.isWritten = root.columns.includes(discriminator);
  }
}

/** One class of a hierarchy. */
export class Member implements Polymorphism {
  /** Its name, for messages: that of the class once it is known. */
  readonly label: string;
  /** The classes right below it. */
  readonly children: Member[] = [];
  /** Its mapper, once something has named the class. */
  mapper: Mapper | undefined;
  readonly #hierarchy: Hierarchy;
  readonly #parent: Member | undefined;
  readonly #identity: unknown;
  readonly #isAbstract: boolean;
  // Its criterion by what rows come from, and of how many classes it tells.
  readonly #criteria = new WeakMap<
    FromClause,
    { readonly count: number; readonly condition: Expression<unknown> }
  >();

  /** Enters a class. */
  constructor(
    hierarchy: Hierarchy,
    parent: Member | undefined,
    label: string,
    { identity = null, polymorphicAbstract = false }: {
      readonly identity?: string | number | null | undefined;
      readonly polymorphicAbstract?: boolean | undefined;
    },
  ) {
    this.#hierarchy = hierarchy;
    this.#parent = parent;
    this.#identity = identity;
    this.#isAbstract = polymorphicAbstract;
    this.label = label;
    // A row of the base leaves out what a class adds.
    leavesOut();
    const { byIdentity } = hierarchy;
    if (parent && !polymorphicAbstract && identity === null) {
      throw new MappingError(
        `Cannot inherit "${label}": it has no identity; give it one, or polymorphicAbstract where there are no objects of it`,
      );
    }
    const other = byIdentity.get(keyOf(identity));
    if (other && !polymorphicAbstract) {
      throw new MappingError(
        `Cannot inherit "${label}": its identity "${identity}" is that of ${other.name}; choose another`,
      );
    }
    if (!polymorphicAbstract) byIdentity.set(keyOf(identity), this);
    parent?.children.push(this);
  }

  /** The class's name, as far as it is known. */
  get name(): string {
    return this.mapper?.name ?? `"${this.label}"`;
  }

  /** This class and those below it. */
  get descendants(): Member[] {
    return [this, ...this.children.flatMap((child) => child.descendants)];
  }

  /** What tells new objects from those of other classes. */
  get initial(): ReadonlyMap<Column<unknown>, unknown> {
    const { discriminator, isWritten } = this.#hierarchy;
    if (this.#isAbstract) {
      const below = this.descendants.filter((one) => !one.#isAbstract);
      throw new StateError(
        `Cannot make an object of ${this.name}: it is abstract; make one of ${
          below.map(({ name }) => name).join(", ")
        }`,
      );
    }
    return new Map(isWritten ? [[discriminator, this.#identity]] : []);
  }

  /** What is odd about an object that is to be written: it says that it is of another class. */
  complaint(state: InstanceState): string | undefined {
    const { discriminator, isWritten } = this.#hierarchy;
    const value = isWritten ? state.read(discriminator) : undefined;
    if (
      value === undefined || keyOf(value) === keyOf(this.#identity)
    ) return undefined;
    return `${this.name} is written with the "${discriminator.key}" of another class; it will not be loaded as what it is`;
  }

  /** Whether an object has not what the class adds, since only its base was queried. */
  lacks({ absent }: InstanceState): boolean {
    const { mapper } = this;
    return mapper?.inherits !== undefined && absent !== undefined &&
      mapper.source.columns.some((column) => absent.has(mapper.keyOf(column)));
  }

  /** A row of the base says not all of an object. */
  refreshed(state: InstanceState, columns: readonly Column<unknown>[]): void {
    const { mapper } = state;
    if (!mapper.inherits) return;
    const known = new Set([...columns, ...state.changes()]);
    for (const column of mapper.columns) {
      if (!known.has(column)) unload(state, column);
    }
  }

  /** What tells rows of this class, and of those below it, from others. */
  criterion(from: FromClause): Expression<unknown> {
    const identities = this.descendants
      .filter((one) => !one.#isAbstract).map((one) => one.#identity);
    const known = this.#criteria.get(from);
    // A statement that is read twice must hold one and the same condition.
    if (known?.count === identities.length) return known.condition;
    const column = columnAt(this.#hierarchy.discriminator, from);
    const condition = identities.length === 1
      ? column.eq(identities[0])
      : column.in(identities);
    this.#criteria.set(from, { count: identities.length, condition });
    return condition;
  }

  /** Has each row of a source made into an object of the class that it names. */
  rows(
    source: RowSource,
    make: (mapper: Mapper, columns: RowSource["columns"]) => MakeObject,
  ): MakeObject {
    const { columns } = source;
    const at = placeOf(this.#hierarchy.discriminator, columns);
    // A row that does not say is one of an object that is here already.
    if (at < 0) return make(source.owner as Mapper, columns);
    const makers = new Map<unknown, MakeObject>();
    return (row, start) => {
      const value = row[start + at];
      let found = makers.get(value);
      if (!found) {
        const mapper = this.#mapperFor(value, columns, row, start);
        // An outer join has found no row.
        if (!mapper) return null;
        found = makerFor(mapper, columns, make);
        makers.set(value, found);
      }
      return found(row, start);
    };
  }

  #mapperFor(
    value: unknown,
    columns: RowSource["columns"],
    row: readonly unknown[],
    start: number,
  ): Mapper | undefined {
    const member = this.#hierarchy.byIdentity.get(keyOf(value));
    if (member?.mapper && member.#isUnder(this)) return member.mapper;
    const key = this.mapper?.primaryKey.map((one) =>
      row[start + placeOf(one, columns)]
    );
    if (key?.every((part) => part === null)) return undefined;
    const column = `"${this.#hierarchy.discriminator.key}"`;
    const says = value === null
      ? `${column} of a row is NULL`
      : `${column} of a row is "${value}"`;
    throw new MappingError(
      `Cannot load ${this.name}: ${says}, ` +
        (member && !member.#isUnder(this)
          ? `which is ${member.name}, no class below it; query one that both inherit from`
          : member
          ? `whose class nothing has named yet; name it before, as mapperOf(class) does, or in the query, by selectinPolymorphic()`
          : `which is no class of the hierarchy; it has ${
            named([...this.#hierarchy.byIdentity.keys()].map(String))
          }`),
    );
  }

  #isUnder(other: Member): boolean {
    const parent = this.#parent;
    return this === other || parent !== undefined && parent.#isUnder(other);
  }

  /** Enters a class below this one. */
  extend(label: string, options: IdentityOptions): Member {
    return new Member(this.#hierarchy, this, label, options);
  }

  /** What says of which class a row is. */
  get columns(): readonly Column<unknown>[] {
    return [this.#hierarchy.discriminator];
  }
}

/** Notes what class of a hierarchy a mapper is of. */
export function setMember(mapper: Mapper, member: Member): void {
  member.mapper = mapper;
  mapper.polymorphism = member;
  members.set(mapper, member);
}

/** What class of a hierarchy a mapper is of, if any inherits. */
export function memberOf(mapper: Mapper): Member | undefined {
  return members.get(mapper);
}

// The key of the discriminator of a base that declares none.
const TYPE = "type";
// Descriptions of classes that inherit: theirs is that of their base.
const inheriting = new WeakSet<Definition>();

/** Finishes the description of a class that inherits. */
export function describeBelow(cls: AnyClass, description: Described): void {
  inheriting.add(description);
  finishDescription(cls, description);
}

/**
 * The class that another is to inherit from, as the first of a hierarchy where
 * it is in none yet. A described class that declares no discriminator gets one.
 *
 * @throws {MappingError} If nothing says of which class its rows are.
 */
export function baseOf(cls: AnyClass | Mapper): Member {
  const definition = definitionOf(cls);
  const isUsed = definition && mapperOfTable(definition.table) !== undefined;
  if (
    definition && !isUsed && !isDeclared(definition) &&
    !definition.table.c[TYPE]
  ) addColumn(definition.table, TYPE, polymorphicOn(text().nullable(), {}));
  const mapper = cls instanceof Mapper ? cls : mapperOf(cls);
  const known = members.get(mapper);
  if (known) return known;
  const found = discriminatorOf(mapper);
  if (!found) {
    throw new MappingError(
      `Cannot inherit from ${mapper.name}: nothing says of which class its rows are${
        isUsed ? ", and it is in use already" : ""
      }; declare that column as polymorphicOn(text(), { identity })`,
    );
  }
  const { column, options } = found;
  const hierarchy = new Hierarchy(mapper, column);
  const member = new Member(hierarchy, undefined, mapper.table.name, options);
  setMember(mapper, member);
  return member;
}

function isDeclared(definition: Definition): boolean {
  const { shape, table } = definition;
  return inheriting.has(definition) ||
    [...Object.values(shape), ...table.columns].some(identityOptionsOf);
}

/** A column of a hierarchy's table where its rows come from somewhere. */
export function columnAt(
  column: Column<unknown>,
  from: FromClause,
): Column<unknown> {
  return (column as { at?: (from: FromClause) => Column<unknown> }).at?.(
    from,
  ) ?? from.c[column.key];
}

/** Where a column stands among others, which may be those of an alias or a subquery. */
export function placeOf(
  column: Column<unknown>,
  among: RowSource["columns"],
): number {
  return among.findIndex((one) => isSame(column, one));
}

function isSame(known: Column<unknown>, one: Column<unknown>): boolean {
  if (known === one) return true;
  const { table } = one;
  // A subquery's columns have nothing but their keys.
  return table instanceof Subquery
    ? known.key === one.key
    : table instanceof Alias && table.of === known.table &&
      known.spec === one.spec;
}

function makerFor(
  mapper: Mapper,
  columns: RowSource["columns"],
  make: (mapper: Mapper, columns: RowSource["columns"]) => MakeObject,
): MakeObject {
  const places = [...columns.keys()].filter((i) =>
    mapper.allColumns.some((known) =>
      isSame(known, columns[i] as Column<unknown>)
    )
  );
  if (places.length === columns.length) return make(mapper, columns);
  // The other columns are those of other classes.
  const maker = make(
    mapper,
    places.map((i) => columns[i] as Column<unknown>),
  );
  return (row, start) => maker(places.map((i) => row[start + i]), 0);
}

function keyOf(identity: unknown): string | null {
  return identity === null || identity === undefined ? null : `${identity}`;
}

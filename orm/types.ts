import type {
  Column,
  ColumnBuilder,
  Optionality,
  RowFunction,
  RowSource,
  rowSource,
  SelectOption,
  Table,
  TableSet,
  WithOptions,
} from "../sql/mod.ts";
import type { AttributeSpec } from "./attribute.ts";
import type { DeclarativeOptions } from "./mapping.ts";
import type { Relation, RelationSpec, ToMany, ToOne } from "./relation.ts";

/** Where instances carry the type of their class's description; never present. */
export declare const shape: unique symbol;

/** The objects on the other side of a to-many relation, perhaps not loaded. */
export interface Collection<T> {
  /** Loads the objects, if they are not; equal loads of one tick go in one trip. */
  load(): Promise<LoadedCollection<T>>;
  /** Adds objects, loaded or not. */
  add(...items: T[]): void;
  /** Removes an object, loaded or not. */
  remove(item: T): void;
  /** Replaces the objects by others. */
  set(items: Iterable<T>): void;
  /** Whether the objects are here. */
  readonly isLoaded: boolean;
}

/** The objects on the other side of a to-many relation. */
export interface LoadedCollection<T> extends Collection<T>, Iterable<T> {
  /** How many there are. */
  readonly length: number;
  /** The object at a place, counted from 0. */
  at(index: number): T | undefined;
  /** The objects as an array of their own. */
  toArray(): T[];
  /** Whether an object is among them. */
  has(item: T): boolean;
}

/** The object on the other side of a to-one relation, perhaps not loaded. */
export interface Reference<T> {
  /** Loads the object, if it is not; equal loads of one tick go in one trip. */
  load(): Promise<T | null>;
  /** Points it at another object, or at none. */
  set(item: T | null): void;
  /** Whether the object is here. */
  readonly isLoaded: boolean;
}

/** The object on the other side of a to-one relation. */
export interface LoadedReference<T> extends Reference<T> {
  /** The object, or `null`. */
  readonly value: T | null;
}

/** The instances of a class. */
export type InstanceOf<C> = C extends { readonly prototype: infer I } ? I
  : never;

/**
 * What has a value of its own. Relations are told apart by what they lack,
 * since asking for what their functions return would make types go in circles.
 */
export type Valued = { readonly spec: unknown } | { readonly attribute: true };

/** The keys of a description that are columns. */
export type ColumnKeys<S> = {
  [K in keyof S]: S[K] extends ColumnBuilder<infer _T, Optionality> ? K : never;
}[keyof S];
/** The keys of a description that have a value in SQL. */
export type ExpressionKeys<S> = {
  [K in keyof S]: S[K] extends Valued ? K : never;
}[keyof S];
/** The keys of a description that are relations. */
export type RelationKeys<S> = {
  [K in keyof S]: S[K] extends Valued ? never : K;
}[keyof S];
/** What a relation's function gives. */
export type Built<P> = P extends () => infer R ? R : never;
/** The value of an attribute on an object. */
export type ValueOfColumn<P> = P extends ColumnBuilder<infer T, Optionality> ? T
  : P extends AttributeSpec<infer T> ? T
  : never;

/** Where a deferred attribute carries the name of its group; never present. */
export declare const deferredIn: unique symbol;
/** What tells a deferred attribute from others. */
export interface Deferred<Group extends string = string> {
  /** Its group; empty if it is in none. */
  readonly [deferredIn]: Group;
}
/** Where the expression of a deferred attribute carries its key; never present. */
export declare const deferredKey: unique symbol;
/** The expression of a deferred attribute: it knows which one it loads. */
export interface DeferredKey<Key> {
  /** The attribute's key. */
  readonly [deferredKey]?: Key;
}
/** Stands in a type for a value that was not loaded; no value has it. */
export declare const unloaded: unique symbol;
/** What a deferred attribute may be, so that reading it unloaded does not compile. */
export type Unloaded = typeof unloaded;
/** What an attribute is on an object of which no more is known. */
export type AttributeValue<P> = P extends Deferred ? ValueOfColumn<P> | Unloaded
  : ValueOfColumn<P>;
/** An object whose deferred attributes of some keys are there. */
export type Undeferred<T, Key extends PropertyKey> = T extends unknown
  ? [Key & keyof T] extends [never] ? T
  : T & { [K in Key & keyof T]: Exclude<T[K], Unloaded> }
  : never;

/** What an attribute is in SQL. */
export type ExpressionOf<P, Key> = P extends ColumnBuilder<infer T, Optionality>
  ? P extends Deferred ? Column<T> & DeferredKey<Key> : Column<T>
  : P extends AttributeSpec<infer _T, infer E>
    ? P extends Deferred ? E & DeferredKey<Key> : E
  : never;

/** The handle of a relation, perhaps not loaded. */
export type RelationValue<R> = R extends ToMany<infer C, infer F>
  ? (F & { readonly item: InstanceOf<C> })["collection"]
  : R extends ToOne<infer C> ? Reference<InstanceOf<C>>
  : never;

/** What a description makes of an instance: values for columns, handles for relations. */
export type Instance<S> =
  & {
    [K in keyof S as S[K] extends Valued ? K : never]: AttributeValue<S[K]>;
  }
  & {
    readonly [K in keyof S as S[K] extends Valued ? never : K]: RelationValue<
      Built<S[K]>
    >;
  };

/** What a constructor takes for a relation. */
export type RelationInit<R> = R extends ToMany<infer C, infer F>
  ? (F & { readonly item: InstanceOf<C> })["init"]
  : R extends ToOne<infer C> ? InstanceOf<C> | null
  : never;

/** The keys that a constructor must be given. */
export type RequiredKeys<S> = {
  [K in keyof S]: S[K] extends ColumnBuilder<infer _T, infer O>
    ? O extends false ? K : never
    : never;
}[keyof S];
/** The keys of columns that an embedded value brings along. */
export type CoveredKeys<S> = {
  [K in keyof S]: S[K] extends
    AttributeSpec<infer _T, infer _E, infer _S, infer Covered> ? Covered
    : never;
}[keyof S];
/** What a constructor takes for a key. */
export type InitOf<P> = P extends () => infer R ? RelationInit<R>
  : P extends ColumnBuilder<infer T, Optionality> ? T
  : P extends AttributeSpec<infer T, infer _E, infer Settable>
    ? Settable extends true ? T : never
  : never;

/** What a constructor takes: required columns, the rest if wanted. */
export type Init<S> =
  & { [K in Exclude<RequiredKeys<S>, CoveredKeys<S>>]: ValueOfColumn<S[K]> }
  & { [K in keyof S]?: InitOf<S[K]> };

/** The columns of a class, and what else has a value in SQL, for conditions and results. */
export type ColumnsOfShape<S> = {
  readonly [K in ExpressionKeys<S>]: ExpressionOf<S[K], K>;
};

/** The relations of a class, for joins and loading. */
export type RelationsOfShape<S> = {
  readonly [K in RelationKeys<S>]: Built<S[K]> extends RelationSpec<infer C>
    ? Relation<K & string, C>
    : never;
};

/** What mapped classes have in common. */
export interface MappedStatics<S> {
  /** Its columns. */
  readonly c: ColumnsOfShape<S>;
  /** Its relations. */
  readonly r: RelationsOfShape<S>;
  /** The set that its table is in, if a base names one. */
  metadata: TableSet | undefined;
  /** What `select()` needs to know of it. */
  readonly [rowSource]: RowSource;
}

/** A mapped class, to be extended. */
export interface EntityClass<S, Base> extends MappedStatics<S> {
  /** Makes a transient object. */
  new (init: Init<S>): Instance<S> & Base & { readonly [shape]?: S };
  /** @ignore */
  readonly prototype: Instance<S> & Base & { readonly [shape]?: S };
  /** Its table. */
  readonly table: Table<Pick<S, ColumnKeys<S>>>;
}

/** A base of mapped classes, itself without a table. */
export type AbstractEntity<S, Base> =
  & (abstract new (
    init: Init<S>,
  ) => Instance<S> & Base & { readonly [shape]?: S })
  & {
    readonly prototype: Instance<S> & Base & { readonly [shape]?: S };
    /**
     * The set that tables of classes below it go into.
     * @default a {@linkcode TableSet} of its own for each table
     */
    metadata: TableSet | undefined;
    /** A base with further columns for every class below it. */
    with<T>(columns: T): AbstractEntity<S & T, Base>;
    /**
     * A mapped class with a table of its own, to be extended.
     *
     * @param name The table's name.
     * @param shape Columns, relations and further attributes by key.
     * @param options Constraints, indexes, and attributes that build on the shape.
     */
    // deno-lint-ignore ban-types -- without further attributes, there are none
    table<Self extends { readonly prototype: unknown }, T, A = {}>(
      this: Self,
      name: string,
      shape: T,
      options?: DeclarativeOptions<DescribedClass<S & T, Self["prototype"]>, A>,
    ): EntityClass<S & T & A, Self["prototype"]>;
  };

/** A class as far as it is described, for attributes that build on others. */
export interface DescribedClass<S, Base> {
  /** Its columns. */
  readonly c: ColumnsOfShape<S>;
  /** @ignore */
  readonly prototype: Instance<S> & Base;
}

/** The description of an instance's class. */
export type ShapeOf<I> = I extends { readonly [shape]?: infer S }
  ? NonNullable<S>
  : unknown;

/** A loader option: which relation it loads, and what below it. */
export interface Loads<Key extends string, Sub extends readonly unknown[]>
  extends SelectOption<LoadsFunction<Key, Sub>> {
  /** The relation's key. */
  readonly key: Key;
}

/** What a loader option does to a row's type. */
export interface LoadsFunction<
  Key extends string,
  Sub extends readonly unknown[],
> extends RowFunction {
  /** The row with its relation loaded. */
  readonly result: WithLoaded<this["row"], Key, Sub>;
}

/** A row whose relation is loaded; of several objects, those that have it. */
export type WithLoaded<
  Row,
  Key extends string,
  Sub extends readonly unknown[],
> = Row extends readonly unknown[]
  ? { -readonly [K in keyof Row]: LoadedObject<Row[K], Key, Sub> }
  : LoadedObject<Row, Key, Sub>;

/** An object with what was loaded below it. */
export type LoadedObject<
  T,
  Key extends string,
  Sub extends readonly unknown[],
> = Key extends keyof ShapeOf<T>
  ? T & { readonly [K in Key]: LoadedRelation<Built<ShapeOf<T>[K]>, Sub> }
  : Key extends keyof T ? T & { readonly [K in Key]: LoadedHandle<T[K], Sub> }
  : T;

/** The handle that a plain class declares, once it is loaded. */
export type LoadedHandle<H, Sub extends readonly unknown[]> = H extends
  Collection<infer I> ? LoadedCollection<WithOptions<I, Sub>>
  : H extends Reference<infer I> ? LoadedReference<WithOptions<I, Sub>>
  : H;

/** The handle of a relation that is loaded. */
export type LoadedRelation<R, Sub extends readonly unknown[]> = R extends
  ToMany<infer C, infer F>
  ? (F & { readonly item: WithOptions<InstanceOf<C>, Sub> })["loaded"]
  : R extends ToOne<infer C> ? LoadedReference<WithOptions<InstanceOf<C>, Sub>>
  : never;

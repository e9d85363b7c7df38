import type { Table } from "../../sql/mod.ts";
import type {
  ColumnKeys,
  Init,
  Instance,
  InstanceOf,
  MappedStatics,
  RelationKeys,
  shape,
  ShapeOf,
  Valued,
} from "../types.ts";

/** What describes a class that inherits: its base's description, and its own. */
export type ShapeBelow<C, T> = ShapeOf<InstanceOf<C>> & T;

/** An object of a class that inherits. */
export type InstanceBelow<C, T> =
  & Instance<T>
  & InstanceOf<C>
  & { readonly [shape]?: ShapeBelow<C, T> };

/**
 * A mapped class that inherits from another, to be extended.
 *
 * @typeParam C The class that it inherits from.
 * @typeParam T What it adds.
 * @typeParam Own What of that is in its table.
 */
export interface SubclassOf<C, T, Own = T>
  extends MappedStatics<ShapeBelow<C, T>> {
  /** Makes a transient object. */
  new (init: Init<ShapeBelow<C, T>>): InstanceBelow<C, T>;
  /** @ignore */
  readonly prototype: InstanceBelow<C, T>;
  /** Its table. */
  readonly table: Table<Pick<Own, ColumnKeys<Own>>>;
}

/** What describes a class that takes over the columns of its base, but not its relations. */
export type ConcreteShape<C, T> =
  & {
    [
      K in keyof ShapeOf<InstanceOf<C>> as ShapeOf<InstanceOf<C>>[K] extends
        Valued ? K : never
    ]: ShapeOf<InstanceOf<C>>[K];
  }
  & T;

/** An object of such a class: what its base's class does, without the relations. */
export type ConcreteInstance<C, T> =
  & Instance<T>
  & Omit<
    InstanceOf<C>,
    RelationKeys<ShapeOf<InstanceOf<C>>> | typeof shape
  >
  & { readonly [shape]?: ConcreteShape<C, T> };

/**
 * A mapped class that takes over the columns of another, to be extended.
 *
 * @typeParam C The class that it inherits from.
 * @typeParam T What it adds.
 */
export interface ConcreteSubclassOf<C, T>
  extends MappedStatics<ConcreteShape<C, T>> {
  /** Makes a transient object. */
  new (init: Init<ConcreteShape<C, T>>): ConcreteInstance<C, T>;
  /** @ignore */
  readonly prototype: ConcreteInstance<C, T>;
  /** Its table. */
  readonly table: Table<
    Pick<ConcreteShape<C, T>, ColumnKeys<ConcreteShape<C, T>>>
  >;
}

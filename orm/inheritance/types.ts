import type { Table } from "../../sql/mod.ts";
import type {
  ColumnKeys,
  Init,
  Instance,
  InstanceOf,
  MappedStatics,
  shape,
  ShapeOf,
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

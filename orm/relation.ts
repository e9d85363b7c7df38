import {
  and,
  type Expression,
  type FromClause,
  type JoinPath,
  joinPath,
  type JoinStep,
  type Table,
} from "../sql/mod.ts";
import type { ManyHandle } from "./handles.ts";
import type { Mapper } from "./mapper.ts";
import type { InstanceState } from "./state.ts";
import type { Collection, LoadedCollection } from "./types.ts";

/** What happens to the other side when something happens to this one. */
export type Cascade =
  | "save-update"
  | "merge"
  | "delete"
  | "delete-orphan"
  | "expunge"
  | "refresh-expire";

/** The four kinds of relation. */
export type RelationKind =
  | "manyToOne"
  | "oneToMany"
  | "oneToOne"
  | "manyToMany";

/** Two columns that hold the same value in related rows. */
export interface Pair {
  /** The referenced key's attribute, in the class that has the key. */
  readonly from: string;
  /** The referring column: of the other class, or of the association table. */
  readonly to: string;
}

/** What was found out about one step of a relation. */
export interface JoinParts {
  /** The columns that are equal. */
  readonly pairs: readonly Pair[];
  /** What else holds of the rows, given what they come from. */
  extra?(referring: FromClause, referenced: FromClause): Expression<unknown>;
}

/** How rows of two tables find each other; made by `joinOn()`. */
export type JoinCondition = (
  referring: FromClause,
  referenced: FromClause,
  foreignKeys: readonly string[] | undefined,
  where: string,
) => JoinParts;

/** Settings that every relation takes. */
export interface RelationOptions {
  /** The relation on the other side that is kept in step with this one. */
  readonly backPopulates?: string;
  /** `"all, delete-orphan"` and the like. @default {"save-update, merge"} */
  readonly cascade?: string;
  /** The referring columns, by key, where several foreign keys lead there. */
  readonly foreignKeys?: readonly string[];
  /** What holds between this row and the other (or the secondary one), where foreign keys do not say it: `joinOn(…)`. */
  readonly primaryJoin?: JoinCondition;
  /** Whether it is only read, never written. @default {false} */
  readonly viewOnly?: boolean;
  /** Whether the database looks after rows that are not loaded; `"all"`, after all. @default {false} */
  readonly passiveDeletes?: boolean | "all";
  /** Whether the database hands a changed key on; else its members are loaded and updated. @default {true} */
  readonly passiveUpdates?: boolean;
  /** Whether its key is written by an UPDATE of its own, so that rows may need each other. @default {false} */
  readonly postUpdate?: boolean;
  /** Whether an object has one owner only, as delete-orphan wants of many-to-one. @default {false} */
  readonly singleParent?: boolean;
}

/** Settings of a relation to many objects. */
export interface ToManyOptions extends RelationOptions {
  /** How the objects are sorted when they are loaded. */
  readonly orderBy?: () => Expression<unknown> | readonly Expression<unknown>[];
}

/** Settings of a many-to-many relation. */
export interface ManyToManyOptions extends ToManyOptions {
  /** The table that holds the pairs: Fowler's Association Table Mapping. */
  readonly secondary: Table | (() => Table);
  /** What holds between the secondary row and the other one: `joinOn(…)`. */
  readonly secondaryJoin?: JoinCondition;
}

/** Makes the handle of a relation to many objects. */
export type CollectionFactory = (
  state: InstanceState,
  relation: Relation,
) => ManyHandle;

/** What a kind of collection is, given the type of its objects. */
export interface CollectionFunction {
  /** The objects' type. */
  readonly item: unknown;
  /** The collection, perhaps not loaded. */
  readonly collection: unknown;
  /** The collection, loaded. */
  readonly loaded: unknown;
  /** What a constructor takes for it. */
  readonly init: unknown;
}

/** Objects in a list: what a collection is unless it is told otherwise. */
export interface ListFunction extends CollectionFunction {
  /** @ignore */
  readonly collection: Collection<this["item"]>;
  /** @ignore */
  readonly loaded: LoadedCollection<this["item"]>;
  /** @ignore */
  readonly init: Iterable<this["item"]>;
}

/** A relation as it is described in a class. */
export interface RelationSpec<C> {
  /** Never present: carries the class. */
  readonly "~class"?: C;
  /** Which of the four. */
  readonly kind: RelationKind;
  /** The class on the other side. */
  readonly target: unknown;
  /** The settings. */
  readonly options: RelationOptions & Partial<ManyToManyOptions>;
}

/**
 * A relation to many objects.
 *
 * @typeParam C The class on the other side.
 * @typeParam F Which kind of collection they are in.
 */
export interface ToMany<C, F extends CollectionFunction = ListFunction>
  extends RelationSpec<C> {
  /** @ignore */
  readonly kind: "oneToMany" | "manyToMany";
  /** Makes the collection, where it is not a list. */
  readonly collection?: CollectionFactory;
  /** Never present: carries the kind of collection. */
  readonly "~collection"?: F;
}

/** A relation to one object, or to none. */
export interface ToOne<C> extends RelationSpec<C> {
  /** @ignore */
  readonly kind: "manyToOne" | "oneToOne";
}

/** This row names one of the other class: Fowler's Foreign Key Mapping. */
export function manyToOne<C>(
  target: C,
  options: RelationOptions = {},
): ToOne<C> {
  return { kind: "manyToOne", target, options };
}

/** Rows of the other class name this one. */
export function oneToMany<C>(
  target: C,
  options: ToManyOptions = {},
): ToMany<C> {
  return { kind: "oneToMany", target, options };
}

/** At most one row of the other class names this one. */
export function oneToOne<C>(
  target: C,
  options: RelationOptions = {},
): ToOne<C> {
  return { kind: "oneToOne", target, options };
}

/** Rows of both classes are paired in a table of their own. */
export function manyToMany<C>(
  target: C,
  options: ManyToManyOptions,
): ToMany<C> {
  return { kind: "manyToMany", target, options };
}

/**
 * A relation of a mapped class with everything found out about it.
 *
 * @typeParam Key Its key in the class.
 * @typeParam C The class on the other side.
 */
export interface Relation<Key extends string = string, C = unknown>
  extends JoinPath {
  /** Its key in the class. */
  readonly key: Key;
  /** Never present: carries the class. */
  readonly "~class"?: C;
  /** Which of the four. */
  readonly kind: RelationKind;
  /** The class that has it. */
  readonly parent: Mapper;
  /** The class on the other side. */
  readonly target: Mapper;
  /** The settings. */
  readonly options: RelationSpec<C>["options"];
  /** What happens to the other side. */
  readonly cascade: ReadonlySet<Cascade>;
  /** Whether it leads to many objects. */
  readonly isMany: boolean;
  /** The relation on the other side, if any. */
  readonly inverse: Relation | undefined;
  /** Makes its handle, where that is not a list. */
  readonly collection: CollectionFactory | undefined;
  /** The association table, of a many-to-many. */
  readonly secondary: Table | undefined;
  /** What else holds of the other side's rows, beside the pairs. */
  readonly extra: JoinParts["extra"];
  /** Keys of this class and what refers to them (one-to-many, many-to-many). */
  readonly localPairs: readonly Pair[];
  /** Keys of the other class and what refers to them (many-to-one, many-to-many). */
  readonly remotePairs: readonly Pair[];
}

/** The steps of a join along a relation. */
export function joinSteps(
  relation: Relation,
  left: FromClause = relation.parent.from,
  right: FromClause = relation.target.from,
  secondary: FromClause | undefined = relation.secondary,
): JoinStep[] {
  const { localPairs, remotePairs, extra, target } = relation;
  const own = target.parts.criterion?.(right);
  // Pairs lead from a referenced row to one that refers to it.
  const pairsOn = (
    pairs: readonly Pair[],
    from: FromClause,
    to: FromClause,
    ...more: (Expression<unknown> | undefined)[]
  ): Expression<unknown> =>
    and(
      ...pairs.map((pair) => column(to, pair.to).eq(column(from, pair.from))),
      ...more.filter((one) => one !== undefined),
    );
  if (secondary) {
    return [
      { from: secondary, on: pairsOn(localPairs, left, secondary) },
      {
        from: right,
        on: pairsOn(
          remotePairs,
          right,
          secondary,
          extra?.(secondary, right),
          own,
        ),
      },
    ];
  }
  return [{
    from: right,
    on: localPairs.length > 0
      ? pairsOn(localPairs, left, right, extra?.(right, left), own)
      : pairsOn(remotePairs, right, left, extra?.(left, right), own),
  }];
}

/** Whether rows of both come from one and the same table. */
export function overlap(one: FromClause, other: FromClause): boolean {
  return one.members.some((member) => other.members.includes(member));
}

/** A column of something that rows come from, known to be there. */
export function column(from: FromClause, key: string): Expression<unknown> {
  return from.c[key] as Expression<unknown>;
}

export { joinPath };

import { OrmError } from "../errors.ts";
import type { Relation } from "../relation.ts";

/** A relation is loaded again and again, a few objects at a time. */
export class NPlusOneError extends OrmError {
  /** @ignore */
  override readonly name: string = "NPlusOneError";
  /** The class. */
  readonly entity: string;
  /** The relation. */
  readonly attribute: string;
  /** How many trips its lazy loads have made. */
  readonly trips: number;
  /** Makes an error that names the relation and the remedy. */
  constructor(entity: string, attribute: string, trips: number) {
    super(
      "orm/n-plus-one",
      `Cannot load ${entity}.${attribute} once more: ${trips} trips were made for it already; load it with the query, options(selectinload(${entity}.r.${attribute})), or call load() of all objects in one Promise.all()`,
    );
    this.entity = entity;
    this.attribute = attribute;
    this.trips = trips;
  }
}

/** Settings of {@linkcode detectNPlusOne}. */
export interface NPlusOneOptions {
  /** How many trips a relation may make in a session. @default {3} */
  readonly threshold?: number;
  /** Hears of it, instead of an error. */
  readonly report?: (found: NPlusOneError) => void;
}

/**
 * Counts the trips of lazy loads by relation, for one session, and objects to
 * too many. Loads of one tick are one trip, whatever their number.
 *
 * @example
 * ```ts
 * import { detectNPlusOne, Session } from "@aludel/aludel/orm";
 *
 * new Session({ onLazyLoad: detectNPlusOne({ threshold: 5 }) });
 * ```
 *
 * @returns What `onLazyLoad` takes; it throws {@linkcode NPlusOneError}, which reaches the caller of `load()`.
 */
export function detectNPlusOne(
  { threshold = 3, report }: NPlusOneOptions = {},
): (relation: Relation) => void {
  const counts = new Map<Relation, number>();
  return (relation) => {
    const count = (counts.get(relation) ?? 0) + 1;
    counts.set(relation, count);
    if (count <= threshold) return;
    const found = new NPlusOneError(
      relation.parent.name,
      relation.key,
      count - 1,
    );
    if (!report) throw found;
    if (count === threshold + 1) report(found);
  };
}

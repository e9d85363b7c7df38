import {
  and,
  type Column,
  type Expression,
  type FromClause,
  type JoinStep,
  rowSource,
  type Select,
  select,
  type Table,
} from "../../sql/mod.ts";
import type { Handle } from "../handles/handle.ts";
import type { Mapper } from "../mapper.ts";
import { named } from "../_names.ts";
import type {
  Cascade,
  CollectionFactory,
  JoinParts,
  Pair,
  Relation,
  RelationKind,
  RelationSpec,
} from "../relation.ts";
import { type InstanceState, stateOf } from "../state.ts";
import type { Changes } from "../changes.ts";
import { foreignPairs } from "./foreign_pairs.ts";
import { refusal } from "./refusal.ts";

const CASCADES: readonly Cascade[] = [
  "save-update",
  "merge",
  "delete",
  "delete-orphan",
  "expunge",
  "refresh-expire",
];

/**
 * What the kinds of relation have in common; each brings what only it does,
 * so that a bundle holds the kinds that its classes name.
 */
export abstract class RelationBase implements Relation {
  readonly key: string;
  readonly parent: Mapper;
  readonly target: Mapper;
  readonly options: RelationSpec<unknown>["options"];
  readonly cascade: ReadonlySet<Cascade>;
  readonly collection: CollectionFactory | undefined;
  readonly secondary: Table | undefined;
  extra: JoinParts["extra"];
  inverse: Relation | undefined;

  /** Finds out everything that can be known before other relations are. */
  constructor(
    parent: Mapper,
    key: string,
    target: Mapper,
    { options, collection }: RelationSpec<unknown>,
  ) {
    this.key = key;
    this.parent = parent;
    this.target = target;
    this.options = options;
    this.collection = collection;
    this.cascade = this.#cascades(options.cascade ?? "save-update, merge");
  }

  abstract get kind(): RelationKind;
  abstract get isMany(): boolean;
  abstract newHandle(state: InstanceState): Handle;
  abstract readonly localPairs: readonly Pair[];
  abstract readonly remotePairs: readonly Pair[];
  /** The columns of the owner by which its objects are found. */
  abstract get own(): readonly string[];
  /** The columns of their rows that hold the same. */
  abstract get ties(): readonly Column<unknown>[];
  /** Which table refers, and to which. */
  abstract get sides(): readonly [
    referring: FromClause,
    referenced: FromClause,
  ];
  /** Whether a change of an owner's key is one of its objects'. */
  abstract get isReferred(): boolean;
  /** Turns what a handle says into keys and rows to write. */
  abstract sync(handle: Handle, changes: Changes): void;
  /** Lets go of what a deleted object led to. */
  abstract release(state: InstanceState, changes: Changes): void;

  /** What a message calls it. */
  get name(): string {
    return `${this.parent.name}.${this.key}`;
  }

  /** Whether its objects must be known before an owner is deleted. */
  get isAsked(): boolean {
    const { options: { viewOnly, passiveDeletes }, cascade } = this;
    return !viewOnly && !passiveDeletes &&
      (this.isReferred || cascade.has("delete"));
  }

  /** The steps of a join along it. */
  steps(
    left: FromClause = this.parent.from,
    right: FromClause = this.target.from,
    _through?: FromClause,
  ): JoinStep[] {
    const { isReferred, localPairs, remotePairs, extra, target } = this;
    const [pairs, referenced, referring] = isReferred
      ? [localPairs, left, right]
      : [remotePairs, right, left];
    return [{
      from: right,
      on: tied(
        ...[pairs, referenced, referring] as const,
        ...[extra?.(referring, referenced), target.parts.criterion?.(right)],
      ),
    }];
  }
  "~joinPath"(left?: FromClause): readonly JoinStep[] {
    return this.steps(left);
  }

  /** A query of its objects, with what ties each to its owner. */
  select(): Select<unknown> {
    return select({ [rowSource]: this.target.source });
  }
  /** An object of such a query's rows, and the owner's values that it names. */
  read(row: unknown): readonly [object, readonly unknown[]] {
    return [row as object, stateOf(row as object).stored(this.ties)];
  }

  /** Looks up the other side, which must lead back. */
  link(): void {
    const { parent, target, options: { backPopulates, viewOnly } } = this;
    if (backPopulates === undefined || viewOnly) return;
    const found = target.relations.get(backPopulates);
    if (!found) {
      throw refusal(
        this.name,
        `${target.name} has no "${backPopulates}" to go with it; it has ${
          named([...target.relations.keys()])
        }`,
      );
    }
    if (
      !parent.isSubclassOf(found.target.cls) &&
      !found.target.isSubclassOf(parent.cls)
    ) {
      throw refusal(
        this.name,
        `${found.name} leads to ${found.target.name}, not back`,
      );
    }
    this.inverse = found;
  }

  /** Finds the columns that are equal where rows belong together. */
  protected pairs(): readonly Pair[] {
    const { primaryJoin = foreignPairs, foreignKeys } = this.options;
    const [referring, referenced] = this.sides;
    const found = primaryJoin(referring, referenced, foreignKeys, this.name);
    this.extra = found.extra;
    return found.pairs;
  }

  #cascades(text: string): ReadonlySet<Cascade> {
    const { viewOnly, singleParent } = this.options;
    const found = new Set<Cascade>();
    if (viewOnly) return found;
    for (const word of text.split(/[\s,]+/) as Cascade[]) {
      if (word as string === "all") {
        for (const one of CASCADES) if (one !== "delete-orphan") found.add(one);
      } else if (CASCADES.includes(word)) found.add(word);
      else if (word && word as string !== "none") {
        throw refusal(
          this.name,
          `"${word}" is no cascade, but all, ${CASCADES.join(", ")} are`,
        );
      }
    }
    if (found.has("delete-orphan") && !singleParent && !this.isReferred) {
      throw refusal(
        this.name,
        "with delete-orphan the object may have no other owner: set singleParent",
      );
    }
    return found;
  }
}

/** The condition that rows belong together; pairs lead from a referenced row to one that refers to it. */
export function tied(
  pairs: readonly Pair[],
  referenced: FromClause,
  referring: FromClause,
  ...more: (Expression<unknown> | undefined)[]
): Expression<unknown> {
  return and(
    ...pairs.map(({ from, to }) =>
      column(referring, to).eq(column(referenced, from))
    ),
    ...more.filter((one) => one !== undefined),
  );
}

/** A column of something that rows come from, known to be there. */
export function column(from: FromClause, key: string): Column<unknown> {
  return from.c[key] as Column<unknown>;
}

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
import type { Changes } from "../changes.ts";
import type { Handle } from "../handles/handle.ts";
import type { Mapper } from "../mapper.ts";
import { named } from "../_names.ts";
import type {
  Cascade,
  HandleFactory,
  JoinParts,
  Pair,
  Relation,
  RelationKind,
  RelationSpec,
} from "../relation.ts";
import { type InstanceState, stateOf } from "../state.ts";
import { foreignPairs } from "./foreign_pairs.ts";
import { refusal } from "./refusal.ts";

const ALL = ["save-update", "merge", "delete", "expunge", "refresh-expire"];

/**
 * What the kinds of relation have in common; each brings what only it does,
 * so that a bundle holds the kinds that its classes name. How rows find each
 * other is told here as it is where one table refers to the other.
 */
export abstract class RelationBase implements Relation {
  readonly key: string;
  readonly kind: RelationKind;
  readonly parent: Mapper;
  readonly target: Mapper;
  readonly options: RelationSpec<unknown>["options"];
  readonly handle: HandleFactory;
  readonly isMany: boolean;
  readonly isReferred: boolean;
  readonly cascade: ReadonlySet<Cascade>;
  readonly localPairs: readonly Pair[];
  readonly remotePairs: readonly Pair[];
  /** The keys of the owner's columns by which its objects are found. */
  readonly own: readonly string[];
  /** The columns of their rows, or of the pairs, that hold the same. */
  readonly ties: readonly Column<unknown>[];
  secondary: Table | undefined;
  extra: JoinParts["extra"];
  inverse: Relation | undefined;

  /** Finds out everything that can be known before other relations are. */
  constructor(
    parent: Mapper,
    key: string,
    target: Mapper,
    { kind, options, handle }: RelationSpec<unknown>,
  ) {
    this.key = key;
    this.kind = kind;
    this.parent = parent;
    this.target = target;
    this.options = options;
    this.handle = handle;
    this.isMany = kind.endsWith("Many");
    this.isReferred = kind.startsWith("one");
    this.cascade = this.#cascades();
    const [local, remote] = this.findPairs();
    this.localPairs = local;
    this.remotePairs = remote;
    const [own, ties] = local.length > 0
      ? [local.map(({ from }) => from), local.map(({ to }) => to)]
      : [remote.map(({ to }) => to), remote.map(({ from }) => from)];
    const { secondary = target.from } = this;
    this.own = own;
    this.ties = ties.map((tie) => column(secondary, tie));
  }

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

  /** Which table refers, and to which. */
  get sides(): readonly [referring: FromClause, referenced: FromClause] {
    const { parent, target } = this;
    return this.isReferred
      ? [target.from, parent.from]
      : [parent.from, target.from];
  }

  /** The steps of a join along it. */
  steps(
    left: FromClause = this.parent.from,
    right: FromClause = this.target.from,
    _through?: FromClause,
  ): JoinStep[] {
    const on = this.isReferred ? this.on(right, left) : this.on(left, right);
    return [{ from: right, on }];
  }
  "~joinPath"(left?: FromClause): readonly JoinStep[] {
    return this.steps(left);
  }

  /** What holds of a row of the other class and the one that it refers to, or that refers to it. */
  protected on(
    referring: FromClause,
    referenced: FromClause,
  ): Expression<unknown> {
    const { isReferred, localPairs, remotePairs, extra, target } = this;
    const [pairs, row] = isReferred
      ? [localPairs, referring]
      : [remotePairs, referenced];
    return and(
      tied(pairs, referring, referenced),
      ...[extra?.(referring, referenced), target.parts.criterion?.(row)]
        .filter((one) => one !== undefined),
    );
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
    const leadsBack = found && (parent.isSubclassOf(found.target.cls) ||
      found.target.isSubclassOf(parent.cls));
    if (!leadsBack) {
      throw refusal(
        this.name,
        `${target.name} has no "${backPopulates}" that leads back; it has ${
          named([...target.relations.keys()])
        }`,
      );
    }
    this.inverse = found;
  }

  /** Finds the columns that are equal where rows belong together: keys of this class and what refers to them, keys of the other and what refers to those. */
  protected findPairs(): readonly [
    local: readonly Pair[],
    remote: readonly Pair[],
  ] {
    const { primaryJoin = foreignPairs, foreignKeys } = this.options;
    const [referring, referenced] = this.sides;
    const { pairs, extra } = primaryJoin(
      referring,
      referenced,
      foreignKeys,
      this.name,
    );
    this.extra = extra;
    return this.isReferred ? [pairs, []] : [[], pairs];
  }

  #cascades(): ReadonlySet<Cascade> {
    const { viewOnly, singleParent, cascade = "save-update, merge" } =
      this.options;
    const words: readonly string[] = viewOnly
      ? []
      : cascade.match(/[^\s,]+/g) ?? [];
    const known = [...ALL, "delete-orphan", "all", "none"];
    const odd = words.filter((word) => !known.includes(word));
    if (odd.length > 0) {
      throw refusal(
        this.name,
        `there is no cascade ${named(odd)}, but ${named(known)}`,
      );
    }
    if (
      words.includes("delete-orphan") && !singleParent && !this.isReferred
    ) {
      throw refusal(
        this.name,
        "with delete-orphan the object may have no other owner: set singleParent",
      );
    }
    return new Set(
      words.flatMap((word) => word === "all" ? ALL : word),
    ) as ReadonlySet<string> as ReadonlySet<Cascade>;
  }
}

/** The condition that rows belong together; pairs lead from a referenced row to one that refers to it. */
export function tied(
  pairs: readonly Pair[],
  referring: FromClause,
  referenced: FromClause,
): Expression<unknown> {
  return and(
    ...pairs.map(({ from, to }) =>
      column(referring, to).eq(column(referenced, from))
    ),
  );
}

/** A column of something that rows come from, known to be there. */
export function column(from: FromClause, key: string): Column<unknown> {
  return from.c[key] as Column<unknown>;
}

import {
  type Column,
  type FromClause,
  type JoinStep,
  rowSource,
  type Select,
  select,
  type Table,
} from "../../sql/mod.ts";
import type { Changes } from "../changes.ts";
import type { Handle } from "../handles/handle.ts";
import { ManyHandle } from "../handles/many_handle.ts";
import type { Mapper } from "../mapper.ts";
import type {
  ManyToManyOptions,
  Pair,
  RelationSpec,
  ToMany,
} from "../relation.ts";
import { type InstanceState, stateOf } from "../state.ts";
import { KeyRef, type Values, type Work } from "../work.ts";
import { overlap } from "../relation.ts";
import { column, RelationBase, tied } from "./base.ts";
import { foreignPairs } from "./foreign_pairs.ts";
import { refusal } from "./refusal.ts";

class ManyToMany extends RelationBase {
  override readonly secondary: Table;
  readonly localPairs: readonly Pair[];
  readonly remotePairs: readonly Pair[];

  constructor(
    parent: Mapper,
    key: string,
    target: Mapper,
    spec: RelationSpec<unknown>,
  ) {
    super(parent, key, target, spec);
    const { secondary, primaryJoin, secondaryJoin, foreignKeys } = spec.options;
    const pairs = typeof secondary === "function" ? secondary() : secondary;
    if (!pairs) throw refusal(this.name, "it needs a secondary table");
    this.secondary = pairs;
    // Both keys of a relation to its own class lead to one table: the first is this side's.
    const isSelf = overlap(parent.from, target.from);
    const local = (primaryJoin ?? foreignPairs)(
      pairs,
      parent.from,
      foreignKeys,
      this.name,
      isSelf,
    );
    const used = local.pairs.map(({ to }) => to);
    const rest = pairs.columns.map(({ key }) => key)
      .filter((key) => !used.includes(key));
    const remote = (secondaryJoin ?? foreignPairs)(
      pairs,
      target.from,
      isSelf || foreignKeys ? rest : undefined,
      this.name,
    );
    this.localPairs = local.pairs;
    this.remotePairs = remote.pairs;
    this.extra = remote.extra;
  }

  override get kind() {
    return "manyToMany" as const;
  }
  override get isMany(): boolean {
    return true;
  }
  override newHandle(state: InstanceState): Handle {
    return this.collection?.(state, this) ?? new ManyHandle(state, this);
  }
  override get isReferred(): boolean {
    return false;
  }
  override get own(): readonly string[] {
    return this.localPairs.map(({ from }) => from);
  }
  override get ties(): readonly Column<unknown>[] {
    return this.localPairs.map(({ to }) => column(this.secondary, to));
  }
  override get sides(): readonly [FromClause, FromClause] {
    return [this.secondary, this.target.from];
  }

  override steps(
    left: FromClause = this.parent.from,
    right: FromClause = this.target.from,
    through: FromClause = this.secondary,
  ): JoinStep[] {
    const { localPairs, remotePairs, extra, target } = this;
    const on = tied(
      ...[remotePairs, right, through] as const,
      ...[extra?.(through, right), target.parts.criterion?.(right)],
    );
    return [
      { from: through, on: tied(localPairs, left, through) },
      { from: right, on },
    ];
  }

  override select(): Select<unknown> {
    const { target, secondary, remotePairs, ties } = this;
    return select({ [rowSource]: target.source }, ...ties)
      .join(secondary, tied(remotePairs, target.from, secondary));
  }
  override read(row: unknown): readonly [object, readonly unknown[]] {
    const [item, ...ties] = row as [object, ...unknown[]];
    return [item, ties];
  }

  override sync(handle: Handle, changes: Changes): void {
    const { state: { object }, additions, removals, items } = handle;
    for (const item of additions) {
      if (changes.isThere(this, item)) {
        this.#pair("insert", object, item, changes, false);
      }
    }
    for (const item of removals) {
      this.#pair("delete", object, item, changes, items !== undefined);
    }
  }

  /** Writes the pair of two objects, once where both directions name it. */
  #pair(
    kind: "insert" | "delete",
    owner: object,
    item: object,
    changes: Changes,
    isExpected: boolean,
  ): void {
    if (changes.isGoing(stateOf(item))) return;
    const { secondary: table, localPairs, remotePairs, parent: mapper } = this;
    const row: Values = new Map();
    const sides = [[localPairs, owner], [remotePairs, item]] as const;
    for (const [pairs, object] of sides) {
      for (const { from, to } of pairs) {
        row.set(table.column(to), changes.keyValue(stateOf(object), from));
      }
    }
    const { numbers } = changes;
    const text = [...row].map(([{ name }, value]) => {
      if (!(value instanceof KeyRef)) return `${name}=${value}`;
      const n = numbers.get(value.state) ?? numbers.size;
      numbers.set(value.state, n);
      return `${name}#${n}`;
    }).sort();
    const [values, where]: [Values, Values] = kind === "insert"
      ? [row, new Map()]
      : [new Map(), row];
    const { identityToken } = stateOf(owner);
    const work: Work = {
      ...{ kind, mapper, identityToken, table, values, where, isExpected },
    };
    changes.pairs.set(
      [kind, identityToken, table.fullName, text].join("\0"),
      work,
    );
  }

  override release(state: InstanceState, changes: Changes): void {
    if (this.options.passiveDeletes) return;
    const { secondary: table, parent: mapper, localPairs } = this;
    const { identityToken } = state;
    changes.released.push({
      ...{ kind: "delete", mapper, identityToken, table, values: new Map() },
      where: new Map(
        localPairs.map(({ from, to }) => [
          table.column(to),
          state.before(state.mapper.column(from)),
        ]),
      ),
      isExpected: false,
    });
  }
}

/** Rows of both classes are paired in a table of their own. */
export function manyToMany<C>(
  target: C,
  options: ManyToManyOptions,
): ToMany<C> {
  return { kind: "manyToMany", make: ManyToMany, target, options };
}

import {
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
import type { ManyToManyOptions, Pair, ToMany } from "../relation.ts";
import { type InstanceState, stateOf } from "../state.ts";
import { KeyRef, type Values, type Work } from "../work.ts";
import { overlap } from "../relation.ts";
import { RelationBase, tied } from "./base.ts";
import { foreignPairs } from "./foreign_pairs.ts";
import { refusal } from "./refusal.ts";

class ManyToMany extends RelationBase {
  declare secondary: Table;

  protected override findPairs(): [readonly Pair[], readonly Pair[]] {
    const { parent, target, options } = this;
    const { secondary, primaryJoin = foreignPairs, foreignKeys } = options;
    const { secondaryJoin = foreignPairs } = options;
    const pairs = typeof secondary === "function" ? secondary() : secondary;
    if (!pairs) throw refusal(this.name, "it needs a secondary table");
    this.secondary = pairs;
    // Both keys of a relation to its own class lead to one table: the first is this side's.
    const isSelf = overlap(parent.from, target.from);
    const local = primaryJoin(
      pairs,
      parent.from,
      foreignKeys,
      this.name,
      isSelf,
    );
    const used = local.pairs.map(({ to }) => to);
    const rest = pairs.columns.map(({ key }) => key)
      .filter((key) => !used.includes(key));
    const remote = secondaryJoin(
      pairs,
      target.from,
      isSelf || foreignKeys ? rest : undefined,
      this.name,
    );
    this.extra = remote.extra;
    return [local.pairs, remote.pairs];
  }

  override get sides(): readonly [FromClause, FromClause] {
    return [this.secondary, this.target.from];
  }

  override steps(
    left: FromClause = this.parent.from,
    right: FromClause = this.target.from,
    through: FromClause = this.secondary,
  ): JoinStep[] {
    return [
      { from: through, on: tied(this.localPairs, through, left) },
      { from: right, on: this.on(through, right) },
    ];
  }

  override select(): Select<unknown> {
    const { target, secondary, remotePairs, ties } = this;
    return select({ [rowSource]: target.source }, ...ties)
      .join(secondary, tied(remotePairs, secondary, target.from));
  }
  override read(row: unknown): readonly [object, readonly unknown[]] {
    const [item, ...ties] = row as [object, ...unknown[]];
    return [item, ties];
  }

  /** A pair that is there already is not to be written by the other side. */
  received({ items, before = [], state: { object } }: Handle): void {
    const here = new Set(items);
    for (const item of before) {
      if (!here.has(item) || !this.inverse) continue;
      const other = stateOf(item).handles.get(this.inverse.key);
      other?.added?.delete(object);
      other?.removed?.delete(object);
    }
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
    if (changes.deleted.has(stateOf(item))) return;
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
    changes.links.set(
      [kind, identityToken, table.fullName, ...text].join("\0"),
      work,
    );
  }

  override release(state: InstanceState, changes: Changes): void {
    if (this.options.passiveDeletes) return;
    const { secondary: table, parent: mapper, localPairs } = this;
    const { identityToken } = state;
    const where: Values = new Map(
      localPairs.map(({ from, to }) => [
        table.column(to),
        state.before(state.mapper.column(from)),
      ]),
    );
    const work: Work = {
      ...{ kind: "delete", mapper, identityToken, table, where },
      ...{ values: new Map(), isExpected: false },
    };
    changes.links.set(work, work);
  }
}

/** Rows of both classes are paired in a table of their own. */
export function manyToMany<C>(
  target: C,
  options: ManyToManyOptions,
): ToMany<C> {
  return {
    kind: "manyToMany",
    make: ManyToMany,
    handle: (state, relation) => new ManyHandle(state, relation),
    target,
    options,
  };
}

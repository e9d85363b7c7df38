import type { Column, FromClause } from "../../sql/mod.ts";
import type { Changes } from "../changes.ts";
import type { Handle } from "../handles/handle.ts";
import { OneHandle } from "../handles/one_handle.ts";
import type { Pair, RelationOptions, ToOne } from "../relation.ts";
import { type InstanceState, stateOf } from "../state.ts";
import type { Values } from "../work.ts";
import { column, RelationBase } from "./base.ts";

class ManyToOne extends RelationBase {
  readonly localPairs: readonly Pair[] = [];
  readonly remotePairs: readonly Pair[] = this.pairs();
  override get kind() {
    return "manyToOne" as const;
  }
  override get isMany(): boolean {
    return false;
  }
  override newHandle(state: InstanceState): Handle {
    return new OneHandle(state, this);
  }
  override get isReferred(): boolean {
    return false;
  }
  override get own(): readonly string[] {
    return this.remotePairs.map(({ to }) => to);
  }
  override get ties(): readonly Column<unknown>[] {
    return this.remotePairs.map(({ from }) => column(this.target.from, from));
  }
  override get sides(): readonly [FromClause, FromClause] {
    return [this.parent.from, this.target.from];
  }

  override sync(handle: Handle, changes: Changes): void {
    const { state, current } = handle as OneHandle;
    if (!handle.isChanged) return;
    // Who goes is named by nobody any more.
    const to = current && !changes.isGoing(stateOf(current)) ? current : null;
    if (!to || changes.isThere(this, to)) {
      changes.copyKeys(to, this, this.remotePairs, state);
    }
  }

  /** A key that is written by an UPDATE of its own is cleared by one. */
  override release(state: InstanceState, changes: Changes): void {
    if (!this.options.postUpdate) return;
    const { mapper } = state;
    const values: Values = new Map();
    for (const { to } of this.remotePairs) {
      const one = mapper.column(to);
      if (state.read(one) !== null) values.set(one, null);
    }
    if (values.size > 0) changes.clear(state, values);
  }
}

/** This row names one of the other class: Fowler's Foreign Key Mapping. */
export function manyToOne<C>(
  target: C,
  options: RelationOptions = {},
): ToOne<C> {
  return { kind: "manyToOne", make: ManyToOne, target, options };
}

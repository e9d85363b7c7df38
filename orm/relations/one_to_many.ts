import type { Column, FromClause } from "../../sql/mod.ts";
import type { Changes } from "../changes.ts";
import type { Handle } from "../handles/handle.ts";
import { ManyHandle } from "../handles/many_handle.ts";
import type { Pair, RelationKind, ToMany, ToManyOptions } from "../relation.ts";
import { type InstanceState, stateOf } from "../state.ts";
import { column, RelationBase } from "./base.ts";

/** Rows of the other class that name this one. */
export class OneToMany extends RelationBase {
  readonly localPairs: readonly Pair[] = this.pairs();
  readonly remotePairs: readonly Pair[] = [];
  override get kind(): RelationKind {
    return "oneToMany";
  }
  override get isMany(): boolean {
    return true;
  }
  override newHandle(state: InstanceState): Handle {
    return this.collection?.(state, this) ?? new ManyHandle(state, this);
  }
  override get isReferred(): boolean {
    return true;
  }
  override get own(): readonly string[] {
    return this.localPairs.map(({ from }) => from);
  }
  override get ties(): readonly Column<unknown>[] {
    return this.localPairs.map(({ to }) => column(this.target.from, to));
  }
  override get sides(): readonly [FromClause, FromClause] {
    return [this.target.from, this.parent.from];
  }

  override sync(handle: Handle, changes: Changes): void {
    const { state, additions, removals, items = [] } = handle;
    for (const item of removals) changes.forget(item, this, state);
    for (const item of changes.isRekeyed(this, state) ? items : additions) {
      if (changes.isThere(this, item)) {
        changes.copyKeys(state.object, this, this.localPairs, stateOf(item));
      }
    }
  }

  override release(state: InstanceState, changes: Changes): void {
    const handle = state.handles.get(this.key);
    if (!handle || this.options.passiveDeletes === "all") return;
    for (const item of handle.before) changes.forget(item, this, state);
  }
}

/** Rows of the other class name this one. */
export function oneToMany<C>(
  target: C,
  options: ToManyOptions = {},
): ToMany<C> {
  return { kind: "oneToMany", make: OneToMany, target, options };
}

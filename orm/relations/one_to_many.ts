import type { Changes } from "../changes.ts";
import type { Handle } from "../handles/handle.ts";
import { ManyHandle } from "../handles/many_handle.ts";
import type { ToMany, ToManyOptions } from "../relation.ts";
import { type InstanceState, stateOf } from "../state.ts";
import { RelationBase } from "./base.ts";

/** Rows of the other class that name this one. */
export class OneToMany extends RelationBase {
  override sync(handle: Handle, changes: Changes): void {
    const { state, additions, removals, known } = handle;
    for (const item of removals) changes.forget(item, this, state);
    for (const item of changes.isRekeyed(this, state) ? known : additions) {
      if (changes.isThere(this, item)) {
        changes.copyKeys(state.object, this, this.localPairs, stateOf(item));
      }
    }
  }

  override release(state: InstanceState, changes: Changes): void {
    const { before = [] } = state.handles.get(this.key) ?? {};
    if (this.options.passiveDeletes === "all") return;
    for (const item of before) changes.forget(item, this, state);
  }
}

/** Rows of the other class name this one. */
export function oneToMany<C>(
  target: C,
  options: ToManyOptions = {},
): ToMany<C> {
  return {
    kind: "oneToMany",
    make: OneToMany,
    handle: (state, relation) => new ManyHandle(state, relation),
    target,
    options,
  };
}

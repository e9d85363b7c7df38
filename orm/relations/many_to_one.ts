import type { Changes } from "../changes.ts";
import type { Handle } from "../handles/handle.ts";
import { OneHandle } from "../handles/one_handle.ts";
import type { RelationOptions, ToOne } from "../relation.ts";
import { type InstanceState, stateOf } from "../state.ts";
import type { Values } from "../work.ts";
import { RelationBase } from "./base.ts";

class ManyToOne extends RelationBase {
  override sync({ isChanged, known, state }: Handle, changes: Changes): void {
    if (!isChanged) return;
    // Who goes is named by nobody any more.
    const [to = null] = known.filter((one) =>
      !changes.deleted.has(stateOf(one))
    );
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
  return {
    kind: "manyToOne",
    make: ManyToOne,
    handle: (state, relation) => new OneHandle(state, relation),
    target,
    options,
  };
}

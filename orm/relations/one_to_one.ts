import type { Handle } from "../handles/handle.ts";
import { OneHandle } from "../handles/one_handle.ts";
import type { InstanceState } from "../state.ts";
import type { RelationKind, RelationOptions, ToOne } from "../relation.ts";
import { OneToMany } from "./one_to_many.ts";

class OneToOne extends OneToMany {
  override get kind(): RelationKind {
    return "oneToOne";
  }
  override get isMany(): boolean {
    return false;
  }
  override newHandle(state: InstanceState): Handle {
    return new OneHandle(state, this);
  }
}

/** At most one row of the other class names this one. */
export function oneToOne<C>(
  target: C,
  options: RelationOptions = {},
): ToOne<C> {
  return { kind: "oneToOne", make: OneToOne, target, options };
}

import { OneHandle } from "../handles/one_handle.ts";
import type { RelationOptions, ToOne } from "../relation.ts";
import { OneToMany } from "./one_to_many.ts";

/** The object of a relation where the database may have several. */
class OnlyHandle extends OneHandle {
  override receive(items: readonly object[]): void {
    const [first] = items;
    if (items.length > 1) {
      this.state.session?.warn(
        `${this.relation.name} found ${items.length} objects where one belongs; the first is taken`,
      );
    }
    super.receive(first ? [first] : []);
  }
}

/** At most one row of the other class names this one. */
export function oneToOne<C>(
  target: C,
  options: RelationOptions = {},
): ToOne<C> {
  return {
    kind: "oneToOne",
    make: OneToMany,
    handle: (state, relation) => new OnlyHandle(state, relation),
    target,
    options,
  };
}

import type { Relation } from "../relation.ts";
import type { LoadedReference } from "../types.ts";
import { handleOf, orphan, RelationHandle } from "./handle.ts";

/** The object of a to-one relation. */
export class OneHandle extends RelationHandle
  implements LoadedReference<object> {
  /** The object or `null`; `undefined` while it is not here. */
  get current(): object | null | undefined {
    return this.items && (this.items[0] ?? null);
  }

  async load(): Promise<object | null> {
    await this.fetch();
    return this.current ?? null;
  }

  get value(): object | null {
    return this.here[0] ?? null;
  }

  /** The object before another takes its place, where nobody need be asked. */
  former(): object | null | undefined {
    const { state, relation } = this;
    if (!this.items) {
      const known = state.session?.loader.known(state, relation);
      if (known) this.receive(known);
    }
    return this.current;
  }

  override set(given: object | null): void {
    if (given !== null) this.check(given);
    const old = this.former();
    if (old === given) {
      if (given) this.renew(given);
      return;
    }
    const item = this.heard("set", given, false, old);
    // The other side first: it may refuse.
    if (item) this.join(item);
    if (old) this.part(old);
    this.items = item ? [item] : [];
    if (item) {
      this.own(item);
      this.cascade(item);
    } else if (old && this.relation.inverse) {
      orphan(this.state.object, this.relation.inverse);
    }
  }

  /** @ignore */
  override denies(item: object): boolean {
    return this.isChanged && this.current !== item;
  }
  /** @ignore */
  override meet(item: object, other: Relation): void {
    const former = this.former();
    if (former === item) return;
    this.heard("set", item, true, former);
    // The object leaves its former owner's collection, if that is here.
    if (former) handleOf(former, other).leave(this.state.object);
    this.items = [item];
    this.own(item);
  }
  /** @ignore */
  override leave(item: object): void {
    if (!this.items || this.current === item) this.items = [];
  }

  /** The object, if it is here. */
  toJSON(): unknown {
    return this.current;
  }
}

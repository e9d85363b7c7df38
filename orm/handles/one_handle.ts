import type { Relation } from "../relation.ts";
import type { LoadedReference } from "../types.ts";
import { handleOf, orphan, RelationHandle } from "./handle.ts";

/** The object of a to-one relation. */
export class OneHandle extends RelationHandle
  implements LoadedReference<object> {
  /** The object or `null`; `undefined` while it is not here. */
  current: object | null | undefined;
  /** The object as the database has it; `undefined` while it is not known. */
  committed: object | null | undefined;

  override get isLoaded(): boolean {
    // What has no row yet refers to nothing that could be loaded.
    return this.current !== undefined || this.state.key === undefined;
  }
  /** @ignore */
  override get isKnown(): boolean {
    return this.isLoaded && this.committed !== undefined;
  }
  /** @ignore */
  override get isAsked(): boolean {
    return this.relation.isReferred && this.isChanged && !this.isKnown;
  }
  /** @ignore */
  override get isChanged(): boolean {
    return this.current !== undefined && this.current !== this.committed;
  }
  /** @ignore */
  override get items(): readonly object[] | undefined {
    return this.isLoaded ? this.known : undefined;
  }
  /** @ignore */
  override get known(): readonly object[] {
    return this.current ? [this.current] : [];
  }
  /** @ignore */
  override get before(): readonly object[] {
    return this.committed ? [this.committed] : [];
  }
  /** @ignore */
  override get additions(): readonly object[] {
    return this.isChanged ? this.known : [];
  }
  /** @ignore */
  override get removals(): readonly object[] {
    return this.isChanged ? this.before : [];
  }

  /** @ignore */
  override receive([given]: readonly object[]): void {
    const item = given ?? null;
    this.committed = item;
    if (this.current === undefined) {
      const isGone = item && this.other(item)?.denies(this.state.object);
      this.current = isGone ? null : item;
    }
    if (item && this.current === item) this.own(item);
  }

  /** @ignore */
  override settle([item]: readonly object[] = []): void {
    this.committed = item ?? null;
  }

  /** Rows were deleted, these objects with them; says whether it had one. */
  lose(gone: ReadonlySet<object>): boolean {
    const { current, committed } = this;
    if (committed && gone.has(committed)) this.committed = null;
    if (current && gone.has(current)) this.current = this.committed = null;
    return this.current !== current || this.committed !== committed;
  }

  /** Nothing of it is in the database any more. */
  unsave(): void {
    this.committed = undefined;
  }

  /** Forgets the object; it is loaded anew. */
  expire(): void {
    this.current = this.committed = undefined;
  }

  async load(): Promise<object | null> {
    await this.fetch();
    return this.current ?? null;
  }

  get value(): object | null {
    if (this.isLoaded) return this.current ?? null;
    throw this.notLoaded();
  }

  /** The object before another takes its place, where nobody need be asked. */
  former(): object | null | undefined {
    const { state, relation } = this;
    if (this.current === undefined) {
      const known = state.session?.known(state, relation);
      if (known !== undefined) this.receive(known ? [known] : []);
    }
    return this.current;
  }

  set(given: object | null): void {
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
    this.current = item;
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
    this.current = item;
    this.own(item);
  }
  /** @ignore */
  override leave(item: object): void {
    if (this.current === item || this.current === undefined) {
      this.current = null;
    }
  }

  /** The object, if it is here. */
  toJSON(): unknown {
    return this.current;
  }
}

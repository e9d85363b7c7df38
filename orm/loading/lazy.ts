import { handleOf } from "../handles/handle.ts";
import type { Relation } from "../relation.ts";
import { identityKey, type InstanceState, stateOf } from "../state.ts";
import type { LaterLoads, Reader, RelationLoader } from "./loader.ts";
import { attach, hand, queryOf } from "./related.ts";

/** Owners whose relation is loaded by one statement. */
interface Waiting {
  readonly relation: Relation;
  readonly later: LaterLoads | undefined;
  readonly owners: object[];
  readonly done: Promise<void>;
}

/**
 * Fowler's Lazy Load, for a database that is a network away: loads that are
 * asked for in one tick go in one trip, those of one relation in one statement.
 */
export class LazyLoads implements RelationLoader {
  readonly #reader: Reader;
  #waiting: Waiting[] = [];

  /** Loads through a session. */
  constructor(reader: Reader) {
    this.#reader = reader;
  }

  // deno-lint-ignore require-await -- a promise, also of a throw
  async load(state: InstanceState, relation: Relation): Promise<void> {
    const { later, object } = state;
    const known = this.known(state, relation);
    later?.lazy(relation, state, known !== undefined);
    if (known) return hand(relation, object, known);
    let load = this.#waiting.find((one) =>
      one.relation === relation && one.later === later
    );
    if (!load) {
      const owners: object[] = [];
      const done = this.#send(relation, later, owners);
      this.#waiting.push(load = { relation, later, owners, done });
    }
    load.owners.push(object);
    return load.done;
  }

  /** What a many-to-one leads to, where that can be told without asking; else nothing. */
  known(
    state: InstanceState,
    { kind, parent, target, remotePairs, extra }: Relation,
  ): readonly object[] | undefined {
    // What meets a further condition, only the database can tell.
    if (kind !== "manyToOne" || extra || state.later?.narrows(target)) {
      return undefined;
    }
    const values = remotePairs.map(({ to }) => state.read(parent.column(to)));
    if (values.includes(null)) return [];
    const key = target.primaryKey.map((column) =>
      values[remotePairs.findIndex(({ from }) => from === column.key)]
    );
    if (key.length !== values.length || key.includes(undefined)) {
      return undefined;
    }
    const found = this.#reader.identityMap.get(
      identityKey(target, key, state.identityToken),
    );
    return found instanceof target.cls &&
        !target.polymorphism?.lacks?.(stateOf(found))
      ? [found]
      : undefined;
  }

  async #send(
    relation: Relation,
    later: LaterLoads | undefined,
    owners: readonly object[],
  ): Promise<void> {
    // Those of one tick go in one trip by themselves, and fail by themselves.
    await undefined;
    this.#waiting = this.#waiting.filter((one) => one.owners !== owners);
    // Others may have loaded it meanwhile.
    const open = owners.filter((owner) => !handleOf(owner, relation).isLoaded);
    const query = queryOf(relation, open);
    if (!query) return;
    this.#reader.lazyLoaded?.(relation, open.length);
    const rows = await this.#reader.load(
      query.options(...later?.optionsOf(relation) ?? []),
    );
    attach(relation, open, rows);
  }
}

import type { RelationLoader } from "../object_set.ts";
import type { Relation } from "../relation.ts";
import type { InstanceState } from "../state.ts";
import type { Reader } from "./loader.ts";
import { among, attach, keysOf, relatedQuery } from "./related.ts";

/**
 * Fowler's Lazy Load, for a database that is a network away: loads that are
 * asked for in one tick go in one trip, those of one relation in one statement.
 */
export class LazyLoads implements RelationLoader {
  readonly #reader: Reader;
  #waiting: Map<Relation, object[]> | undefined;
  #trip: Promise<void> = Promise.resolve();

  /** Loads through a session. */
  constructor(reader: Reader) {
    this.#reader = reader;
  }

  load(state: InstanceState, relation: Relation): Promise<void> {
    if (!this.#waiting) {
      this.#waiting = new Map();
      this.#trip = Promise.resolve().then(() => this.#send());
    }
    const owners = this.#waiting.get(relation) ?? [];
    owners.push(state.object);
    this.#waiting.set(relation, owners);
    return this.#trip;
  }

  async #send(): Promise<void> {
    const waiting = [...(this.#waiting ?? [])];
    this.#waiting = undefined;
    const reads = waiting.flatMap(([relation, owners]) => {
      const keys = keysOf(relation, owners);
      if (keys.length === 0) {
        attach(relation, owners, []);
        return [];
      }
      return this.#reader.read(
        relatedQuery(relation, (columns) => among(columns, keys)),
        (rows) => attach(relation, owners, rows),
      );
    });
    if (reads.length > 0) await this.#reader.run(reads);
  }
}

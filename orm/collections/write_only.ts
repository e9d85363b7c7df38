import { collectedIn } from "./custom.ts";
import {
  type Delete,
  deleteFrom,
  type Expression,
  type Insert,
  insert,
  type Select,
  type Table,
  type Update,
  update,
  withOnlyColumns,
} from "../../sql/mod.ts";
import { MappingError, StateError } from "../errors.ts";
import { ManyHandle } from "../handles/many_handle.ts";
import { among, keysOf, relatedQuery } from "../loading/related.ts";
import type { CollectionFunction, ToMany } from "../relation.ts";
import { inShardOf } from "../sharding/set_shard_id.ts";

/**
 * Related objects that are never loaded as a whole: they are added, removed,
 * and queried.
 */
export interface WriteOnlyCollection<T> {
  /** Adds objects. */
  add(...items: T[]): void;
  /** Removes an object. */
  remove(item: T): void;
  /** A query of the objects, to be narrowed. */
  select(): Select<T>;
  /** Inserts rows for objects of the collection, past the unit of work. */
  insert(rows: readonly Readonly<Record<string, unknown>>[]): Insert<Table>;
  /** Updates rows of the collection's objects, past the unit of work. */
  update(values: Readonly<Record<string, unknown>>): Update<Table>;
  /** Deletes rows of the collection's objects, past the unit of work. */
  delete(): Delete<Table>;
}

/** Objects that are only written: what the handle is. */
export interface WriteOnlyFunction extends CollectionFunction {
  /** @ignore */
  readonly collection: WriteOnlyCollection<this["item"]>;
  /** @ignore */
  readonly loaded: WriteOnlyCollection<this["item"]>;
  /** @ignore */
  readonly init: Iterable<this["item"]>;
}

class WriteOnlyHandle extends ManyHandle
  implements WriteOnlyCollection<object> {
  override load(): Promise<this> {
    throw this.#refusal("load");
  }
  override [Symbol.iterator](): Iterator<object> {
    throw this.#refusal("iterate over");
  }
  // What is written is let go of: the collection is never held as a whole.
  override settle(
    _items: readonly object[] | undefined,
    added: readonly object[],
    removed: readonly object[],
  ): void {
    super.settle(undefined, added, removed);
    this.items = this.before = undefined;
  }
  select(): Select<object> {
    return inShardOf(
      this.state,
      relatedQuery(
        this.relation,
        [this.#key],
      ),
    ) as Select<object>;
  }
  insert(rows: readonly Readonly<Record<string, unknown>>[]): Insert<Table> {
    const { target, localPairs, kind } = this.relation;
    if (kind === "manyToMany") throw this.#refusal("insert rows into");
    const own = Object.fromEntries(
      localPairs.map((pair, i) => [pair.to, this.#key[i]]),
    );
    return inShardOf(
      this.state,
      insert(target.table).values(
        rows.map((row) => ({ ...row, ...own })) as never,
      ),
    );
  }
  update(values: Readonly<Record<string, unknown>>): Update<Table> {
    return inShardOf(
      this.state,
      update(this.relation.target.table).set(values as never)
        .where(this.#isMember()),
    );
  }
  delete(): Delete<Table> {
    return inShardOf(
      this.state,
      deleteFrom(this.relation.target.table).where(this.#isMember()),
    );
  }

  get #key(): readonly unknown[] {
    const [key] = keysOf(this.relation, [this.state.object]);
    if (key) return key;
    throw this.#refusal("query");
  }
  #isMember(): Expression<boolean> {
    const { target } = this.relation;
    return among(
      target.primaryKey,
      withOnlyColumns(this.select(), ...target.primaryKey),
    );
  }
  #refusal(what: string): StateError {
    const { parent, key } = this.relation;
    return new StateError(
      `Cannot ${what} ${parent.name}.${key}: it is write-only; query it with select() once its owner is saved`,
    );
  }
}

/**
 * Never loads a relation as a whole, which suits large ones. The database must
 * look after its rows when their owner goes: `passiveDeletes: true`.
 *
 * @example
 * ```ts
 * import { Entity, integer, oneToMany, writeOnly } from "@aludel/aludel/orm";
 * import { strictEqual } from "node:assert/strict";
 *
 * class Account extends Entity.table("accounts", {
 *   id: integer().primaryKey(),
 *   entries: () => writeOnly(oneToMany(Entry, { passiveDeletes: true })),
 * }) {}
 * class Entry extends Entity.table("entries", {
 *   id: integer().primaryKey(),
 *   accountId: integer().references("accounts.id", { onDelete: "cascade" }),
 *   amount: integer(),
 * }) {}
 *
 * const account = new Account({ entries: [new Entry({ amount: 5 })] });
 * account.entries.add(new Entry({ amount: 7 }));
 * strictEqual(Account.r.entries.options.passiveDeletes, true);
 * ```
 *
 * @param relation The relation.
 * @throws {MappingError} If the database is not told to look after the rows.
 */
export function writeOnly<C>(
  relation: ToMany<C>,
): ToMany<C, WriteOnlyFunction> {
  if (relation.kind === "oneToMany" && !relation.options.passiveDeletes) {
    throw new MappingError(
      "Cannot make a relation write-only: rows that are not loaded would lose their owner; set passiveDeletes: true, and onDelete on the foreign key",
    );
  }
  return collectedIn<C, WriteOnlyFunction>(
    relation,
    (state, found) => new WriteOnlyHandle(state, found),
  );
}

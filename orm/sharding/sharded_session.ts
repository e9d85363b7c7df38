import {
  type BatchResults,
  type Engine,
  EngineRegistry,
  Result,
  type Statement,
} from "../../sql/mod.ts";
import { mapperIn } from "../_bind.ts";
import { named } from "../_names.ts";
import { readsBefore } from "../_preload.ts";
import { SessionError } from "../errors.ts";
import { LazyLoads } from "../loading/lazy.ts";
import {
  planReads,
  type Read,
  type RelationLoader,
} from "../loading/loader.ts";
import { type AnyClass, type Mapper, mapperOf } from "../mapper.ts";
import { Session } from "../session.ts";
import type { BindContext, SessionOptions } from "../session_contract.ts";
import { getObject, keyValues } from "../session_reads.ts";
import { identityKey, type InstanceState, stateOf } from "../state.ts";
import type { InstanceOf } from "../types.ts";
import { place } from "./placement.ts";
import { shardOf } from "./set_shard_id.ts";

/** Settings of a {@linkcode ShardedSession}. */
export interface ShardedSessionOptions extends SessionOptions {
  /** The databases by name; the name is the identity token of what comes from there. */
  readonly shards: Readonly<Record<string, Engine>>;
  /**
   * Which shard a new object goes to, asked when it is about to be written, and
   * more than once if need be. Where it says none, the object goes where what
   * it belongs to is.
   */
  readonly shardChooser: (
    object: object,
    mapper: Mapper,
  ) => string | undefined;
  /** Which shards `get()` and `merge()` ask for a primary key, one after the other until it is found. @default every shard */
  readonly identityChooser?: (
    mapper: Mapper,
    primaryKey: readonly unknown[],
  ) => Iterable<string>;
  /**
   * Which shards a statement of the program goes to; their rows come in this
   * order. Relations are loaded from their owner's shard without asking it.
   * @default every shard
   */
  readonly executeChooser?: (context: BindContext) => Iterable<string>;
}

/**
 * A session on several databases that hold the same tables, each with rows of
 * its own: one for each tenant or region. An object belongs to the shard that
 * its row is in: there it is updated, deleted, refreshed, and there its
 * relations are loaded. Rows of one primary key in two shards are two objects.
 *
 * A query goes to all of its shards at once, and gives the rows of the first
 * shard, then those of the second. Nothing is sorted or cut again: ORDER BY,
 * LIMIT, DISTINCT and aggregates hold within each shard, so that `limit(10)` of
 * three shards gives up to 30 rows. An UPDATE or DELETE goes to its shards
 * likewise, all or nothing on each; an INSERT must go to one.
 *
 * `usingBind("europe")` is a session on the same objects that reads one shard.
 * A subclass takes the options that this class does.
 *
 * A commit writes to the shards one after the other, one batch each; if one
 * fails after another has committed, it throws `PartialCommitError`. A relation
 * lies within a shard, as a foreign key does. An object that refers to a new
 * one in another shard needs a key that is known beforehand: give it a
 * `default()`. No object moves to another shard.
 *
 * @example
 * ```ts
 * import { Entity, integer, setShardId, ShardedSession, text } from "@aludel/aludel/orm";
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createEngine, MetaData, select } from "@aludel/aludel/sql";
 * import { deepStrictEqual, strictEqual } from "node:assert/strict";
 *
 * abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
 *   static override metadata = new MetaData();
 * }
 * class User extends Base.table("users", { name: text(), region: text() }) {}
 *
 * await using europe = createEngine(sqlite(":memory:"), { name: "europe" });
 * await using asia = createEngine(sqlite(":memory:"), { name: "asia" });
 * for (const engine of [europe, asia]) await Base.metadata.createAll(engine);
 *
 * await using session = new ShardedSession({
 *   shards: { europe, asia },
 *   shardChooser: (object) => object instanceof User ? object.region : undefined,
 * });
 * session.addAll([
 *   new User({ name: "ed", region: "europe" }),
 *   new User({ name: "aiko", region: "asia" }),
 * ]);
 * await session.commit();
 *
 * const users = await session.scalars(select(User));
 * deepStrictEqual(users.map(({ id, name }) => [id, name]), [[1, "ed"], [1, "aiko"]]);
 * const [aiko] = await session.scalars(select(User).options(setShardId("asia")));
 * strictEqual(aiko, await session.get(User, 1, { identityToken: "asia" }));
 * ```
 */
export class ShardedSession extends Session {
  /** The settings it was made with. */
  declare readonly options: ShardedSessionOptions;
  readonly #engines: EngineRegistry;
  // The session of all shards, and those of one.
  #whole: this = this;
  readonly #siblings = new Map<string, this>();

  /** Starts a session; nothing is sent before it is needed. */
  constructor(options: ShardedSessionOptions) {
    super(options);
    this.#engines = new EngineRegistry(options.shards);
  }

  // --- Where it goes -------------------------------------------------------

  /**
   * The engine of a shard. Override it to send the reads of a shard to a
   * replica of it.
   *
   * @throws {SessionError} If nothing says which shard it is (`"orm/unbound"`).
   */
  override getBind({ identityToken, statement, mapper }: BindContext): Engine {
    if (identityToken !== undefined) return this.#engines.get(identityToken);
    if (statement) {
      const shards = this.#shardsOf(statement);
      const [only] = shards;
      if (only === undefined || shards.length > 1) {
        throw manyShards(statement, shards);
      }
      return this.#engines.get(only);
    }
    if (mapper) {
      throw new SessionError(
        "orm/unbound",
        `Cannot write ${mapper.name}: its object is in no shard; load it with this session, or set stateOf(object).identityToken before it is added`,
      );
    }
    // Savepoints are set in every transaction, whichever begins.
    return this.#engines.get(this.#engines.names[0] as string);
  }

  /** What its shard has seen, where this session reads one shard. */
  override get bookmark(): string | undefined {
    const { identityToken } = this;
    return identityToken === undefined
      ? undefined
      : this.#engines.get(identityToken).driver.bookmark;
  }

  /**
   * A session on the same objects that reads one shard; without one, wherever
   * the choosers say. What it writes goes to each object's shard.
   *
   * @param shard The name of the shard, or its engine.
   * @throws {SessionError} If it is an engine of no shard (`"orm/unbound"`).
   */
  override usingBind(shard?: Engine | string): this {
    const whole = this.#whole;
    if (shard === undefined) return whole;
    if (whole !== this) return whole.usingBind(shard);
    const name = this.#engines.names.find((name) =>
      name === shard || this.#engines.get(name) === shard
    );
    if (name === undefined) throw this.#unknown(shard);
    const known = this.#siblings.get(name);
    if (known) return known;
    const made = Object.assign(super.usingBind(), { identityToken: name });
    made.#whole = this;
    this.#siblings.set(name, made);
    return made;
  }

  /** @ignore */
  override identityTokens(
    mapper: Mapper,
    primaryKey: readonly unknown[],
  ): readonly string[] {
    const { identityToken, options: { identityChooser } } = this;
    return identityToken !== undefined
      ? [identityToken]
      : [...identityChooser?.(mapper, primaryKey) ?? this.#engines.names];
  }

  /** @ignore */
  override readersOf(statement: Statement<unknown>): readonly this[] {
    return this.#shardsOf(statement).map((shard) => this.usingBind(shard));
  }

  #shardsOf(statement: Statement<unknown>): string[] {
    const { identityToken, options: { executeChooser } } = this;
    const only = shardOf(statement) ?? identityToken;
    if (only !== undefined) return [only];
    const mapper = mapperIn(statement);
    const chosen = executeChooser?.({
      mapper,
      statement,
      flushing: !statement.isRead,
    });
    return [...chosen ?? this.#engines.names];
  }

  #unknown(shard: Engine | string): SessionError {
    const name = typeof shard === "string" ? shard : shard.name;
    return new SessionError(
      "orm/unbound",
      `Cannot use "${name}": it is no shard of the session, which has ${
        named(this.#engines.names)
      }`,
    );
  }

  // --- Reading -------------------------------------------------------------

  /**
   * The object of a primary key: from the identity map, else from the shards
   * that the `identityChooser` gives, one after the other until one has it.
   *
   * @param options.identityToken The only shard to look into.
   */
  override async get<C extends AnyClass>(
    cls: C,
    key: unknown,
    { fresh = false, identityToken }: {
      readonly fresh?: boolean;
      readonly identityToken?: string;
    } = {},
  ): Promise<InstanceOf<C> | null> {
    const mapper = mapperOf(cls);
    const values = keyValues(mapper, key);
    const shards = identityToken === undefined
      ? this.identityTokens(mapper, values)
      : [identityToken];
    const known = shards.find((shard) =>
      this.identityMap.has(identityKey(mapper, values, shard))
    );
    for (const shard of known === undefined ? shards : [known]) {
      const found = await getObject(this.usingBind(shard), cls, values, fresh);
      if (found) return found;
    }
    return null;
  }

  /** Runs several statements; those that go to one shard go in one trip, and all shards' trips at once. */
  override async batch<const A extends readonly Statement<unknown>[]>(
    ...statements: A
  ): Promise<BatchResults<A>> {
    const { onExecute } = this.options;
    const results = onExecute
      ? await Promise.all(statements.map((statement) =>
        onExecute({
          session: this,
          statement,
          isRelationshipLoad: false,
          mapper: mapperIn(statement),
          invoke: async (changed = statement) =>
            (await this.#send([changed]))[0] as Result<unknown>,
        })
      ))
      : await this.#send(statements);
    return results as never;
  }

  /** Sends statements to their shards, and puts together what these answer. */
  async #send(
    statements: readonly Statement<unknown>[],
  ): Promise<Result<unknown>[]> {
    const runs = statements.map((statement) => {
      const readers = this.readersOf(statement);
      if (readers.length > 1 && !mayGoToMany(statement)) {
        throw manyShards(statement, this.#shardsOf(statement));
      }
      return readers.map((reader) => planReads(reader, statement));
    });
    await this.run(runs.flat(2));
    return runs.map((run) =>
      together(run.map(([read]) => read?.rows as Result<unknown>))
    );
  }

  /** @ignore The session of all shards writes before it reads, and is heard to. */
  override run(reads: readonly Read[]): Promise<void> {
    return this.#whole === this ? super.run(reads) : this.#whole.run(reads);
  }

  /** @ignore Those of one shard wait for each other, and for no others. */
  protected override lazyLoads(): RelationLoader {
    const loads = new Map<string | undefined, LazyLoads>();
    const at = ({ identityToken }: InstanceState): LazyLoads => {
      let found = loads.get(identityToken);
      if (!found) {
        found = new LazyLoads(this.usingBind(identityToken));
        loads.set(identityToken, found);
      }
      return found;
    };
    return {
      load: (state, relation) => at(state).load(state, relation),
      known: (state, relation) => at(state).known(state, relation),
    };
  }

  // --- Writing -------------------------------------------------------------

  /** @ignore New objects are placed, and each shard is asked about its own. */
  override readsBefore(
    deleted: ReadonlySet<InstanceState>,
    states: readonly InstanceState[],
  ): Read[] {
    this.#place(this.new.map(stateOf), states);
    const byShard = Map.groupBy(
      [...deleted, ...states],
      ({ identityToken }) => identityToken,
    );
    return [...byShard].flatMap(([shard, here]) =>
      readsBefore(
        new Set(here.filter((state) => deleted.has(state))),
        here.filter((state) => !deleted.has(state)),
        this.usingBind(shard),
      )
    );
  }

  #place(
    pending: readonly InstanceState[],
    persistent: readonly InstanceState[],
  ): void {
    const [lost] = place(pending, persistent, ({ object, mapper }) => {
      const shard = this.options.shardChooser(object, mapper);
      if (shard === undefined || this.#engines.names.includes(shard)) {
        return shard;
      }
      throw this.#unknown(shard);
    });
    if (!lost) return;
    throw new SessionError(
      "orm/unbound",
      `Cannot choose a shard for ${lost.mapper.name}: the shardChooser names none, and nothing that the object belongs to is in one; have it name one of ${
        named(this.#engines.names)
      }`,
    );
  }

  /** As {@linkcode Session.optimistic}; the function gets a session of the same shard. */
  override optimistic<T>(
    work: (session: this) => Promise<T>,
    options?: { readonly retries?: number },
  ): Promise<T> {
    const { identityToken } = this;
    return super.optimistic(
      (session) => work(session.usingBind(identityToken)),
      options,
    );
  }
}

/** Rows that are in one place only are not inserted in several. */
function mayGoToMany({ isRead, kind }: Statement<unknown>): boolean {
  return isRead || kind === "update" || kind === "delete";
}

function manyShards(
  { kind }: Statement<unknown>,
  shards: readonly string[],
): SessionError {
  return new SessionError(
    "orm/unbound",
    `Cannot choose one shard for the ${kind}: it goes to ${
      named(shards)
    }; give it setShardId(), or use the session of usingBind(shard)`,
  );
}

/** The rows of one shard, then those of the next. */
function together(results: readonly Result<unknown>[]): Result<unknown> {
  const [first] = results;
  if (first && results.length === 1) return first;
  const all = new Result<unknown>(
    results.reduce((sum, { rowCount }) => sum + rowCount, 0),
    first?.columns,
  );
  for (const rows of results) for (const row of rows) all.push(row);
  return all;
}

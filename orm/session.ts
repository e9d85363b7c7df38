/**
 * The front door. What its methods do is in:
 *
 * - `session_contract.ts`: settings, contexts of routing and execution (types);
 * - `session_unit.ts`: what is open: objects, held transactions, the step under way;
 * - `session_binds.ts`: which engine a statement goes to;
 * - `session_reads.ts`: queries: prepared, sent together, made into objects;
 * - `session_plan.ts`: what a commit or flush is to do;
 * - `session_writes.ts`: the plan as statements, engine by engine;
 * - `session_transaction.ts`: commit, flush, rollback, savepoints, autoflush.
 *
 * Each imports only those above it, and of this file only the type.
 */
import {
  type Engine,
  one,
  oneOrNull,
  type Result,
  type Select,
  type Statement,
} from "../sql/mod.ts";
import { mapperIn } from "./_bind.ts";
import { hooks } from "./hooks.ts";
import { LazyLoads } from "./loading/lazy.ts";
import type {
  QueryOption,
  Read,
  Reader,
  RelationLoader,
} from "./loading/loader.ts";
import type { AnyClass, Mapper } from "./mapper.ts";
import { isModified as hasChanges, ObjectSet } from "./object_set.ts";
import { readsBefore } from "./_preload.ts";
import type { Relation } from "./relation.ts";
import { engineFor, engineNamed, findBind } from "./session_binds.ts";
import type {
  BindContext,
  NestedTransaction,
  SessionOptions,
} from "./session_contract.ts";
import { batch, getObject, route, sendReads } from "./session_reads.ts";
import {
  autoflush,
  beginNested,
  commit,
  flush,
  optimistic,
  rollback,
} from "./session_transaction.ts";
import { check, type SessionCore, sibling } from "./session_unit.ts";
import { type InstanceState, stateOf } from "./state.ts";
import type { InstanceOf } from "./types.ts";

/**
 * A conversation with one or more databases: Fowler's Repository, Identity
 * Map and Unit of Work. One for each request; it is not for sharing.
 *
 * @example
 * ```ts
 * import { Entity, integer, Session, text } from "@aludel/aludel/orm";
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createEngine, MetaData, select } from "@aludel/aludel/sql";
 * import { strictEqual } from "node:assert/strict";
 *
 * abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
 *   static override metadata = new MetaData();
 * }
 * class User extends Base.table("users", { name: text(50) }) {}
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * await Base.metadata.createAll(engine);
 * await using session = new Session({ bind: engine });
 * session.add(new User({ name: "ed" }));
 * await session.commit();
 * const [ed] = await session.scalars(select(User).where(User.c.name.eq("ed")));
 * strictEqual(ed?.id, 1);
 * ```
 */
export class Session implements Reader {
  /** The settings it was made with. */
  readonly options: SessionOptions;
  /** Of several databases that hold rows of one key, the one that it reads. */
  declare readonly identityToken?: string;
  // Its unit is shared with sessions that are pinned to an engine.
  readonly #core: SessionCore;

  /** Starts a session; nothing is sent before it is needed. */
  constructor(options: SessionOptions = {}) {
    this.options = options;
    this.#core = {
      session: this,
      unit: {
        objects: new ObjectSet(this.lazyLoads(), this),
        quiet: 0,
      },
    };
  }

  // --- What is in it -------------------------------------------------------

  /** Objects that have no row yet. */
  get new(): object[] {
    return [...this.#objects.pending].map((state) => state.object);
  }
  /** Objects whose attributes or relations differ from their rows. */
  get dirty(): object[] {
    return this.#objects.persistent().filter(hasChanges).map((state) =>
      state.object
    );
  }
  /** Objects whose rows will be deleted. */
  get deleted(): object[] {
    return [...this.#objects.doomed].map((state) => state.object);
  }
  /** Objects by identity: Fowler's Identity Map. */
  get identityMap(): ReadonlyMap<string, object> {
    return this.#objects.identityMap;
  }
  /** Whether an object is in it. */
  has(object: object): boolean {
    const state = stateOf(object);
    return state.session === this.#objects && !state.isDeleted;
  }
  get #objects(): ObjectSet {
    return this.#core.unit.objects;
  }
  /**
   * Takes in an object, and what its relations cascade to.
   *
   * @throws {StateError} If it is in another session, or its identity is taken.
   */
  add(object: object): void {
    this.#objects.add(object);
  }
  /** Takes in several objects, in their order. */
  addAll(objects: Iterable<object>): void {
    for (const object of objects) this.add(object);
  }
  /**
   * Marks an object's row to be deleted.
   *
   * @throws {StateError} If it has no row.
   */
  delete(object: object): void {
    this.#objects.delete(object);
  }
  /**
   * Lets go of an object; it is not saved any more.
   *
   * @throws {StateError} If it is not in this session.
   */
  expunge(object: object): void {
    this.#objects.expunge(object);
  }
  /** Lets go of every object. */
  expungeAll(): void {
    this.#objects.clear();
  }

  // --- Where it goes -------------------------------------------------------

  /**
   * Chooses the engine of a statement. Override it to route.
   *
   * @throws {SessionError} If nothing says where it goes (`"orm/unbound"`).
   */
  getBind(context: BindContext): Engine {
    return findBind(this.options, context);
  }
  /**
   * What its engine has seen, where that keeps bookmarks, as D1's sessions do:
   * `d1(env.DB.withSession(bookmark))` of the next request takes it up, from a
   * cookie or header, and reads nothing older.
   */
  get bookmark(): string | undefined {
    return (this.#core.pinned ?? this.options.bind)?.driver.bookmark;
  }
  /**
   * A session on the same objects whose statements all go to one engine;
   * without one, wherever `getBind()` says.
   */
  usingBind(engine?: Engine | string): this {
    const { unit } = this.#core;
    const pinned = engine ? engineNamed(this.options, engine) : undefined;
    return sibling(this, { unit, pinned });
  }
  /** @ignore */
  get "~core"(): SessionCore {
    return this.#core;
  }

  // --- Reading -------------------------------------------------------------

  /** Runs a statement and gives its rows, objects where they are mapped. */
  async execute<Row>(statement: Statement<Row>): Promise<Result<Row>> {
    const [result] = await this.batch(statement);
    return result;
  }
  /** The rows of a query; of a class, its objects. */
  scalars<Row>(statement: Statement<Row>): Promise<Result<Row>> {
    return this.execute(statement);
  }
  /** The first row, or `undefined`. */
  async first<Row>(statement: Select<Row>): Promise<Row | undefined> {
    return (await this.execute(statement.limit(1)))[0];
  }
  /**
   * The only row of a query.
   *
   * @throws {NoResultError} If there is none.
   * @throws {MultipleResultsError} If there are several.
   */
  async one<Row>(statement: Statement<Row>): Promise<Row> {
    return one(await this.execute(statement));
  }
  /**
   * The only row of a query, or `null` where there is none.
   *
   * @throws {MultipleResultsError} If there are several.
   */
  async oneOrNull<Row>(statement: Statement<Row>): Promise<Row | null> {
    return oneOrNull(await this.execute(statement));
  }
  /**
   * The object of a primary key: from the identity map, else from the
   * database. `fresh` asks the database in any case, and brings what is known of
   * the object up to date; what the program set since stays.
   */
  get<C extends AnyClass>(
    cls: C,
    key: unknown,
    { fresh = false }: { readonly fresh?: boolean } = {},
  ): Promise<InstanceOf<C> | null> {
    return getObject(this, cls, key, fresh);
  }
  /** Runs several statements; those that go to one engine go in one trip. */
  async batch<const A extends readonly Statement<unknown>[]>(
    ...statements: A
  ): Promise<
    {
      -readonly [K in keyof A]: A[K] extends Statement<infer R> ? Result<R>
        : never;
    }
  > {
    return await batch(this, statements) as never;
  }
  /** @ignore */
  async load(statement: Statement<unknown>): Promise<readonly unknown[]> {
    const [rows = []] = await batch(this, [statement], true);
    return rows;
  }
  /** @ignore */
  async run(reads: readonly Read[]): Promise<void> {
    check(this.#core.unit, "read");
    await autoflush(this.#core, reads.map(({ engine }) => engine));
    if (this.#core.unit.held?.size) reads.forEach(route);
    const send = () => sendReads(this.#core, reads);
    await (hooks.around?.send(this.#core, reads, send) ?? send());
  }
  /** @ignore */
  engineOf(statement: Statement<unknown>, flushing = false): Engine {
    const mapper = mapperIn(statement);
    const { identityToken } = this;
    const context = { mapper, statement, identityToken, flushing };
    return engineFor(this.#core, context);
  }
  /** @ignore The sessions that each read a part of a query's rows, where several do. */
  readersOf?(statement: Statement<unknown>): readonly this[];
  /** @ignore Which databases may hold the row of a primary key, where several may. */
  identityTokens?(
    mapper: Mapper,
    primaryKey: readonly unknown[],
  ): readonly string[];
  /** @ignore What loads relations of its objects later. */
  protected lazyLoads(): RelationLoader {
    return new LazyLoads(this);
  }
  /** @ignore What must be read before changes can be planned. */
  readsBefore(
    deleted: ReadonlySet<InstanceState>,
    states: readonly InstanceState[],
  ): Read[] {
    return readsBefore(deleted, states, this);
  }
  /** @ignore */
  lazyLoaded(relation: Relation, owners: number): void {
    this.options.onLazyLoad?.(relation, owners);
  }
  /** @ignore */
  read(
    given: Statement<unknown>,
    receive?: Read["receive"],
    flushing = false,
  ): Read {
    const statement = given.optionList.reduce<Statement<unknown>>(
      (query, option) => (option as QueryOption).rewrite?.(query) ?? query,
      given,
    );
    const engine = this.engineOf(statement, flushing);
    const prepared = engine.prepare(statement);
    return { reader: this, statement, engine, prepared, receive, rows: [] };
  }

  // --- Writing -------------------------------------------------------------

  /**
   * Writes everything that changed, all or nothing on each engine, and ends
   * the transaction where one is held.
   *
   * @throws {StaleDataError} If a row was changed or deleted by somebody else.
   * @throws {PartialCommitError} If one engine failed after another had committed.
   */
  commit(): Promise<void> {
    return commit(this.#core);
  }
  /**
   * Writes everything that changed into a transaction that stays open.
   *
   * @throws {SessionError} If an engine holds none open (`"orm/unsupported"`).
   */
  flush(): Promise<void> {
    return flush(this.#core);
  }
  /**
   * Forgets what was added, changed and deleted since the last commit, and
   * undoes what was flushed. What the database holds is read anew by the next
   * query or `get()`.
   */
  rollback(): Promise<void> {
    return rollback(this.#core);
  }
  /**
   * Flushes, and sets a savepoint to which what follows can be rolled back.
   *
   * @throws {SessionError} If an engine holds no transaction open (`"orm/unsupported"`).
   */
  beginNested(): Promise<NestedTransaction> {
    return beginNested(this.#core);
  }
  /**
   * Runs a function that reads, then writes, in a session of its own, and
   * commits: every row that it read must still be as it was, else all of it is
   * undone and the function runs again. No transaction is held meanwhile.
   *
   * Rows are compared by their version, or by their columns where they have
   * none; rows that appear in between are not noticed.
   *
   * @param options.retries How often it runs again.
   * @throws {StaleDataError} If a row was changed each time.
   */
  optimistic<T>(
    work: (session: this) => Promise<T>,
    { retries = 3 }: { readonly retries?: number } = {},
  ): Promise<T> {
    return optimistic(this, work, retries);
  }

  // --- The end -------------------------------------------------------------

  /**
   * Undoes what is not committed and lets go of every object, which keeps what
   * it holds: loaded relations stay to be read. The session can be used again.
   */
  async close(): Promise<void> {
    await rollback(this.#core, true);
    this.expungeAll();
    if (this.options.closeResetsOnly === false) {
      this.#core.unit.failure = new Error("the session is closed");
    }
  }
  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Whether an object's attributes or relations differ from its row; asks nothing. */
export function isModified(object: object): boolean {
  return hasChanges(stateOf(object));
}

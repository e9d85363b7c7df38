import {
  type Column,
  type DriverResult,
  type DriverTransaction,
  type Engine,
  type FromClause,
  GuardError,
  type PreparedStatement,
  readResult,
  type Result,
  resultReader,
  rowSource,
  type Select,
  select,
  type Statement,
} from "../sql/mod.ts";
import { findFrom, mapperIn } from "./_bind.ts";
import { readsBefore } from "./_preload.ts";
import { type Emission, Emitter, generatedKey, runs } from "./emission.ts";
import {
  MultipleResultsFoundError,
  NoResultFoundError,
  PartialCommitError,
  SessionError,
  StaleDataError,
} from "./errors.ts";
import { hooks, type RowHook } from "./hooks.ts";
import { LazyLoads } from "./loading/lazy.ts";
import {
  planReads,
  type QueryOption,
  type Read,
  type Reader,
  type Receive,
} from "./loading/loader.ts";
import { type AnyClass, type Mapper, mapperOf } from "./mapper.ts";
import { isModified as hasChanges, ObjectSet } from "./object_set.ts";
import type { Relation } from "./relation.ts";
import { populateExisting } from "./session_options.ts";
import { identityKey, type InstanceState, stateOf } from "./state.ts";
import type { InstanceOf } from "./types.ts";
import { type Plan, planUnit, type Values, type Work } from "./unit_of_work.ts";

/** What is asked of `getBind`: which engine a statement goes to. */
export interface BindContext {
  /** The class that the statement is about, if any. */
  readonly mapper?: Mapper | undefined;
  /** The statement, where it is a query or a write of the program's own. */
  readonly statement?: Statement<unknown> | undefined;
  /** Whether the unit of work writes. */
  readonly flushing: boolean;
}

/**
 * A statement on its way: looked at, changed, sent elsewhere, or answered
 * from a cache. What the hook gives back are the statement's rows.
 */
export interface ExecuteContext {
  /** The session. */
  readonly session: Session;
  /** The statement; its `kind` is `"select"`, `"update"` and so on. */
  readonly statement: Statement<unknown>;
  /** Whether a relation is loaded later. Eager loads belong to their query. */
  readonly isRelationshipLoad: boolean;
  /** The class that the statement is about, if any. */
  readonly mapper: Mapper | undefined;
  /** Sends the statement, or another one in its place. */
  invoke(statement?: Statement<unknown>): Promise<Result<unknown>>;
}

/** Settings of a session. */
export interface SessionOptions {
  /** The engine of everything that `binds` does not name. */
  readonly bind?: Engine;
  /** Engines by class, the most specific one first, or by table. */
  readonly binds?: ReadonlyMap<AnyClass | FromClause, Engine>;
  /** Whether objects are loaded anew after a commit. @default {false} */
  readonly expireOnCommit?: boolean;
  /** Whether queries write pending changes first, where a transaction can be held. @default {true} */
  readonly autoflush?: boolean;
  /** Whether `close()` leaves it usable. @default {true} */
  readonly closeResetsOnly?: boolean;
  /** Stands between `execute()` and the database; see {@linkcode ExecuteContext}. */
  readonly onExecute?: (
    context: ExecuteContext,
  ) => Promise<readonly unknown[]>;
  /** Is told of every trip that lazy loads of a relation make; see `detectNPlusOne()`. */
  readonly onLazyLoad?: (relation: Relation, owners: number) => void;
  /** Is told of what is odd, but no error. */
  readonly warn?: (message: string) => void;
  /** Names engines for {@linkcode Session.usingBind}. */
  readonly engines?: { get(name: string): Engine };
}

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
  // Shared with sessions that are pinned to an engine.
  #unit: OpenUnit;
  #pinned: Engine | undefined;
  #validates = false;

  /** Starts a session; nothing is sent before it is needed. */
  constructor(options: SessionOptions = {}) {
    this.options = options;
    this.#unit = {
      objects: new ObjectSet(new LazyLoads(this), this),
      held: new Map(),
      savepoints: [],
      quiet: 0,
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
    return this.#unit.objects;
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
    const { bind, binds } = this.options;
    const { mapper, statement } = context;
    for (
      let cls: unknown = mapper?.cls;
      binds && typeof cls === "function";
      cls = Object.getPrototypeOf(cls)
    ) {
      const found = binds.get(cls as AnyClass);
      if (found) return found;
    }
    const found = binds &&
      findFrom(
        [mapper?.table, mapper?.root.table, statement],
        (from) => binds.get(from),
      );
    if (found ?? bind) return (found ?? bind) as Engine;
    throw new SessionError(
      "orm/unbound",
      `Cannot choose an engine for ${
        mapper?.name ?? "the statement"
      }: the session has no bind for it; give bind or binds, or override getBind()`,
    );
  }
  /** A session on the same objects whose statements all go to one engine. */
  usingBind(engine: Engine | string): this {
    const pinned = typeof engine === "string"
      ? this.options.engines?.get(engine)
      : engine;
    if (!pinned) {
      throw new SessionError(
        "orm/unbound",
        `Cannot pin the session to "${engine}": give the session its engines, or the engine itself`,
      );
    }
    const Same = this.constructor as new (options: SessionOptions) => this;
    const sibling = new Same(this.options);
    sibling.#unit = this.#unit;
    sibling.#pinned = pinned;
    return sibling;
  }
  #engineFor(context: BindContext): Engine {
    return this.#pinned ?? this.getBind(context);
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
   * The only row.
   *
   * @throws {NoResultFoundError} If there is none.
   * @throws {MultipleResultsFoundError} If there are several.
   */
  async one<Row>(statement: Statement<Row>): Promise<Row> {
    const row = await this.oneOrNull(statement);
    if (row === null) throw new NoResultFoundError();
    return row;
  }
  /**
   * The only row, or `null`.
   *
   * @throws {MultipleResultsFoundError} If there are several.
   */
  async oneOrNull<Row>(statement: Statement<Row>): Promise<Row | null> {
    const rows = await this.execute(statement);
    if (rows.length > 1) throw new MultipleResultsFoundError();
    return rows[0] ?? null;
  }
  /**
   * The object of a primary key: from the identity map, else from the
   * database. `fresh` asks the database in any case.
   */
  async get<C extends AnyClass>(
    cls: C,
    key: unknown,
    { fresh = false }: { readonly fresh?: boolean } = {},
  ): Promise<InstanceOf<C> | null> {
    const mapper = mapperOf(cls);
    const values = mapper.primaryKey.map((column, i) =>
      Array.isArray(key)
        ? key[i]
        : typeof key === "object" && key !== null && !(key instanceof Date)
        ? (key as Record<string, unknown>)[mapper.keyOf(column)]
        : key
    );
    const known = this.#objects.identityMap.get(identityKey(mapper, values));
    const isStale = known && stateOf(known).isExpired;
    if (known && !isStale && !fresh) {
      return known instanceof cls ? known as InstanceOf<C> : null;
    }
    const [found = null] = await this.execute(
      select({ [rowSource]: mapper.source }).where(
        ...mapper.primaryKey.map((column, i) => column.eq(values[i])),
      ),
    );
    // Its row is gone.
    if (known && found === null && this.has(known)) this.expunge(known);
    return found as InstanceOf<C> | null;
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
    if (this.options.onExecute) {
      return await Promise.all(
        statements.map((statement) => this.#executeHooked(statement)),
      ) as never;
    }
    return await this.#batch(statements) as never;
  }
  async #batch(
    statements: readonly Statement<unknown>[],
  ): Promise<Result<unknown>[]> {
    const runs = statements.map((statement) => planReads(this, statement));
    const results = await this.run(runs.flat());
    let at = 0;
    return runs.map((run) => {
      const first = results[at];
      at += run.length;
      return first as Result<unknown>;
    });
  }
  async #executeHooked(
    statement: Statement<unknown>,
    isRelationshipLoad = false,
  ): Promise<readonly unknown[] | undefined> {
    return await this.options.onExecute?.({
      session: this,
      statement,
      isRelationshipLoad,
      mapper: mapperIn(statement),
      invoke: async (changed = statement) =>
        (await this.#batch([changed]))[0] as Result<unknown>,
    });
  }
  /** @ignore */
  async load(statement: Statement<unknown>, receive: Receive): Promise<void> {
    if (this.options.onExecute) {
      receive(await this.#executeHooked(statement, true) ?? []);
    } else await this.run(planReads(this, statement, receive));
  }
  /** @ignore */
  async run(reads: readonly Read[]): Promise<Result<unknown>[]> {
    this.#check("read");
    if (reads.some(({ engine }) => isInteractive(engine))) {
      await this.#autoflush();
    }
    return this.#run(reads);
  }
  async #run(reads: readonly Read[]): Promise<Result<unknown>[]> {
    const byEngine = Map.groupBy(reads, (read) => read.engine);
    const answers = new Map<Read, DriverResult>();
    await Promise.all([...byEngine].map(async ([engine, group]) => {
      for (const { prepared } of group) engine.echo(prepared);
      const prepared = group.map((read) => read.prepared);
      // Reads of one tick share a trip, whoever asks.
      const sent = this.#unit.held.has(engine) ||
          group.some(({ statement }) => !statement.isRead)
        ? await this.#send(engine, prepared)
        : await Promise.all(prepared.map((one) => engine.read(one)));
      group.forEach((read, i) => answers.set(read, sent[i] as DriverResult));
    }));
    // In the order of the reads: a loader finds the objects it loads onto.
    return reads.map((read) => {
      const { statement, prepared } = read;
      const overwrite = statement.optionList.includes(populateExisting);
      const rows = readResult(
        statement.shape,
        prepared,
        answers.get(read) as DriverResult,
        (source) => this.#objects.hydrate(source, overwrite),
      );
      read.rows = rows;
      read.receive?.(rows);
      return rows;
    });
  }
  /** @ignore */
  engineOf(statement: Statement<unknown>, flushing = false): Engine {
    const mapper = mapperIn(statement);
    return this.#engineFor({ mapper, statement, flushing });
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
    return {
      statement,
      engine,
      prepared: engine.prepare(statement),
      receive,
      rows: [],
    };
  }
  async #send(
    engine: Engine,
    statements: readonly PreparedStatement[],
  ): Promise<readonly DriverResult[]> {
    const held = this.#unit.held.get(engine);
    if (held) {
      const results: DriverResult[] = [];
      for (const one of statements) results.push(await held.execute(one));
      return results;
    }
    const [only] = statements;
    return only && statements.length === 1
      ? [await engine.send(only)]
      : engine.sendBatch(statements);
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
    return this.#exclusively("commit", async () => {
      const unit = this.#unit;
      hooks.hear?.("beforeCommit", this);
      const committed: string[] = [];
      const finish = await this.#write(committed);
      for (const [engine, held] of unit.held) {
        await this.#attempt(engine, committed, () => held.commit());
        engine.log("COMMIT");
        committed.push(engine.name);
      }
      unit.held.clear();
      unit.savepoints = [];
      finish();
      unit.objects.settle(this.options.expireOnCommit);
      hooks.hear?.("afterCommit", this);
    });
  }
  /**
   * Writes everything that changed into a transaction that stays open.
   *
   * @throws {SessionError} If an engine holds none open (`"orm/unsupported"`).
   */
  flush(): Promise<void> {
    return this.#exclusively("flush", async () => {
      const { bind } = this.options;
      if (bind) this.#mustHold(bind);
      (await this.#write())();
    });
  }
  /**
   * Forgets what was added, changed and deleted since the last commit, and
   * undoes what was flushed. What the database holds is read anew by the next
   * query or `get()`.
   */
  rollback(): Promise<void> {
    return this.#exclusively("rollback", async () => {
      this.#unit.failure = undefined;
      await this.#rollBackHeld();
      this.#unit.objects.rollback();
      hooks.hear?.("afterRollback", this);
    });
  }
  /**
   * Flushes, and sets a savepoint to which what follows can be rolled back.
   *
   * @throws {SessionError} If an engine holds no transaction open (`"orm/unsupported"`).
   */
  async beginNested(): Promise<NestedTransaction> {
    await this.flush();
    const unit = this.#unit;
    const { bind } = this.options;
    if (bind) await this.#hold(bind);
    const name = `aludel_${unit.savepoints.length + 1}`;
    const depth = unit.savepoints.push(name);
    const say = async (sql: string): Promise<void> => {
      for (const [engine, held] of unit.held) {
        engine.log(sql);
        await held.execute({ sql, params: [] });
      }
    };
    await say(`SAVEPOINT ${name}`);
    unit.objects.begin();
    const end = (what: string, sql: readonly string[], isKept: boolean) =>
      this.#exclusively(what, async () => {
        if (unit.savepoints.length < depth) return;
        if (isKept) (await this.#write())();
        else unit.failure = undefined;
        for (const one of sql) await say(`${one} ${name}`);
        for (; unit.savepoints.length >= depth; unit.savepoints.pop()) {
          if (isKept) unit.objects.release();
          else unit.objects.rollback(true);
        }
      });
    const rollback = (): Promise<void> =>
      end("rollback", ["ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT"], false);
    return {
      commit: () => end("commit", ["RELEASE SAVEPOINT"], true),
      rollback,
      [Symbol.asyncDispose]: rollback,
    };
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
  async optimistic<T>(
    work: (session: this) => Promise<T>,
    { retries = 3 }: { readonly retries?: number } = {},
  ): Promise<T> {
    const Same = this.constructor as new (options: SessionOptions) => this;
    for (let attempt = 0;; attempt++) {
      const session = new Same(this.options);
      session.#pinned = this.#pinned;
      session.#validates = true;
      try {
        const result = await work(session);
        await session.commit();
        return result;
      } catch (error) {
        if (!(error instanceof StaleDataError) || attempt >= retries) {
          throw error;
        }
      } finally {
        await session.close();
      }
    }
  }
  /** Runs a function during which queries do not write pending changes first. */
  async noAutoflush<T>(work: () => Promise<T>): Promise<T> {
    this.#unit.quiet++;
    try {
      return await work();
    } finally {
      this.#unit.quiet--;
    }
  }

  async #autoflush(): Promise<void> {
    const unit = this.#unit;
    if (unit.autoflush) return await unit.autoflush;
    if (
      this.options.autoflush === false || unit.quiet > 0 || unit.busy ||
      !(unit.objects.pending.size > 0 || unit.objects.doomed.size > 0 ||
        unit.objects.persistent().some(hasChanges))
    ) return;
    unit.autoflush = this.#exclusively("autoflush", async () => {
      (await this.#write(undefined, true))();
    }).finally(() => unit.autoflush = undefined);
    await unit.autoflush;
  }
  /** Sends what changed; gives what is to be done to the objects then. */
  async #write(committed?: string[], isAuto = false): Promise<() => void> {
    const { held, objects } = this.#unit;
    hooks.hear?.("beforeFlush", this);
    const plan = await this.#plan();
    const { works, saved, related, gone } = plan;
    if (works.length + saved.size + related.length + gone.size === 0) {
      return () => {};
    }
    const engineOf = (mapper: Mapper): Engine =>
      this.#engineFor({ mapper, flushing: true });
    const engines = new Set(plan.works.map(({ mapper }) => engineOf(mapper)));
    if (!committed) {
      if (isAuto && ![...engines].every(isInteractive)) return () => {};
      for (const engine of engines) this.#mustHold(engine);
    }
    const reserved = await this.#reserveKeys(plan, engineOf);
    const emitters = this.#emit(plan, engineOf, reserved);
    const generated: Map<InstanceState, Values> = new Map();
    // What can be undone goes first.
    const [later, now] = [true, false].map((isLater) =>
      emitters.filter(({ engine }) =>
        isLater === (committed !== undefined && !held.has(engine))
      )
    ) as [Emitter[], Emitter[]];
    for (const emitter of [...now, ...later.reverse()]) {
      const { engine, emissions } = emitter;
      await this.#attempt(engine, committed, async () => {
        if (!committed) await this.#hold(engine);
        try {
          const prepared = emissions.map(({ statement }) =>
            engine.prepare(statement)
          );
          const results = held.has(engine)
            ? await this.#send(engine, prepared)
            : await engine.sendBatch(prepared);
          results.forEach((result, i) => {
            const { statement, receive } = emissions[i] as Emission;
            receive?.(
              readResult(
                statement.shape,
                prepared[i] as PreparedStatement,
                result,
              ),
            );
          });
        } catch (error) {
          throw await this.#nameFailure(error, emitter);
        }
      });
      if (committed && !held.has(engine)) {
        engine.log("COMMIT");
        committed.push(engine.name);
      }
      for (const [state, values] of emitter.generated) {
        generated.set(state, values);
      }
    }
    hooks.hear?.("afterFlush", this, plan);
    return () => {
      objects.finish(plan, generated);
      this.#unit.told?.(generated.keys());
      hooks.hear?.("afterFlushPostexec", this, plan);
    };
  }
  /** Does a step of a commit or flush; where it fails, what is open is undone. */
  async #attempt(
    engine: Engine,
    committed: readonly string[] | undefined,
    step: () => Promise<void>,
  ): Promise<void> {
    try {
      await step();
    } catch (error) {
      const unit = this.#unit;
      if (unit.held.size > 0) {
        unit.failure = error;
        // A savepoint is rolled back by who set it.
        if (unit.savepoints.length === 0) await this.#rollBackHeld();
      } else engine.log("ROLLBACK");
      if (!committed?.length) throw error;
      throw new PartialCommitError(committed, engine.name, { cause: error });
    }
  }
  #mustHold(engine: Engine): void {
    if (isInteractive(engine)) return;
    throw new SessionError(
      "orm/unsupported",
      `Cannot flush to engine "${engine.name}": it holds no transaction open; commit() writes everything in one batch`,
    );
  }
  async #hold(engine: Engine): Promise<void> {
    const { held, savepoints } = this.#unit;
    if (held.has(engine)) return;
    const opened = await engine.begin();
    held.set(engine, opened);
    for (const name of savepoints) {
      await opened.execute({ sql: `SAVEPOINT ${name}`, params: [] });
    }
  }
  async #rollBackHeld(): Promise<void> {
    const unit = this.#unit;
    unit.savepoints = [];
    const all = [...unit.held];
    unit.held.clear();
    for (const [engine, held] of all) {
      engine.log("ROLLBACK");
      await held.rollback();
    }
  }
  async #plan(): Promise<Plan> {
    const unit = this.#unit;
    const { objects } = unit;
    const read: Reader["read"] = (statement, receive) =>
      this.read(statement, receive, true);
    for (;;) {
      const deleted = objects.collect();
      const states = objects.persistent();
      const reads = readsBefore(deleted, states, read);
      if (reads.length > 0) {
        await this.#run(reads);
        continue;
      }
      unit.told = hooks.rows?.(
        objects.pending,
        states.filter(hasChanges),
        deleted,
      );
      const plan = planUnit({
        pending: objects.pending,
        persistent: states,
        deleted,
        defaults: fillDefaults,
        warn: this.#warn,
      });
      return this.#validates
        ? { ...plan, works: [...unchanged(states, plan), ...plan.works] }
        : plan;
    }
  }
  readonly #warn = (message: string): void => this.options.warn?.(message);
  #emit(
    plan: Plan,
    engineOf: (mapper: Mapper) => Engine,
    reserved: ReadonlyMap<InstanceState, unknown>,
  ): Emitter[] {
    const emitters = new Map<Engine, Emitter>();
    for (const { key, items } of runs(plan.works, (w) => engineOf(w.mapper))) {
      let emitter = emitters.get(key);
      if (!emitter) {
        emitter = new Emitter(key, reserved, this.#warn);
        emitters.set(key, emitter);
        if (!this.#unit.held.has(key)) key.log("BEGIN (implicit)");
      }
      const from = emitter.emissions.length;
      emitter.write(items);
      for (const { statement } of emitter.emissions.slice(from)) {
        key.echo(key.prepare(statement));
      }
    }
    return [...emitters.values()];
  }
  /** Takes keys from sequences, where they cannot be known inside the batch. */
  async #reserveKeys(
    plan: Plan,
    engineOf: (mapper: Mapper) => Engine,
  ): Promise<Map<InstanceState, unknown>> {
    const reserved = new Map<InstanceState, unknown>();
    const wanted = new Map<Engine, Map<Column<unknown>, Work[]>>();
    for (const work of plan.works) {
      const engine = engineOf(work.mapper);
      const column = generatedKey(work.table, work.values);
      if (
        work.kind !== "insert" || !work.state || !column ||
        !engine.dialect.writes.reserveKeys
      ) continue;
      const columns = wanted.get(engine) ?? new Map<Column<unknown>, Work[]>();
      wanted.set(engine, columns);
      columns.set(column, [...columns.get(column) ?? [], work]);
    }
    for (const [engine, columns] of wanted) {
      const asked = [...columns];
      const statements = asked.map(([column, works]) =>
        engine.prepare(
          engine.dialect.writes.reserveKeys?.(
            column,
            works.length,
          ) as Statement<unknown>,
        )
      );
      const results = await this.#send(engine, statements);
      asked.forEach(([column, works], i) =>
        works.forEach(({ state, values }, at) => {
          const raw = results[i]?.rows[at]?.[0];
          const read = resultReader(column.type, engine.dialect);
          const key = read ? read(raw) : raw;
          values.set(column, key);
          reserved.set(state as InstanceState, key);
        })
      );
    }
    return reserved;
  }
  /** The stale object of a guard that failed; asked for where many share one. */
  async #nameFailure(error: unknown, { engine, guarded }: Emitter) {
    if (!(error instanceof GuardError)) return error;
    const works = guarded[Number(error.label.replace(/^stale:/, ""))];
    const [first] = works ?? [];
    if (!works || !first) return error;
    let stale = first;
    if (works.length > 1 && !this.#unit.held.has(engine)) {
      const columns = [...first.where.keys()];
      const [key] = columns as [Column<unknown>];
      const rows = await engine.execute(
        select(...columns).where(
          key.in(works.map(({ where }) => where.get(key))),
        ),
      );
      const here = new Set(rows.map((row) => [row].flat().join()));
      stale = works.find(({ where }) =>
        !here.has([...where.values()].join())
      ) ??
        first;
    }
    const { state, mapper, where } = stale;
    return new StaleDataError(
      state?.mapper.name ?? `a pair of ${mapper.name}`,
      state?.primaryKey ?? [...where.values()],
      { cause: error },
    );
  }
  async #exclusively<T>(what: string, work: () => Promise<T>): Promise<T> {
    const unit = this.#unit;
    this.#check(what);
    if (unit.busy !== undefined) throw this.#busy(what);
    unit.busy = what;
    try {
      return await work();
    } finally {
      unit.busy = undefined;
    }
  }
  #busy(what: string): SessionError {
    return new SessionError(
      "orm/busy",
      `Cannot ${what} the session: its ${this.#unit.busy} has not ended; await it first`,
    );
  }
  #check(what: string): void {
    const { failure, busy, held } = this.#unit;
    if (failure !== undefined && what !== "rollback") {
      throw new SessionError(
        "orm/pending-rollback",
        `Cannot ${what}: an earlier write failed (${
          failure instanceof Error ? failure.message : failure
        }); rollback() first`,
        { cause: failure },
      );
    }
    if (what === "read" && held.size > 0 && busy && busy !== "autoflush") {
      throw this.#busy(what);
    }
  }

  // --- The end -------------------------------------------------------------

  /** Lets go of every object; the session can be used again. */
  async close(): Promise<void> {
    await this.rollback();
    this.expungeAll();
    if (this.options.closeResetsOnly === false) {
      this.#unit.failure = new Error("the session is closed");
    }
  }
  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** What a session and those pinned from it share. */
interface OpenUnit {
  readonly objects: ObjectSet;
  /** Transactions that are open. */
  readonly held: Map<Engine, DriverTransaction>;
  /** Savepoints inside them. */
  savepoints: string[];
  /** How many noAutoflush() are running. */
  quiet: number;
  /** What is under way. */
  busy?: string | undefined;
  /** What went wrong since the last rollback. */
  failure?: unknown;
  autoflush?: Promise<void> | undefined;
  /** Who hears of the rows when they are written. */
  told?: ReturnType<RowHook> | undefined;
}

/** A savepoint of a session. */
export interface NestedTransaction extends AsyncDisposable {
  /** Keeps what was done since; the transaction around it still decides. */
  commit(): Promise<void>;
  /** Undoes what was done since, in the database and in memory. */
  rollback(): Promise<void>;
}

function isInteractive(engine: Engine): boolean {
  return engine.capabilities.interactiveTransactions;
}

/** Whether an object's attributes or relations differ from its row; asks nothing. */
export function isModified(object: object): boolean {
  return hasChanges(stateOf(object));
}

/** Writes that change nothing, and fail unless a row is as it was read. */
function unchanged(states: readonly InstanceState[], plan: Plan): Work[] {
  return states.flatMap((state): Work | [] => {
    const { mapper, committed } = state;
    const { table, versionColumn, primaryKey, columns } = mapper;
    if (versionColumn && (plan.saved.has(state) || plan.gone.has(state))) {
      return [];
    }
    const where: Values = new Map();
    const values: Values = new Map();
    columns.forEach((column, i) => {
      const value = committed?.[i];
      const isKey = primaryKey.includes(column);
      if (value === undefined) return;
      if (isKey) values.set(column, value);
      if (
        isKey || column === versionColumn ||
        !versionColumn && column.type?.name !== "json"
      ) where.set(column, value);
    });
    return {
      kind: "update",
      mapper,
      table,
      values,
      where,
      isExpected: true,
      state,
    };
  });
}

/** Client defaults and version counters, for columns that the program left out. */
function fillDefaults(
  state: InstanceState,
  values: Values,
  isInsert: boolean,
): void {
  for (const column of state.mapper.columns) {
    if (values.has(column)) continue;
    const { default: initial, onUpdate } = column.spec;
    const made = isInsert ? initial : onUpdate;
    if (column === state.mapper.versionColumn) {
      const now = state.read(column);
      values.set(column, isInsert ? 1 : Number(now) + 1);
    } else if (made !== undefined) {
      values.set(column, typeof made === "function" ? made() : made);
    }
  }
}

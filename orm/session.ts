import {
  type Column,
  type DriverResult,
  type Engine,
  GuardError,
  type PreparedStatement,
  readResult,
  type Result,
  type RowSource,
  type Select,
  select,
  type Statement,
} from "../sql/mod.ts";
import {
  type Emission,
  Emitter,
  type Generated,
  numberedColumn,
} from "./emission.ts";
import {
  MultipleResultsFoundError,
  NoResultFoundError,
  PartialCommitError,
  SessionError,
  StaleDataError,
} from "./errors.ts";
import { ManyHandle } from "./handles.ts";
import { LazyLoads } from "./loading/lazy.ts";
import { isLoader, type Read, type Reader } from "./loading/loader.ts";
import { type AnyClass, type Mapper, mapperOf } from "./mapper.ts";
import { ObjectSet } from "./object_set.ts";
import { identityKey, type InstanceState, stateOf } from "./state.ts";
import type { InstanceOf } from "./types.ts";
import { type Plan, planUnit, type Values } from "./unit_of_work.ts";

/** What is asked of `getBind`: which engine a statement goes to. */
export interface BindContext {
  /** The class that the statement is about, if any. */
  readonly mapper?: Mapper | undefined;
  /** The statement, where it is a query or a write of the program's own. */
  readonly statement?: Statement<unknown> | undefined;
  /** Whether the unit of work writes. */
  readonly flushing: boolean;
}

/** Settings of a session. */
export interface SessionOptions {
  /** The engine of everything that `binds` does not name. */
  readonly bind?: Engine;
  /** Engines by class; the most specific class wins. */
  readonly binds?: ReadonlyMap<AnyClass, Engine>;
  /** Whether objects are loaded anew after a commit. @default {false} */
  readonly expireOnCommit?: boolean;
  /** Whether queries write pending changes first, where a transaction can be held. @default {true} */
  readonly autoflush?: boolean;
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
  #objects: ObjectSet;
  #pinned: Engine | undefined;
  #busy: string | undefined;

  /** Starts a session; nothing is sent before it is needed. */
  constructor(options: SessionOptions = {}) {
    this.options = options;
    this.#objects = new ObjectSet(new LazyLoads(this));
  }

  // --- What is in it -------------------------------------------------------

  /** Objects that have no row yet. */
  get new(): object[] {
    return [...this.#objects.pending].map((state) => state.object);
  }
  /** Objects whose attributes or relations differ from their rows. */
  get dirty(): object[] {
    return this.#objects.persistent().filter((state) =>
      isModified(state.object)
    )
      .map((state) => state.object);
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
    for (
      let cls: unknown = context.mapper?.cls;
      binds && typeof cls === "function";
      cls = Object.getPrototypeOf(cls)
    ) {
      const found = binds.get(cls as AnyClass);
      if (found) return found;
    }
    if (bind) return bind;
    throw new SessionError(
      "orm/unbound",
      `Cannot choose an engine for ${
        context.mapper?.name ?? "the statement"
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
    sibling.#objects = this.#objects;
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
  /** The object of a primary key: from the identity map, else from the database. */
  async get<C extends AnyClass>(
    cls: C,
    key: unknown,
  ): Promise<InstanceOf<C> | null> {
    const mapper = mapperOf(cls);
    const values = Array.isArray(key) ? key : [key];
    const known = this.#objects.identityMap.get(identityKey(mapper, values));
    if (known) return known instanceof cls ? known as InstanceOf<C> : null;
    const found = await this.execute(
      select(cls as never).where(
        ...mapper.primaryKey.map((column, i) => column.eq(values[i])),
      ),
    );
    return (found[0] ?? null) as InstanceOf<C> | null;
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
    const runs = statements.map((statement) => this.#readRun(statement));
    const results = await this.run(runs.flat());
    let at = 0;
    return runs.map((run) => {
      const first = results[at];
      at += run.length;
      return first;
    }) as never;
  }
  /** @ignore */
  async run(reads: readonly Read[]): Promise<Result<unknown>[]> {
    const byEngine = Map.groupBy(reads, (read) => read.engine);
    const answers = new Map<Read, DriverResult>();
    await Promise.all([...byEngine].map(async ([engine, group]) => {
      for (const { prepared } of group) engine.echo(prepared);
      const sent = await this.#send(
        engine,
        group.map(({ prepared }) => prepared),
      );
      group.forEach((read, i) => answers.set(read, sent[i] as DriverResult));
    }));
    // In the order of the reads: a loader finds the objects it loads onto.
    return reads.map((read) => {
      const { statement, prepared } = read;
      const rows = readResult(
        statement.shape,
        prepared,
        answers.get(read) as DriverResult,
        (source, values) => this.#hydrate(source, values),
      );
      read.rows = rows;
      read.receive?.(rows);
      return rows;
    });
  }
  /** @ignore */
  read(statement: Statement<unknown>, receive?: Read["receive"]): Read {
    const engine = this.#engineFor({
      mapper: mapperIn(statement),
      statement,
      flushing: false,
    });
    return {
      statement,
      engine,
      prepared: engine.prepare(statement),
      receive,
      rows: [],
    };
  }
  #readRun(statement: Statement<unknown>): Read[] {
    const read = this.read(statement);
    return [
      read,
      ...statement.optionList.filter(isLoader).flatMap((loader) =>
        loader.plan(statement as Select<unknown>, () => entitiesOf(read), this)
      ),
    ];
  }
  #hydrate(source: RowSource, values: readonly unknown[]): unknown {
    return this.#objects.hydrate(source, values);
  }
  async #send(
    engine: Engine,
    statements: readonly PreparedStatement[],
  ): Promise<readonly DriverResult[]> {
    const [only] = statements;
    return only && statements.length === 1
      ? [await engine.send(only)]
      : engine.sendBatch(statements);
  }

  // --- Writing -------------------------------------------------------------

  /** Writes everything that changed, all or nothing on each engine. */
  commit(): Promise<void> {
    return this.#exclusively("commit", async () => {
      const plan = this.#plan();
      const units = await this.#emit(plan);
      const committed: string[] = [];
      for (const { engine, emitter } of units.reverse()) {
        await this.#commitOne(engine, emitter, committed);
      }
      for (const { emitter } of units) takeGenerated(plan, emitter.generated);
      this.#objects.finish(plan);
    });
  }
  /** Forgets what was added, changed and deleted since the last commit. */
  // deno-lint-ignore require-await -- a promise, as where a transaction is held
  async rollback(): Promise<void> {
    this.#objects.rollback();
  }

  async #commitOne(
    engine: Engine,
    emitter: Emitter,
    committed: string[],
  ): Promise<void> {
    const { emissions } = emitter;
    try {
      const prepared = emissions.map(({ statement }) =>
        engine.prepare(statement)
      );
      const results = await engine.sendBatch(prepared);
      engine.log("COMMIT");
      committed.push(engine.name);
      results.forEach((result, i) => {
        const { statement, receive } = emissions[i] as Emission;
        receive?.(
          readResult(statement.shape, prepared[i] as PreparedStatement, result),
        );
      });
    } catch (error) {
      engine.log("ROLLBACK");
      const named = nameFailure(error, emitter);
      throw committed.length === 0
        ? named
        : new PartialCommitError(committed, engine.name, { cause: named });
    }
  }
  #plan(): Plan {
    const objects = this.#objects;
    objects.cascadeAll();
    return planUnit({
      pending: [...objects.pending],
      persistent: objects.persistent(),
      deleted: objects.doomed,
      defaults: fillDefaults,
    });
  }
  async #emit(plan: Plan): Promise<{ engine: Engine; emitter: Emitter }[]> {
    const engineOf = (mapper: Mapper) =>
      this.#engineFor({ mapper, flushing: true });
    const reserved = await this.#reserveKeys(plan, engineOf);
    const emitters = new Map<Engine, Emitter>();
    const of = (mapper: Mapper): Emitter => {
      const engine = engineOf(mapper);
      let emitter = emitters.get(engine);
      if (!emitter) {
        emitters.set(engine, emitter = new Emitter(engine, reserved));
      }
      return emitter;
    };
    const logged = <T>(emitter: Emitter, add: () => T): void => {
      const from = emitter.emissions.length;
      if (from === 0) emitter.engine.log("BEGIN (implicit)");
      add();
      for (const { statement } of emitter.emissions.slice(from)) {
        emitter.engine.echo(emitter.engine.prepare(statement));
      }
    };
    for (const run of runs(plan.writes, ({ state }) => of(state.mapper))) {
      logged(run.key, () => run.key.write(run.items));
    }
    for (const run of runs(plan.pairs, ({ relation }) => of(relation.parent))) {
      logged(run.key, () => run.key.pairs(run.items));
    }
    for (const run of runs(plan.deletes, ({ state }) => of(state.mapper))) {
      logged(run.key, () => run.key.delete(run.items));
    }
    return [...emitters].map(([engine, emitter]) => ({ engine, emitter }));
  }
  /** Takes keys from sequences, where they cannot be known inside the batch. */
  async #reserveKeys(
    plan: Plan,
    engineOf: (mapper: Mapper) => Engine,
  ): Promise<Map<InstanceState, unknown>> {
    const reserved = new Map<InstanceState, unknown>();
    const wanted = new Map<Engine, Map<Column<unknown>, InstanceState[]>>();
    for (const { kind, state, table, values } of plan.writes) {
      const engine = engineOf(state.mapper);
      const column = numberedColumn(table, values);
      if (kind !== "insert" || !column || !engine.dialect.writes.reserveKeys) {
        continue;
      }
      const columns = wanted.get(engine) ??
        new Map<Column<unknown>, InstanceState[]>();
      wanted.set(engine, columns);
      columns.set(column, [...(columns.get(column) ?? []), state]);
    }
    for (const [engine, columns] of wanted) {
      const asked = [...columns];
      const statements = asked.map(([column, states]) =>
        engine.prepare(
          engine.dialect.writes.reserveKeys?.(
            column,
            states.length,
          ) as Statement<unknown>,
        )
      );
      const results = await engine.sendBatch(statements);
      asked.forEach(([column, states], i) =>
        states.forEach((state, at) => {
          const raw = results[i]?.rows[at]?.[0];
          reserved.set(
            state,
            column.spec.type.name === "bigint"
              ? BigInt(String(raw))
              : Number(raw),
          );
        })
      );
    }
    for (const { state, table, values } of plan.writes) {
      const key = reserved.get(state);
      const column = numberedColumn(table, values);
      if (key === undefined || !column) continue;
      const others = [...values];
      values.clear();
      for (const [one, value] of [[column, key] as const, ...others]) {
        values.set(one, value);
      }
    }
    return reserved;
  }
  async #exclusively<T>(what: string, work: () => Promise<T>): Promise<T> {
    if (this.#busy !== undefined) {
      throw new SessionError(
        "orm/busy",
        `Cannot ${what} the session: its ${this.#busy} has not ended; await it first`,
      );
    }
    this.#busy = what;
    try {
      return await work();
    } finally {
      this.#busy = undefined;
    }
  }

  // --- The end -------------------------------------------------------------

  /** Lets go of every object; the session can be used again. */
  async close(): Promise<void> {
    await this.rollback();
    this.expungeAll();
  }
  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** What the database made joins what the program wrote. */
function takeGenerated(plan: Plan, generated: Generated): void {
  for (const { state, values } of plan.writes) {
    const made = generated.get(state);
    if (made) { for (const [column, value] of made) values.set(column, value); }
  }
}

/** Whether an object's attributes or relations differ from its row. */
export function isModified(object: object): boolean {
  const state = stateOf(object);
  return state.changes().length > 0 ||
    [...state.handles.values()].some((handle) =>
      handle instanceof ManyHandle
        ? handle.additions.length + handle.removals.length > 0
        : handle.isChanged
    );
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

function nameFailure(error: unknown, emitter: Emitter): unknown {
  if (!(error instanceof GuardError)) return error;
  const stale = emitter.guarded[Number(error.label.replace(/^stale:/, ""))];
  return stale
    ? new StaleDataError(stale.mapper.name, stale.primaryKey, { cause: error })
    : error;
}

function mapperIn(statement: Statement<unknown>): Mapper | undefined {
  for (const { source } of statement.shape?.items ?? []) {
    if (source?.owner) return source.owner as Mapper;
  }
  return undefined;
}

/** The objects that a read gave, whatever the shape of its rows. */
function entitiesOf({ statement, rows }: Read): object[] {
  const { shape } = statement;
  if (!shape) return [];
  return rows.flatMap((row) =>
    shape.items.flatMap(({ source, key }, i) => {
      if (!source?.owner) return [];
      const object = shape.kind === "single"
        ? row
        : (row as Record<string | number, unknown>)[key ?? i];
      return object ? [object as object] : [];
    })
  );
}

/** Splits items where their key changes. */
function* runs<T, K>(
  items: readonly T[],
  keyOf: (item: T) => K,
): Iterable<{ key: K; items: T[] }> {
  let run: { key: K; items: T[] } | undefined;
  for (const item of items) {
    const key = keyOf(item);
    if (run?.key === key) run.items.push(item);
    else {
      if (run) yield run;
      run = { key, items: [item] };
    }
  }
  if (run) yield run;
}

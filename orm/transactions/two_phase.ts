import {
  type BoundStatement,
  type Engine,
  HeldTransactions,
} from "../../sql/mod.ts";
import { SessionError } from "../errors.ts";
import { hooks } from "../hooks.ts";
import type { Read } from "../loading/loader.ts";
import { Session } from "../session.ts";
import type { NestedTransaction, SessionOptions } from "../session_contract.ts";
import { attempt, exclusively } from "../session_unit.ts";
import { writeChanges } from "../session_writes.ts";
import {
  commitPrepared,
  preparedTransactions,
  prepareStatement,
  rollbackPrepared,
} from "./prepared.ts";

/**
 * A session whose commit on several databases is one: every engine first
 * prepares its part, which it then keeps whatever happens, and only when all
 * have done so is any of them told to commit. A failure before that undoes
 * the whole.
 *
 * Postgres can do this, if its `max_prepared_transactions` is not 0: over HTTP
 * as well, where a batch ends in PREPARE TRANSACTION, so that a commit takes
 * two trips for each engine. SQLite and D1 cannot.
 *
 * @example
 * ```ts
 * import { PGlite } from "@electric-sql/pglite";
 * import { pglite } from "@aludel/aludel/backends/pglite";
 * import { Entity, integer, text, TwoPhaseSession } from "@aludel/aludel/orm";
 * import { createEngine, MetaData, select } from "@aludel/aludel/sql";
 * import { strictEqual } from "node:assert/strict";
 *
 * abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
 *   static override metadata = new MetaData();
 * }
 * class User extends Base.table("users", { name: text(50) }) {}
 *
 * const startParams = [
 *   ...PGlite.defaultStartParams,
 *   ...["-c", "max_prepared_transactions=9"],
 * ];
 * await using engine = createEngine(pglite(new PGlite({ startParams })));
 * await Base.metadata.createAll(engine);
 * await using session = new TwoPhaseSession({ bind: engine });
 * session.add(new User({ name: "ed" }));
 * await session.prepare(); // commit() alone does this as well
 * await session.commit();
 * strictEqual((await engine.execute(select(User.table))).length, 1);
 * ```
 */
export class TwoPhaseSession extends Session {
  /** Starts a session; nothing is sent before it is needed. */
  constructor(options?: SessionOptions) {
    super(options);
    const { unit } = this["~core"];
    unit.held = new TwoPhaseTransactions((message) =>
      unit.objects.warn(message)
    );
  }

  /**
   * Writes everything that changed, and has every engine prepare its part.
   * Afterwards nothing is sent but by `commit()` or `rollback()`.
   *
   * @throws {SessionError} If an engine cannot prepare (`"orm/unsupported"`);
   *   everything is undone.
   */
  async prepare(): Promise<void> {
    const core = this["~core"];
    const { unit } = core;
    this.#refuse("prepare");
    await exclusively(unit, "prepare", async () => {
      hooks.hear?.("beforeCommit", this);
      const finish = await writeChanges(core, []);
      await this.#held.prepare((engine, work) =>
        attempt(unit, engine, undefined, work)
      );
      finish();
    });
  }
  /**
   * Writes what changed, has every engine prepare its part, and commits all.
   *
   * @throws {InDoubtError} If an engine did not confirm that; all others have committed.
   */
  override async commit(): Promise<void> {
    const { unit } = this["~core"];
    try {
      if (!this.#held.isPrepared) return await super.commit();
      await exclusively(unit, "commit", async () => {
        await this.#held.finish([]);
        unit.objects.settle(this.options.expireOnCommit);
        this.#held.settle();
        this.#held.settle();
        hooks.hear?.("afterCommit", this);
      });
    } catch (error) {
      // It is decided, so that nothing may be written a second time.
      if (error instanceof InDoubtError) unit.failure = error;
      throw error;
    }
  }
  /** Writes everything that changed into transactions that stay open, where no batch commits by itself. */
  override async flush(): Promise<void> {
    this.#refuse("flush");
    await super.flush();
  }
  /** Flushes, and sets a savepoint. */
  override async beginNested(): Promise<NestedTransaction> {
    this.#refuse("set a savepoint");
    return await super.beginNested();
  }
  /** @ignore */
  override async run(
    reads: readonly Read[],
  ): ReturnType<Session["run"]> {
    this.#refuse("read");
    return await super.run(reads);
  }

  get #held(): TwoPhaseTransactions {
    return this["~core"].unit.held as TwoPhaseTransactions;
  }
  #refuse(what: string): void {
    if (!this.#held.isPrepared) return;
    throw new SessionError(
      "orm/prepared",
      `Cannot ${what}: the session is prepared; commit() or rollback() it first`,
    );
  }
}

/** Some engines were told to commit what they had prepared, and did not say that they had. */
export class InDoubtError extends SessionError {
  /** @ignore */
  override readonly name: string = "InDoubtError";
  /** The engines that have committed. */
  readonly committed: readonly string[];
  /** By the name of an engine, what it has prepared: to be committed by `commitPrepared()`. */
  readonly prepared: ReadonlyMap<string, string>;

  /** Makes an error that names both. */
  constructor(
    committed: readonly string[],
    prepared: ReadonlyMap<string, string>,
    options: ErrorOptions,
  ) {
    const names = [...prepared].map(([name, id]) => `"${name}" (${id})`);
    super(
      "orm/in-doubt",
      `Cannot finish the commit: it is prepared everywhere, but ${
        names.join(", ")
      } did not confirm it; commitPrepared() it when the database answers, unless it is gone from preparedTransactions()`,
      options,
    );
    this.committed = committed;
    this.prepared = prepared;
  }
}

type Step = (engine: Engine, work: () => Promise<void>) => Promise<void>;

/** Transactions that are prepared before any is committed. */
class TwoPhaseTransactions extends HeldTransactions {
  // What each engine has prepared, or was told to prepare.
  readonly #prepared = new Map<Engine, string>();
  readonly #warn: (message: string) => void;
  // Names one unit of work; a server wants names of its own for every part.
  #unit = crypto.randomUUID();
  #isPrepared = false;

  constructor(warn: (message: string) => void) {
    super();
    this.#warn = warn;
  }

  /** Whether every part is prepared, and nothing is committed. */
  get isPrepared(): boolean {
    return this.#isPrepared;
  }
  override get size(): number {
    return super.size + this.#prepared.size;
  }
  override has(engine: Engine): boolean {
    return this.#prepared.has(engine) || super.has(engine);
  }

  /** Has a batch prepared that would be committed. */
  override seal(engine: Engine): readonly BoundStatement[] {
    return [this.#preparing(engine)];
  }

  /** Has every part prepared that is held open. */
  async prepare(step: Step): Promise<void> {
    // They end with it, also where it fails.
    this.savepoints.length = 0;
    for (const [engine, held] of this.open) {
      await step(engine, async () => {
        await held.execute(this.#preparing(engine));
        // It is nobody's transaction any more: this only ends the connection's part.
        await held.commit();
      });
      this.open.delete(engine);
    }
    this.#isPrepared = true;
  }

  override async commit(committed: string[], step: Step): Promise<void> {
    await this.prepare(step);
    await this.finish(committed);
  }

  /** Commits what is prepared: all that can be, since it was decided. */
  async finish(committed: string[]): Promise<void> {
    const doubtful = new Map<string, string>();
    let cause: unknown;
    for (const [engine, id] of this.#prepared) {
      try {
        await commitPrepared(engine, id);
        committed.push(engine.name);
      } catch (error) {
        doubtful.set(engine.name, id);
        cause ??= error;
      }
    }
    this.#forget();
    if (doubtful.size > 0) {
      throw new InDoubtError(committed, doubtful, { cause });
    }
  }

  override async rollback(isFailure = false, isEnd = false): Promise<void> {
    const prepared = [...this.#prepared];
    this.#forget();
    await super.rollback(isFailure, isEnd);
    for (const [engine, id] of prepared) {
      try {
        // Where the write failed, it never came to that.
        if ((await preparedTransactions(engine)).includes(id)) {
          await rollbackPrepared(engine, id);
        }
      } catch (error) {
        this.#warn(
          `Engine "${engine.name}" may keep "${id}" prepared (${error}); rollbackPrepared() it when the database answers`,
        );
      }
    }
  }

  #preparing(engine: Engine): BoundStatement {
    const id = `aludel_${this.#unit}_${this.#prepared.size + 1}`;
    const statement = prepareStatement(engine, id);
    engine.log(statement.sql);
    this.#prepared.set(engine, id);
    return statement;
  }
  #forget(): void {
    this.#prepared.clear();
    this.#unit = crypto.randomUUID();
    this.#isPrepared = false;
  }
}

import type { BoundStatement } from "./compiler.ts";
import type { DriverResult, DriverTransaction } from "./driver.ts";
import type { Engine } from "./engine.ts";
import { begin } from "./transaction.ts";

/** What a unit of work lends to the transactions that it is written in. */
export interface HeldUnit {
  /** Whether there is something that a query should see. */
  isDirty(): boolean;
  /** Does a step during which no other one may begin. */
  step(what: string, work: () => Promise<void>): Promise<void>;
  /** Writes what changed; before a query, only where all of it can be undone. */
  write(isBeforeQuery: boolean): Promise<void>;
  /** Undoes in memory what was done since a savepoint, when these have been given back what they were. */
  undo(undone: ReadonlyMap<object, unknown>): void;
}

/** A savepoint. */
export interface NestedTransaction extends AsyncDisposable {
  /** Keeps what was done since; the transaction around it still decides. */
  commit(): Promise<void>;
  /** Undoes what was done since, in the database and in memory. */
  rollback(): Promise<void>;
}

/**
 * Transactions that are open while a unit of work goes on, one for each engine,
 * with their savepoints. A driver that can hold one brings this along, so that
 * nobody else carries it.
 */
export class HeldTransactions {
  /** Those that are open. */
  protected readonly open: Map<Engine, DriverTransaction> = new Map();
  /** The names of savepoints that are set in each, the innermost last. */
  protected readonly savepoints: string[] = [];
  // How things are given back what they were: before the transactions, and above it before each savepoint.
  #levels: Map<object, () => void>[] = [new Map()];
  #writing: Promise<void> | undefined;
  /** Hears that a write failed, and that a rollback begins. */
  listener?: (what: "failure" | "rollback") => void;

  /** How many are open. */
  get size(): number {
    return this.open.size;
  }

  /** Whether one is open on an engine. */
  has(engine: Engine): boolean {
    return this.open.has(engine);
  }

  /** The same until all that was done stays or is undone. */
  get round(): object {
    return this.#levels[0]!;
  }

  /** Remembers a thing before a step changes it; what that gives back undoes the change. */
  note(thing: object, remember: () => () => void): void {
    const level = this.#levels.at(-1);
    if (!level?.has(thing)) level?.set(thing, remember());
  }

  /** What was done stays: nothing is given back any more. */
  settle(): void {
    this.#levels = [new Map()];
  }

  #undo(): ReadonlyMap<object, unknown> {
    const level = this.#levels.pop() ?? new Map<object, () => void>();
    for (const giveBack of level.values()) giveBack();
    return level;
  }

  /** Opens one on an engine, with every savepoint that was set. */
  async hold(engine: Engine): Promise<void> {
    if (this.has(engine)) return;
    const opened = await begin(engine);
    this.open.set(engine, opened);
    for (const name of this.savepoints) {
      await opened.execute({ sql: `SAVEPOINT ${name}`, params: [] });
    }
  }

  /** What ends a batch that one engine commits by itself, so that it may still be undone. */
  seal?(engine: Engine): readonly BoundStatement[];

  /** Sends statements inside the one of an engine. */
  async send(
    engine: Engine,
    statements: readonly BoundStatement[],
  ): Promise<DriverResult[]> {
    const results: DriverResult[] = [];
    for (const one of statements) {
      results.push(await this.open.get(engine)!.execute(one));
    }
    return results;
  }

  /** Commits each in a step of its own, ends them, and notes the names of their engines. */
  async commit(
    committed: string[],
    step: (engine: Engine, commit: () => Promise<void>) => Promise<void>,
  ): Promise<void> {
    // They end with it, also where it fails.
    this.savepoints.length = 0;
    for (const [engine, held] of this.open) {
      await step(engine, () => held.commit());
      // Where another one fails, this one is no longer to be rolled back.
      this.open.delete(engine);
      engine.log("COMMIT");
      committed.push(engine.name);
    }
  }

  /**
   * Undoes all; after a failure, unless whoever set a savepoint is to do it.
   * At the end of the session, what is somebody else's is left as it is.
   */
  async rollback(isFailure = false, isEnd = false): Promise<void> {
    this.listener?.(isFailure ? "failure" : "rollback");
    if (isFailure && this.savepoints.length > 0) return;
    this.savepoints.length = 0;
    const all = [...this.open];
    this.open.clear();
    const errors: unknown[] = [];
    for (const [engine, held] of all) {
      engine.log("ROLLBACK");
      // One that is lost with its connection does not keep the others open.
      await (isEnd && held.leave ? held.leave() : held.rollback())
        .catch((error) => errors.push(error));
    }
    // After a failure, things stay as they are until somebody rolls back; and
    // the first error is the one to hear of.
    if (isFailure) return;
    while (this.#levels.length > 0) this.#undo();
    this.#levels.push(new Map());
    if (errors.length > 0) throw errors[0];
  }

  /** Writes what changed before a query that should see it. */
  async autoflush(unit: HeldUnit): Promise<void> {
    if (!this.#writing && unit.isDirty()) {
      this.#writing = unit.step("autoflush", () => unit.write(true))
        .finally(() => this.#writing = undefined);
    }
    await this.#writing;
  }

  /** Sets a savepoint in each, and in that of an engine that is opened for it. */
  async nest(unit: HeldUnit, opened?: Engine): Promise<NestedTransaction> {
    if (opened) await this.hold(opened);
    const savepoints = this.savepoints;
    // Told from those of a transaction that the session has joined.
    const name = `aludel_unit_${savepoints.length + 1}`;
    await this.#say(`SAVEPOINT ${name}`);
    const depth = savepoints.push(name);
    this.#levels.push(new Map());
    const end = (what: string, isKept: boolean) =>
      unit.step(what, async () => {
        if (savepoints.length < depth) return;
        if (!isKept) this.listener?.("rollback");
        if (isKept) await unit.write(false);
        else await this.#say(`ROLLBACK TO SAVEPOINT ${name}`);
        await this.#say(`RELEASE SAVEPOINT ${name}`);
        for (; savepoints.length >= depth; savepoints.pop()) {
          if (isKept) this.#merge();
          else unit.undo(this.#undo());
        }
      });
    return {
      commit: () => end("commit", true),
      rollback: () => end("rollback", false),
      [Symbol.asyncDispose]: () => end("rollback", false),
    };
  }

  async #say(sql: string): Promise<void> {
    for (const [engine, held] of this.open) {
      engine.log(sql);
      await held.execute({ sql, params: [] });
    }
  }

  /** What happened since a savepoint belongs to what is around it. */
  #merge(): void {
    for (const [thing, giveBack] of this.#levels.pop() ?? []) {
      this.note(thing, () => giveBack);
    }
  }
}

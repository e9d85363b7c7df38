import type { Engine } from "./engine.ts";
import type { BoundStatement } from "./compiler.ts";
import type {
  BatchOptions,
  DriverResult,
  DriverTransaction,
} from "./driver.ts";
import { SqlError, UnsupportedError } from "./errors.ts";
import { readResult, type Result } from "./rows.ts";
import type { Statement } from "./statement.ts";

/** A transaction that is open, as the function given to {@linkcode transaction} sees it. */
export class Transaction {
  /** The engine it runs on. */
  readonly engine: Engine;
  readonly #held: DriverTransaction;
  // Of each savepoint that is open its name, the innermost last.
  readonly #savepoints: { readonly name: string }[] = [];
  #isOver = false;

  /** Use {@linkcode transaction}. */
  constructor(engine: Engine, held: DriverTransaction) {
    this.engine = engine;
    this.#held = held;
  }

  /** How many savepoints are open in it. */
  get depth(): number {
    return this.#savepoints.length;
  }

  /** Whether it has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Sends a statement inside it. */
  async execute<Row>(statement: Statement<Row>): Promise<Result<Row>> {
    const { engine } = this;
    const prepared = engine.prepare(statement);
    engine.echo(prepared);
    const result = await this.send(prepared);
    engine.echoRows(result);
    return readResult(statement.shape, prepared, result);
  }

  /** Sends a text as it is: no log. */
  async send(statement: BoundStatement): Promise<DriverResult> {
    this.#check("send a statement in");
    return await this.#held.execute(statement);
  }

  /**
   * Runs a function inside a savepoint: what it throws undoes what it did, and
   * nothing before. It nests.
   */
  async savepoint<T>(work: (transaction: this) => Promise<T>): Promise<T> {
    await this.begin();
    const savepoint = this.#savepoints.at(-1)!;
    const end = async (isKept: boolean): Promise<void> => {
      // It may have been ended before, or be left with savepoints inside it.
      const at = this.#savepoints.indexOf(savepoint);
      if (at < 0) return;
      this.#savepoints.length = at + 1;
      await (isKept ? this.commit() : this.rollback());
    };
    let result: T;
    try {
      result = await work(this);
    } catch (error) {
      await end(false);
      throw error;
    }
    await end(true);
    return result;
  }

  /** Sets a savepoint that is open until `commit()` or `rollback()`; {@linkcode savepoint} reads better, and ends it. */
  async begin(): Promise<void> {
    const name = `aludel_${this.depth + 1}`;
    await this.#say(`SAVEPOINT ${name}`);
    this.#savepoints.push({ name });
  }

  /** Keeps what was done since the innermost savepoint, or ends the transaction before its function does. */
  async commit(): Promise<void> {
    const savepoint = this.#savepoints.pop();
    if (savepoint) await this.#say(`RELEASE SAVEPOINT ${savepoint.name}`);
    else await this.#end("COMMIT");
  }

  /** Undoes what was done since the innermost savepoint, or all of it, before its function ends. */
  async rollback(): Promise<void> {
    const savepoint = this.#savepoints.pop();
    if (savepoint) {
      await this.#say(`ROLLBACK TO SAVEPOINT ${savepoint.name}`);
      await this.#say(`RELEASE SAVEPOINT ${savepoint.name}`);
    } else await this.#end("ROLLBACK");
  }

  /** Ends all of it, unless it is over. @ignore */
  async close(isKept: boolean): Promise<void> {
    if (this.#isOver) return;
    this.#savepoints.length = 0;
    await (isKept ? this.commit() : this.rollback());
  }

  async #end(what: "COMMIT" | "ROLLBACK"): Promise<void> {
    this.#check("end");
    this.#isOver = true;
    this.engine.log(what);
    const held = this.#held;
    if (what === "ROLLBACK") return await held.rollback();
    try {
      await held.commit();
    } catch (error) {
      // Some databases leave it open; the first error is the one to hear of.
      await held.rollback().catch(() => {});
      throw error;
    }
  }

  async #say(sql: string): Promise<void> {
    this.engine.log(sql);
    await this.send({ sql, params: [] });
  }

  #check(what: string): void {
    if (!this.#isOver) return;
    throw new SqlError(
      "sql/transaction-over",
      `Cannot ${what} the transaction on engine "${this.engine.name}": it has ended already; begin another one`,
    );
  }
}

/**
 * Opens a transaction; {@linkcode transaction} reads better, and ends it.
 *
 * @throws {UnsupportedError} If this engine cannot hold one open.
 */
export async function begin(
  engine: Engine,
  options?: BatchOptions,
): Promise<DriverTransaction> {
  const open = engine.driver.begin?.bind(engine.driver);
  if (!open) {
    throw new UnsupportedError(
      `Cannot hold a transaction open on engine "${engine.name}"; send the statements as one batch()`,
    );
  }
  const held = await engine.trip("begin", [], () => open(options));
  return {
    execute: (statement) =>
      engine.trip("statement", [statement], () => held.execute(statement)),
    commit: () => engine.trip("commit", [], () => held.commit()),
    rollback: () => engine.trip("rollback", [], () => held.rollback()),
    ...held.leave && { leave: () => held.leave!() },
  };
}

/**
 * Runs a function inside one transaction: commits when it returns, undoes all
 * of it when it throws.
 *
 * Statements go through the transaction it is given; what is sent to the engine
 * itself meanwhile stands outside, and on a database of one connection waits
 * until the end.
 *
 * @example
 * ```ts
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createEngine, sql, transaction } from "@aludel/aludel/sql";
 * import { strictEqual } from "node:assert/strict";
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * await engine.execute(sql`CREATE TABLE account (balance INTEGER)`);
 * const seen = await transaction(engine, async (tx) => {
 *   await tx.execute(sql`INSERT INTO account VALUES (${10})`);
 *   const [row] = await tx.execute(sql`SELECT balance FROM account`);
 *   return row?.["balance"];
 * });
 * strictEqual(seen, 10);
 * ```
 *
 * @throws {UnsupportedError} If the engine cannot hold one open
 * (`engine.capabilities.interactiveTransactions`); nothing is sent then.
 */
export async function transaction<T>(
  engine: Engine,
  work: (transaction: Transaction) => Promise<T>,
  options?: BatchOptions,
): Promise<T> {
  const held = await begin(engine, options);
  engine.log("BEGIN (implicit)");
  const open = new Transaction(engine, held);
  try {
    const result = await work(open);
    await open.close(true);
    return result;
  } catch (error) {
    // The first error is the one to hear of.
    await open.close(false).catch(() => {});
    throw error;
  }
}

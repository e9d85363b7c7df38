import type { Engine } from "./engine.ts";
import type { BatchOptions, DriverTransaction } from "./driver.ts";
import { UnsupportedError } from "./errors.ts";
import { readResult, type Result } from "./rows.ts";
import type { Statement } from "./statement.ts";

/** A transaction that is open, as the function given to {@linkcode transaction} sees it. */
export class Transaction {
  /** The engine it runs on. */
  readonly engine: Engine;
  readonly #held: DriverTransaction;
  #depth = 0;

  /** Use {@linkcode transaction}. */
  constructor(engine: Engine, held: DriverTransaction) {
    this.engine = engine;
    this.#held = held;
  }

  /** Sends a statement inside it. */
  async execute<Row>(statement: Statement<Row>): Promise<Result<Row>> {
    const { engine } = this;
    const prepared = engine.prepare(statement);
    engine.echo(prepared);
    const result = await this.#held.execute(prepared);
    engine.echoRows(result);
    return readResult(statement.shape, prepared, result);
  }

  /**
   * Runs a function inside a savepoint: what it throws undoes what it did, and
   * nothing before. It nests.
   */
  async savepoint<T>(work: (transaction: this) => Promise<T>): Promise<T> {
    const name = `aludel_${++this.#depth}`;
    await this.#say(`SAVEPOINT ${name}`);
    try {
      const result = await work(this);
      await this.#say(`RELEASE SAVEPOINT ${name}`);
      return result;
    } catch (error) {
      await this.#say(`ROLLBACK TO SAVEPOINT ${name}`);
      await this.#say(`RELEASE SAVEPOINT ${name}`);
      throw error;
    } finally {
      this.#depth--;
    }
  }

  async #say(sql: string): Promise<void> {
    this.engine.log(sql);
    await this.#held.execute({ sql, params: [] });
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
  let result: T;
  try {
    result = await work(new Transaction(engine, held));
  } catch (error) {
    engine.log("ROLLBACK");
    // The first error is the one to hear of.
    await held.rollback().catch(() => {});
    throw error;
  }
  engine.log("COMMIT");
  await held.commit();
  return result;
}

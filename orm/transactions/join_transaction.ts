import {
  type BatchOptions,
  type BoundStatement,
  type Driver,
  type DriverResult,
  type DriverTransaction,
  Engine,
  HeldTransactions,
  type Transaction,
} from "../../sql/mod.ts";

/**
 * What a session's commit, rollback and close do to a transaction that it did
 * not begin; of an open savepoint all that is said here holds instead.
 *
 * | mode | commit() | rollback() | close() |
 * | --- | --- | --- | --- |
 * | `"createSavepoint"` | keeps what the session did, in it | undoes what the session did | the same |
 * | `"rollbackOnly"` | does nothing to it | rolls it back | does nothing to it |
 * | `"controlFully"` | commits it | rolls it back | the same |
 *
 * `"conditionalSavepoint"` is the first inside a savepoint, else the second.
 */
export type JoinMode =
  | "conditionalSavepoint"
  | "createSavepoint"
  | "rollbackOnly"
  | "controlFully";

/** Settings of {@linkcode joinTransaction}. */
export interface JoinOptions {
  /** What becomes of the transaction. @default {"conditionalSavepoint"} */
  readonly mode?: JoinMode;
}

/**
 * An engine whose statements all go into a transaction that is open already,
 * for a session to be bound to: of a test that undoes whatever the program
 * under it commits, or of a program that has more to do in the transaction.
 *
 * The session takes part in the transaction when it first writes; what it
 * only reads, it reads inside as well. When the transaction is over, the
 * engine is.
 *
 * @example A test that leaves nothing behind
 * ```ts
 * import { Entity, integer, joinTransaction, Session, text } from "@aludel/aludel/orm";
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createEngine, MetaData, select, transaction } from "@aludel/aludel/sql";
 * import { strictEqual } from "node:assert/strict";
 *
 * abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
 *   static override metadata = new MetaData();
 * }
 * class User extends Base.table("users", { name: text(50) }) {}
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * await Base.metadata.createAll(engine);
 * await transaction(engine, async (open) => {
 *   const bind = joinTransaction(open, { mode: "createSavepoint" });
 *   await using session = new Session({ bind });
 *   session.add(new User({ name: "ed" }));
 *   await session.commit();
 *   strictEqual((await session.scalars(select(User))).length, 1);
 *   await open.rollback();
 * });
 * strictEqual((await engine.execute(select(User.table))).length, 0);
 * ```
 *
 * @param open The transaction, or its innermost savepoint.
 */
export function joinTransaction(
  open: Transaction,
  { mode = "conditionalSavepoint" }: JoinOptions = {},
): Engine {
  return new JoinedEngine(open, mode);
}

/** An engine that is a transaction of another one. */
class JoinedEngine extends Engine {
  readonly #outer: Engine;

  constructor(open: Transaction, mode: JoinMode) {
    const { engine } = open;
    // The transaction tells the outer engine's trace, and nothing in it is tried again.
    super(joinedDriver(open, mode), { name: engine.name, retries: 0 });
    this.#outer = engine;
  }
  override log(message: string, level?: string): void {
    // The transaction says itself what it is begun and ended by.
    if (!ENDS.test(message)) this.#outer.log(message, level);
  }
  override echo(statement: BoundStatement): void {
    this.#outer.echo(statement);
  }
  override echoRows(result: DriverResult): void {
    this.#outer.echoRows(result);
  }
}

const ENDS = /^(BEGIN|COMMIT|ROLLBACK)\b(?! TO)/;

function joinedDriver(open: Transaction, mode: JoinMode): Driver {
  const { dialect, capabilities } = open.engine;
  const send = async (
    statements: readonly BoundStatement[],
  ): Promise<DriverResult[]> => {
    const results: DriverResult[] = [];
    for (const one of statements) results.push(await open.send(one));
    return results;
  };
  return {
    dialect,
    capabilities,
    isInside: true,
    execute: (statement) => open.send(statement),
    async batch(statements, { isRead = false }: BatchOptions = {}) {
      if (isRead) return await send(statements);
      const joined = await join(open, mode);
      try {
        const results = await send(statements);
        await joined.commit();
        return results;
      } catch (error) {
        // The first error is the one to hear of.
        await joined.rollback().catch(() => {});
        throw error;
      }
    },
    begin: () => join(open, mode),
    hold: () => new HeldTransactions(),
    // The outer engine has named it.
    classify: () => undefined,
  };
}

/** What a session holds of the transaction. */
async function join(
  open: Transaction,
  mode: JoinMode,
): Promise<DriverTransaction> {
  const { depth } = open;
  const isNested = mode === "createSavepoint" ||
    mode === "conditionalSavepoint" && depth > 0;
  if (isNested) await open.begin();
  const isControlled = mode === "controlFully";
  const nothing = (): Promise<void> => Promise.resolve();
  const rollback = (): Promise<void> =>
    open.isOver ? nothing() : open.rollback();
  return {
    execute: (statement) => open.send(statement),
    commit: () => isNested || isControlled ? open.commit() : nothing(),
    rollback,
    leave: isNested || isControlled ? rollback : nothing,
  };
}

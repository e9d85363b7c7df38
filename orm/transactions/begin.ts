import { HeldTransactions } from "../../sql/mod.ts";
import { SessionError } from "../errors.ts";
import type { Read } from "../loading/loader.ts";
import { Session } from "../session.ts";
import type { NestedTransaction } from "../session_contract.ts";
import { exclusively } from "../session_unit.ts";
import { openTransaction } from "./_open.ts";

/** A transaction of a session, from its beginning to its commit or rollback. */
export type SessionTransaction = NestedTransaction;

// What is begun by hand, by what is the same until it ends.
const begun = new WeakSet<object>();

/**
 * Begins a transaction of a session, which else begins by itself with the
 * first change. Where the session's engine can hold one open, it is: also
 * what is read then is read inside it. Where none can be held nothing is
 * sent; changes gather until the commit, as always.
 *
 * What was not committed at the end of an `await using` block is rolled back.
 *
 * @example
 * ```ts
 * import { begin, Entity, integer, Session, text } from "@aludel/aludel/orm";
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createEngine, MetaData, select } from "@aludel/aludel/sql";
 * import { rejects, strictEqual } from "node:assert/strict";
 *
 * abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
 *   static override metadata = new MetaData();
 * }
 * class User extends Base.table("users", { name: text(50) }) {}
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * await Base.metadata.createAll(engine);
 * await using session = new Session({ bind: engine });
 * {
 *   await using transaction = await begin(session);
 *   await rejects(begin(session), { code: "orm/begun" });
 *   session.add(new User({ name: "ed" }));
 *   await transaction.commit();
 * }
 * strictEqual((await session.scalars(select(User))).length, 1);
 * ```
 *
 * @throws {SessionError} If one has begun already, by this or by a change (`"orm/begun"`).
 */
export async function begin(session: Session): Promise<SessionTransaction> {
  const { unit } = session["~core"];
  await exclusively(unit, "begin", async () => {
    if (hasBegun(session)) {
      throw new SessionError(
        "orm/begun",
        "Cannot begin: the session's transaction has begun already; commit() or rollback() it first",
      );
    }
    unit.held ??= new HeldTransactions();
    const { bind } = session.options;
    if (bind) await openTransaction(session, bind);
    begun.add(unit.held.round);
  });
  const round = unit.held?.round;
  // Whoever else ended it has begun another one, or none.
  const end = async (how: () => Promise<void>): Promise<void> => {
    if (unit.held?.round === round) await how();
  };
  return {
    commit: () => end(() => session.commit()),
    rollback: () => end(() => session.rollback()),
    [Symbol.asyncDispose]: () => end(() => session.rollback()),
  };
}

/** Whether a session's transaction has begun: by `begin()`, or by a change that is not committed. */
export function hasBegun(session: Session): boolean {
  const { unit } = session["~core"];
  return isBegun(session) || (unit.held?.size ?? 0) > 0 ||
    !(session instanceof ExplicitSession) &&
      [session.new, session.deleted, session.dirty].some((all) => all[0]);
}

function isBegun(session: Session): boolean {
  const { held } = session["~core"].unit;
  return held !== undefined && begun.has(held.round);
}

/**
 * A session that begins nothing by itself: what it reads and writes stands
 * between {@linkcode begin} and a commit or rollback. Attributes may be
 * changed at any time; it is the next read or write that asks.
 *
 * @example
 * ```ts
 * import { begin, Entity, ExplicitSession, integer } from "@aludel/aludel/orm";
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createEngine } from "@aludel/aludel/sql";
 * import { strictEqual, throws } from "node:assert/strict";
 *
 * class Tag extends Entity.table("tags", { id: integer().primaryKey() }) {}
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * await using session = new ExplicitSession({ bind: engine });
 * throws(() => session.add(new Tag({})), { code: "orm/not-begun" });
 * await begin(session);
 * session.add(new Tag({}));
 * strictEqual(session.new.length, 1);
 * ```
 */
export class ExplicitSession extends Session {
  /**
   * Takes in an object, and what its relations cascade to.
   *
   * @throws {SessionError} If no transaction was begun (`"orm/not-begun"`), as everything below does.
   */
  override add(object: object): void {
    this.#check("add an object");
    super.add(object);
  }
  /** Marks an object's row to be deleted. */
  override delete(object: object): void {
    this.#check("delete an object");
    super.delete(object);
  }
  /** Writes everything that changed into the transaction. */
  override async flush(): Promise<void> {
    this.#check("flush");
    await super.flush();
  }
  /** Writes everything that changed, and ends the transaction. */
  override async commit(): Promise<void> {
    this.#check("commit");
    await super.commit();
  }
  /** Flushes, and sets a savepoint. */
  override async beginNested(): Promise<NestedTransaction> {
    this.#check("set a savepoint");
    return await super.beginNested();
  }
  /** Runs a function in a session of its own, which is begun for it. */
  override optimistic<T>(
    work: (session: this) => Promise<T>,
    options?: { readonly retries?: number },
  ): Promise<T> {
    return super.optimistic(async (session) => {
      await begin(session);
      return await work(session);
    }, options);
  }
  /** @ignore */
  override async run(reads: readonly Read[]): ReturnType<Session["run"]> {
    this.#check("read");
    return await super.run(reads);
  }
  #check(what: string): void {
    if (isBegun(this)) return;
    throw new SessionError(
      "orm/not-begun",
      `Cannot ${what}: no transaction was begun, and this session begins none by itself; begin() one first`,
    );
  }
}

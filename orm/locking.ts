import {
  type LockOptions,
  type Result,
  rowSource,
  type Select,
  select,
  withForUpdate,
} from "../sql/mod.ts";
import { StaleDataError } from "./errors.ts";
import { type AnyClass, mapperOf } from "./mapper.ts";
import type { Session } from "./session.ts";
import { keyValues } from "./session_reads.ts";
import { sameValue, stateOf } from "./state.ts";
import { openTransaction } from "./transactions/_open.ts";
import type { InstanceOf } from "./types.ts";

/**
 * The object of a primary key, its row locked against other writers until the
 * session's transaction ends. The row is always asked for, at the engine that
 * is written to.
 *
 * An object that is in the session already stays as it is. Where it counts
 * versions and its row has another one by now, that is an error: what the
 * program has seen is not what it has locked. `refresh()` it with a `lock`.
 *
 * Where no transaction can be held open nothing stays locked, but the version
 * is looked at all the same, and the commit will ask for it once more.
 *
 * @example
 * ```ts
 * import { Entity, getForUpdate, integer, refresh, Session, versionId } from "@aludel/aludel/orm";
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createEngine, MetaData, sql } from "@aludel/aludel/sql";
 * import { rejects, strictEqual } from "node:assert/strict";
 *
 * abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
 *   static override metadata = new MetaData();
 * }
 * class Account extends Base.table("accounts", {
 *   balance: integer(),
 *   version: versionId(),
 * }) {}
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * await Base.metadata.createAll(engine);
 * await using session = new Session({ bind: engine });
 * const account = new Account({ balance: 10 });
 * session.add(account);
 * await session.commit();
 * await engine.execute(sql`UPDATE accounts SET balance = 5, version = 2`);
 *
 * await rejects(getForUpdate(session, Account, 1), { code: "orm/stale" });
 * await refresh(session, account, undefined, { lock: {} });
 * strictEqual((await getForUpdate(session, Account, 1))?.balance, 5);
 * ```
 *
 * @returns The object, or `null` where there is no such row.
 * @throws {StaleDataError} If the session has the object in another version.
 */
export async function getForUpdate<C extends AnyClass>(
  session: Session,
  cls: C,
  key: unknown,
  lock: LockOptions = {},
): Promise<InstanceOf<C> | null> {
  const mapper = mapperOf(cls);
  const { versionColumn } = mapper;
  const values = keyValues(mapper, key);
  const query = select({
    object: { [rowSource]: mapper.source },
    version: versionColumn ?? mapper.primaryKey[0]!,
  }).where(...mapper.primaryKey.map((column, i) => column.eq(values[i])));
  const [row] = await lockRows(session, query, lock);
  const { object, version } = (row ?? {}) as {
    readonly object?: object | null;
    readonly version?: unknown;
  };
  if (!object) return null;
  const state = stateOf(object);
  if (
    versionColumn &&
    !sameValue(state.before(versionColumn), version, versionColumn)
  ) throw new StaleDataError(mapper.name, state.primaryKey);
  return object instanceof mapper.cls ? object as InstanceOf<C> : null;
}

/** Runs a query that locks its rows, in a transaction that is opened for it where one can be held. */
export async function lockRows<Row, Sources>(
  session: Session,
  query: Select<Row, Sources>,
  lock: LockOptions,
): Promise<Result<Row>> {
  const engine = session.engineOf(query, true);
  await openTransaction(session, engine);
  return await session.usingBind(engine).execute(withForUpdate(query, lock));
}

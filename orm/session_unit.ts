/**
 * What is open in a session: its objects, the transactions that its engines
 * hold, the one step that is under way, and what went wrong.
 */
import {
  begin,
  type DriverResult,
  type DriverTransaction,
  type Engine,
  type PreparedStatement,
} from "../sql/mod.ts";
import { PartialCommitError, SessionError } from "./errors.ts";
import type { RowHook } from "./hooks.ts";
import type { ObjectSet } from "./object_set.ts";
import type { Session } from "./session.ts";

/** What the parts of a session know of it. */
export interface SessionCore {
  /** The session itself: the subject of events, and who routes. */
  readonly session: Session;
  /** What it shares with sessions that are pinned to an engine. */
  readonly unit: OpenUnit;
  /** The engine of every statement, where it is pinned to one. */
  readonly pinned?: Engine | undefined;
  /** Whether a commit fails unless every row is as it was read. */
  readonly validates?: boolean;
  /** Tells of what is odd. */
  readonly warn: (message: string) => void;
}

/** What a session and those pinned from it share. */
export interface OpenUnit {
  /** Objects, by identity and by what is to be done to them. */
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
  /** The autoflush that is under way. */
  autoflush?: Promise<void> | undefined;
  /** Who hears of the rows when they are written. */
  told?: ReturnType<RowHook> | undefined;
}

/** Whether an engine can hold a transaction open. */
export function isInteractive(engine: Engine): boolean {
  return engine.capabilities.interactiveTransactions;
}

/** Sends statements: inside the transaction that is held, else in one trip. */
export async function send(
  unit: OpenUnit,
  engine: Engine,
  statements: readonly PreparedStatement[],
): Promise<readonly DriverResult[]> {
  const held = unit.held.get(engine);
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

/** Does a step during which no other one may begin. */
export async function exclusively<T>(
  unit: OpenUnit,
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  check(unit, what);
  if (unit.busy !== undefined) throw busyError(unit, what);
  unit.busy = what;
  try {
    return await work();
  } finally {
    unit.busy = undefined;
  }
}

/** Refuses a step after a failure, or a read while one is under way. */
export function check(unit: OpenUnit, what: string): void {
  const { failure, busy, held } = unit;
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
    throw busyError(unit, what);
  }
}

function busyError(unit: OpenUnit, what: string): SessionError {
  return new SessionError(
    "orm/busy",
    `Cannot ${what} the session: its ${unit.busy} has not ended; await it first`,
  );
}

/** Refuses an engine that cannot hold a transaction open. */
export function mustHold(engine: Engine): void {
  if (isInteractive(engine)) return;
  throw new SessionError(
    "orm/unsupported",
    `Cannot flush to engine "${engine.name}": it holds no transaction open; commit() writes everything in one batch`,
  );
}

/** Opens a transaction on an engine, with every savepoint that was set. */
export async function hold(unit: OpenUnit, engine: Engine): Promise<void> {
  const { held, savepoints } = unit;
  if (held.has(engine)) return;
  const opened = await begin(engine);
  held.set(engine, opened);
  for (const name of savepoints) {
    await opened.execute({ sql: `SAVEPOINT ${name}`, params: [] });
  }
}

/** Undoes every transaction that is held. */
export async function rollBackHeld(unit: OpenUnit): Promise<void> {
  unit.savepoints = [];
  const all = [...unit.held];
  unit.held.clear();
  for (const [engine, held] of all) {
    engine.log("ROLLBACK");
    await held.rollback();
  }
}

/** Does a step of a commit or flush; where it fails, what is open is undone. */
export async function attempt(
  unit: OpenUnit,
  engine: Engine,
  committed: readonly string[] | undefined,
  step: () => Promise<void>,
): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (unit.held.size > 0) {
      unit.failure = error;
      // A savepoint is rolled back by who set it.
      if (unit.savepoints.length === 0) await rollBackHeld(unit);
    } else engine.log("ROLLBACK");
    if (!committed?.length) throw error;
    throw new PartialCommitError(committed, engine.name, { cause: error });
  }
}

/**
 * What is open in a session: its objects, the transactions that its engines
 * hold, the one step that is under way, and what went wrong.
 */
import type {
  DriverResult,
  Engine,
  HeldTransactions,
  PreparedStatement,
} from "../sql/mod.ts";
import { PartialCommitError, SessionError } from "./errors.ts";
import { hooks, type RowHook } from "./hooks.ts";
import type { ObjectSet } from "./object_set.ts";
import type { Session } from "./session.ts";
import type { SessionOptions } from "./session_contract.ts";

/** What the parts of a session know of it. */
export interface SessionCore {
  /** The session itself: the subject of events, and who routes. */
  readonly session: Session;
  /** What it shares with sessions that are pinned to an engine. */
  unit: OpenUnit;
  /** The engine of every statement, where it is pinned to one. */
  pinned?: Engine | undefined;
  /** Whether a commit fails unless every row is as it was read. */
  validates?: boolean;
}

/** What a session and those pinned from it share. */
export interface OpenUnit {
  /** Objects, by identity and by what is to be done to them. */
  readonly objects: ObjectSet;
  /** Transactions that are open; an engine that can hold one brings it. */
  held?: HeldTransactions | undefined;
  /** How many noAutoflush() are running. */
  quiet: number;
  /** What is under way. */
  busy?: string | undefined;
  /** What went wrong since the last rollback. */
  failure?: unknown;
  /** Who hears of the rows when they are written. */
  told?: ReturnType<RowHook> | undefined;
}

/** Another session of the same class and settings. */
export function sibling<S extends Session>(
  session: S,
  core: Partial<SessionCore>,
): S {
  const Same = session.constructor as new (options: SessionOptions) => S;
  const made = new Same(session.options);
  Object.assign(made["~core"], core);
  return made;
}

/** Whether an engine can hold a transaction open. */
export function isInteractive({ capabilities }: Engine): boolean {
  return capabilities.interactiveTransactions;
}

/**
 * Where an engine's transactions are held open.
 *
 * @throws {SessionError} If it cannot hold one.
 */
export function holderOf(unit: OpenUnit, engine: Engine): HeldTransactions {
  if (isInteractive(engine)) return unit.held ??= engine.driver.hold!();
  throw new SessionError(
    "orm/unsupported",
    `Cannot flush to engine "${engine.name}": it holds no transaction; commit() instead`,
  );
}

/** Sends statements: inside the transaction that is held, else in one trip. */
export async function send(
  { held }: OpenUnit,
  engine: Engine,
  statements: readonly PreparedStatement[],
): Promise<readonly DriverResult[]> {
  if (held?.has(engine)) return await held.send(engine, statements);
  return statements.length === 1
    ? [await engine.send(statements[0]!)]
    : await engine.sendBatch(statements);
}

/** Does a step during which no other one may begin. */
export async function exclusively<T>(
  unit: OpenUnit,
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  check(unit, what);
  unit.busy = what;
  try {
    return await (hooks.around?.step(unit, what, work) ?? work());
  } finally {
    unit.busy = undefined;
  }
}

/** Refuses a step after a failure, or while another one is under way. */
export function check({ failure, busy, held }: OpenUnit, what: string): void {
  if (failure !== undefined && what !== "rollback") {
    throw new SessionError(
      "orm/pending-rollback",
      `Cannot ${what}: an earlier write failed (${
        failure instanceof Error ? failure.message : failure
      }); rollback() first`,
      { cause: failure },
    );
  }
  // A read may go on beside a step, unless it would be part of the transaction
  // that the step is about. Who hears of an end may look, but ask nothing.
  if (
    busy && (what !== "read" || busy.startsWith("after") ||
      held?.size && busy !== "autoflush")
  ) {
    throw new SessionError(
      "orm/busy",
      `Cannot ${what} the session: its ${busy} has not ended; await it first`,
    );
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
    if (unit.held?.size) {
      unit.failure = error;
      await unit.held.rollback(true);
    } else engine.log("ROLLBACK");
    if (!committed?.length) throw error;
    throw new PartialCommitError(committed, engine.name, { cause: error });
  }
}

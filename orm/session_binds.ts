/** Which engine a statement goes to. */
import type { Engine, Statement } from "../sql/mod.ts";
import { mapperIn } from "./_bind.ts";
import { SessionError } from "./errors.ts";
import type { BindContext, SessionOptions } from "./session_contract.ts";
import type { SessionCore } from "./session_unit.ts";

/** The engine that a session was pinned to, else the one that it chooses. */
export function engineFor(
  { pinned, session, unit: { held } }: SessionCore,
  context: BindContext,
): Engine {
  if (pinned) return pinned;
  if (held?.size && !context.flushing) {
    // What is written and not committed yet, only its writer knows.
    const writer = session.getBind({ ...context, flushing: true });
    if (held.has(writer)) return writer;
  }
  return session.getBind(context);
}

/** The engine of a statement, by the class that it is about. */
export function engineOf(
  core: SessionCore,
  statement: Statement<unknown>,
  flushing: boolean,
): Engine {
  const mapper = mapperIn(statement);
  const { identityToken } = core.session;
  return engineFor(core, { mapper, statement, identityToken, flushing });
}

/** The engine that the settings choose. */
export function findBind(
  { bind, binds }: SessionOptions,
  context: BindContext,
): Engine {
  const found = binds?.(context) ?? bind;
  if (found) return found;
  throw new SessionError(
    "orm/unbound",
    `Cannot choose an engine for ${
      context.mapper?.name ?? "the statement"
    }: the session has no bind for it; give bind or binds, or override getBind()`,
  );
}

/** An engine, or the one that the settings give a name. */
export function engineNamed(
  options: SessionOptions,
  engine: Engine | string,
): Engine {
  const pinned = typeof engine === "string"
    ? options.engines?.get(engine)
    : engine;
  if (!pinned) {
    throw new SessionError(
      "orm/unbound",
      `Cannot pin the session to "${engine}": give the session its engines, or the engine itself`,
    );
  }
  return pinned;
}

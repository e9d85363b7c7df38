/**
 * Which engine a statement goes to: the one that `binds` gives its class or
 * table, else the one of everything.
 */
import type { Engine, Statement } from "../sql/mod.ts";
import { findFrom, mapperIn } from "./_bind.ts";
import { SessionError } from "./errors.ts";
import type { AnyClass } from "./mapper.ts";
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

/** The engine that the settings choose, the most specific class first. */
export function findBind(
  { bind, binds }: SessionOptions,
  { mapper, statement }: BindContext,
): Engine {
  for (
    let cls: unknown = mapper?.cls;
    binds && typeof cls === "function";
    cls = Object.getPrototypeOf(cls)
  ) {
    const found = binds.get(cls as AnyClass);
    if (found) return found;
  }
  const found = binds &&
    findFrom(
      [mapper?.table, mapper?.root.table, statement],
      (from) => binds.get(from),
    );
  if (found ?? bind) return (found ?? bind) as Engine;
  throw new SessionError(
    "orm/unbound",
    `Cannot choose an engine for ${
      mapper?.name ?? "the statement"
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

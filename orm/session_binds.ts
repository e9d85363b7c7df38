/** Which engine a statement goes to. */
import type { Engine } from "../sql/mod.ts";
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

/** The engine that the settings choose. */
export function findBind(
  { bind, binds }: SessionOptions,
  context: BindContext,
): Engine {
  return binds?.(context) ?? bind ??
    unbound(context.mapper?.name ?? "the statement");
}

/** An engine, or the one that the settings give a name. */
export function engineNamed(
  { engines }: SessionOptions,
  engine: Engine | string,
): Engine {
  return typeof engine === "string"
    ? engines?.get(engine) ?? unbound(`"${engine}"`)
    : engine;
}

function unbound(what: string): never {
  throw new SessionError(
    "orm/unbound",
    `Cannot choose an engine for ${what}: the session has none for it; give bind, binds or engines, or override getBind()`,
  );
}

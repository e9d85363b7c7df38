import type { Engine } from "../../sql/mod.ts";
import type { Session } from "../session.ts";
import { holderOf, isInteractive } from "../session_unit.ts";

/** Opens a transaction of a session on an engine, where one can be held and none is. */
export async function openTransaction(
  session: Session,
  engine: Engine,
): Promise<void> {
  const { unit } = session["~core"];
  if (!isInteractive(engine) || unit.held?.has(engine)) return;
  engine.log("BEGIN (implicit)");
  await holderOf(unit, engine).hold(engine);
}

import type { Session } from "./session.ts";
import type { InstanceState } from "./state.ts";

/** The session that reads what belongs to an object: of several databases, the one of its row. */
export function readerOf(
  session: Session,
  { identityToken }: Pick<InstanceState, "identityToken">,
): Session {
  return identityToken === undefined
    ? session
    : session.usingBind(identityToken);
}

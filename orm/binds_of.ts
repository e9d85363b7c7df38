import type { Engine, FromClause } from "../sql/mod.ts";
import { findFrom } from "./_bind.ts";
import type { AnyClass } from "./mapper.ts";
import type { BindContext } from "./session_contract.ts";

/**
 * Engines by class or table, for the `binds` of a session. Of the classes that
 * a class extends the most specific one decides, before any table does; what
 * is not named goes to the session's `bind`.
 *
 * @example
 * ```ts
 * import { bindsOf, Entity, integer, Session } from "@aludel/aludel/orm";
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createEngine, select } from "@aludel/aludel/sql";
 * import { strictEqual } from "node:assert/strict";
 *
 * class User extends Entity.table("users", { id: integer().primaryKey() }) {}
 *
 * await using users = createEngine(sqlite(":memory:"), { name: "users" });
 * await using rest = createEngine(sqlite(":memory:"), { name: "rest" });
 * const session = new Session({
 *   bind: rest,
 *   binds: bindsOf(new Map([[User, users]])),
 * });
 * strictEqual(session.engineOf(select(User)).name, "users");
 * ```
 */
export function bindsOf(
  engines: ReadonlyMap<AnyClass | FromClause, Engine>,
): (context: BindContext) => Engine | undefined {
  return ({ mapper, statement }) => {
    for (
      let cls: unknown = mapper?.cls;
      typeof cls === "function";
      cls = Object.getPrototypeOf(cls)
    ) {
      const found = engines.get(cls as AnyClass);
      if (found) return found;
    }
    return findFrom(
      [mapper?.table, mapper?.root.table, statement],
      (from) => engines.get(from),
    );
  };
}

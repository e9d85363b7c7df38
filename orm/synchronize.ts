import {
  type Column,
  rowSource,
  type Selectable,
  type SelectItem,
  type Statement,
} from "../sql/mod.ts";
import { MappingError } from "./errors.ts";
import { evaluate, UNKNOWN } from "./_evaluate.ts";
import type { LoadOption, Request } from "./loading/loader.ts";
import { planOptions } from "./loading/options.ts";
import type { Mapper } from "./mapper.ts";
import {
  copyValue,
  identityKey,
  type InstanceState,
  stateOf,
} from "./state.ts";

/** How the objects in memory follow an UPDATE or DELETE of the program's own. */
export type Synchronize = "auto" | "fetch" | "evaluate";

type Written = Statement<unknown> & {
  readonly target: Selectable;
  readonly condition: unknown;
  readonly others?: object | undefined;
  readonly set_?: readonly (readonly [Column<unknown>, unknown])[];
  returning(...items: SelectItem[]): Statement<unknown>;
};

type Change = readonly [state: InstanceState, values: readonly unknown[]];

/**
 * Lets the objects of the session follow an UPDATE or DELETE: changed
 * attributes change, objects whose rows are gone leave the session. Without
 * it they stay as they are.
 *
 * `"evaluate"` works out in memory which objects meet the condition.
 * `"fetch"` has the statement say what it changed, by RETURNING, in the same
 * trip. `"auto"` evaluates where that can be done, and fetches elsewhere.
 *
 * @example
 * ```ts ignore
 * await session.execute(withOptions(
 *   update(User).set({ name: "ed" }).where(User.c.id.eq(1)),
 *   synchronize(),
 * ));
 * ```
 *
 * @throws {MappingError} If neither way can be gone.
 */
export function synchronize(how: Synchronize = "auto"): LoadOption {
  return {
    kind: "loader",
    plan: planOptions,
    prepare(request) {
      const asked = request.asked as Written;
      const mapper = asked.target?.[rowSource].owner as Mapper | undefined;
      const changes = mapper && how !== "fetch"
        ? evaluated(asked, mapper, request)
        : undefined;
      if (changes) {
        request.finish.push(() => {
          for (const change of changes) follow(change, asked, request);
        });
      } else if (mapper && how !== "evaluate" && !asked.shape) {
        fetch(asked, mapper, request);
      } else {
        throw new MappingError(
          mapper
            ? `Cannot synchronize ${mapper.name}: what the ${asked.kind} changes cannot be worked out in memory; use synchronize("fetch"), without a returning() of its own`
            : "Cannot synchronize the session: the statement writes to no mapped class",
        );
      }
    },
  };
}

/** The objects that a statement changes; nothing where only the database can tell. */
function evaluated(
  { condition, set_ = [], others }: Written,
  mapper: Mapper,
  { reader }: Request,
): Change[] | undefined {
  // A DELETE that sees no further table has none; an UPDATE, a list of none.
  if (others && !(Array.isArray(others) && others.length === 0)) {
    return undefined;
  }
  const changes: Change[] = [];
  for (const object of reader.identityMap.values()) {
    if (!(object instanceof mapper.cls)) continue;
    const state = stateOf(object);
    if (state.identityToken !== reader.identityToken) continue;
    const isMeant = condition ? evaluate(condition, state) : true;
    if (isMeant === UNKNOWN) return undefined;
    if (!isMeant) continue;
    const values = set_.map(([, value]) => evaluate(value, state));
    if (values.includes(UNKNOWN)) return undefined;
    changes.push([state, values]);
  }
  return changes;
}

/** Has a statement say which rows it changed. */
function fetch(asked: Written, mapper: Mapper, request: Request): void {
  const { primaryKey } = mapper;
  const columns = (asked.set_ ?? []).map(([column]) => column);
  request.sent = asked.returning(...primaryKey, ...columns);
  request.finish.push((rows) => {
    for (const row of rows) {
      const values = [row].flat();
      const key = values.slice(0, primaryKey.length);
      const { identityMap, identityToken } = request.reader;
      const object = identityMap.get(identityKey(mapper, key, identityToken));
      if (!object) continue;
      follow(
        [stateOf(object), values.slice(primaryKey.length)],
        asked,
        request,
      );
    }
    rows.length = 0;
  });
}

function follow(
  [state, values]: Change,
  { kind, set_ = [] }: Written,
  { reader }: Request,
): void {
  if (kind === "delete") return reader.expunge(state.object);
  set_.forEach(([column], i) => {
    state.write(column, values[i]);
    const at = state.mapper.columns.indexOf(column);
    if (state.committed) state.committed[at] = copyValue(values[i]);
  });
}

import type { Handle } from "../handles/handle.ts";
import { type InstanceState, stateOf } from "../state.ts";

/**
 * Puts new objects where they go: where the chooser says, else where what they
 * belong to is: what they refer to, or what has them in a relation.
 *
 * They are placed anew at every flush: one that failed has decided nothing.
 *
 * @param pending The new objects.
 * @param persistent The objects that have rows.
 * @param choose Chooses a shard, or leaves it open.
 * @returns Those that belong to nothing that is anywhere.
 */
export function place(
  pending: readonly InstanceState[],
  persistent: readonly InstanceState[],
  choose: (state: InstanceState) => string | undefined,
): InstanceState[] {
  for (const state of pending) state.identityToken = choose(state);
  let open = pending.filter(isNowhere);
  if (open.length === 0) return open;
  const owners = ownersOf([...persistent, ...pending]);
  // An object may belong to one that is placed after it.
  for (let before = Infinity; open.length < before;) {
    before = open.length;
    for (const state of open) {
      state.identityToken = [
        ...[...state.handles.values()].filter(refers).flatMap(statesIn),
        ...owners.get(state) ?? [],
      ].find((other) => !isNowhere(other))?.identityToken;
    }
    open = open.filter(isNowhere);
  }
  return open;
}

/** Who has each object in a relation; those of pairs last, as they own nothing. */
function ownersOf(
  states: readonly InstanceState[],
): Map<InstanceState, InstanceState[]> {
  const owners = new Map<InstanceState, InstanceState[]>();
  const held = states.flatMap(({ handles }) => [...handles.values()])
    .filter((handle) => !refers(handle));
  for (const isPair of [false, true]) {
    for (const handle of held) {
      if (!!handle.relation.secondary !== isPair) continue;
      for (const item of statesIn(handle)) {
        const found = owners.get(item);
        if (found) found.push(handle.state);
        else owners.set(item, [handle.state]);
      }
    }
  }
  return owners;
}

function refers({ relation }: Handle): boolean {
  return relation.kind === "manyToOne";
}

function statesIn({ known }: Handle): InstanceState[] {
  return known.map(stateOf);
}

function isNowhere({ identityToken }: InstanceState): boolean {
  return identityToken === undefined;
}

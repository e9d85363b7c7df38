import { hooks, type RowHook } from "../hooks.ts";
import type { ObjectSet } from "../object_set.ts";
import type { Session } from "../session.ts";

/** A listener: what it gives back may replace the event's last detail. */
// deno-lint-ignore no-explicit-any -- each event has details of its own; `listen()` types them
export type Listener = (...details: any[]) => unknown;

type Listeners = Map<string, Set<Listener>>;

// By what is listened to: an object, a class, a class with an attribute.
const listeners = new WeakMap<object, Listeners>();

/** Adds a listener of one name on a target; the returned function takes it off. */
export function addListener(
  target: object,
  event: string,
  listener: Listener,
): () => void {
  hooks.hear = hear;
  hooks.made ??= hearMade;
  hooks.crossed ??= (object, from, to, set) =>
    hear(`${from}To${to.charAt(0).toUpperCase()}${to.slice(1)}`, object, set);
  hooks.rows ??= hearRows;
  let events = listeners.get(target);
  if (!events) listeners.set(target, events = new Map());
  let heard = events.get(event);
  if (!heard) events.set(event, heard = new Set());
  heard.add(listener);
  return () => void heard.delete(listener);
}

function hearMade(object: object, values: object, give: () => void): void {
  hear("init", object, values);
  try {
    give();
  } catch (error) {
    hear("initFailure", object, values);
    throw error;
  }
}

const hearRows: RowHook = (...rows) => {
  const kinds = ["Insert", "Update", "Delete"] as const;
  const all = rows.map((states) => [...states]);
  const set = all.flat()[0]?.session as ObjectSet | undefined;
  const members = (): number =>
    set ? set.pending.size + 1e9 * set.doomed.size : 0;
  const before = members();
  const told = all.map((states, i) =>
    states.map(({ object }) => {
      hear(`before${kinds[i]}`, object);
      return object;
    })
  );
  if (members() !== before) {
    set?.warn(
      "Objects were added, deleted or let go of by a row's listener: the flush is planned already; do so in beforeFlush",
    );
  }
  return (generated) => {
    for (const { object } of generated) {
      hear("refreshFlush", object);
    }
    told.forEach((objects, i) => {
      for (const object of objects) hear(`after${kinds[i]}`, object);
    });
  };
};

/**
 * Calls those who listen to an object, its class, or a class above, bases
 * first; then, of what happens to an object in a session, those who listen to
 * the session.
 */
function hear(
  event: string,
  subject: object,
  ...details: unknown[]
): unknown {
  if (event === "afterCommit" || event === "afterRollback") {
    // Until the step is over: what is loaded in the same tick is asked for later.
    (subject as Session)["~core"].unit.busy = event;
  }
  const given = tell(event, subject, details);
  const last = details.at(-1);
  if (typeof last === "object" && last !== null && "owner" in last) {
    tell(event, last.owner as object, [subject]);
  }
  return given;
}

function tell(event: string, subject: object, details: unknown[]): unknown {
  const targets: object[] = [subject];
  for (
    let at: unknown = subject.constructor;
    typeof at === "function" && at !== Function.prototype;
    at = Object.getPrototypeOf(at)
  ) targets.push(at);
  let last = details.at(-1);
  for (const target of targets.reverse()) {
    for (const listener of [...listeners.get(target)?.get(event) ?? []]) {
      const given = listener(subject, ...details.slice(0, -1), last);
      if (given !== undefined) last = given;
    }
  }
  return last;
}

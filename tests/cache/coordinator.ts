import { DatabaseSync } from "node:sqlite";
import {
  CacheCoordinator,
  type DurableObjectNamespaceLike,
} from "../../backends/durable_object.ts";

/** A namespace whose objects live in this process, on SQLite in memory. */
export function localCoordinator(): DurableObjectNamespaceLike & {
  /** How many requests came. */
  requests: number;
} {
  const objects = new Map<string, CacheCoordinator>();
  const namespace = {
    requests: 0,
    getByName(name: string) {
      const object = objects.get(name) ?? new CacheCoordinator(state());
      objects.set(name, object);
      return {
        fetch(url: string, init: RequestInit) {
          namespace.requests++;
          // A body that goes on while the answer has come already.
          const full = { ...init, duplex: "half" };
          return object.fetch(new Request(url, full));
        },
      };
    },
  };
  return namespace;
}

function state() {
  const database = new DatabaseSync(":memory:");
  let alarm: number | null = null;
  return {
    waitUntil() {},
    storage: {
      sql: {
        exec(query: string, ...bindings: (string | number | null)[]) {
          const rows = database.prepare(query).all(...bindings);
          return { toArray: () => rows as Record<string, unknown>[] };
        },
      },
      getAlarm: () => Promise.resolve(alarm),
      setAlarm(time: number) {
        alarm = time;
        return Promise.resolve();
      },
    },
  };
}

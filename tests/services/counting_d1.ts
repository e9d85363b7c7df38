/**
 * Counts the network trips of a D1 binding.
 *
 * @module
 */

/** What went over the wire. */
export interface D1Trips {
  /** Trips so far: each of `batch`, `all`, `run`, `raw`, `first`, `exec` is one. */
  readonly trips: number;
  /** The SQL of each trip, in order; a batch gives several texts. */
  readonly log: readonly (readonly string[])[];
  /** The trips that wait for an answer at this moment. */
  readonly pending: number;
  /** Forgets all of it. */
  reset(): void;
}

/** The part of a binding that is counted. */
export interface CountableD1 {
  /** Makes a statement. */
  prepare(sql: string): unknown;
  /** Sends several. */
  // deno-lint-ignore no-explicit-any -- bindings differ in how they type rows
  batch(statements: any[]): Promise<unknown>;
}

const SENDING: ReadonlySet<PropertyKey> = new Set([
  "all",
  "run",
  "raw",
  "first",
  "exec",
]);

/**
 * Wraps a D1 binding: same methods, and every trip is counted.
 *
 * A trip is counted when it is sent, so one that fails counts too. Works for the
 * binding inside a Worker and for the one of `startWorkerd` alike.
 */
export function countingD1<Db extends CountableD1>(
  db: Db,
): { readonly db: Db } & D1Trips {
  let log: string[][] = [];
  let pending = 0;
  const sqlOf = new WeakMap<object, { real: object; sql: string }>();

  const send = async (texts: string[], trip: () => unknown) => {
    log.push(texts);
    pending++;
    try {
      return await trip();
    } finally {
      pending--;
    }
  };

  const statement = (real: object, sql: string): object => {
    const wrapped = proxy(real, (name, method) => {
      if (name === "bind") {
        return (...values: unknown[]) =>
          statement(method(...values) as object, sql);
      }
      if (!SENDING.has(name)) return method;
      return (...args: unknown[]) => send([sql], () => method(...args));
    });
    sqlOf.set(wrapped, { real, sql });
    return wrapped;
  };

  const database = (real: object): object =>
    proxy(real, (name, method) => {
      if (name === "prepare") {
        return (sql: unknown) =>
          statement(method(sql) as object, sql as string);
      }
      if (name === "withSession") {
        return (...args: unknown[]) => database(method(...args) as object);
      }
      if (name === "exec") {
        return (sql: unknown) => send([sql as string], () => method(sql));
      }
      if (name !== "batch") return method;
      return (statements: unknown) => {
        const own = (statements as object[]).map((one) =>
          sqlOf.get(one) ?? { real: one, sql: "" }
        );
        return send(
          own.map((one) => one.sql),
          () => method(own.map((one) => one.real)),
        );
      };
    });

  return {
    db: database(db) as Db,
    get trips() {
      return log.length;
    },
    get log() {
      return log;
    },
    get pending() {
      return pending;
    },
    reset() {
      log = [];
    },
  };
}

type Method = (...args: unknown[]) => unknown;

/** Hands each method, bound to the real object, to `wrap`. */
function proxy(
  real: object,
  wrap: (name: PropertyKey, method: Method) => Method,
): object {
  // An empty target: the real one may be a proxy itself, with fixed properties.
  return new Proxy({}, {
    get(_, name) {
      const value: unknown = Reflect.get(real, name, real);
      if (typeof value !== "function") return value;
      return wrap(name, (...args) => Reflect.apply(value, real, args));
    },
  });
}

import { sqlite } from "../../backends/sqlite.ts";
import { Session, type SessionOptions } from "../../orm/mod.ts";
import {
  createAll,
  createEngine,
  type Engine,
  type TableSet,
} from "../../sql/mod.ts";

/** A SQLite database in memory with the tables of a set, and what was sent to it. */
export interface Memory extends AsyncDisposable {
  readonly engine: Engine;
  /** The SQL of each trip since the last `reset()`. */
  readonly sent: string[][];
  /** The statements of all those trips. */
  readonly statements: string[];
  reset(): void;
  session(options?: SessionOptions): Session;
}

/** Opens a database in memory and creates the tables. */
export async function memory(metadata: TableSet): Promise<Memory> {
  const sent: string[][] = [];
  const engine = createEngine(sqlite(":memory:"), {
    trace: (event) => sent.push([...event.sql]),
  });
  await createAll(metadata, engine);
  sent.length = 0;
  return {
    engine,
    sent,
    get statements() {
      return sent.flat();
    },
    reset: () => void (sent.length = 0),
    session: (options = {}) => new Session({ bind: engine, ...options }),
    [Symbol.asyncDispose]: () => engine.close(),
  };
}

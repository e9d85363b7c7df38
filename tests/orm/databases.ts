import { PGlite } from "@electric-sql/pglite";
import { d1 } from "../../backends/d1.ts";
import { neon } from "../../backends/neon.ts";
import { pglite } from "../../backends/pglite.ts";
import { sqlite } from "../../backends/sqlite.ts";
import {
  createEngine,
  type Engine,
  type EngineOptions,
  type MetaData,
  Raw,
  sql,
} from "../../sql/mod.ts";
import {
  countingD1,
  startNeonServer,
  startPostgres,
  startWorkerd,
  type Workerd,
} from "../services/mod.ts";

/** A database of a test's own, and how many network trips it saw. */
export interface TestDatabase extends AsyncDisposable {
  /** What the test is named after. */
  readonly name: string;
  /** How it is reached. */
  readonly engine: Engine;
  /** A second way to the same database, as another request has it. */
  other(options?: EngineOptions): Engine;
  /** Trips since the last `reset()`. */
  readonly trips: number;
  /** The SQL of each trip. */
  readonly log: readonly (readonly string[])[];
  /** Counts from 0 again. */
  reset(): void;
}

/** `node:sqlite` in memory. */
export function sqliteDatabase(options: EngineOptions = {}): TestDatabase {
  const log: string[][] = [];
  const driver = sqlite(":memory:");
  const other = (more: EngineOptions = {}) =>
    createEngine(driver, {
      ...options,
      ...more,
      trace: (event) => {
        log.push([...event.sql]);
        more.trace?.(event);
      },
    });
  const engine = other();
  return {
    name: "sqlite",
    engine,
    other,
    log,
    get trips() {
      return log.length;
    },
    reset: () => void (log.length = 0),
    [Symbol.asyncDispose]: () => engine.close(),
  };
}

/** A D1 database on workerd; it must be empty. */
export function d1Database(workerd: Workerd, binding: string): TestDatabase {
  const counted = countingD1(workerd.d1(binding));
  const other = (options: EngineOptions = {}) =>
    createEngine(d1(counted.db), options);
  return {
    name: "D1",
    engine: other(),
    other,
    get trips() {
      return counted.trips;
    },
    get log() {
      return counted.log;
    },
    reset: () => counted.reset(),
    [Symbol.asyncDispose]: () => workerd.emptyD1(binding),
  };
}

/** Postgres in process. */
export function pgliteDatabase(): TestDatabase {
  const log: string[][] = [];
  const client = new PGlite();
  const other = (options: EngineOptions = {}) =>
    createEngine(pglite(client), {
      ...options,
      trace: (event) => {
        log.push([...event.sql]);
        options.trace?.(event);
      },
    });
  const engine = other();
  return {
    name: "PGlite",
    engine,
    other,
    log,
    get trips() {
      return log.length;
    },
    reset: () => void (log.length = 0),
    [Symbol.asyncDispose]: () => engine.close(),
  };
}

/** A Postgres behind Neon's protocol: every HTTP request is a trip. */
export async function neonDatabase(
  kind: "pglite" | "server" = "pglite",
): Promise<TestDatabase> {
  const postgres = await startPostgres({ kind });
  const server = startNeonServer(postgres);
  const log: string[][] = [];
  const other = (options: EngineOptions = {}) =>
    createEngine(
      neon(server.connectionString(), { endpoint: server.endpoint }),
      {
        ...options,
        trace: (event) => {
          log.push([...event.sql]);
          options.trace?.(event);
        },
      },
    );
  return {
    name: "Neon",
    engine: other(),
    other,
    log,
    get trips() {
      return server.requests;
    },
    reset: () => {
      server.reset();
      log.length = 0;
    },
    async [Symbol.asyncDispose]() {
      await server.dispose();
      await postgres[Symbol.asyncDispose]();
    },
  };
}

/** A workerd with a D1 database for each of some bindings. */
export function workerdWith(...d1Bindings: string[]): Promise<Workerd> {
  return startWorkerd({ d1: d1Bindings });
}

/** Creates a set of tables and starts counting after it. */
export async function created(
  database: TestDatabase,
  metadata: MetaData,
): Promise<TestDatabase> {
  await metadata.createAll(database.engine);
  database.reset();
  return database;
}

/**
 * A Postgres that all tests of a file share, since it takes long to start: with
 * its tables emptied, for one test, which does not close it.
 */
export async function emptied(
  postgres: TestDatabase,
  metadata: MetaData,
): Promise<TestDatabase> {
  const names = [...metadata.tables.values()].map(({ name }) => `"${name}"`);
  await postgres.engine.execute(
    sql`TRUNCATE ${new Raw(`${names}`)} RESTART IDENTITY CASCADE`,
  );
  postgres.reset();
  return Object.create(postgres, {
    [Symbol.asyncDispose]: { value: async () => {} },
  });
}

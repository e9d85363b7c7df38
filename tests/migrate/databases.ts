/** Databases for the tests of this folder, and a look into them. */
import { d1 } from "../../backends/d1.ts";
import { neon } from "../../backends/neon.ts";
import { sqlite } from "../../backends/sqlite.ts";
import { createEngine, type Engine } from "../../sql/mod.ts";
import {
  type NeonServer,
  type Postgres,
  startNeonServer,
  startPostgres,
  startWorkerd,
  type Workerd,
} from "../services/mod.ts";

export function memoryEngine(name = "default"): Engine {
  return createEngine(sqlite(":memory:"), { name });
}

/** Real D1 in workerd, a fresh database for each name. */
export interface D1Databases extends AsyncDisposable {
  readonly workerd: Workerd;
  engine(name: string, onTrip?: (sql: readonly string[]) => void): Engine;
}

export async function startD1(...names: string[]): Promise<D1Databases> {
  const workerd = await startWorkerd({ d1: names });
  return {
    workerd,
    engine: (name, onTrip) =>
      createEngine(d1(workerd.d1(name)), {
        name,
        ...(onTrip ? { trace: (event) => onTrip(event.sql) } : {}),
      }),
    [Symbol.asyncDispose]: () => workerd.dispose(),
  };
}

/** Real Postgres behind Neon's protocol, a fresh database for each name. */
export interface NeonDatabases extends AsyncDisposable {
  readonly postgres: Postgres;
  readonly server: NeonServer;
  engine(name: string): Promise<Engine>;
}

export async function startNeon(
  kind: "pglite" | "server" = "pglite",
  connections = 8,
): Promise<NeonDatabases> {
  const postgres = await startPostgres({ kind, connections });
  const server = startNeonServer(postgres);
  return {
    postgres,
    server,
    async engine(name) {
      await postgres.createDatabase(name);
      return createEngine(
        neon(server.connectionString(name), { endpoint: server.endpoint }),
        { name },
      );
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await postgres.dispose();
    },
  };
}

/** The rows of a query, each as an array. */
export async function rowsOf(
  engine: Engine,
  sql: string,
): Promise<readonly (readonly unknown[])[]> {
  return (await engine.send({ sql, params: [] })).rows;
}

/** Every table, index, view and trigger, with its text. */
export async function schemaOf(engine: Engine): Promise<string[]> {
  const rows = await rowsOf(
    engine,
    "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' ORDER BY name",
  );
  return rows.map(([sql]) => String(sql));
}

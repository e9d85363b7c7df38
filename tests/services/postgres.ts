/**
 * A real Postgres of a test's own: PGlite in this process, or a PostgreSQL
 * server where a test needs several connections at once.
 *
 * Both are spoken to in Postgres's own protocol, so columns, command tags and
 * errors are what the server says.
 *
 * @module
 */
import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import {
  type Availability,
  findProgram,
  startChildServer,
} from "./child_server.ts";
import { PgliteStream } from "./pglite_stream.ts";

/** Which Postgres, and how. */
export interface PostgresOptions {
  /**
   * `"pglite"` has one connection and needs nothing installed; `"server"` has
   * several and needs PostgreSQL's programs.
   * @default {"pglite"}
   */
  readonly kind?: "pglite" | "server";
  /**
   * Connections to each database; of PGlite always 1.
   * @default {4}
   */
  readonly connections?: number;
  /**
   * A TCP port on 127.0.0.1 besides the socket, for a server.
   * @default {undefined} no port at all
   */
  readonly port?: number;
}

/** The answer to one statement, every value as text. */
export interface PostgresResult {
  /** The first word of the command tag. */
  readonly command: string;
  /** The count of the command tag, if it has one. */
  readonly rowCount: number | null;
  /** The columns. */
  readonly fields: readonly PostgresField[];
  /** The values, column by column. */
  readonly rows: (string | null)[][];
}

/** One column as the server describes it. */
export interface PostgresField {
  /** Its name. */
  readonly name: string;
  /** The type's OID. */
  readonly dataTypeID: number;
  /** The table's OID, or 0. */
  readonly tableID: number;
  /** Its number in that table, or 0. */
  readonly columnID: number;
  /** Bytes of the type; negative if they vary. */
  readonly dataTypeSize: number;
  /** The type's modifier, or -1. */
  readonly dataTypeModifier: number;
  /** How values are written. */
  readonly format: string;
}

/** Sends one statement; parameters are text, as Postgres writes the type. */
export type PostgresQuery = (
  sql: string,
  parameters?: readonly (string | null)[],
) => Promise<PostgresResult>;

/** A running Postgres. */
export interface Postgres extends AsyncDisposable {
  /** Which one it is. */
  readonly kind: "pglite" | "server";
  /** How many connections a database has; more callers wait. */
  readonly connections: number;
  /** The directory of its socket `.s.PGSQL.5432`; a server only. */
  readonly socketDirectory?: string;
  /** Makes a database beside the first, `postgres`. */
  createDatabase(name: string): Promise<void>;
  /**
   * Gives `work` a connection of its own; afterwards what it left open is
   * rolled back and what it set is forgotten.
   *
   * @throws {Error} With SQLSTATE `code` 3D000 if there is no such database.
   */
  withConnection<T>(
    database: string,
    work: (query: PostgresQuery) => Promise<T>,
  ): Promise<T>;
  /** Ends it. Calling it again does nothing. */
  dispose(): Promise<void>;
}

/** Whether PostgreSQL's server programs are on this machine. */
export async function postgresServerAvailable(): Promise<Availability> {
  const path = await findProgram("initdb", await programDirectories());
  if (path === undefined) {
    return {
      ok: false,
      reason: "Cannot run a PostgreSQL server: initdb is neither on the PATH " +
        "nor in /usr/lib/postgresql; install postgresql",
    };
  }
  return { ok: true, path };
}

/**
 * Starts a Postgres with one empty database, `postgres`.
 *
 * @throws {Error} If a server is asked for and cannot be had.
 */
export async function startPostgres(
  options: PostgresOptions = {},
): Promise<Postgres> {
  return (options.kind ?? "pglite") === "pglite"
    ? await startPglite()
    : await startServer(options);
}

async function startPglite(): Promise<Postgres> {
  const instances: PGlite[] = [];
  const pools = new Pools(async () => {
    const instance = new PGlite();
    instances.push(instance);
    await instance.waitReady;
    const stream = new PgliteStream(instance);
    return [await connect({ stream: () => stream })];
  });
  await pools.create("postgres");
  return instance(pools, { kind: "pglite", connections: 1 }, async () => {
    for (const one of instances) await one.close();
  });
}

async function startServer(options: PostgresOptions): Promise<Postgres> {
  const connections = options.connections ?? 4;
  const found = await postgresServerAvailable();
  if (!found.ok) throw new Error(found.reason);
  const directory = await Deno.makeTempDir({ prefix: "aludel-postgres-" });
  const user = await ownUser();
  try {
    if (user) await Deno.chown(directory, user.uid, user.gid);
    await initialize(found.path, directory, user);
  } catch (error) {
    await Deno.remove(directory, { recursive: true });
    throw error;
  }
  const programs = await Deno.realPath(found.path);
  const listening = options.port === undefined ? "" : "127.0.0.1";
  const server = await startChildServer({
    command: [
      programs.replace(/initdb$/, "postgres"),
      ...["-D", `${directory}/data`, "-k", directory, "-F"],
      ...["-p", String(options.port ?? 5432)],
      ...settings({
        listen_addresses: listening,
        synchronous_commit: "off",
        full_page_writes: "off",
        autovacuum: "off",
        shared_buffers: "16MB",
        max_prepared_transactions: "8",
        timezone: "UTC",
      }),
    ],
    directory,
    signal: "QUIT",
    ...(user === undefined ? {} : { user }),
    async probe() {
      const client = await connect(address("postgres"));
      await client.end();
    },
  });
  const pools = new Pools(async (database) => {
    if (database !== "postgres") {
      const client = await connect(address("postgres"));
      await client.query(`CREATE DATABASE ${pg.escapeIdentifier(database)}`)
        .finally(() => client.end());
    }
    const opening = Array.from(
      { length: connections },
      () => connect(address(database)),
    );
    return await Promise.all(opening);
  });
  try {
    await pools.create("postgres");
  } catch (error) {
    await server.dispose();
    throw error;
  }
  return instance(
    pools,
    { kind: "server", connections, socketDirectory: directory },
    server.dispose,
  );

  function address(database: string): object {
    const port = options.port ?? 5432;
    return { host: directory, port, user: "postgres", database };
  }
}

async function initialize(
  initdb: string,
  directory: string,
  user: { uid: number; gid: number } | undefined,
): Promise<void> {
  const { success, stderr } = await new Deno.Command(initdb, {
    args: [
      ...["-D", `${directory}/data`, "-U", "postgres", "-A", "trust"],
      ...["-E", "UTF8", "--locale=C", "--no-sync"],
    ],
    cwd: directory,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    ...user,
  }).output();
  if (success) return;
  const said = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
  throw new Error(`Cannot start PostgreSQL: initdb says: ${said}`);
}

/** PostgreSQL refuses to run as root: then it runs as `postgres` or `nobody`. */
async function ownUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (Deno.uid() !== 0) return undefined;
  const users = (await Deno.readTextFile("/etc/passwd")).split("\n")
    .map((line) => line.split(":"));
  for (const name of ["postgres", "nobody"]) {
    const found = users.find((user) => user[0] === name);
    if (found) return { uid: Number(found[2]), gid: Number(found[3]) };
  }
  throw new Error(
    'Cannot start PostgreSQL as root: there is no user "postgres" or ' +
      '"nobody"; add one or run as another user',
  );
}

async function programDirectories(): Promise<string[]> {
  const root = "/usr/lib/postgresql";
  const versions: string[] = [];
  try {
    for await (const { name } of Deno.readDir(root)) versions.push(name);
  } catch {
    // No Debian packages of PostgreSQL.
  }
  return versions.sort((a, b) => Number(b) - Number(a))
    .map((version) => `${root}/${version}/bin`);
}

function settings(values: Record<string, string>): string[] {
  return Object.entries(values).flatMap(([name, value]) => [
    "-c",
    `${name}=${value}`,
  ]);
}

/** The part of `pg.Client` used here; the package brings no types. */
interface Client {
  connect(): Promise<void>;
  end(): Promise<void>;
  getTransactionStatus(): string | null;
  query(query: string | object): Promise<PostgresResult>;
  on(event: "error", handle: (error: Error) => void): void;
}

async function connect(config: object): Promise<Client> {
  const client: Client = new pg.Client(config);
  // The server may leave before we do: what waits is rejected, no more.
  client.on("error", () => {});
  await client.connect();
  return client;
}

function instance(
  pools: Pools,
  facts: Pick<Postgres, "kind" | "connections" | "socketDirectory">,
  end: () => Promise<void>,
): Postgres {
  let ended: Promise<void> | undefined;
  const dispose = () => ended ??= pools.end().then(end);
  return {
    ...facts,
    createDatabase: (name) => pools.create(name),
    async withConnection(database, work) {
      const pool = pools.get(database);
      const client = await pool.take();
      try {
        return await work((sql, parameters = []) =>
          client.query({
            text: sql,
            values: [...parameters],
            queryMode: "extended",
            rowMode: "array",
            types: { getTypeParser: () => (value: unknown) => value },
          })
        );
      } finally {
        await tidy(client);
        pool.give(client);
      }
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

async function tidy(client: Client): Promise<void> {
  if (client.getTransactionStatus() !== "I") await client.query("ROLLBACK");
  await client.query("DISCARD ALL");
}

/** The connections of one database, each with one caller at a time. */
class Pool {
  readonly #free: Client[];
  readonly #all: readonly Client[];
  readonly #waiting: ((client: Client) => void)[] = [];

  constructor(clients: Client[]) {
    this.#all = clients;
    this.#free = [...clients];
  }

  async take(): Promise<Client> {
    const client = this.#free.pop();
    if (client) return client;
    return await new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(client: Client): void {
    const next = this.#waiting.shift();
    if (next) next(client);
    else this.#free.push(client);
  }

  async end(): Promise<void> {
    await Promise.all(this.#all.map((client) => client.end()));
  }
}

/** The pools by database; `open` makes a database and connects to it. */
class Pools {
  readonly #pools = new Map<string, Pool>();
  readonly #open: (database: string) => Promise<Client[]>;

  constructor(open: (database: string) => Promise<Client[]>) {
    this.#open = open;
  }

  async create(database: string): Promise<void> {
    this.#pools.set(database, new Pool(await this.#open(database)));
  }

  get(database: string): Pool {
    const pool = this.#pools.get(database);
    if (pool) return pool;
    const message = `database "${database}" does not exist`;
    throw Object.assign(new Error(message), {
      code: "3D000",
      severity: "FATAL",
    });
  }

  async end(): Promise<void> {
    for (const pool of this.#pools.values()) await pool.end();
  }
}

import { createEngine, type Engine } from "../../sql/mod.ts";
import type { EngineTarget } from "../define.ts";
import { endpointDriver } from "../endpoint.ts";
import { MigrateError } from "../errors.ts";
import { absolute, exists } from "./script_directory.ts";

/** Where a command should go instead of where `env.ts` says. */
export interface TargetFlags extends EngineTarget {
  /** The file with the D1 bindings. @default {"wrangler.jsonc"}, or its kin */
  readonly wranglerConfig?: string;
}

/** Opens the database that the flags name, if they name one. */
export async function openTarget(
  flags: TargetFlags,
  name: string,
): Promise<Engine | undefined> {
  const named =
    (["local", "remote", "endpoint", "url", "sqlite", "pglite"] as const)
      .filter((flag) => flags[flag] !== undefined);
  if (named.length > 1) {
    throw new MigrateError(
      "one-target",
      `Cannot go to ${
        named.map((flag) => `--${flag}`).join(" and ")
      } at once; give one`,
    );
  }
  const options = { name };
  switch (named[0]) {
    case undefined:
      return undefined;
    case "local":
      return await openLocalD1(flags, options);
    case "remote":
      return await openRemoteD1(flags, options);
    case "endpoint": {
      const { d1 } = await import("@aludel/aludel/backends/d1");
      // Only what the driver says of D1 is used: nothing is sent by it.
      const like = d1({ prepare: unreachable, batch: unreachable });
      const token = secret("MIGRATE_TOKEN", "the token of the endpoint");
      return createEngine(
        endpointDriver(flags.endpoint!, like, { token }),
        options,
      );
    }
    case "url": {
      const { neon } = await import("@aludel/aludel/backends/neon");
      const endpoint = Deno.env.get("NEON_ENDPOINT");
      return createEngine(
        neon(flags.url!, endpoint === undefined ? {} : { endpoint }),
        options,
      );
    }
    case "sqlite": {
      const { sqlite } = await import("@aludel/aludel/backends/sqlite");
      const file = flags.sqlite!;
      // A database in memory is no file.
      const path = file === ":memory:" ? file : absolute(file);
      try {
        return createEngine(sqlite(path), options);
      } catch (cause) {
        throw new MigrateError(
          "no-database",
          `Cannot open SQLite file '${file}': ${
            (cause as Error).message
          }; its directory must be there and writable`,
          { cause },
        );
      }
    }
    case "pglite": {
      const { PGlite } = await import("@electric-sql/pglite");
      const { pglite } = await import("@aludel/aludel/backends/pglite");
      return createEngine(
        pglite(new PGlite(absolute(flags.pglite!))),
        options,
      );
    }
  }
}

/** One D1 binding of a Worker's configuration. */
interface D1Binding {
  readonly binding: string;
  readonly "database_id"?: string;
  readonly "preview_database_id"?: string;
}

async function readBinding(
  flags: TargetFlags,
  wanted: string | true,
): Promise<{ readonly d1: D1Binding; readonly directory: string }> {
  const file = flags.wranglerConfig ??
    ["wrangler.jsonc", "wrangler.json", "wrangler.toml"].find(exists);
  if (file === undefined || !exists(file)) {
    throw new MigrateError(
      "no-wrangler",
      `Cannot find ${
        file ?? "wrangler.jsonc"
      }: it names the D1 databases; say where with --wrangler-config`,
    );
  }
  const { unstable_readConfig: readConfig } = await import("wrangler");
  const path = absolute(file);
  const config = readConfig({ config: path }, { hideWarnings: true });
  const known = config.d1_databases as readonly D1Binding[];
  const found = wanted === true && known.length === 1
    ? known[0]
    : known.find(({ binding }) => binding === wanted);
  if (!found) {
    throw new MigrateError(
      "no-binding",
      `Cannot find the D1 binding${
        wanted === true ? "" : ` '${wanted}'`
      }: '${file}' has ${
        known.map(({ binding }) => `'${binding}'`).join(", ") || "none"
      }; name one of these`,
    );
  }
  return { d1: found, directory: path.slice(0, path.lastIndexOf("/")) };
}

/** The database files that `wrangler dev` keeps, through the same runtime. */
async function openLocalD1(
  flags: TargetFlags,
  options: { readonly name: string },
): Promise<Engine> {
  const { d1: found, directory } = await readBinding(flags, flags.local!);
  const { Miniflare } = await import("miniflare");
  const { d1 } = await import("@aludel/aludel/backends/d1");
  const { binding } = found;
  const miniflare = new Miniflare({
    modules: true,
    script: "export default {}",
    d1Databases: {
      [binding]: found.preview_database_id ?? found.database_id ?? binding,
    },
    d1Persist: `${directory}/.wrangler/state/v3/d1`,
  });
  const database = await miniflare.getD1Database(binding);
  const driver = d1(database as unknown as Parameters<typeof d1>[0]);
  return createEngine(
    { ...driver, close: () => miniflare.dispose() },
    options,
  );
}

/** D1 at Cloudflare, once its batches have been seen to be all or nothing. */
async function openRemoteD1(
  flags: TargetFlags,
  options: { readonly name: string },
): Promise<Engine> {
  const { d1: found } = await readBinding(flags, flags.remote!);
  const { d1Http } = await import("@aludel/aludel/backends/d1-http");
  const endpoint = Deno.env.get("CLOUDFLARE_API_BASE_URL");
  const engine = createEngine(
    d1Http({
      accountId: secret("CLOUDFLARE_ACCOUNT_ID", "the account"),
      databaseId: found.database_id ?? "",
      token: secret("CLOUDFLARE_API_TOKEN", "a token that may edit D1"),
      ...(endpoint === undefined ? {} : { endpoint }),
    }),
    options,
  );
  await expectAtomicBatch(engine);
  return engine;
}

/**
 * Sends a batch that must fail, and looks whether its first statement stayed.
 *
 * @throws {MigrateError} If it did: a failing revision would be half done.
 */
export async function expectAtomicBatch(engine: Engine): Promise<void> {
  const name = `_aludel_probe_${crypto.randomUUID().slice(0, 8)}`;
  const plain = (sql: string) => ({ sql, params: [] });
  let hasFailed = false;
  try {
    await engine.sendBatch([
      plain(`CREATE TABLE ${name} (id INTEGER)`),
      plain("SELECT json_extract('{}', 'aludel_probe')"),
    ]);
  } catch {
    hasFailed = true;
  }
  const { rows } = await engine.send(
    plain(`SELECT 1 FROM sqlite_master WHERE name = '${name}'`),
  );
  if (hasFailed && rows.length === 0) return;
  await engine.send(plain(`DROP TABLE IF EXISTS ${name}`));
  throw new MigrateError(
    "not-atomic",
    `Cannot migrate engine '${engine.name}' this way: its batches are not all or nothing; use --endpoint with the application's own Worker`,
  );
}

function unreachable(): never {
  throw new MigrateError("unreachable", "Cannot reach D1 here");
}

function secret(variable: string, what: string): string {
  const value = Deno.env.get(variable);
  if (value) return value;
  throw new MigrateError(
    "no-secret",
    `Cannot reach the database: ${variable} is not set; it holds ${what}`,
  );
}

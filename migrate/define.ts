import type { Engine } from "../sql/mod.ts";
import type { MigratorOptions } from "./migrator_options.ts";

/** A database by where it is, for the command line. One of the fields. */
export interface EngineTarget {
  /** The D1 of `wrangler dev`: a binding's name, or `true` for the only one. */
  readonly local?: string | true;
  /** The D1 at Cloudflare: a binding's name, or `true` for the only one. */
  readonly remote?: string | true;
  /** A migration endpoint of the application's own Worker. */
  readonly endpoint?: string;
  /** A Neon connection string. */
  readonly url?: string;
  /** A SQLite file. */
  readonly sqlite?: string;
  /** A directory of PGlite. */
  readonly pglite?: string;
}

/** Opens a database when a command needs it, or says where it is. */
export type EngineSource = (() => Engine | Promise<Engine>) | EngineTarget;

/** What `migrations/env.ts` says: typed settings, no script. */
export interface MigrationsConfig extends
  Omit<
    Partial<MigratorOptions>,
    "engine" | "revisions" | "onProgress" | "x" | "allowEdited"
  > {
  /** The databases by name; each is opened only when it is used. */
  readonly engines: Readonly<Record<string, EngineSource>>;
  /**
   * Directories with revision files, relative to `env.ts`.
   *
   * @default {["."]}
   */
  readonly versionLocations?: readonly string[];
  /** Whether directories within them are searched too. @default {false} */
  readonly recursiveVersionLocations?: boolean;
  /**
   * How a new file is named: `{rev}`, `{slug}`, `{epoch}`, `{year}`, `{month}`,
   * `{day}`, `{hour}`, `{minute}`, `{second}`; slashes make directories.
   *
   * @default {"{rev}_{slug}"}
   */
  readonly fileTemplate?: string;
  /** How long a slug may be. @default {40} */
  readonly truncateSlugLength?: number;
  /** The time zone of dates in files and names. @default {"UTC"} */
  readonly timezone?: string;
  /**
   * Several databases of one shape: their names, and how each is opened. A
   * command with `--tenants` goes through them all.
   */
  readonly tenants?: {
    /** The tenants' names. */
    readonly names: () => Iterable<string> | Promise<Iterable<string>>;
    /** Opens one. */
    readonly open: (name: string) => Engine | Promise<Engine>;
  };
}

/**
 * Declares the settings of a directory of migrations.
 *
 * @example
 * ```ts
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { defineMigrations } from "@aludel/aludel/migrate";
 * import { createEngine } from "@aludel/aludel/sql";
 * import { deepEqual } from "node:assert/strict";
 *
 * const config = defineMigrations({
 *   engines: { default: () => createEngine(sqlite("app.db")) },
 * });
 * deepEqual(Object.keys(config.engines), ["default"]);
 * ```
 */
export function defineMigrations<C extends MigrationsConfig>(config: C): C {
  return config;
}

import type { Engine } from "../../sql/mod.ts";
import type { MigrationsConfig } from "../define.ts";
import { MigrateError } from "../errors.ts";
import { createMigrator, type Migrator } from "../migrator.ts";
import type { MigrationEvent } from "../migrator_options.ts";
import type { Step } from "../planner/plan.ts";
import type { Terminal } from "./output.ts";
import {
  readScriptDirectory,
  type ScriptDirectory,
} from "./script_directory.ts";
import { openTarget, type TargetFlags } from "./targets.ts";

/** The flags that every command has. */
export interface GlobalFlags extends TargetFlags {
  /** The directory of migrations. */
  readonly dir: string;
  /** One of several engines. */
  readonly name?: string;
  /** The user's own switches. */
  readonly x?: readonly string[];
  /** Every tenant instead of the engines. */
  readonly tenants?: boolean;
  /** Whether edited revisions are let through. */
  readonly allowEdited?: boolean;
}

/** What a command works with. */
export interface Environment {
  /** The flags. */
  readonly flags: GlobalFlags;
  /** Where it talks to. */
  readonly terminal: Terminal;
}

/** Reads the directory and repeats what was odd about it. */
export async function scriptsOf(
  { flags, terminal }: Environment,
): Promise<ScriptDirectory> {
  const scripts = await readScriptDirectory(flags.dir);
  for (const warning of scripts.warnings) terminal.err(`warning: ${warning}`);
  return scripts;
}

/** `-x a=1 -x b` as `{ a: "1", b: "" }`. */
export function readSwitches(
  given: readonly string[] = [],
): Record<string, string> {
  return Object.fromEntries(given.map((each) => {
    const at = each.indexOf("=");
    return at < 0 ? [each, ""] : [each.slice(0, at), each.slice(at + 1)];
  }));
}

/** The names of the databases that a command goes to. */
export async function databaseNames(
  { flags }: Environment,
  { config }: ScriptDirectory,
): Promise<string[]> {
  if (flags.tenants) {
    if (config.tenants) return [...await config.tenants.names()];
    throw new MigrateError(
      "no-tenants",
      "Cannot go through the tenants: env.ts does not say who they are; give tenants: { names, open }",
    );
  }
  if (flags.name !== undefined) {
    if (Object.hasOwn(config.engines, flags.name)) return [flags.name];
    throw new MigrateError(
      "no-engine",
      `Cannot find engine '${flags.name}': env.ts has ${
        Object.keys(config.engines).map((name) => `'${name}'`).join(", ")
      }`,
    );
  }
  return Object.keys(config.engines);
}

/**
 * Opens one database, does some work with it, and closes it.
 *
 * @param onApplied Is told of each step that is done.
 */
export async function withMigrator<T>(
  environment: Environment,
  scripts: ScriptDirectory,
  name: string,
  work: (migrator: Migrator) => Promise<T>,
  onApplied: (step: Step) => void = () => {},
): Promise<T> {
  const { flags, terminal } = environment;
  const { config, map } = scripts;
  const engine = await open(flags, config, name);
  const progress = terminal.progress();
  try {
    const migrator = createMigrator({
      ...settingsOf(config),
      revisions: map,
      engine,
      x: readSwitches(flags.x),
      appliedBy: config.appliedBy ?? Deno.env.get("USER") ?? "migrate",
      allowEdited: flags.allowEdited ?? false,
      onProgress(event) {
        tell(event, progress);
        if (event.type === "applied") onApplied(event.step);
      },
    });
    return await work(migrator);
  } finally {
    progress.end(name);
    await engine.close();
  }
}

async function open(
  flags: GlobalFlags,
  config: MigrationsConfig,
  name: string,
): Promise<Engine> {
  const target = await openTarget(flags, name);
  if (target) return target;
  if (flags.tenants) return await config.tenants!.open(name);
  const source = config.engines[name]!;
  if (typeof source === "function") return await source();
  const opened = await openTarget(
    { ...source, ...wranglerOf(flags) },
    name,
  );
  if (opened) return opened;
  throw new MigrateError(
    "no-target",
    `Cannot open engine '${name}': env.ts does not say where it is; give a function, or one of local, remote, endpoint, url, sqlite, pglite`,
  );
}

function wranglerOf({ wranglerConfig }: TargetFlags): TargetFlags {
  return wranglerConfig === undefined ? {} : { wranglerConfig };
}

function settingsOf(config: MigrationsConfig) {
  const {
    engines: _engines,
    tenants: _tenants,
    versionLocations: _locations,
    recursiveVersionLocations: _recursive,
    fileTemplate: _template,
    truncateSlugLength: _length,
    timezone: _timezone,
    metadata: _metadata,
    autogenerate: _autogenerate,
    processRevisions: _process,
    revisionEnvironment: _environment,
    postWriteHooks: _hooks,
    ...settings
  } = config;
  return settings;
}

function tell(
  event: MigrationEvent,
  progress: { say(message: string): void },
): void {
  switch (event.type) {
    case "step":
      return progress.say(
        `${event.index}/${event.total} ${event.step.direction} ${event.step.revision}${
          event.step.message ? `, ${event.step.message}` : ""
        }`,
      );
    case "chunk":
      return progress.say(
        `${event.step.revision}: ${event.chunks} chunks of rows`,
      );
    case "outdated":
      return progress.say("another runner was faster; looking again");
  }
}

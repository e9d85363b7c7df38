import { MigrateError } from "../errors.ts";
import type { MigrationsConfig } from "../define.ts";
import type { RevisionDeclaration, RevisionNode } from "../graph/node.ts";
import { createRevisionMap, type RevisionMap } from "../graph/revision_map.ts";
import type { Revision } from "../revision.ts";

/** Files that are no revisions, whatever they hold. */
const ASIDE = new Set(["mod.ts", "env.ts"]);

/** A directory of revision files, read once. */
export interface ScriptDirectory {
  /** The directory that holds `env.ts`, absolute. */
  readonly directory: string;
  /** The settings. */
  readonly config: MigrationsConfig;
  /** The directories with revision files, absolute. */
  readonly locations: readonly string[];
  /** The graph. */
  readonly map: RevisionMap<Revision>;
  /** The file of each revision, absolute. */
  readonly paths: ReadonlyMap<string, string>;
  /** What was odd about the files. */
  readonly warnings: readonly string[];
}

/**
 * Reads the settings and every revision file of a directory.
 *
 * @throws {MigrateError} If there is no `env.ts`, or a file cannot be imported or is no revision.
 */
export async function readScriptDirectory(
  directory: string,
): Promise<ScriptDirectory> {
  const root = absolute(directory);
  const config = await readConfig(root);
  const locations = (config.versionLocations ?? ["."]).map((location) =>
    absolute(location, root)
  );
  const warnings: string[] = [];
  const paths = new Map<string, string>();
  const revisions: Revision[] = [];
  const seen = new Set<string>();
  for (const location of locations) {
    for (
      const path of files(location, config.recursiveVersionLocations ?? false)
    ) {
      const real = Deno.realPathSync(path);
      if (seen.has(real)) {
        warnings.push(`${path} is in two version locations; it is read once`);
        continue;
      }
      seen.add(real);
      const revision = await readRevision(path);
      revisions.push(revision);
      paths.set(revision.revision, path);
    }
  }
  const map = createRevisionMap<Revision>(revisions);
  return { directory: root, config, locations, map, paths, warnings };
}

/** Makes a path absolute, from a directory or the current one. */
export function absolute(path: string, from: string = Deno.cwd()): string {
  const url = new URL(
    path.startsWith("/") ? `file://${encodeURI(path)}` : encodeURI(path),
    `file://${encodeURI(from)}/`,
  );
  return decodeURI(url.pathname).replace(/(.)\/+$/, "$1");
}

/** A path as people write it, from the current directory. */
export function relative(path: string): string {
  const here = `${Deno.cwd()}/`;
  return path.startsWith(here) ? path.slice(here.length) : path;
}

async function readConfig(directory: string): Promise<MigrationsConfig> {
  const path = `${directory}/env.ts`;
  if (!exists(path)) {
    throw new MigrateError(
      "no-environment",
      `Cannot find '${
        relative(path)
      }': there are no migrations here; run 'migrate init', or say where with --dir`,
    );
  }
  const { default: config } = await load(path) as { default?: unknown };
  if (typeof config !== "object" || config === null || !("engines" in config)) {
    throw new MigrateError(
      "no-environment",
      `Cannot use '${
        relative(path)
      }': its default export is not defineMigrations({ engines: … })`,
    );
  }
  return config as MigrationsConfig;
}

async function readRevision(path: string): Promise<Revision> {
  const { default: revision } = await load(path) as { default?: unknown };
  if (
    typeof revision === "object" && revision !== null &&
    "revision" in revision && "downRevision" in revision
  ) return revision as Revision;
  throw new MigrateError(
    "no-revision",
    `Cannot use '${
      relative(path)
    }': its default export is not revision({ … }); mend it or move it away`,
  );
}

/** Imports a file as it is now: a changed file is another module. */
async function load(path: string): Promise<unknown> {
  const { mtime, size } = Deno.statSync(path);
  const version = `${mtime?.getTime() ?? 0}-${size}`;
  try {
    return await import(`file://${encodeURI(path)}?v=${version}`);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MigrateError(
      "not-loaded",
      `Cannot load '${relative(path)}': ${why}`,
      { cause },
    );
  }
}

function files(directory: string, isRecursive: boolean): string[] {
  if (!exists(directory)) {
    throw new MigrateError(
      "no-location",
      `Cannot read '${
        relative(directory)
      }': this version location is not there; make it, or correct versionLocations`,
    );
  }
  const found: string[] = [];
  for (const entry of Deno.readDirSync(directory)) {
    if (/^[._]/.test(entry.name)) continue;
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory && isRecursive) found.push(...files(path, true));
    else if (isRevisionFile(entry)) found.push(path);
  }
  return found.sort();
}

function isRevisionFile({ isFile, isSymlink, name }: Deno.DirEntry): boolean {
  return (isFile || isSymlink) && /\.[tj]s$/.test(name) && !ASIDE.has(name) &&
    !name.endsWith(".d.ts");
}

/** Tells whether something is at a path. */
export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Writes `mod.ts`: every revision as one importable module, for tests and
 * Workers. Sorted, so that two people who merge get the same file.
 *
 * @returns Whether it changed.
 */
export function writeIndex(
  directory: string,
  paths: ReadonlyMap<string, string>,
): boolean {
  const sorted = [...paths].sort(([a], [b]) => a < b ? -1 : 1);
  const from = (path: string) =>
    path.startsWith(`${directory}/`)
      ? `./${path.slice(directory.length + 1)}`
      : `file://${path}`;
  const text = [
    "// Written by `migrate`: every revision, for createMigrator(). After a merge",
    "// of branches write it again with `migrate index`.",
    'import type { Revision } from "@aludel/aludel/migrate";',
    ...sorted.map(([id, path]) => `import r${id} from "${from(path)}";`),
    "",
    "/** Every revision, sorted by id. */",
    sorted.length === 0
      ? "export const revisions: readonly Revision[] = [];"
      : [
        "export const revisions: readonly Revision[] = [",
        ...sorted.map(([id]) => `  r${id},`),
        "];",
      ].join("\n"),
    "",
  ].join("\n");
  const path = `${directory}/mod.ts`;
  if (exists(path) && Deno.readTextFileSync(path) === text) return false;
  Deno.writeTextFileSync(path, text);
  return true;
}

/** The file of a revision, as people write it. */
export function pathOf(
  { paths }: ScriptDirectory,
  node: RevisionNode<RevisionDeclaration>,
): string {
  return relative(paths.get(node.revision) ?? "");
}

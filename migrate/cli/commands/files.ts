import { MigrateError, MultipleHeadsError } from "../../errors.ts";
import { getRevision, getRevisions, ids } from "../../graph/identifiers.ts";
import { isHead, type RevisionNode } from "../../graph/node.ts";
import { iterateRevisions } from "../../graph/paths.ts";
import { addRevisions } from "../../graph/revision_map.ts";
import { squash as squashRevisions } from "../../squash.ts";
import { type Revision, revision as declare } from "../../revision.ts";
import { type Environment, scriptsOf } from "../environment.ts";
import type { CommandResult } from "../output.ts";
import {
  fileNameOf,
  newRevisionId,
  revisionFileText,
} from "../revision_file.ts";
import {
  absolute,
  exists,
  pathOf,
  readScriptDirectory,
  relative,
  type ScriptDirectory,
  writeIndex,
} from "../script_directory.ts";
import { TEMPLATES } from "../templates.ts";

/** Makes a directory of migrations. */
export async function init(
  { flags }: Environment,
  options: { readonly template?: string },
): Promise<CommandResult> {
  const { template = "sqlite" } = options;
  const text = Object.hasOwn(TEMPLATES, template)
    ? TEMPLATES[template]
    : undefined;
  if (text === undefined) {
    throw new MigrateError(
      "no-template",
      `Cannot find template '${template}': there are ${
        Object.keys(TEMPLATES).map((name) => `'${name}'`).join(", ")
      }`,
    );
  }
  const directory = absolute(flags.dir);
  if (exists(directory) && [...Deno.readDirSync(directory)].length > 0) {
    throw new MigrateError(
      "not-empty",
      `Cannot make migrations in '${
        relative(directory)
      }': it is not empty; name another directory with --dir`,
    );
  }
  Deno.mkdirSync(directory, { recursive: true });
  Deno.writeTextFileSync(`${directory}/env.ts`, text);
  writeIndex(directory, new Map());
  const files = ["env.ts", "mod.ts"].map((name) =>
    relative(`${directory}/${name}`)
  );
  return await Promise.resolve({
    lines: files.map((file) => `Wrote ${file}`),
    json: { files },
  });
}

/** Settings of a new revision. */
export interface RevisionFlags {
  /** One line for people. */
  readonly message?: string;
  /** What it stands on. @default {["head"]} */
  readonly head?: readonly string[];
  /** Whether it may stand on a revision that others stand on. */
  readonly splice?: boolean;
  /** Labels of the branch it begins. */
  readonly branchLabel?: readonly string[];
  /** The version location it goes into. */
  readonly versionPath?: string;
  /** Its id. */
  readonly revId?: string;
  /** What must be there first without being merged. */
  readonly dependsOn?: readonly string[];
}

/** Writes a new revision file. */
export async function revision(
  environment: Environment,
  flags: RevisionFlags,
): Promise<CommandResult> {
  const scripts = await scriptsOf(environment);
  return await write(scripts, parentsOf(scripts, flags), flags);
}

/** Writes a revision that brings branches together. */
export async function merge(
  environment: Environment,
  identifiers: readonly string[],
  flags: RevisionFlags,
): Promise<CommandResult> {
  const scripts = await scriptsOf(environment);
  const parents = getRevisions(scripts.map, [...identifiers]);
  if (parents.length < 2) {
    throw new MigrateError(
      "nothing-to-merge",
      `Cannot merge '${identifiers.join(" ")}': it names ${
        ids(parents).join(", ") || "nothing"
      }; name two heads or more, or 'heads'`,
    );
  }
  refuseInner(parents, flags.splice);
  const message = flags.message ?? `merge ${ids(parents).join(" and ")}`;
  return await write(scripts, parents, { ...flags, message });
}

function parentsOf(
  { map }: ScriptDirectory,
  { head = ["head"], splice }: RevisionFlags,
): RevisionNode<Revision>[] {
  let parents: RevisionNode<Revision>[];
  try {
    parents = head.flatMap((each) => {
      const found = getRevision(map, each);
      return found ? [found] : [];
    });
  } catch (error) {
    if (!(error instanceof MultipleHeadsError)) throw error;
    throw new MultipleHeadsError(
      `${error.argument}' to build on: name one with --head, or run 'merge`,
      error.heads,
    );
  }
  if (new Set(parents).size < parents.length) {
    throw new MigrateError(
      "duplicate-head",
      `Cannot build on (${ids(parents).join(", ")}): one is named twice`,
    );
  }
  refuseInner(parents, splice);
  return parents;
}

function refuseInner(
  parents: readonly RevisionNode<Revision>[],
  splice: boolean | undefined,
): void {
  const inner = parents.find((node) => !isHead(node));
  if (!inner || splice) return;
  throw new MigrateError(
    "not-a-head",
    `Cannot build on '${inner.revision}': it is not a head, so this would begin a branch; say --splice if it should`,
  );
}

async function write(
  scripts: ScriptDirectory,
  parents: readonly RevisionNode<Revision>[],
  flags: RevisionFlags,
): Promise<CommandResult> {
  const { config, directory, map } = scripts;
  const dependsOn = (flags.dependsOn ?? []).map((each) =>
    map.byLabel.has(each) ? each : getRevision(map, each)?.revision ?? each
  );
  const made = {
    revision: flags.revId ?? newRevisionId(),
    downRevision: ids(parents),
    dependsOn,
    branchLabels: flags.branchLabel ?? [],
    message: flags.message ?? "",
    createDate: new Date(),
    timezone: config.timezone ?? "UTC",
  };
  // Whatever the graph would refuse must not become a file.
  addRevisions(map, declare({ ...made, createDate: "" }));
  const location = locationFor(scripts, parents, flags.versionPath);
  const path = `${location}/${
    fileNameOf(
      config.fileTemplate ?? "{rev}_{slug}",
      made,
      config.truncateSlugLength,
    )
  }`;
  if (exists(path)) {
    throw new MigrateError(
      "file-there",
      `Cannot write '${
        relative(path)
      }': it is there already; give another --rev-id`,
    );
  }
  Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  Deno.writeTextFileSync(path, revisionFileText(made));
  const after = await readScriptDirectory(directory);
  writeIndex(directory, after.paths);
  return {
    lines: [`Wrote ${relative(path)}`],
    json: { ...made, path: relative(path) },
  };
}

function locationFor(
  { locations, paths }: ScriptDirectory,
  parents: readonly RevisionNode<Revision>[],
  versionPath: string | undefined,
): string {
  if (versionPath !== undefined) {
    const path = absolute(versionPath);
    if (locations.includes(path)) return path;
    throw new MigrateError(
      "no-location",
      `Cannot write into '${versionPath}': versionLocations has ${
        locations.map((each) => `'${relative(each)}'`).join(", ")
      }`,
    );
  }
  if (locations.length === 1) return locations[0]!;
  const [parent] = parents;
  const path = parent && paths.get(parent.revision);
  const found = locations.find((each) => path?.startsWith(`${each}/`));
  if (found !== undefined) return found;
  throw new MigrateError(
    "which-location",
    `Cannot tell where the revision goes: there are several version locations (${
      locations.map(relative).join(", ")
    }); name one with --version-path`,
  );
}

/** Writes the module of all revisions again. */
export async function index(
  environment: Environment,
): Promise<CommandResult> {
  const { directory, paths } = await scriptsOf(environment);
  const hasChanged = writeIndex(directory, paths);
  const file = relative(`${directory}/mod.ts`);
  return {
    lines: [hasChanged ? `Wrote ${file}` : `${file} is as it should be`],
    json: { file, hasChanged },
  };
}

/** Opens a revision's file in the user's editor. */
export async function edit(
  environment: Environment,
  identifier: string,
  currentHeads: () => Promise<readonly string[]>,
): Promise<CommandResult> {
  const scripts = await scriptsOf(environment);
  const asked = identifier === "current" ? await currentHeads() : [identifier];
  const nodes = getRevisions(scripts.map, [...asked]);
  if (nodes.length === 0) {
    throw new MigrateError(
      "nothing-to-edit",
      `Cannot edit '${identifier}': it names no revision`,
    );
  }
  const editor = Deno.env.get("VISUAL") ?? Deno.env.get("EDITOR") ?? "vi";
  const [program, ...args] = editor.split(" ");
  const files = nodes.map((node) => pathOf(scripts, node));
  const { success } = await new Deno.Command(program!, {
    args: [...args, ...files],
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  if (success) return { lines: [], json: { files } };
  throw new MigrateError("editor", `Cannot edit '${files}': ${editor} failed`);
}

/** Makes one revision file of a line of revisions. */
export async function squash(
  environment: Environment,
  range: string,
  flags: { readonly message?: string },
): Promise<CommandResult> {
  const scripts = await scriptsOf(environment);
  const { map, paths, directory } = scripts;
  const [lower = "", upper = ""] = range.split(":");
  const nodes = iterateRevisions(map, {
    upper,
    lower,
    inclusive: true,
  }).reverse();
  const last = nodes.at(-1);
  const inner = new Set(nodes.slice(0, -1));
  for (const node of inner) {
    const other = node.allNextRevisions.find((next) =>
      next !== last && !inner.has(next)
    );
    if (!other) continue;
    throw new MigrateError(
      "squash",
      `Cannot squash revision '${node.revision}': '${other.revision}' stands on it; squash where there is no branch`,
    );
  }
  const made = squashRevisions(nodes.map((node) => node.declaration), flags);
  const target = paths.get(made.revision)!;
  const folder = `${directory}/_squashed`;
  Deno.mkdirSync(folder, { recursive: true });
  const moved = nodes.map((node) => {
    const from = paths.get(node.revision)!;
    const to = `${folder}/${from.slice(from.lastIndexOf("/") + 1)}`;
    Deno.renameSync(from, to);
    return { id: node.revision, to };
  });
  Deno.writeTextFileSync(target, squashedText(target, moved, flags.message));
  const after = await readScriptDirectory(directory);
  writeIndex(directory, after.paths);
  return {
    lines: [
      `Wrote ${relative(target)}`,
      `Moved ${moved.length} files to ${relative(folder)}`,
    ],
    json: { revision: made.revision, replaces: made.replaces },
  };
}

function squashedText(
  target: string,
  moved: readonly { readonly id: string; readonly to: string }[],
  message: string | undefined,
): string {
  const here = target.slice(0, target.lastIndexOf("/"));
  const from = (path: string) => {
    const up = path.startsWith(`${here}/`)
      ? `./${path.slice(here.length + 1)}`
      : `file://${path}`;
    return JSON.stringify(up);
  };
  const options = message === undefined
    ? ""
    : `, { message: ${JSON.stringify(message)} }`;
  return `/** ${moved.length} revisions as one. */
import { squash } from "@aludel/aludel/migrate";
${moved.map(({ id, to }) => `import r${id} from ${from(to)};`).join("\n")}

export default squash([${
    moved.map(({ id }) => `r${id}`).join(", ")
  }]${options});
`;
}

import { MigrateError } from "../../errors.ts";
import { getRevisions } from "../../graph/identifiers.ts";
import { iterateRevisions } from "../../graph/paths.ts";
import { squash as squashRevisions } from "../../squash.ts";
import { type Environment, scriptsOf } from "../environment.ts";
import type { CommandResult } from "../output.ts";
import {
  absolute,
  exists,
  pathOf,
  readScriptDirectory,
  relative,
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
  try {
    Deno.mkdirSync(directory, { recursive: true });
    Deno.writeTextFileSync(`${directory}/env.ts`, text);
    writeIndex(directory, new Map());
  } catch (cause) {
    throw new MigrateError(
      "not-written",
      `Cannot make migrations in '${relative(directory)}': ${
        (cause as Error).message
      }; name a directory that can be written with --dir`,
      { cause },
    );
  }
  const files = ["env.ts", "mod.ts"].map((name) =>
    relative(`${directory}/${name}`)
  );
  return await Promise.resolve({
    lines: files.map((file) => `Wrote ${file}`),
    json: { files },
  });
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
  const [lower, upper] = range.split(":");
  if (!lower || !upper) {
    throw new MigrateError(
      "range-form",
      `Cannot squash '${range}': a range names its first and its last revision; give <from>:<to>`,
    );
  }
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
  const aside = nodes.map((node) => {
    const from = paths.get(node.revision)!;
    const to = asideOf(from);
    Deno.renameSync(from, to);
    return { id: node.revision, to };
  });
  Deno.writeTextFileSync(target, squashedText(target, aside, flags.message));
  const after = await readScriptDirectory(directory);
  writeIndex(directory, after.paths);
  return {
    lines: [
      `Wrote ${relative(target)}`,
      ...aside.map(({ to }) => `Kept ${relative(to)}`),
    ],
    json: { revision: made.revision, replaces: made.replaces },
  };
}

/**
 * Where a file goes that is a revision no more: beside where it was, so that
 * what it imports is still found, and never over one that went there before.
 */
function asideOf(path: string): string {
  const slash = path.lastIndexOf("/") + 1;
  let aside = path;
  do aside = `${aside.slice(0, slash)}_${aside.slice(slash)}`; while (
    exists(aside)
  );
  return aside;
}

function squashedText(
  target: string,
  aside: readonly { readonly id: string; readonly to: string }[],
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
  return `/** ${aside.length} revisions as one. */
import { squash } from "@aludel/aludel/migrate";
${aside.map(({ id, to }) => `import r${id} from ${from(to)};`).join("\n")}

export default squash([${
    aside.map(({ id }) => `r${id}`).join(", ")
  }]${options});
`;
}

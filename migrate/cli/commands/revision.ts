import { describeOperations } from "../../autogenerate/describe.ts";
import type { RevisionDraft } from "../../autogenerate/settings.ts";
import { MigrateError } from "../../errors.ts";
import { MultipleHeadsError } from "../../graph/errors.ts";
import { getRevision, getRevisions, ids } from "../../graph/identifiers.ts";
import { isHead, type RevisionNode } from "../../graph/node.ts";
import { addRevisions } from "../../graph/revision_map.ts";
import { type Revision, revision as declare } from "../../revision.ts";
import {
  databaseNames,
  type Environment,
  scriptsOf,
  withMigrator,
} from "../environment.ts";
import type { CommandResult } from "../output.ts";
import { formatted, runPostWriteHooks } from "../post_write.ts";
import { contentOf, type Proposal, proposalFor } from "../proposals.ts";
import { answersFrom, type RenameFlags } from "../rename_answers.ts";
import {
  fileNameOf,
  newRevisionId,
  type RevisionContent,
  revisionFileText,
} from "../revision_file.ts";
import {
  absolute,
  exists,
  readScriptDirectory,
  relative,
  type ScriptDirectory,
  writeIndex,
} from "../script_directory.ts";

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

/** Settings of a revision that is written from a model. */
export interface AutogenerateFlags extends RevisionFlags, RenameFlags {
  /** Whether what leads to the model is written. */
  readonly autogenerate?: boolean;
  /** Whether the revisions are believed and no database is asked. */
  readonly fromRevisions?: boolean;
  /** What other commands know, and this one cannot do. */
  readonly sql?: boolean;
}

/** Writes a new revision file, empty or with what leads to the model. */
export async function revision(
  environment: Environment,
  flags: AutogenerateFlags,
): Promise<CommandResult> {
  refuseScript(flags);
  const scripts = await scriptsOf(environment);
  // Whoever does not say where it goes need not wait for a comparison.
  parentsOf(scripts, flags);
  const proposals = flags.autogenerate
    ? await propose(environment, scripts, flags)
    : [];
  const detected = told(
    proposals,
    ({ operations }) => describeOperations(operations),
  );
  const remarks = told(proposals, ({ remarks }) => remarks);
  for (const remark of remarks) environment.terminal.err(`remark: ${remark}`);
  const written: CommandResult[] = [];
  for (const draft of draftsOf(scripts, flags, proposals)) {
    const content = flags.autogenerate
      ? contentOf(draft, proposals, scripts.config.autogenerate?.renderItem)
      : {};
    written.push(await write(await scriptsOf(environment), draft, content));
  }
  const found = flags.autogenerate ? { detected, remarks } : {};
  if (written.length === 0) {
    return {
      lines: ["No difference was found; no revision is written"],
      json: { revision: null, ...found },
    };
  }
  const json = written.map((one) => ({ ...one.json as object, ...found }));
  return {
    lines: [...detected, ...written.flatMap(({ lines }) => lines)],
    json: json.length === 1 ? json[0] : json,
  };
}

/** Lines about each engine; its name before them where there are several. */
function told(
  proposals: readonly Proposal[],
  linesOf: (proposal: Proposal) => readonly string[],
): string[] {
  return proposals.flatMap((proposal) =>
    linesOf(proposal).map((line) =>
      proposals.length > 1 ? `${proposal.name}: ${line}` : line
    )
  );
}

function refuseScript({ sql, autogenerate }: AutogenerateFlags): void {
  if (!sql) return;
  throw new MigrateError(
    "revision-offline",
    `Cannot print a ${
      autogenerate ? "comparison" : "new revision"
    } as a script: it becomes a file; leave out --sql, and print the file's script with 'upgrade --sql'`,
  );
}

/** What each engine needs, one after the other. */
async function propose(
  environment: Environment,
  scripts: ScriptDirectory,
  flags: AutogenerateFlags,
): Promise<Proposal[]> {
  const { terminal } = environment;
  const answer = answersFrom(flags, terminal);
  const against = flags.fromRevisions ? "revisions" : "database";
  const proposals: Proposal[] = [];
  for (const name of await databaseNames(environment, scripts)) {
    const progress = terminal.progress();
    const done = () => progress.end(`${name}: compared with the ${against}`);
    progress.say(`${name}: comparing the model with the ${against}`);
    try {
      proposals.push(
        await withMigrator(
          environment,
          scripts,
          name,
          (migrator) =>
            proposalFor(migrator, scripts.config, {
              against,
              decideRename(question) {
                // Nothing may move while somebody is asked.
                done();
                return answer(question);
              },
            }),
        ),
      );
    } finally {
      done();
    }
  }
  return proposals;
}

/** The revisions to write: what was found, as the user's function leaves it. */
function draftsOf(
  { config }: ScriptDirectory,
  flags: AutogenerateFlags,
  proposals: readonly Proposal[],
): readonly RevisionDraft[] {
  const { processRevisions, revisionEnvironment } = config;
  const isAsked = flags.autogenerate || revisionEnvironment;
  const draft = draftFrom(flags, proposals);
  const drafts = isAsked && processRevisions
    ? processRevisions([draft])
    : [draft];
  return flags.autogenerate
    ? drafts.filter(({ operations }) =>
      Object.values(operations).some(({ length }) => length > 0)
    )
    : drafts;
}

function draftFrom(
  flags: RevisionFlags,
  proposals: readonly Proposal[] = [],
): RevisionDraft {
  return {
    revision: flags.revId ?? newRevisionId(),
    message: flags.message ?? "",
    head: flags.head ?? ["head"],
    splice: flags.splice ?? false,
    branchLabels: flags.branchLabel ?? [],
    dependsOn: flags.dependsOn ?? [],
    versionPath: flags.versionPath,
    operations: Object.fromEntries(
      proposals.map(({ name, operations }) => [name, operations]),
    ),
  };
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
  const head = ids(parents);
  const draft = { ...draftFrom({ ...flags, message }), head };
  return await write(scripts, { ...draft, splice: true });
}

function parentsOf(
  { map }: ScriptDirectory,
  { head = ["head"], splice }: Pick<RevisionFlags, "head" | "splice">,
): RevisionNode<Revision>[] {
  let parents: RevisionNode<Revision>[];
  try {
    parents = head.flatMap((each) => {
      const found = getRevision(map, each);
      return found ? [found] : [];
    });
  } catch (error) {
    if (!(error instanceof MultipleHeadsError)) throw error;
    throw new MigrateError(
      "multiple-heads",
      `Cannot build on '${error.argument}': there are ${error.heads.length} heads (${
        error.heads.join(", ")
      }); name one with --head, or run 'merge'`,
      { cause: error },
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
  draft: RevisionDraft,
  content: RevisionContent = {},
): Promise<CommandResult> {
  const { config, directory, map } = scripts;
  const parents = parentsOf(scripts, draft);
  const { revision, message, branchLabels } = draft;
  const made = {
    revision,
    downRevision: ids(parents),
    dependsOn: draft.dependsOn.map((each) =>
      map.byLabel.has(each) ? each : getRevision(map, each)?.revision ?? each
    ),
    branchLabels,
    message,
    createDate: new Date(),
    timezone: config.timezone ?? "UTC",
  };
  if (map.byId.has(revision) || !/^\w+$/.test(revision)) {
    throw new MigrateError(
      "bad-id",
      `Cannot write revision '${revision}': ${
        map.byId.has(revision)
          ? "there is one of that id"
          : "an id that becomes a file is letters, digits and _ alone"
      }; give another --rev-id`,
    );
  }
  // Whatever the graph would refuse must not become a file.
  addRevisions(map, declare({ ...made, createDate: "" }));
  const location = locationFor(scripts, parents, draft.versionPath);
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
  const text = revisionFileText(made, content);
  Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  Deno.writeTextFileSync(path, content.body ? await formatted(text) : text);
  const after = await readScriptDirectory(directory);
  writeIndex(directory, after.paths);
  await runPostWriteHooks(path, config.postWriteHooks ?? []);
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

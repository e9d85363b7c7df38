import { getRevisions, ids } from "../../graph/identifiers.ts";
import type { RevisionNode } from "../../graph/node.ts";
import { drawGraph } from "../../listing/graph_drawing.ts";
import {
  branchLines,
  headLine,
  headLines,
  historyOf,
  nodesOf,
  revisionBlock,
  revisionLine,
} from "../../listing/lines.ts";
import { mermaidOf } from "../../listing/mermaid.ts";
import {
  databaseNames,
  type Environment,
  scriptsOf,
  withMigrator,
} from "../environment.ts";
import type { CommandResult } from "../output.ts";
import { pathOf, type ScriptDirectory } from "../script_directory.ts";

/** One revision as data. */
function dataOf(node: RevisionNode, scripts: ScriptDirectory): unknown {
  return {
    revision: node.revision,
    downRevision: ids(node.downRevisions),
    dependsOn: ids(node.dependencies),
    branchLabels: [...node.branchLabels].sort(),
    message: node.declaration.message ?? null,
    path: pathOf(scripts, node),
  };
}

/** Lists revisions, newest first. */
export async function history(
  environment: Environment,
  options: {
    readonly revRange?: string;
    readonly indicateCurrent?: boolean;
    readonly verbose?: boolean;
    readonly graph?: boolean;
    readonly mermaid?: boolean;
  },
): Promise<CommandResult> {
  const scripts = await scriptsOf(environment);
  const asks = options.indicateCurrent ||
    /(^|:)current(:|$)/.test(options.revRange ?? "");
  const current = asks ? await currentOf(environment, scripts) : [];
  const nodes = historyOf(scripts.map, options.revRange, current);
  const json = nodes.map((node) => dataOf(node, scripts));
  const marks = options.indicateCurrent ? { current } : {};
  if (options.mermaid) {
    return {
      lines: mermaidOf([...nodes].reverse()).trimEnd().split("\n"),
      json,
    };
  }
  if (options.graph) {
    const lines = drawGraph(
      nodes,
      (node) =>
        headLine(node, marks) +
        (node.declaration.message ? `, ${node.declaration.message}` : ""),
    );
    return { lines, json };
  }
  const lines = nodes.flatMap((node) =>
    options.verbose
      ? [
        ...revisionBlock(node, { ...marks, path: pathOf(scripts, node) }),
        "",
      ]
      : [revisionLine(node, marks)]
  );
  return { lines, json };
}

async function currentOf(
  environment: Environment,
  scripts: ScriptDirectory,
): Promise<readonly string[]> {
  const [name] = await databaseNames(environment, scripts);
  return await withMigrator(
    environment,
    scripts,
    name!,
    async (migrator) => (await migrator.current()).heads,
  );
}

/** Lists the heads. */
export async function heads(
  environment: Environment,
  options: {
    readonly resolveDependencies?: boolean;
    readonly verbose?: boolean;
  },
): Promise<CommandResult> {
  const scripts = await scriptsOf(environment);
  const { map } = scripts;
  const nodes = options.resolveDependencies ? map.realHeads : map.heads;
  return {
    lines: options.verbose
      ? nodes.flatMap((node) => [
        ...revisionBlock(node, { path: pathOf(scripts, node) }),
        "",
      ])
      : headLines(map, options),
    json: nodes.map((node) => dataOf(node, scripts)),
  };
}

/** Lists branch points with what follows them. */
export async function branches(
  environment: Environment,
): Promise<CommandResult> {
  const scripts = await scriptsOf(environment);
  return {
    lines: branchLines(scripts.map),
    json: scripts.map.nodes.filter((node) => node.nextRevisions.length > 1)
      .map((node) => ({
        revision: node.revision,
        nextRevisions: ids(node.nextRevisions),
      })),
  };
}

/** Shows revisions one by one. */
export async function show(
  environment: Environment,
  identifier: string,
): Promise<CommandResult> {
  const scripts = await scriptsOf(environment);
  const asked = identifier === "current"
    ? await currentOf(environment, scripts)
    : ids(getRevisions(scripts.map, identifier));
  const nodes = nodesOf(scripts.map, asked);
  return {
    lines: nodes.flatMap((node, at) => [
      ...(at > 0 ? [""] : []),
      ...revisionBlock(node, { path: pathOf(scripts, node) }),
    ]),
    json: nodes.map((node) => dataOf(node, scripts)),
  };
}

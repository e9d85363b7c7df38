import { MigrateError } from "../errors.ts";
import { getRevisions, ids } from "../graph/identifiers.ts";
import {
  isBranchPoint,
  isHead,
  isMergePoint,
  type RevisionDeclaration,
  type RevisionNode,
} from "../graph/node.ts";
import { iterateRevisions } from "../graph/paths.ts";
import type { RevisionMap } from "../graph/revision_map.ts";

/** What lines about revisions may show besides the revisions. */
export interface ListingOptions {
  /** What a database holds, marked `(current)`. */
  readonly current?: readonly string[];
}

/**
 * One revision on one line: `1e0c77aa90b1 -> 2b1d88bba1c2 (blog) (head), posts`.
 */
export function revisionLine(
  node: RevisionNode,
  options: ListingOptions = {},
): string {
  const down = [
    ids(node.downRevisions).join(", ") || "<base>",
    ...(node.dependencies.length > 0
      ? [`(${ids(node.dependencies).join(", ")})`]
      : []),
  ].join(" ");
  const [said = ""] = node.declaration.message?.split("\n") ?? [];
  return `${down} -> ${node.revision}${labels(node)}${marks(node, options)}${
    said && `, ${said}`
  }`;
}

/** A revision and what it is, without its parents. */
export function headLine(
  node: RevisionNode,
  options: ListingOptions = {},
): string {
  return `${node.revision}${labels(node)}${marks(node, options)}`;
}

function labels(node: RevisionNode): string {
  return node.branchLabels.size === 0
    ? ""
    : ` (${[...node.branchLabels].sort().join(", ")})`;
}

function marks(node: RevisionNode, { current = [] }: ListingOptions): string {
  const isEffective = isHead(node) && node.allNextRevisions.length > 0;
  return [
    ...(isEffective ? ["effective head"] : isHead(node) ? ["head"] : []),
    ...(isBranchPoint(node) ? ["branchpoint"] : []),
    ...(isMergePoint(node) ? ["mergepoint"] : []),
    ...(current.includes(node.revision) ? ["current"] : []),
  ].map((mark) => ` (${mark})`).join("");
}

/** A revision on several lines, as `show` gives it. */
export function revisionBlock(
  node: RevisionNode,
  options: ListingOptions & { readonly path?: string } = {},
): string[] {
  const rows: [string, string][] = [
    ["Rev", `${node.revision}${marks(node, options)}`],
  ];
  const down = ids(node.downRevisions).join(", ");
  rows.push([isMergePoint(node) ? "Merges" : "Parent", down || "<base>"]);
  if (node.dependencies.length > 0) {
    rows.push(["Also depends on", ids(node.dependencies).join(", ")]);
  }
  if (isBranchPoint(node)) {
    rows.push(["Branches into", ids(node.nextRevisions).join(", ")]);
  }
  if (node.branchLabels.size > 0) {
    rows.push(["Branch names", [...node.branchLabels].sort().join(", ")]);
  }
  if (options.path !== undefined) rows.push(["Path", options.path]);
  return [
    ...rows.map(([name, value]) => `${name}: ${value}`),
    ...(node.declaration.message === undefined
      ? []
      : ["", `    ${node.declaration.message}`]),
  ];
}

/**
 * The revisions of a stretch of history, newest first: `"a:b"`, `"a:"`, `":b"`,
 * `"current:"`, `"-3:"`.
 *
 * @throws {MigrateError} If the range has no colon.
 */
export function historyOf<R extends RevisionDeclaration>(
  map: RevisionMap<R>,
  range: string | undefined,
  current: readonly string[] = [],
): RevisionNode<R>[] {
  if (range === undefined) {
    return iterateRevisions(map, {
      upper: "heads",
      lower: "base",
      implicitBase: true,
    });
  }
  const colon = range.indexOf(":");
  if (colon < 0) {
    throw new MigrateError(
      "range-form",
      `Cannot list '${range}': a range needs a colon; give [start]:[end]`,
    );
  }
  const end = (text: string, missing: string) =>
    text === "current" ? [...current] : text || missing;
  return iterateRevisions(map, {
    upper: end(range.slice(colon + 1), "heads"),
    lower: end(range.slice(0, colon), "base"),
    inclusive: true,
    assertRelativeLength: false,
  });
}

/** Every branch point with what follows it. */
export function branchLines(map: RevisionMap): string[] {
  return map.nodes.filter(isBranchPoint).flatMap((node) => [
    revisionLine(node),
    ...node.nextRevisions.map((next) =>
      `    ${" ".repeat(node.revision.length)} -> ${headLine(next)}`
    ),
  ]);
}

/** The heads; with dependencies counted, those that nothing stands on. */
export function headLines(
  map: RevisionMap,
  options: { readonly resolveDependencies?: boolean } = {},
): string[] {
  const heads = options.resolveDependencies ? map.realHeads : map.heads;
  return heads.map((node) => headLine(node));
}

/** The nodes of identifiers, for callers that list them. */
export function nodesOf<R extends RevisionDeclaration>(
  map: RevisionMap<R>,
  identifiers: readonly string[],
): RevisionNode<R>[] {
  return getRevisions(map, identifiers);
}

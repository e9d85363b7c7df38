import { MultipleHeadsError, RevisionNotFoundError } from "./errors.ts";
import type { RevisionDeclaration, RevisionNode } from "./node.ts";
import type { RevisionMap } from "./revision_map.ts";
import { ancestors, descendants, type WalkOptions } from "./traversal.ts";

/**
 * How people and databases name revisions: an id or its beginning, a branch
 * label, `head`, `heads`, `base`, any of them within a branch (`label@head`),
 * several of these, or nothing for the base.
 */
export type Identifier = string | null | readonly (string | null)[];

/** An identifier taken apart at its `@`. */
interface Parts {
  readonly branch: string | undefined;
  readonly symbol: string | null;
}

function parts(identifier: string | null): Parts {
  if (identifier === null) return { branch: undefined, symbol: null };
  if (typeof identifier !== "string") {
    throw new RevisionNotFoundError(
      String(identifier),
      "it is not a string; ensure database driver settings are correct",
    );
  }
  const at = identifier.indexOf("@");
  return at < 0
    ? { branch: undefined, symbol: identifier }
    : { branch: identifier.slice(0, at), symbol: identifier.slice(at + 1) };
}

/**
 * Finds every revision an identifier stands for; none for `base`.
 *
 * A negative number such as `"-2"` or `"label@-2"` steps down from the heads.
 *
 * @throws {RevisionNotFoundError} If it names nothing, or several revisions.
 * @throws {MultipleHeadsError} If `head` is asked for where several are.
 */
export function getRevisions<R extends RevisionDeclaration>(
  map: RevisionMap<R>,
  identifier: Identifier,
): RevisionNode<R>[] {
  if (Array.isArray(identifier)) {
    return identifier.flatMap((each: string | null) => getRevisions(map, each));
  }
  const { branch, symbol } = parts(identifier as string | null);
  if (symbol === null || symbol === "base") return [];
  if (symbol === "heads") {
    return branch === undefined
      ? [...map.realHeads]
      : headsOfBranch(map, branch);
  }
  if (symbol === "head") {
    const head = getHead(map, branch);
    return head ? [head] : [];
  }
  return [findRevision(map, symbol, branch)];
}

/**
 * Finds the one revision an identifier stands for; `null` for `base`.
 *
 * @throws {RevisionNotFoundError} If it names nothing, or several revisions.
 * @throws {MultipleHeadsError} If it stands for several heads.
 */
export function getRevision<R extends RevisionDeclaration>(
  map: RevisionMap<R>,
  identifier: string | null,
): RevisionNode<R> | null {
  const found = getRevisions(map, identifier);
  if (found.length > 1) throw new MultipleHeadsError(identifier!, ids(found));
  return found[0] ?? null;
}

/**
 * The one head of the graph or of a branch; `null` in an empty graph.
 *
 * @throws {MultipleHeadsError} If there are several.
 */
export function getHead<R extends RevisionDeclaration>(
  map: RevisionMap<R>,
  branch?: string,
): RevisionNode<R> | null {
  const heads = branch === undefined ? map.heads : headsOfBranch(map, branch);
  if (heads.length > 1) {
    throw new MultipleHeadsError(
      branch === undefined ? "head" : `${branch}@head`,
      ids(heads),
    );
  }
  return heads[0] ?? null;
}

/**
 * The ids of the heads.
 *
 * With `considerDependsOn` a head that another revision depends on is left
 * out: the result is what a complete upgrade stores in the version table.
 */
export function getHeads<R extends RevisionDeclaration>(
  map: RevisionMap<R>,
  options: { readonly considerDependsOn?: boolean } = {},
): string[] {
  return ids(options.considerDependsOn ? map.realHeads : map.heads);
}

/**
 * The revision a branch is named by: its label, or any revision on it.
 *
 * @throws {RevisionNotFoundError} If there is no such branch.
 */
export function resolveBranch<R extends RevisionDeclaration>(
  map: RevisionMap<R>,
  branch: string,
): RevisionNode<R> {
  const labelled = map.byLabel.get(branch);
  if (labelled) return labelled;
  try {
    return findRevision(map, branch, undefined);
  } catch (cause) {
    const { candidates = [] } = cause as Partial<RevisionNotFoundError>;
    throw new RevisionNotFoundError(
      branch,
      candidates.length > 1
        ? `several revisions start with it (${candidates.join(", ")})`
        : `No such branch: '${branch}'`,
      candidates,
      { cause },
    );
  }
}

/**
 * Keeps the revisions that lie above or below what an identifier stands for;
 * all of them if it stands for the base.
 */
export function filterForLineage<R extends RevisionDeclaration>(
  map: RevisionMap<R>,
  nodes: Iterable<RevisionNode<R>>,
  identifier: string,
  options: WalkOptions = { includeDependencies: false },
): RevisionNode<R>[] {
  const { branch } = parts(identifier);
  const against = getRevisions(map, identifier);
  if (branch !== undefined) against.push(resolveBranch(map, branch));
  if (against.length === 0) return [...nodes];
  const above = descendants(against, options);
  const below = ancestors(against, options);
  return [...nodes].filter((node) => above.has(node) || below.has(node));
}

function headsOfBranch<R extends RevisionDeclaration>(
  map: RevisionMap<R>,
  branch: string,
): RevisionNode<R>[] {
  return map.heads.filter(lineage(resolveBranch(map, branch)));
}

/** Finds a revision by id, label, or unique beginning, within a branch if one is given. */
function findRevision<R extends RevisionDeclaration>(
  map: RevisionMap<R>,
  symbol: string,
  branch: string | undefined,
): RevisionNode<R> {
  const inBranch = branch === undefined
    ? undefined
    : lineage(resolveBranch(map, branch));
  const exact = map.byId.get(symbol) ?? map.byLabel.get(symbol);
  if (exact) {
    if (inBranch && !inBranch(exact)) {
      throw new RevisionNotFoundError(
        `${branch}@${symbol}`,
        `Revision '${exact.revision}' is not a member of branch '${branch}'`,
      );
    }
    return exact;
  }
  const candidates: string[] = [];
  const found = new Set<RevisionNode<R>>();
  for (const index of [map.byId, map.byLabel]) {
    for (const [name, node] of index) {
      // Short names are often beginnings of others, so they match only whole.
      if (name.length <= 3 || symbol === "" || !name.startsWith(symbol)) {
        continue;
      }
      if (inBranch && !inBranch(node)) continue;
      candidates.push(name);
      found.add(node);
    }
  }
  const [only, ...others] = found;
  if (only && others.length === 0) return only;
  throw new RevisionNotFoundError(
    branch === undefined ? symbol : `${branch}@${symbol}`,
    only
      ? `several revisions start with it (${
        candidates.slice(0, 3).map((name) => `'${name}'`).join(", ")
      }${candidates.length > 3 ? ", …" : ""}); give more characters`
      : `No such revision or branch '${symbol}'${
        symbol.length < 4
          ? "; please ensure at least four characters are present for partial revision identifier matches"
          : ""
      }`,
    only ? candidates : [],
  );
}

function lineage<R extends RevisionDeclaration>(
  node: RevisionNode<R>,
): (other: RevisionNode<R>) => boolean {
  const options: WalkOptions = { includeDependencies: false };
  const above = descendants([node], options);
  const below = ancestors([node], options);
  return (other) => above.has(other) || below.has(other);
}

/** The ids of the given revisions, in their order. */
export function ids(nodes: Iterable<RevisionNode>): string[] {
  return [...nodes].map((node) => node.revision);
}

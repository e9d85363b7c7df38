import { RelativeRevisionError } from "./errors.ts";
import {
  filterForLineage,
  getRevision,
  getRevisions,
  ids,
  resolveBranch,
} from "./identifiers.ts";
import type { RevisionDeclaration, RevisionNode } from "./node.ts";
import type { RevisionMap } from "./revision_map.ts";
import { ancestors } from "./traversal.ts";

/** `[branch@][symbol]±N` taken apart. */
interface Relative {
  readonly branch: string | undefined;
  readonly symbol: string | undefined;
  readonly steps: number;
}

const RELATIVE = /^(?:([^@]+)@)?([^@+:-]+)?([+-]\d+)$/;

/** Reads a relative identifier, or nothing if it is an absolute one. */
export function parseRelative(identifier: string): Relative | undefined {
  const match = RELATIVE.exec(identifier);
  if (!match) return undefined;
  return { branch: match[1], symbol: match[2], steps: Number(match[3]) };
}

/** Where a walk ended: a revision, below every base, or beyond the graph. */
type WalkEnd<R extends RevisionDeclaration> =
  | RevisionNode<R>
  | "base"
  | undefined;

interface WalkRequest<R extends RevisionDeclaration> {
  readonly identifier: string;
  /** `null` means from outside: from the bases upwards, or from the heads down. */
  readonly start: RevisionNode<R> | null;
  /** Positive walks up. */
  readonly steps: number;
  /** Chooses where the way up forks. */
  readonly branch?: string | undefined;
  /** Whether going beyond the graph ends in nothing, or at its edge. */
  readonly exact: boolean;
}

function walk<R extends RevisionDeclaration>(
  map: RevisionMap<R>,
  { identifier, start, steps, branch, exact }: WalkRequest<R>,
): WalkEnd<R> {
  let here: RevisionNode<R> | "base" | null = start;
  for (let step = 0; step < Math.abs(steps); step++) {
    let next: readonly (RevisionNode<R> | "base")[];
    if (steps > 0) {
      if (here === "base") here = null;
      const above: readonly RevisionNode<R>[] = here === null
        ? map.bases
        : here.nextRevisions;
      next = branch === undefined
        ? above
        : filterForLineage(map, above, branch);
    } else if (here === "base") {
      next = [];
    } else if (here === null) {
      next = map.heads;
    } else {
      next = here.downRevisions.length > 0 ? here.downRevisions : ["base"];
    }
    const [only, ...others] = next;
    if (only === undefined) return exact ? undefined : here ?? "base";
    if (others.length > 0) {
      throw new RelativeRevisionError(
        identifier,
        `Ambiguous walk, ${
          here === null || here === "base"
            ? "there are several ways in"
            : `several revisions follow '${here.revision}'`
        } (${
          next.map((node) => node === "base" ? node : node.revision).join(", ")
        }); name the branch`,
      );
    }
    here = only;
  }
  return here ?? "base";
}

function tooFar(identifier: string, steps: number): RelativeRevisionError {
  return new RelativeRevisionError(
    identifier,
    `Relative revision didn't produce ${Math.abs(steps)} migrations`,
  );
}

/** What an upgrade is asked to reach. */
export interface TargetRequest {
  /** The identifier, absolute or relative. */
  readonly target: string | null | readonly (string | null)[];
  /** What the database holds. */
  readonly current: readonly string[];
  /**
   * Whether a step beyond the graph is an error; history listings stop at the
   * edge instead.
   *
   * @default {true}
   */
  readonly assertRelativeLength?: boolean;
}

/**
 * Finds the revisions an upgrade should reach.
 *
 * @throws {RelativeRevisionError} If a relative target leads nowhere or to several places.
 */
export function upgradeTargets<R extends RevisionDeclaration>(
  map: RevisionMap<R>,
  { target, current, assertRelativeLength = true }: TargetRequest,
): RevisionNode<R>[] {
  const relative = typeof target === "string"
    ? parseRelative(target)
    : undefined;
  if (!relative) return getRevisions(map, target);
  const identifier = target as string;
  const { branch, symbol, steps } = relative;
  if (steps <= 0 && symbol === undefined) throw tooFar(identifier, steps);
  const start = symbol === undefined
    ? startOfUpgrade(map, identifier, current, branch)
    : getRevision(
      map,
      branch === undefined || steps > 0 ? symbol : `${branch}@${symbol}`,
    );
  const end = walk(map, {
    identifier,
    start,
    steps,
    branch: steps > 0 ? branch : undefined,
    exact: assertRelativeLength,
  });
  if (end === undefined) throw tooFar(identifier, steps);
  return end === "base" ? [] : [end];
}

/** Where `+N` counts from: the one current revision, of the branch if one is named. */
function startOfUpgrade<R extends RevisionDeclaration>(
  map: RevisionMap<R>,
  identifier: string,
  current: readonly string[],
  branch: string | undefined,
): RevisionNode<R> | null {
  const here = getRevisions(map, current);
  let starts = here;
  if (branch !== undefined) {
    starts = filterForLineage(map, here, branch);
    if (starts.length === 0) {
      // The branch is not current: take the uppermost of what is there of it.
      const active = filterForLineage(map, ancestors(here), branch);
      const covered = new Set(active.flatMap((node) => node.allDownRevisions));
      starts = active.filter((node) => !covered.has(node));
    }
  }
  const unique = [...new Set(starts)];
  if (unique.length > 1) {
    throw new RelativeRevisionError(
      identifier,
      `Ambiguous upgrade from multiple current revisions (${
        ids(unique).join(", ")
      }); name the branch, as in 'label@+1'`,
    );
  }
  return unique[0] ?? null;
}

/** What a downgrade is asked to leave standing. */
export interface DowngradeRequest extends Omit<TargetRequest, "target"> {
  /** The identifier, absolute or relative. */
  readonly target: string | null;
}

/** Where a downgrade should stop. */
export interface DowngradeTarget<R extends RevisionDeclaration> {
  /** The branch to undo, if the request names one. */
  readonly branch: string | undefined;
  /** The revision that stays, or `null` for the base. */
  readonly revision: RevisionNode<R> | null;
}

/**
 * Finds the revision a downgrade should stop at.
 *
 * @throws {RelativeRevisionError} If a relative target leads nowhere or to several places.
 */
export function downgradeTarget<R extends RevisionDeclaration>(
  map: RevisionMap<R>,
  { target, current, assertRelativeLength = true }: DowngradeRequest,
): DowngradeTarget<R> {
  if (target === null) return { branch: undefined, revision: null };
  const relative = parseRelative(target);
  if (!relative) {
    const at = target.lastIndexOf("@");
    const branch = at < 0 ? undefined : target.slice(0, at);
    if (branch !== undefined) resolveBranch(map, branch);
    return { branch, revision: getRevision(map, target.slice(at + 1)) };
  }
  const { symbol, steps } = relative;
  let { branch } = relative;
  let start: RevisionNode<R> | null;
  if (symbol !== undefined) {
    start = getRevision(
      map,
      branch === undefined || steps >= 0 ? symbol : `${branch}@${symbol}`,
    );
  } else {
    if (steps >= 0) throw tooFar(target, steps);
    start = startOfDowngrade(map, target, current, branch, steps);
    // Without a name the step still belongs to the branch it starts on.
    branch ??= start.revision;
  }
  const request: WalkRequest<R> = {
    identifier: target,
    start,
    steps,
    branch: steps > 0 ? branch : undefined,
    exact: assertRelativeLength,
  };
  const merge = steps < 0 ? lastMerge(map, request) : undefined;
  if (merge) return merge;
  const end = walk(map, request);
  if (end === undefined) throw tooFar(target, steps);
  return { branch, revision: end === "base" ? null : end };
}

/**
 * A downgrade target that means the same whatever the database holds later.
 *
 * @throws {RelativeRevisionError} As {@linkcode downgradeTarget} does.
 */
export function absoluteDowngradeTarget<R extends RevisionDeclaration>(
  map: RevisionMap<R>,
  request: DowngradeRequest,
): string {
  const { branch, revision } = downgradeTarget(map, request);
  const symbol = revision?.revision ?? "base";
  return branch === undefined ? symbol : `${branch}@${symbol}`;
}

/**
 * A last step down from a merge undoes the merge itself, whichever parent one
 * would walk on to.
 */
function lastMerge<R extends RevisionDeclaration>(
  map: RevisionMap<R>,
  request: WalkRequest<R>,
): DowngradeTarget<R> | undefined {
  const top = walk(map, { ...request, steps: request.steps + 1 });
  if (top === undefined || top === "base" || top.downRevisions.length < 2) {
    return undefined;
  }
  return { branch: top.revision, revision: top.downRevisions[0]! };
}

/** Where `-N` counts from: the one current revision, of the branch if one is named. */
function startOfDowngrade<R extends RevisionDeclaration>(
  map: RevisionMap<R>,
  identifier: string,
  current: readonly string[],
  branch: string | undefined,
  steps: number,
): RevisionNode<R> {
  const here = [...new Set(getRevisions(map, current))];
  if (here.length === 0) throw tooFar(identifier, steps);
  let starts = here;
  if (branch !== undefined) {
    starts = filterForLineage(map, here, branch);
    if (starts.length === 0) {
      // The branch is covered by a head that depends on it: find its own tips.
      const active = ancestors(here);
      const tips = [...active].filter((node) =>
        !node.nextRevisions.some((next) => active.has(next))
      );
      starts = filterForLineage(map, tips, branch);
    }
  }
  const [only, ...others] = starts;
  if (only === undefined) throw tooFar(identifier, steps);
  if (others.length > 0) {
    throw new RelativeRevisionError(
      identifier,
      `the step is ambiguous from multiple heads (${
        ids(starts).join(", ")
      }); name the branch, as in 'label@-1', or the target revision`,
    );
  }
  return only;
}

/**
 * Small graphs in one line a revision, for the tests of this folder:
 * `"c<b1,b2 dep x [label]"` is revision `c` on top of `b1` and `b2`, depending
 * on `x`, carrying a label.
 */
import {
  createRevisionMap,
  type RevisionDeclaration,
  type RevisionMap,
} from "../../migrate/mod.ts";
import {
  AppliedRevisions,
  downgradePath,
  type HeadChange,
  type Identifier,
  ids,
  iterateRevisions,
  type RangeRequest,
  upgradePath,
} from "../../migrate/graph/mod.ts";

export function declare(line: string): RevisionDeclaration {
  const match = /^(\w+)(?:<([\w,]+))?(?: dep ([\w,]+))?(?: \[([\w,]+)\])?$/
    .exec(line);
  if (!match) throw new TypeError(`Cannot read '${line}' as a revision`);
  const [, revision, down, depends, labels] = match;
  return {
    revision: revision!,
    downRevision: down?.split(",") ?? null,
    dependsOn: depends?.split(",") ?? null,
    branchLabels: labels?.split(",") ?? null,
  };
}

export function graph(...lines: string[]): RevisionMap {
  return createRevisionMap(lines.map(declare));
}

export function linear(...revisions: string[]): RevisionMap {
  return createRevisionMap(
    revisions.map((revision, at) => ({
      revision,
      downRevision: revisions[at - 1] ?? null,
    })),
  );
}

export function iterate(
  map: RevisionMap,
  upper: Identifier,
  lower: Identifier,
  options: Partial<RangeRequest> = {},
): string[] {
  return ids(iterateRevisions(map, { upper, lower, ...options }));
}

/** What one run did: the revisions in order, the rows afterwards, the row changes. */
export interface Run {
  readonly ran: string[];
  readonly heads: string[];
  readonly changes: HeadChange[];
}

export function upgrade(
  map: RevisionMap,
  current: readonly string[],
  target: Identifier,
): Run {
  const applied = new AppliedRevisions(map, current);
  const path = upgradePath(map, current, target);
  const changes = path.map((node) => applied.upgrade(node));
  return { ran: ids(path), heads: applied.heads, changes };
}

export function downgrade(
  map: RevisionMap,
  current: readonly string[],
  target: string | null,
): Run {
  const applied = new AppliedRevisions(map, current);
  const path = downgradePath(map, current, target);
  const changes = path.map((node) => applied.downgrade(node));
  return { ran: ids(path), heads: applied.heads, changes };
}

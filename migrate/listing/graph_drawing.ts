import type { RevisionDeclaration, RevisionNode } from "../graph/node.ts";
import { topologicalSort } from "../graph/traversal.ts";

/**
 * Draws revisions with their branches and merges for a terminal, newest first.
 *
 * ```text
 * ●   4d3faaddc3e4 (head), merge
 * ├─╮
 * ● │ 2b1d88bba1c2, posts
 * │ ● 3c2e99ccb2d3, tags
 * ├─╯
 * ●   1e0c77aa90b1, users
 * ```
 *
 * @param label What stands beside a revision.
 */
export function drawGraph<R extends RevisionDeclaration>(
  nodes: Iterable<RevisionNode<R>>,
  label: (node: RevisionNode<R>) => string,
): string[] {
  const part = new Set(nodes);
  // The revision each lane leads down to; a lane that has ended is empty.
  const lanes: (RevisionNode<R> | undefined)[] = [];
  const lines: { readonly rail: string; readonly text: string }[] = [];
  for (const node of topologicalSort(part)) {
    const arriving = lanes.flatMap((lane, at) => lane === node ? [at] : []);
    const at = arriving[0] ?? freeLane(lanes);
    if (arriving.length > 1) {
      lines.push({ rail: joint(lanes, at, arriving.slice(1), "╯"), text: "" });
      for (const other of arriving.slice(1)) lanes[other] = undefined;
      trim(lanes);
    }
    lanes[at] = node;
    lines.push({ rail: rail(lanes, at), text: label(node) });

    const [first, ...others] = node.downRevisions.filter((parent) =>
      part.has(parent)
    );
    lanes[at] = first;
    const opened: number[] = [];
    for (const parent of others) {
      const known = lanes.indexOf(parent);
      const lane = known >= 0 ? known : freeLane(lanes);
      lanes[lane] = parent;
      opened.push(lane);
    }
    if (opened.length > 0) {
      lines.push({ rail: joint(lanes, at, opened, "╮"), text: "" });
    }
    trim(lanes);
  }
  const width = Math.max(0, ...lines.map(({ rail }) => rail.length));
  return lines.map(({ rail, text }) =>
    text === "" ? rail.trimEnd() : `${rail.padEnd(width)} ${text}`
  );
}

function freeLane(lanes: readonly unknown[]): number {
  const free = lanes.indexOf(undefined);
  return free < 0 ? lanes.length : free;
}

function trim(lanes: unknown[]): void {
  while (lanes.length > 0 && lanes.at(-1) === undefined) lanes.pop();
}

function rail(lanes: readonly unknown[], at: number): string {
  return lanes.map((lane, i) => i === at ? "●" : lane ? "│" : " ").join(" ");
}

/** A line on which one lane meets others, to its left or right. */
function joint(
  lanes: readonly unknown[],
  at: number,
  others: readonly number[],
  end: string,
): string {
  const from = Math.min(at, ...others);
  const to = Math.max(at, ...others);
  let line = "";
  const length = Math.max(lanes.length, to + 1);
  for (let i = 0; i < length; i++) {
    const within = i > from && i < to;
    if (i === at) line += i === from ? "├" : "┤";
    else if (others.includes(i)) {
      line += within ? (end === "╮" ? "┬" : "┴") : i < at ? "╭" : end;
    } else line += within ? (lanes[i] ? "┼" : "─") : lanes[i] ? "│" : " ";
    if (i < length - 1) line += i >= from && i < to ? "─" : " ";
  }
  return line;
}

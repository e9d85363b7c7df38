/**
 * Random graphs, run by Alembic itself (`oracle/alembic_graphs.py`) and by us:
 * the same revisions run and the same rows stay.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import {
  createRevisionMap,
  MigrateError,
  type RevisionDeclaration,
} from "../../migrate/mod.ts";
import { getHeads } from "../../migrate/graph/mod.ts";
import { downgrade, upgrade } from "./graphs.ts";
import graphs from "./oracle/alembic_graphs.json" with { type: "json" };

interface OracleGraph {
  readonly revisions: readonly RevisionDeclaration[];
  readonly heads: readonly string[];
  readonly realHeads: readonly string[];
  readonly cases: readonly OracleCase[];
}

interface OracleCase {
  readonly heads: readonly string[];
  readonly direction: string;
  readonly target: string;
  readonly result: string | {
    readonly ran: string[];
    readonly heads: string[];
  };
  readonly note?: string;
}

function ours(map: ReturnType<typeof createRevisionMap>, each: OracleCase) {
  try {
    const run = each.direction === "upgrade"
      ? upgrade(map, each.heads, each.target)
      : downgrade(map, each.heads, each.target);
    return { ran: run.ran.toSorted(), heads: run.heads };
  } catch (error) {
    ok(error instanceof MigrateError, String(error));
    return `error: ${error.message}`;
  }
}

/** Where we differ on purpose. */
function isDeliberate(each: OracleCase, mine: unknown): boolean {
  const runs = typeof mine !== "string";
  // A bare step back with several heads: Alembic warns and takes any of them.
  const isBareStep = /^-\d+$/.test(each.target) && each.heads.length > 1;
  if (!runs && each.direction === "downgrade" && isBareStep) return true;
  // Alembic stops at an assertion or a missing key of its own.
  if (runs && ["AssertionError", "KeyError"].includes(each.note!)) return true;
  // A step down from a merge undoes the merge; Alembic finds it ambiguous.
  const isStep = each.direction === "downgrade" && /-\d+$/.test(each.target);
  if (runs && isStep && each.note === "RevisionError") return true;
  // Held through a dependency, with nothing above it: there is nothing to do.
  return runs && each.note === "RangeNotAncestorError" &&
    (mine as { ran: string[] }).ran.length === 0;
}

Deno.test("random graphs run as Alembic runs them", () => {
  let compared = 0;
  const differences: unknown[] = [];
  for (const graph of graphs as OracleGraph[]) {
    const map = createRevisionMap(graph.revisions);
    deepEqual(getHeads(map).toSorted(), graph.heads);
    deepEqual(
      getHeads(map, { considerDependsOn: true }).toSorted(),
      graph.realHeads,
    );
    for (const each of graph.cases) {
      const mine = ours(map, each);
      compared++;
      if (typeof mine === "string" && typeof each.result === "string") continue;
      if (JSON.stringify(mine) === JSON.stringify(each.result)) continue;
      if (isDeliberate(each, mine)) continue;
      differences.push({ each, mine, revisions: graph.revisions });
    }
  }
  ok(compared > 500, `only ${compared} cases`);
  equal(
    differences.length,
    0,
    JSON.stringify(differences.slice(0, 5), null, 1),
  );
});

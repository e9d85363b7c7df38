/**
 * How long a large graph takes: load and validate it, then plan
 * `upgrade heads` into ordered steps with their version rows and statements.
 *
 * Run: `deno run -A bench/migrate/graph.ts`. Growth must be linear.
 */
import { cpuUsage } from "node:process";
import { sqlite } from "../../backends/sqlite.ts";
import { createMigrator, type Revision, revision } from "../../migrate/mod.ts";
import { createEngine, integer, text } from "../../sql/mod.ts";

/** Ten lanes that branch from one base, merge now and then, and depend on each other. */
export function largeSet(size: number): Revision[] {
  const made: Revision[] = [];
  const lanes: string[] = [];
  for (let at = 0; at < size; at++) {
    const id = `r${at.toString(16).padStart(11, "0")}`;
    const lane = at % 10;
    const below = lanes[lane] ?? (at === 0 ? undefined : made[0]!.revision);
    const beside = lanes[(lane + 1) % 10];
    const merges = at % 50 === 49 && beside !== undefined;
    const parents = below === undefined
      ? []
      : merges
      ? [below, beside]
      : [below];
    made.push(revision({
      revision: id,
      downRevision: parents,
      dependsOn: at % 37 === 0 && at > 100 ? [made[at - 53]!.revision] : [],
      upgrade(op) {
        op.createTable(`t${at}`, { id: integer().primaryKey(), a: text() });
      },
    }));
    lanes[lane] = id;
  }
  return made;
}

/** What a size costs, in milliseconds of the processor: what else it does at the time does not count. */
export interface Cost {
  /** How many revisions. */
  readonly size: number;
  /** To load and validate them. */
  readonly loadMs: number;
  /** To plan `upgrade heads`. */
  readonly planMs: number;
}

/** The cost of the best of some runs; of the first that is good enough. */
export function measure(size: number, runs = 3, enoughMs = 0): Cost {
  const revisions = largeSet(size);
  const engine = createEngine(sqlite(":memory:"));
  let loadMs = Infinity;
  let planMs = Infinity;
  for (let run = 0; run < runs && loadMs + planMs >= enoughMs; run++) {
    const start = processorMs();
    const { planner } = createMigrator({ revisions, engine });
    const loaded = processorMs();
    const steps = planner.upgrade([], "heads");
    const planned = processorMs();
    if (steps.length !== size) throw new Error(`${steps.length} steps`);
    loadMs = Math.min(loadMs, loaded - start);
    planMs = Math.min(planMs, planned - loaded);
  }
  return { size, loadMs, planMs };
}

/** What {@linkcode yardstick} takes on two quiet cores, in milliseconds. */
const QUIET_MS = 60;

/** How many times slower than a quiet machine this one is now, at least 1. */
export function slowness(): number {
  return Math.max(1, yardstick() / QUIET_MS);
}

/** The best time of a walk over many small objects by their names, as a graph is. */
function yardstick(): number {
  let best = Infinity;
  for (let run = 0; run < 5; run++) {
    const start = processorMs();
    const nodes = Array.from({ length: 100_000 }, (_, at) => ({
      name: `r${at.toString(16)}`,
      below: [`r${(at - 1).toString(16)}`],
    }));
    const byName = new Map(nodes.map((node) => [node.name, node]));
    const met = nodes.filter(({ below: [name = ""] }) => byName.has(name));
    if (met.length !== nodes.length - 1) throw new Error("a node was missed");
    best = Math.min(best, processorMs() - start);
  }
  return best;
}

function processorMs(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
}

if (import.meta.main) {
  // deno-lint-ignore no-console -- a table for people
  console.table(
    [1250, 2500, 5000, 10_000, 20_000].map((size) => {
      const { loadMs, planMs } = measure(size);
      return {
        revisions: size,
        "load ms": loadMs.toFixed(1),
        "plan ms": planMs.toFixed(1),
        "µs each": ((loadMs + planMs) * 1000 / size).toFixed(1),
      };
    }),
  );
}

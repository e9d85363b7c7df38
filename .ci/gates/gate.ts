/**
 * What a gate is, and how a set of them runs.
 *
 * A gate looks at one property of a package directory and answers with `null`
 * (it holds) or with the text that says where it does not.
 */
import type { Package } from "./package.ts";

/** One named condition that every commit must meet. */
export interface Gate {
  readonly name: string;
  /** One line: what holds when the gate passes. */
  readonly claim: string;
  /** Resolves to `null`, or to what is wrong and in which file. */
  run(pkg: Package): Promise<Outcome>;
}

/** The answer of a gate: figures for the reader, and the complaint if any. */
export interface Outcome {
  readonly problem: string | null;
  /** Figures worth a place on the gate's line, e.g. measured bytes. */
  readonly note?: string;
}

/** One line of the report. */
export interface GateResult extends Outcome {
  readonly name: string;
  readonly milliseconds: number;
}

/** The answer of a gate that found nothing wrong. */
export function pass(note?: string): Outcome {
  return note === undefined ? { problem: null } : { problem: null, note };
}

/** The answer of a gate that found these problems, or none. */
export function complaints(
  problems: readonly string[],
  note?: string,
): Outcome {
  const outcome = { problem: problems.length ? problems.join("\n") : null };
  return note === undefined ? outcome : { ...outcome, note };
}

/**
 * Runs gates, at most `jobs` at a time, and reports each in the order given.
 *
 * A gate that throws has failed: a check that could not look has not passed.
 */
export async function runGates(
  gates: readonly Gate[],
  pkg: Package,
  { jobs = 1, report = () => {} }: {
    jobs?: number;
    report?: (result: GateResult) => void;
  } = {},
): Promise<GateResult[]> {
  const results: (GateResult | undefined)[] = gates.map(() => undefined);
  let next = 0;
  let reported = 0;

  const work = async () => {
    for (let i = next++; i < gates.length; i = next++) {
      results[i] = await runGate(gates[i]!, pkg);
      for (let done; (done = results[reported]); reported++) report(done);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, jobs) }, work));

  return results.filter((result) => result !== undefined);
}

async function runGate(gate: Gate, pkg: Package): Promise<GateResult> {
  const started = performance.now();
  let outcome: Outcome;
  try {
    outcome = await gate.run(pkg);
  } catch (error) {
    outcome = {
      problem: error instanceof Error
        ? error.stack ?? error.message
        : String(error),
    };
  }
  const milliseconds = Math.round(performance.now() - started);
  return { name: gate.name, milliseconds, ...outcome };
}

/** The closing line of a whole run. */
import type { TestCase } from "./junit.ts";

/** What a run left behind. */
export interface Run {
  /** Test cases of the JUnit report, none if there is no report. */
  readonly cases: readonly TestCase[];
  /** Gates of the check, none if it left no report. */
  readonly gates: readonly { problem: string | null }[];
  /** Exit status of each command, by its name. */
  readonly statuses: Readonly<Record<string, number>>;
}

/** Sums of tests and gates. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Counts tests as the runner does (a step is part of its test), and gates.
 *
 * A command that failed without naming a culprit counts as one failure: a file
 * that does not load, for one, stands in no report.
 */
export function sum({ cases, gates, statuses }: Run): Totals {
  const tests = cases.filter(({ topLevel }) => topLevel);
  const count = (outcome: TestCase["outcome"]) =>
    tests.filter((test) => test.outcome === outcome).length;
  const refused = gates.filter(({ problem }) => problem !== null).length;

  const named: Record<string, number> = {
    test: count("failed"),
    check: refused,
  };
  const unnamed = Object.entries(statuses)
    .filter(([command, status]) => status !== 0 && !named[command])
    .length;
  return {
    passed: count("passed") + gates.length - refused,
    failed: count("failed") + refused + unnamed,
    skipped: count("skipped"),
  };
}

/** The line itself. */
export function closingLine({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed${
    skipped ? `, ${skipped} skipped` : ""
  }`;
}

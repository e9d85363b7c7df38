/** Which lines of the lists a test run has shown. */
import type { TestCase } from "./junit.ts";
import {
  type Excepted,
  isListName,
  type List,
  type ListName,
} from "./lists.ts";

/** What a run says about one list. */
export interface Coverage {
  readonly list: ListName;
  readonly total: number;
  /** Shown by a test that ran and passed, and by none that failed. */
  readonly covered: readonly number[];
  readonly excepted: readonly number[];
  /** Neither shown nor excepted. */
  readonly missing: readonly { number: number; text: string }[];
}

/** What a run says about all lists. */
export interface Report {
  readonly lists: readonly Coverage[];
  /** Failed tests that bear a line's number, and names that point nowhere. */
  readonly problems: readonly string[];
}

/** What a test's name says that it shows. */
export interface Claim {
  readonly list: ListName;
  readonly numbers: readonly number[];
}

/**
 * Reads `orm 41, 42: …` or `migrate 1-3: …`.
 *
 * @returns `null` if the name claims no line, `"misnamed"` if it seems to try.
 */
export function readClaim(title: string): Claim | "misnamed" | null {
  const [, list, rest] = /^(\w+) (\d.*)$/s.exec(title) ?? [];
  if (list === undefined || !isListName(list)) return null;

  const [, ranges] = /^(\d+(?:-\d+)?(?:, ?\d+(?:-\d+)?)*): \S/.exec(rest!) ??
    [];
  if (ranges === undefined) return "misnamed";
  const numbers = ranges.split(",").flatMap((range) => {
    const [first, last = first] = range.trim().split("-").map(Number);
    return Array.from(
      { length: Math.max(0, last! - first! + 1) },
      (_, i) => first! + i,
    );
  });
  return numbers.length ? { list, numbers } : "misnamed";
}

/** Compares what the tests claim with what the lists ask for. */
export function cover(
  lists: readonly List[],
  exceptions: readonly Excepted[],
  cases: readonly TestCase[],
): Report {
  const problems = new Set<string>();
  const passed = new Set<string>();
  const failed = new Set<string>();

  for (const { file, title, outcome } of cases) {
    const claim = readClaim(title);
    if (claim === null) continue;
    if (claim === "misnamed") {
      problems.add(
        `${file}: "${title}" claims no line; write "<list> <numbers>: <sentence>"`,
      );
      continue;
    }
    const list = lists.find(({ name }) => name === claim.list);
    if (list === undefined) continue;
    if (outcome === "failed") problems.add(`${file}: "${title}" failed`);
    for (const number of claim.numbers) {
      if (!list.lines.has(number)) {
        problems.add(
          `${file}: "${title}" claims line ${number}; the list ${list.name} ends at ${list.lines.size}`,
        );
      }
      if (outcome === "passed") passed.add(`${list.name} ${number}`);
      if (outcome === "failed") failed.add(`${list.name} ${number}`);
    }
  }

  const coverage = lists.map(({ name, lines }): Coverage => {
    const numbers = [...lines.keys()];
    const covered = numbers.filter((number) =>
      passed.has(`${name} ${number}`) && !failed.has(`${name} ${number}`)
    );
    const excepted = numbers.filter((number) =>
      exceptions.some((line) => line.list === name && line.number === number)
    );
    for (const number of excepted) {
      if (covered.includes(number)) {
        problems.add(
          `exceptions.md: ${name} ${number} is shown by a test; take its row out`,
        );
      }
    }
    return {
      list: name,
      total: lines.size,
      covered,
      excepted,
      missing: numbers
        .filter((number) => !covered.includes(number))
        .filter((number) => !excepted.includes(number))
        .map((number) => ({ number, text: lines.get(number)! })),
    };
  });
  return { lists: coverage, problems: [...problems] };
}

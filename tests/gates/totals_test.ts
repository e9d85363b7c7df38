import { deepEqual, equal } from "node:assert/strict";
import type { TestCase } from "../../.ci/conformance/junit.ts";
import { closingLine, sum } from "../../.ci/conformance/totals.ts";

function test(outcome: TestCase["outcome"], topLevel = true): TestCase {
  return { file: "a_test.ts", title: "a", topLevel, outcome };
}

const good = { problem: null };
const bad = { problem: "no" };

Deno.test("sum() adds tests and gates, and leaves steps to their tests", () => {
  deepEqual(
    sum({
      cases: [test("passed"), test("passed", false), test("skipped")],
      gates: [good, good],
      statuses: { test: 0, check: 0 },
    }),
    { passed: 3, failed: 0, skipped: 1 },
  );
});

Deno.test("sum() counts a failed command once, named or not", () => {
  const failed = (
    cases: TestCase[],
    gates: typeof bad[] | typeof good[],
    statuses: Record<string, number>,
  ) => sum({ cases, gates, statuses }).failed;

  equal(failed([test("failed")], [good], { test: 1, check: 0 }), 1);
  equal(failed([test("passed")], [bad], { test: 0, check: 1 }), 1);
  equal(failed([test("passed")], [good], { test: 1, check: 0 }), 1);
  equal(failed([], [], { test: 1, check: 1, conformance: 1 }), 3);
});

Deno.test("closingLine() names skipped tests only if there are some", () => {
  equal(
    closingLine({ passed: 2, failed: 0, skipped: 0 }),
    "2 passed, 0 failed",
  );
  equal(
    closingLine({ passed: 2, failed: 1, skipped: 3 }),
    "2 passed, 1 failed, 3 skipped",
  );
});

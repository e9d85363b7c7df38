import type { Driver } from "../../../sql/mod.ts";
import { batchCases } from "./batch.ts";
import type { DriverCase } from "./case.ts";
import { errorCases } from "./errors.ts";
import { statementCases } from "./statements.ts";
import { transactionCases } from "./transactions.ts";
import { valueCases } from "./values.ts";

/** Everything that a driver is held to, as data: run it wherever the driver runs. */
export const driverCases = (): readonly DriverCase[] => [
  ...statementCases(),
  ...valueCases(),
  ...batchCases(),
  ...errorCases(),
  ...transactionCases(),
];

/** Cases that a driver leaves out, and why. */
export interface DriverSkip {
  /** What the platform cannot do. */
  readonly reason: string;
  /** The names of the cases. */
  readonly tests: readonly string[];
}

/** How the suite is run. */
export interface TestDriverOptions {
  /** What is left out. A name that no case has is an error. */
  readonly skip?: readonly DriverSkip[];
  /** Registers a test. @default `Deno.test`, or the `test` of the runner */
  readonly test?: (name: string, run: () => Promise<void>) => void;
}

/**
 * Registers the driver conformance suite.
 *
 * Each case makes tables whose names start with `conformance_`, after dropping
 * what an earlier run has left under those names.
 *
 * @param name What the driver is called in the names of tests.
 * @param open Opens the driver; each case opens one, and closes it at its end.
 * @throws {TypeError} If `skip` names a case that is not there, or no runner is found.
 */
export function testDriver(
  name: string,
  open: () => Driver | Promise<Driver>,
  options: TestDriverOptions = {},
): void {
  const skipped = new Set(options.skip?.flatMap(({ tests }) => tests));
  const cases = driverCases();
  for (const test of skipped) {
    if (!cases.some((one) => one.name === test)) {
      throw new TypeError(`Cannot skip "${test}": no case has this name`);
    }
  }
  const register = options.test ?? findRunner();
  for (const one of cases) {
    if (skipped.has(one.name)) continue;
    register(`${name}: ${one.name}`, async () => {
      const driver = await open();
      try {
        await one.run(driver);
      } finally {
        await driver.close?.();
      }
    });
  }
}

type Register = (name: string, run: () => Promise<void>) => void;

function findRunner(): Register {
  const global: {
    readonly Deno?: { readonly test?: Register };
    readonly test?: Register;
  } = globalThis as object;
  const runner = global.Deno?.test ?? global.test;
  if (runner) return runner;
  throw new TypeError(
    "Cannot register tests: there is no Deno.test and no global test(); give `test`",
  );
}

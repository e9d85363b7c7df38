import type { BoundStatement, Driver } from "../../sql/mod.ts";

/** A driver that notes its trips, and can be told to fail some of them. */
export interface CountingDriver extends Driver {
  /** The texts of each trip, in order. */
  readonly trips: string[][];
  /** Is thrown instead of sending, as long as it gives an error. */
  failure: (texts: readonly string[]) => Error | undefined;
}

/** Wraps a driver: same answers, and every trip is noted when it is sent. */
export function countingDriver(driver: Driver): CountingDriver {
  const trips: string[][] = [];
  const sent = (statements: readonly BoundStatement[]) => {
    const texts = statements.map(({ sql }) => sql);
    trips.push(texts);
    const error = counting.failure(texts);
    if (error) throw error;
  };
  const counting: CountingDriver = {
    ...driver,
    trips,
    failure: () => undefined,
    // deno-lint-ignore require-await -- the contract is a promise, also of a throw
    execute: async (statement) => {
      sent([statement]);
      return driver.execute(statement);
    },
    // deno-lint-ignore require-await -- as above
    batch: async (statements, options) => {
      sent(statements);
      return driver.batch(statements, options);
    },
  };
  return counting;
}

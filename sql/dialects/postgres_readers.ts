import { resultReader } from "../types.ts";
import { postgres } from "./postgres.ts";

/** Our types by Postgres' type numbers, where raw text is not the value itself. */
const NAMES: Readonly<Record<number, string>> = {
  16: "boolean",
  17: "blob",
  21: "integer",
  23: "integer",
  26: "integer",
  114: "json",
  700: "real",
  701: "real",
  1184: "timestamp",
  3802: "json",
};

/** The number of `bigint`, which counts of rows have too. */
const INT8 = 20;

/**
 * How raw text of a type, given by Postgres' number for it, is read where no
 * column says it: for hand-written SQL. Whole numbers beyond 2^53 become a
 * `bigint`; what is exact or has no match (`numeric`, `date`, …) stays text.
 */
export function postgresReader(
  typeNumber: number,
): ((value: unknown) => unknown) | undefined {
  if (typeNumber === INT8) {
    return (value) => {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : BigInt(String(value));
    };
  }
  const name = NAMES[typeNumber];
  return resultReader(name ? { name, args: [] } : undefined, postgres);
}

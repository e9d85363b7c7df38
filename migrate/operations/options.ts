import { OperationError } from "./errors.ts";

/**
 * Refuses options of other names: one that is mistaken, or Alembic's, would be
 * left out without a word.
 *
 * @throws {OperationError} If there is one.
 */
export function refuseOtherOptions(
  action: string,
  options: object,
  known: readonly string[],
): void {
  const other = Object.keys(options).find((key) => !known.includes(key));
  if (other === undefined) return;
  throw new OperationError(
    `Cannot ${action}: there is no option '${other}'; give ${
      known.map((key) => `'${key}'`).join(", ")
    }`,
  );
}

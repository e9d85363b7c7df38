import { MappingError } from "../errors.ts";

/** The error of a relation that does not fit. */
export function refusal(
  where: string,
  why: string,
  options?: ErrorOptions,
): MappingError {
  return new MappingError(`Cannot relate ${where}: ${why}`, options);
}

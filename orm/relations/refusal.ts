import { MappingError } from "../errors.ts";

/** The error of a relation that does not fit. */
export function refusal(
  where: string,
  why: string,
  cause?: unknown,
): MappingError {
  return new MappingError(`Cannot relate ${where}: ${why}`, { cause });
}

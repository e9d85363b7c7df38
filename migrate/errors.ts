/**
 * The root of every error this room throws.
 *
 * @example Telling a migration problem from any other
 * ```ts
 * import { createRevisionMap, MigrateError } from "@aludel/aludel/migrate";
 * import { throws } from "node:assert/strict";
 *
 * throws(
 *   () => createRevisionMap([{ revision: "a", downRevision: "a" }]),
 *   (error) => error instanceof MigrateError && error.code === "migrate/revision-cycle",
 * );
 * ```
 */
export class MigrateError extends Error {
  /** @ignore */
  override readonly name: string = "MigrateError";
  /** A stable identifier of the kind of failure, such as `"migrate/multiple-heads"`. */
  readonly code: string;

  /** @internal */
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = `migrate/${code}`;
  }
}

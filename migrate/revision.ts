import { OperationError } from "./operations/errors.ts";
import type { RevisionDeclaration } from "./graph/node.ts";
import { names } from "./graph/node.ts";
import { validateDeclaration } from "./graph/validation.ts";
import type { Operation } from "./operations/operation.ts";
import { Operations, type OperationsOptions } from "./operations/operations.ts";
import type { DataMigration } from "./data_migration.ts";

/** What a revision may ask about the run it is recorded for. */
export interface RevisionContext {
  /** The engine's name, where one set of revisions serves several. */
  readonly engine: string;
  /** The user's own switches: `-x key=value`. */
  readonly x: Readonly<Record<string, string>>;
}

/** Records one direction of a revision. */
export type RecordOperations = (
  op: Operations,
  context: RevisionContext,
) => void;

/** Everything a revision says about itself. */
export interface RevisionOptions extends RevisionDeclaration {
  /** Records what the revision does. Absent for a merge. */
  readonly upgrade?: RecordOperations;
  /** Records how it is undone, or lets the recorded upgrade be reversed. */
  readonly downgrade?: RecordOperations | "reverse";
  /** Work on rows, done in chunks outside the step; see {@linkcode DataMigration}. */
  readonly data?: DataMigration;
  /** What `lint()` finds in it and is meant, such as `["drop-table"]`. */
  readonly allow?: readonly string[];
  /** The revisions that were squashed into this one; see `squash()`. */
  readonly replaces?: readonly string[];
  /** When it was written, as ISO text. */
  readonly createDate?: string;
}

/** One revision of the schema: its place in the graph and what it does. */
export interface Revision extends RevisionOptions {
  /** Parents; empty for a base. */
  readonly downRevision: readonly string[];
  /** Dependencies; empty for none. */
  readonly dependsOn: readonly string[];
  /** Labels; empty for none. */
  readonly branchLabels: readonly string[];
}

/**
 * Declares a revision. Nothing is recorded until a migrator asks for it.
 *
 * @example
 * ```ts
 * import { revision } from "@aludel/aludel/migrate";
 * import { integer, text } from "@aludel/aludel/sql";
 * import { deepEqual } from "node:assert/strict";
 *
 * const users = revision({
 *   revision: "1e0c77aa90b1",
 *   message: "users",
 *   upgrade(op) {
 *     op.createTable("users", { id: integer().primaryKey(), mail: text() });
 *   },
 *   downgrade: "reverse",
 * });
 * deepEqual(users.downRevision, []);
 * ```
 *
 * @throws {InvalidRevisionError} If the id or a label is illegal.
 * @throws {RevisionCycleError} If it names itself.
 */
export function revision(options: RevisionOptions): Revision {
  validateDeclaration(options);
  return Object.freeze({
    ...options,
    downRevision: Object.freeze([...names(options.downRevision)]),
    dependsOn: Object.freeze([...names(options.dependsOn)]),
    branchLabels: Object.freeze([...names(options.branchLabels)]),
  });
}

/**
 * Runs a revision's `upgrade()` and hands over what it recorded.
 *
 * @throws {OperationError} If it returns a promise: recording is synchronous.
 */
export function recordUpgrade(
  revision: Revision,
  context: RevisionContext,
  options: OperationsOptions = {},
): readonly Operation[] {
  return revision.upgrade
    ? record(revision.revision, revision.upgrade, context, options)
    : [];
}

/**
 * Runs a revision's own `downgrade()`, or tells that the upgrade must be
 * reversed.
 *
 * @throws {OperationError} If it has none though it does something.
 */
export function recordDowngrade(
  revision: Revision,
  context: RevisionContext,
  options: OperationsOptions = {},
): readonly Operation[] | "reverse" {
  const { downgrade, upgrade } = revision;
  if (downgrade === "reverse") return "reverse";
  if (downgrade) {
    return record(revision.revision, downgrade, context, options);
  }
  if (!upgrade) return [];
  throw new OperationError(
    `Cannot downgrade revision '${revision.revision}': it has no downgrade; write one, or say downgrade: "reverse"`,
  );
}

function record(
  id: string,
  fill: RecordOperations,
  context: RevisionContext,
  options: OperationsOptions,
): readonly Operation[] {
  const op = new Operations(options);
  const returned: unknown = fill(op, context);
  if (returned instanceof Promise) {
    returned.catch(() => {});
    throw new OperationError(
      `Cannot record revision '${id}': its function is async; record operations only, and put work on rows into data: { table, key, chunk }`,
    );
  }
  return op.take();
}

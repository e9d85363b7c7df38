import { MigrateError } from "./errors.ts";
import type { Operations } from "./operations/operations.ts";
import { type Revision, revision, type RevisionContext } from "./revision.ts";

/**
 * Makes one revision of several that follow each other.
 *
 * It bears the id of the last one: a database that holds the last has nothing
 * to do, and a new one does all of it in one step. A database that stands in
 * the middle is told so when it is upgraded, so squash what is applied
 * everywhere.
 *
 * @example
 * ```ts
 * import { revision, squash } from "@aludel/aludel/migrate";
 * import { equal } from "node:assert/strict";
 *
 * const a = revision({ revision: "a1", upgrade: (op) => op.execute("SELECT 1") });
 * const b = revision({ revision: "b1", downRevision: "a1", upgrade: (op) => op.execute("SELECT 2") });
 * equal(squash([a, b]).revision, "b1");
 * ```
 *
 * @throws {MigrateError} If they do not follow each other, or one walks over rows.
 */
export function squash(
  revisions: readonly Revision[],
  options: { readonly message?: string } = {},
): Revision {
  const refuse = (id: string, why: string) =>
    new MigrateError("squash", `Cannot squash revision '${id}': ${why}`);
  const [first] = revisions;
  const last = revisions.at(-1);
  if (!first || !last) {
    throw refuse("", "there is none; give the revisions, oldest first");
  }
  revisions.forEach((one, at) => {
    const before = revisions[at - 1];
    if (before && one.downRevision.join() !== before.revision) {
      throw refuse(
        one.revision,
        `it does not follow '${before.revision}' alone; squash one line of revisions`,
      );
    }
    if (one.data) {
      throw refuse(
        one.revision,
        "it walks over rows, which is a step of its own",
      );
    }
  });
  const inner = new Set(revisions.map((one) => one.revision));
  const isReversed = revisions.every(({ downgrade, upgrade }) =>
    downgrade === "reverse" || !upgrade
  );
  const message = options.message ?? last.message;
  return revision({
    revision: last.revision,
    downRevision: first.downRevision,
    dependsOn: revisions.flatMap((one) => one.dependsOn).filter((id) =>
      !inner.has(id)
    ),
    branchLabels: revisions.flatMap((one) => one.branchLabels),
    ...(message === undefined ? {} : { message }),
    replaces: [...inner],
    upgrade(op, context) {
      for (const one of revisions) one.upgrade?.(op, context);
    },
    downgrade: isReversed
      ? "reverse"
      : (op, context) => undoEach(revisions, op, context),
  });
}

function undoEach(
  revisions: readonly Revision[],
  op: Operations,
  context: RevisionContext,
): void {
  for (const one of [...revisions].reverse()) {
    if (typeof one.downgrade === "function") one.downgrade(op, context);
    else if (one.upgrade) {
      throw new MigrateError(
        "squash",
        `Cannot downgrade squashed revision '${one.revision}': some of its parts are reversed and some written; write them all, or reverse them all`,
      );
    }
  }
}

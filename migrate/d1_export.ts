import type { Migrator } from "./migrator.ts";
import type { Step } from "./planner/plan.ts";
import { isWhole } from "./runner/step_batches.ts";
import { MigrateError } from "./errors.ts";

/** One file that `wrangler d1 migrations apply` runs. */
export interface D1MigrationFile {
  /** `0001_users.sql`: Wrangler goes by the number. */
  readonly name: string;
  /** The statements, one to a block. */
  readonly text: string;
}

/**
 * Writes every revision as a file for `wrangler d1 migrations apply`.
 *
 * Each file writes the version row and the history row as an upgrade does, so
 * that afterwards both tools find everything done. A file begins with the same
 * guard on the heads, so that it does not run where it does not belong.
 *
 * @throws {MigrateError} If a revision cannot be one file.
 */
export async function exportD1(migrator: Migrator): Promise<D1MigrationFile[]> {
  const { planner, store, options } = migrator;
  const steps = planner.upgrade([], "heads");
  const files: D1MigrationFile[] = [];
  for (const [at, step] of steps.entries()) {
    if (!isWhole(step)) {
      throw new MigrateError(
        "d1-export",
        `Cannot export revision '${step.revision}': it walks over rows or leaves the transaction; run it with 'upgrade --remote'`,
      );
    }
    const statements = [
      ...(at === 0 ? store.create() : []),
      store.versions.expect(step.headsBefore),
      ...step.segments.flatMap((segment) => segment.statements),
      ...store.versions.change(step.change),
      ...store.record({
        version: step.revision,
        direction: "upgrade",
        checksum: await step.checksum(),
        appliedBy: options.appliedBy ?? "wrangler",
        statements: step.segments[0]?.statements.length ?? 0,
      }),
    ];
    files.push({
      name: `${String(at + 1).padStart(4, "0")}_${fileSlug(step)}.sql`,
      text: `-- ${step.revision}\n${
        statements.map(({ script }) => `${script};`).join("\n\n")
      }\n`,
    });
  }
  return files;
}

function fileSlug({ revision, message }: Step): string {
  const words = message?.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return [revision, ...words.slice(0, 6)].join("_");
}

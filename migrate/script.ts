import { MigrateError } from "./errors.ts";
import { getRevisions, ids } from "./graph/identifiers.ts";
import type { Migrator } from "./migrator.ts";
import type { Step } from "./planner/plan.ts";
import type { HistoryEntry } from "./store/history.ts";

/** How a script is written. */
export interface ScriptOptions {
  /**
   * Whether BEGIN and COMMIT stand around the work: once for the whole script,
   * around each revision, or not at all.
   *
   * @default {"migration"}, and `"none"` where the database takes no such words in a script (D1)
   */
  readonly transactions?: "script" | "migration" | "none";
  /** A line put at the top as a comment. */
  readonly tag?: string;
}

/**
 * Writes an upgrade as a script for someone else to run: `"head"` from nothing,
 * or `"1e0c:head"` from a known place.
 *
 * @example
 * ```ts
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createMigrator, revision, upgradeScript } from "@aludel/aludel/migrate";
 * import { createEngine } from "@aludel/aludel/sql";
 * import { match } from "node:assert/strict";
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * const migrator = createMigrator({
 *   revisions: [revision({ revision: "a1", upgrade: (op) => op.execute("DELETE FROM old") })],
 *   engine,
 *   historyTable: false,
 * });
 * match(await upgradeScript(migrator, "head"), /-- Running upgrade {2}-> a1\n+DELETE FROM old;/);
 * ```
 *
 * @throws {MigrateError} If the range cannot be located.
 */
export async function upgradeScript(
  migrator: Migrator,
  range: string,
  options: ScriptOptions = {},
): Promise<string> {
  const { from, to } = splitRange(range);
  const heads = from === undefined ? [] : start(migrator, from);
  const steps = migrator.planner.upgrade(heads, to);
  return await write(migrator, steps, heads.length === 0, options);
}

/**
 * Writes a downgrade as a script: `"from:to"`, since a script cannot ask where
 * the database stands.
 *
 * @throws {MigrateError} If the range has no start.
 */
export async function downgradeScript(
  migrator: Migrator,
  range: string,
  options: ScriptOptions = {},
): Promise<string> {
  const { from, to } = splitRange(range);
  if (from === undefined) {
    throw new MigrateError(
      "range-needed",
      `Cannot write a downgrade to '${range}' as a script: it does not say from where; give <from>:<to>`,
    );
  }
  const steps = migrator.planner.downgrade(start(migrator, from), to);
  return await write(migrator, steps, false, options);
}

/**
 * Writes a stamp as a script. Several targets may share one start: `"a:b"`,
 * `"a:c"`.
 *
 * @throws {MigrateError} If the starts differ.
 */
export async function stampScript(
  migrator: Migrator,
  ranges: readonly string[],
  options: ScriptOptions = {},
): Promise<string> {
  const parts = ranges.map(splitRange);
  const starts = [...new Set(parts.map(({ from }) => from))];
  if (starts.length > 1) {
    throw new MigrateError(
      "one-start",
      `Cannot stamp from several starts (${
        starts.map((from) => from ?? "base").join(", ")
      }) in one script; give one`,
    );
  }
  const [from] = starts;
  const heads = from === undefined ? [] : start(migrator, from);
  const steps = migrator.planner.stamp(heads, parts.map(({ to }) => to));
  return await write(migrator, steps, heads.length === 0, options);
}

/** Writes the creation of the version tables. */
export function ensureVersionScript(migrator: Migrator): string {
  return migrator.store.create().map(({ script }) => `${script};\n`)
    .join("\n");
}

/** Takes `from:to` apart; the colon is in no identifier. */
export function splitRange(
  range: string,
): { readonly from: string | undefined; readonly to: string } {
  const colon = range.indexOf(":");
  return colon < 0
    ? { from: undefined, to: range }
    : { from: range.slice(0, colon) || "base", to: range.slice(colon + 1) };
}

function start(migrator: Migrator, from: string): string[] {
  return ids(getRevisions(migrator.map, from));
}

async function write(
  migrator: Migrator,
  steps: readonly Step[],
  createsTables: boolean,
  options: ScriptOptions,
): Promise<string> {
  const { engine, store, options: settings } = migrator;
  const transactions = options.transactions ??
    (migrator.migrations.takesTransactionWords(engine.capabilities)
      ? "migration"
      : "none");
  const script = new Script(migrator.migrations.begin, transactions);
  if (options.tag !== undefined) script.comment(options.tag);
  if (createsTables) {
    script.open("script");
    script.add(store.create());
  }
  for (const step of steps) {
    script.open("script");
    script.open("migration");
    // Ids only: a message may hold anything, and is in the revision's file.
    script.comment(
      `Running ${step.direction} ${step.from.join(", ")} -> ${
        step.to.join(", ")
      }`,
    );
    for (const segment of step.segments) {
      if (segment.isOutside) script.outside(segment.statements);
      else script.add(segment.statements);
    }
    if (step.data) {
      script.comment(
        `Rows of table ${step.data.table} are walked by the runner, not by a script`,
      );
    }
    script.add(store.versions.change(step.change));
    script.add(store.record(await entryOf(step, settings.appliedBy)));
    script.close("migration");
  }
  script.close("script");
  return script.toString();
}

async function entryOf(
  step: Step,
  appliedBy = "script",
): Promise<HistoryEntry> {
  let statements = 0;
  for (const segment of step.segments) statements += segment.statements.length;
  return {
    version: step.revision,
    direction: step.direction,
    checksum: await step.checksum(),
    appliedBy,
    statements,
  };
}

/** The text under way, and whether a transaction is open in it. */
class Script {
  readonly #blocks: string[] = [];
  readonly #begin: string;
  readonly #transactions: "script" | "migration" | "none";
  #isOpen = false;

  constructor(begin: string, transactions: "script" | "migration" | "none") {
    this.#begin = begin;
    this.#transactions = transactions;
  }

  comment(text: string): void {
    for (const line of text.split("\n")) this.#blocks.push(`-- ${line}`);
  }

  add(statements: readonly { readonly script: string }[]): void {
    for (const { script } of statements) this.#blocks.push(`${script};`);
  }

  open(scope: "script" | "migration"): void {
    if (scope !== this.#transactions || this.#isOpen) return;
    this.#blocks.push(`${this.#begin};`);
    this.#isOpen = true;
  }

  close(scope: "script" | "migration"): void {
    if (scope !== this.#transactions || !this.#isOpen) return;
    this.#blocks.push("COMMIT;");
    this.#isOpen = false;
  }

  outside(statements: readonly { readonly script: string }[]): void {
    const wasOpen = this.#isOpen;
    if (wasOpen) this.#blocks.push("COMMIT;");
    this.add(statements);
    if (wasOpen) this.#blocks.push(`${this.#begin};`);
  }

  toString(): string {
    return this.#blocks.length === 0 ? "" : `${this.#blocks.join("\n\n")}\n`;
  }
}

import { describeOperations } from "../../autogenerate/describe.ts";
import { MigrateError } from "../../errors.ts";
import { fanOut, type FanOutEntry } from "../../fan_out.ts";
import { ids } from "../../graph/identifiers.ts";
import { lint } from "../../lint.ts";
import { headLine, historyOf } from "../../listing/lines.ts";
import type { Migrator } from "../../migrator.ts";
import type { Step } from "../../planner/plan.ts";
import type { RunResult } from "../../runner/run.ts";
import {
  downgradeScript,
  ensureVersionScript,
  stampScript,
  upgradeScript,
} from "../../script.ts";
import {
  databaseNames,
  type Environment,
  scriptsOf,
  withMigrator,
} from "../environment.ts";
import type { CommandResult } from "../output.ts";
import { proposalFor } from "../proposals.ts";
import { relative, type ScriptDirectory } from "../script_directory.ts";

/** What upgrade, downgrade and stamp have in common. */
export interface RunFlags {
  /** Whether a script is printed instead. */
  readonly sql?: boolean;
  /** A line at the top of the script. */
  readonly tag?: string;
}

/** Applies revisions. */
export function upgrade(
  environment: Environment,
  target: string,
  flags: RunFlags,
): Promise<CommandResult> {
  return flags.sql
    ? script(
      environment,
      (migrator) => upgradeScript(migrator, target, tagOf(flags)),
    )
    : run(environment, (migrator) => migrator.upgrade(target));
}

/** Undoes revisions. */
export async function downgrade(
  environment: Environment,
  target: string,
  flags: RunFlags & { readonly yes?: boolean },
): Promise<CommandResult> {
  if (flags.sql) {
    return await script(
      environment,
      (migrator) => downgradeScript(migrator, target, tagOf(flags)),
    );
  }
  await agree(
    environment,
    /(^|@)base$/.test(target) && !flags.yes,
    `Undo everything down to ${target}?`,
  );
  return await run(environment, (migrator) => migrator.downgrade(target));
}

/** Writes other version rows. */
export async function stamp(
  environment: Environment,
  targets: readonly string[],
  flags: RunFlags & { readonly purge?: boolean; readonly yes?: boolean },
): Promise<CommandResult> {
  if (flags.sql) {
    if (flags.purge) {
      throw new MigrateError(
        "purge-offline",
        "Cannot purge in a script: it cannot know what the table holds; leave out --purge or --sql",
      );
    }
    return await script(
      environment,
      (migrator) => stampScript(migrator, targets, tagOf(flags)),
    );
  }
  await agree(
    environment,
    flags.purge === true && !flags.yes,
    "Empty the version table first?",
  );
  return await run(
    environment,
    (migrator) => migrator.stamp(targets, { purge: flags.purge ?? false }),
  );
}

/** Tells what the databases hold. */
export async function current(
  environment: Environment,
  flags: { readonly checkHeads?: boolean; readonly verbose?: boolean },
): Promise<CommandResult> {
  const entries = await each(environment, async (migrator) => {
    const { heads, implied } = await migrator.current();
    const wanted = migrator.map.realHeads.map((node) => node.revision);
    return {
      heads,
      implied,
      isAtHeads: heads.toSorted().join() === wanted.toSorted().join(),
      lines: implied.map((id) => headLine(migrator.map.byId.get(id)!)),
    };
  });
  const isBehind = flags.checkHeads &&
    entries.some(({ value }) => !value.isAtHeads);
  return {
    lines: [
      ...titled(entries, ({ lines }) => lines),
      ...(isBehind ? ["The database is not at the heads"] : []),
    ],
    json: byName(entries, ({ heads, implied, isAtHeads }) => ({
      heads,
      implied,
      isAtHeads,
    })),
    exitCode: isBehind ? 2 : 0,
  };
}

/** Compares the databases with the revisions, and with the model if there is one. */
export async function check(
  environment: Environment,
): Promise<CommandResult> {
  const scripts = await scriptsOf(environment);
  const entries = await eachOf(environment, scripts, async (migrator) => {
    const condition = await migrator.check();
    if (!condition.isCurrent || !scripts.config.metadata) return condition;
    // What may have been renamed is a difference, whatever it is called.
    const { operations, remarks } = await proposalFor(
      migrator,
      scripts.config,
      {
        decideRename: () => null,
      },
    );
    return { ...condition, detected: describeOperations(operations), remarks };
  });
  const isCurrent = entries.every(({ value }) =>
    value.isCurrent && !("detected" in value && value.detected.length > 0)
  );
  return {
    lines: titled(entries, (found) => {
      const lines = [
        ...list("Not applied", found.pending),
        ...list("Edited after it was applied", found.edited),
        ...list("Applied, but without a file", found.unknown),
        ...list("Interrupted", found.running ? [found.running] : []),
        ...("detected" in found ? [...found.detected, ...found.remarks] : []),
      ];
      if (lines.length > 0) return lines;
      return [
        `No difference: every revision is applied${
          "detected" in found ? ", and the model is as the database" : ""
        }`,
      ];
    }),
    json: byName(entries, (found) => found),
    exitCode: isCurrent ? 0 : 2,
  };
}

/** Looks for what loses rows, fails on rows, or cannot be undone. */
export async function lintRevisions(
  environment: Environment,
  range: string | undefined,
): Promise<CommandResult> {
  const scripts = await scriptsOf(environment);
  const [name] = await databaseNames(environment, scripts);
  const findings = await withMigrator(
    environment,
    scripts,
    name!,
    (migrator) =>
      Promise.resolve(
        lint(
          migrator,
          range === undefined
            ? {}
            : { revisions: ids(historyOf(migrator.map, range)) },
        ),
      ),
  );
  return {
    lines: findings.map(({ code, revision, operation, message }) => {
      const path = revision && scripts.paths.get(revision);
      const place = path ? `${relative(path)}: ` : "";
      return `${place}${code}${
        operation === null ? "" : ` in operation ${operation}`
      }: ${message}`;
    }),
    json: findings,
    exitCode: findings.length === 0 ? 0 : 2,
  };
}

/** Makes the version tables. */
export async function ensureVersion(
  environment: Environment,
  flags: RunFlags,
): Promise<CommandResult> {
  if (flags.sql) {
    return await script(
      environment,
      (migrator) => Promise.resolve(ensureVersionScript(migrator)),
    );
  }
  const entries = await each(
    environment,
    (migrator) => migrator.ensureVersion(),
  );
  return {
    lines: entries.map(({ name }) => `${name}: the version table is there`),
    json: entries.map(({ name }) => name),
  };
}

/** Sets right what check has found. */
export async function repair(
  environment: Environment,
  flags: { readonly yes?: boolean },
): Promise<CommandResult> {
  await agree(
    environment,
    !flags.yes,
    "Take the revisions as they are now for what was applied?",
  );
  const entries = await each(environment, (migrator) => migrator.repair());
  return {
    lines: titled(entries, (done) => {
      const lines = [
        ...list("Taken as it is now", done.accepted),
        ...list("Removed from the version table", done.removed),
        ...list("Let go", done.released ? [done.released] : []),
      ];
      return lines.length > 0 ? lines : ["Nothing to repair"];
    }),
    json: byName(entries, (done) => done),
  };
}

function list(title: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`${title}: ${names.join(", ")}`];
}

function tagOf({ tag }: RunFlags): { readonly tag?: string } {
  return tag === undefined ? {} : { tag };
}

async function agree(
  { terminal }: Environment,
  isAsked: boolean,
  question: string,
): Promise<void> {
  // Where nobody can be asked, the command line itself is the answer.
  if (!isAsked || !terminal.isInteractive) return;
  if (await terminal.confirm(question)) return;
  throw new MigrateError("declined", "Cannot go on: it was declined");
}

interface Named<T> {
  readonly name: string;
  readonly value: T;
}

async function each<T>(
  environment: Environment,
  work: (migrator: Migrator) => Promise<T>,
): Promise<Named<T>[]> {
  return await eachOf(environment, await scriptsOf(environment), work);
}

async function eachOf<T>(
  environment: Environment,
  scripts: ScriptDirectory,
  work: (migrator: Migrator) => Promise<T>,
): Promise<Named<T>[]> {
  const entries: Named<T>[] = [];
  for (const name of await databaseNames(environment, scripts)) {
    const value = await withMigrator(environment, scripts, name, work);
    entries.push({ name, value });
  }
  return entries;
}

function titled<T>(
  entries: readonly Named<T>[],
  linesOf: (value: T) => readonly string[],
): string[] {
  return entries.flatMap(({ name, value }) => [
    ...(entries.length > 1 ? [`${name}:`] : []),
    ...linesOf(value),
  ]);
}

function byName<T>(
  entries: readonly Named<T>[],
  dataOf: (value: T) => unknown,
): unknown {
  return Object.fromEntries(
    entries.map(({ name, value }) => [name, dataOf(value)]),
  );
}

async function script(
  environment: Environment,
  write: (migrator: Migrator) => Promise<string>,
): Promise<CommandResult> {
  const entries = await each(environment, write);
  return {
    lines: entries.flatMap(({ name, value }) => [
      ...(entries.length > 1 ? [`-- Engine ${name}`] : []),
      ...value.trimEnd().split("\n"),
    ]),
    json: byName(entries, (text) => text),
  };
}

/**
 * Runs on every database. One that fails does not stop the others; who arrived
 * and who did not is told at the end.
 */
async function run(
  environment: Environment,
  work: (migrator: Migrator) => Promise<RunResult>,
): Promise<CommandResult> {
  const scripts = await scriptsOf(environment);
  const names = await databaseNames(environment, scripts);
  const done: string[] = [];
  const entries = await fanOut(
    names,
    (name) =>
      withMigrator(
        environment,
        scripts,
        name,
        work,
        (step) => done.push(stepLine(step)),
      ),
    { concurrency: environment.flags.tenants ? 4 : 1 },
  );
  const failed = entries.filter((entry) => !entry.ok);
  const [only] = entries;
  if (entries.length === 1 && only && !only.ok) {
    // What was done before it stays done.
    for (const line of done) environment.terminal.err(line);
    throw only.error;
  }
  return {
    lines: entries.length === 1
      ? runLines(only!)
      : [...table(entries), ...failed.flatMap(runLines)],
    json: Object.fromEntries(entries.map((entry) => [
      entry.name,
      entry.ok
        ? {
          ok: true,
          from: entry.result.from,
          heads: entry.result.heads,
          applied: entry.result.steps.map(({ revision, direction }) => ({
            revision,
            direction,
          })),
        }
        : { ok: false, error: messageOf(entry.error) },
    ])),
    exitCode: failed.length === 0
      ? 0
      : failed.length === entries.length
      ? 1
      : 3,
  };
}

function runLines(entry: FanOutEntry): string[] {
  if (!entry.ok) return [`${entry.name}: ${messageOf(entry.error)}`];
  const { steps, from, heads } = entry.result;
  if (steps.length > 0) return steps.map(stepLine);
  // A purge leaves no step where nothing is stamped afterwards.
  return from.join() === heads.join()
    ? [`Nothing to do at ${heads.join(", ") || "base"}`]
    : [stepLine({
      direction: "stamp",
      from,
      to: heads,
      message: undefined,
    })];
}

function stepLine(
  { direction, from, to, message }: Pick<
    Step,
    "direction" | "from" | "to" | "message"
  >,
): string {
  return `Running ${direction} ${from.join(", ") || "<base>"} -> ${
    to.join(", ") || "<base>"
  }${message ? `, ${message}` : ""}`;
}

/** One line for each database. */
function table(entries: readonly FanOutEntry[]): string[] {
  const width = Math.max(...entries.map(({ name }) => name.length));
  return entries.map((entry) =>
    `${entry.ok ? "✓" : "✗"} ${entry.name.padEnd(width)}  ${
      entry.ok
        ? `${entry.result.steps.length} step(s), at ${
          entry.result.heads.join(", ") || "base"
        }`
        : "failed"
    }`
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import { Command, CommanderError, Option } from "commander";
import { RenameUndecidedError } from "../autogenerate/renames.ts";
import * as database from "./commands/database.ts";
import * as files from "./commands/files.ts";
import * as graph from "./commands/graph.ts";
import * as interop from "./commands/interop.ts";
import * as revision from "./commands/revision.ts";
import {
  databaseNames,
  type Environment,
  type GlobalFlags,
  scriptsOf,
  withMigrator,
} from "./environment.ts";
import type { CommandResult, Terminal } from "./output.ts";

/** How the command line is run. */
export interface ProgramOptions {
  /** Makes the terminal once the flags are known. */
  readonly terminal: (
    flags: { readonly isQuiet: boolean; readonly isJson: boolean },
  ) => Terminal;
}

interface Flags extends GlobalFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly raiseerr?: boolean;
}

/**
 * Runs one command.
 *
 * @param args What stands behind `migrate`.
 * @returns The exit code.
 */
export async function runProgram(
  args: readonly string[],
  options: ProgramOptions,
): Promise<number> {
  let exitCode = 0;
  const program = new Command("migrate")
    .description("Migrations as a graph of small revisions")
    .option("--dir <directory>", "the directory of migrations", "migrations")
    .option("-n, --name <engine>", "one engine of several")
    .option("--tenants", "every tenant instead of the engines")
    .option(
      "-x <switch>",
      "a switch of your own, key=value",
      (value: string, all: string[]) => [...all, value],
      [],
    )
    .option("--local [binding]", "the D1 of wrangler dev")
    .option("--remote [binding]", "the D1 at Cloudflare")
    .option("--endpoint <url>", "a migration endpoint of your Worker")
    .option("--url <url>", "a Neon connection string")
    .option("--sqlite <file>", "a SQLite file")
    .option("--pglite <directory>", "a PGlite directory")
    .option("--wrangler-config <file>", "the file with the D1 bindings")
    .option("--json", "print data for machines")
    .option("-q, --quiet", "print no remarks")
    .option("--raiseerr", "print the whole error")
    .option("--allow-edited", "let revisions through that were edited")
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 failed, 2 a difference was found or a question is open, 3 some databases failed",
    );

  const act = (
    work: (environment: Environment) => Promise<CommandResult>,
  ): Promise<void> => {
    const flags = program.opts<Flags>();
    const terminal = options.terminal({
      isQuiet: flags.quiet ?? false,
      isJson: flags.json ?? false,
    });
    return report(work, flags, terminal).then((code) => {
      exitCode = code;
    });
  };
  addFileCommands(program, act);
  addDatabaseCommands(program, act);
  addGraphCommands(program, act);
  interop.addInteropCommands(program, act);

  const terminal = options.terminal({ isQuiet: false, isJson: false });
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
    });
  }
  try {
    await program.parseAsync(flagsBehind(program, args), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    exitCode = error.exitCode;
  }
  return exitCode;
}

/**
 * The arguments with `--local` and `--remote` behind the command: before it,
 * the command's name would be taken for that of a binding.
 */
function flagsBehind(program: Command, args: readonly string[]): string[] {
  const commands = new Set(program.commands.map((each) => each.name()));
  const isBefore = (arg: string, at: number) =>
    (arg === "--local" || arg === "--remote") &&
    commands.has(args[at + 1] ?? "") &&
    !args.slice(0, at).some((each) => commands.has(each));
  return [
    ...args.filter((arg, at) => !isBefore(arg, at)),
    ...args.filter(isBefore),
  ];
}

/** Hands a command its work. */
export type Act = (
  work: (environment: Environment) => Promise<CommandResult>,
) => Promise<void>;

async function report(
  work: (environment: Environment) => Promise<CommandResult>,
  flags: Flags,
  terminal: Terminal,
): Promise<number> {
  try {
    const { lines, json, exitCode = 0 } = await work({ flags, terminal });
    if (flags.json) terminal.out(JSON.stringify(json, null, 2));
    else for (const line of lines) terminal.out(line);
    return exitCode;
  } catch (error) {
    if (flags.raiseerr) throw error;
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof RenameUndecidedError) {
      const { code, questions } = error;
      if (!flags.json) terminal.err(`error: ${message}`);
      terminal.out(
        JSON.stringify({ error: message, code, questions }, null, 2),
      );
      return 2;
    }
    if (flags.json) {
      const code = error instanceof Error && "code" in error
        ? error.code
        : undefined;
      terminal.out(JSON.stringify({ error: message, code }, null, 2));
    } else terminal.err(`error: ${message.split("\n")[0]}${causeOf(error)}`);
    return 1;
  }
}

/** What an error that sends its reader to its cause was caused by. */
function causeOf(error: unknown): string {
  const isSent = error instanceof Error && error.cause instanceof Error &&
    error.message.endsWith("see the cause");
  return isSent ? ` (${(error.cause as Error).message.split("\n")[0]})` : "";
}

function addFileCommands(program: Command, act: Act): void {
  program.command("init").description("make a directory of migrations")
    .option("-t, --template <name>", "sqlite, d1, pglite or neon", "sqlite")
    .action((flags) => act((environment) => files.init(environment, flags)));
  newRevision(program.command("revision"))
    .description("write a new revision")
    .option("--autogenerate", "write what leads to the model in env.ts")
    .option(
      "--from-revisions",
      "compare with what the revisions say, not with the database",
    )
    .option(
      "--rename <old:new...>",
      "what was renamed: users.mail:users.email, people:persons",
    )
    .option("--hints <file>", "answers to the questions about renames, as JSON")
    .option("--sql", "refused: a revision is no script")
    .option("--head <revision...>", "what it stands on")
    .option("--depends-on <revision...>", "what must be there first")
    .option("--version-path <directory>", "the location it goes into")
    .action((flags) =>
      act((environment) => revision.revision(environment, flags))
    );
  newRevision(program.command("merge <revisions...>"))
    .description("write a revision that brings branches together")
    .action((revisions, flags) =>
      act((environment) => revision.merge(environment, revisions, flags))
    );
  program.command("squash <range>")
    .description("make one revision of a line of revisions, <from>:<to>")
    .option("-m, --message <text>", "one line for people")
    .action((range, flags) =>
      act((environment) => files.squash(environment, range, flags))
    );
  program.command("index").description("write mod.ts again, after a merge")
    .action(() => act((environment) => files.index(environment)));
  program.command("edit [revision]").description("open a revision's file")
    .action((revision = "head") =>
      act((environment) =>
        files.edit(environment, revision, async () => {
          const scripts = await scriptsOf(environment);
          const [name] = await databaseNames(environment, scripts);
          return await withMigrator(
            environment,
            scripts,
            name!,
            async (migrator) => (await migrator.current()).heads,
          );
        })
      )
    );
}

function newRevision(command: Command): Command {
  return command
    .option("-m, --message <text>", "one line for people")
    .option("--splice", "allow building on what is not a head")
    .option("--branch-label <label...>", "labels of the branch it begins")
    .option("--rev-id <id>", "its id");
}

function addDatabaseCommands(program: Command, act: Act): void {
  const script = (command: Command) =>
    command.option("--sql", "print a script instead").option(
      "--tag <text>",
      "a line at the top of the script",
    );
  script(program.command("upgrade [revision]"))
    .description("apply revisions, up to <revision> or <from>:<to> with --sql")
    .action((revision = "head", flags) =>
      act((environment) => database.upgrade(environment, revision, flags))
    );
  script(program.command("downgrade <revision>"))
    .description("undo revisions, down to <revision>, -1 or base")
    .option("-y, --yes", "ask nothing")
    .action((revision, flags) =>
      act((environment) => database.downgrade(environment, revision, flags))
    );
  script(program.command("stamp <revisions...>"))
    .description("write other version rows and run nothing")
    .option("--purge", "empty the version table first")
    .option("-y, --yes", "ask nothing")
    .action((revisions, flags) =>
      act((environment) => database.stamp(environment, revisions, flags))
    );
  program.command("current").description("tell what the database holds")
    .option("-v, --verbose", "tell more")
    .option("--check-heads", "exit with 2 unless it is at the heads")
    .action((flags) =>
      act((environment) => database.current(environment, flags))
    );
  program.command("check")
    .description(
      "compare the database with the revisions and the model; exit with 2 if they differ",
    )
    .action(() => act((environment) => database.check(environment)));
  program.command("lint")
    .description("look for what loses rows, fails on rows, or cannot be undone")
    .option("-r, --rev-range <range>", "[start]:[end]")
    .action((flags) =>
      act((environment) => database.lintRevisions(environment, flags.revRange))
    );
  script(program.command("ensure-version"))
    .description("make the version table")
    .action((flags) =>
      act((environment) => database.ensureVersion(environment, flags))
    );
  program.command("repair")
    .description("take the revisions as they are now for what was applied")
    .option("-y, --yes", "ask nothing")
    .action((flags) =>
      act((environment) => database.repair(environment, flags))
    );
}

function addGraphCommands(program: Command, act: Act): void {
  const verbose = new Option("-v, --verbose", "tell more");
  program.command("history").description("list revisions, newest first")
    .option("-r, --rev-range <range>", "[start]:[end], also 'current'")
    .option("-i, --indicate-current", "mark what the database holds")
    .option("--graph", "draw branches and merges")
    .option("--mermaid", "write a Mermaid flow chart")
    .addOption(verbose)
    .action((flags) => act((environment) => graph.history(environment, flags)));
  program.command("heads").description("list the heads")
    .option("--resolve-dependencies", "leave out what others depend on")
    .addOption(verbose)
    .action((flags) => act((environment) => graph.heads(environment, flags)));
  program.command("branches").description("list branch points")
    .action(() => act((environment) => graph.branches(environment)));
  program.command("show <revision>").description("show a revision")
    .action((revision) =>
      act((environment) => graph.show(environment, revision))
    );
}

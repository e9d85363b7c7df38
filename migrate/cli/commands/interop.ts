import type { Command } from "commander";
import { exportD1 } from "../../d1_export.ts";
import { MigrateError } from "../../errors.ts";
import { readForeignHistory } from "../../import_history.ts";
import {
  databaseNames,
  type Environment,
  scriptsOf,
  withMigrator,
} from "../environment.ts";
import type { CommandResult } from "../output.ts";
import type { Act } from "../program.ts";
import { absolute, relative } from "../script_directory.ts";

/** Adds the commands that speak with other tools. */
export function addInteropCommands(program: Command, act: Act): void {
  program.command("export")
    .description("write the revisions as files for another tool")
    .requiredOption(
      "--d1 <directory>",
      "files for `wrangler d1 migrations apply`",
    )
    .action((flags) =>
      act((environment) => exportForWrangler(environment, flags.d1))
    );
  program.command("import")
    .description(
      "take over a database of Alembic, Wrangler or drizzle-kit by stamping a base revision",
    )
    .option("--stamp <revision>", "the revision that stands for what is there")
    .action((flags) =>
      act((environment) => importHistory(environment, flags.stamp))
    );
}

async function exportForWrangler(
  environment: Environment,
  directory: string,
): Promise<CommandResult> {
  const scripts = await scriptsOf(environment);
  const [name] = await databaseNames(environment, scripts);
  const files = await withMigrator(environment, scripts, name!, exportD1);
  const target = absolute(directory);
  Deno.mkdirSync(target, { recursive: true });
  for (const file of files) {
    Deno.writeTextFileSync(`${target}/${file.name}`, file.text);
  }
  const written = files.map((file) => relative(`${target}/${file.name}`));
  return {
    lines: written.map((file) => `Wrote ${file}`),
    json: { files: written },
  };
}

async function importHistory(
  environment: Environment,
  revision: string | undefined,
): Promise<CommandResult> {
  const scripts = await scriptsOf(environment);
  const [name] = await databaseNames(environment, scripts);
  return await withMigrator(environment, scripts, name!, async (migrator) => {
    const found = await readForeignHistory(migrator.engine);
    const lines = found.map(({ tool, table, applied }) =>
      `${tool}: ${applied.length} in ${table}${
        applied.length > 0 ? `, the last is ${applied.at(-1)}` : ""
      }`
    );
    if (revision === undefined) {
      return {
        lines: lines.length > 0
          ? [...lines, "Give --stamp <revision> to go on from there"]
          : ["Nothing of another tool is here"],
        json: { found },
      };
    }
    if (found.every(({ applied }) => applied.length === 0)) {
      throw new MigrateError(
        "nothing-to-import",
        "Cannot take the database over: no other tool has applied anything; use 'upgrade', or 'stamp' if you know better",
      );
    }
    const { heads } = await migrator.stamp(revision);
    return {
      lines: [...lines, `Stamped ${heads.join(", ")}`],
      json: { found, heads },
    };
  });
}

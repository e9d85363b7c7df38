/** How the tasks of this folder speak: plain lines, and one line for misuse. */
import type { Command } from "commander";
import { stderr, stdout } from "node:process";

/** Prints a line. */
export function say(text: string): void {
  stdout.write(`${text}\n`);
}

/** Prints one line that says what to do, and ends with status 1. */
export function fail(text: string): never {
  stderr.write(`error: ${text}\n`);
  Deno.exit(1);
}

/** Reads the arguments; what is unknown ends in one clear line and status 1. */
export function parseArguments<Options extends object>(
  program: Command,
): Options {
  program
    .allowExcessArguments(false)
    .configureOutput({
      outputError: (text, write) =>
        write(
          `${text.trim().replace(/\.$/, "")}; see ${program.name()} --help\n`,
        ),
    })
    .parse(Deno.args, { from: "user" });
  return program.opts() as Options;
}

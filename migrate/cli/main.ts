/**
 * The command line of the migrations: `deno task migrate <command>`.
 *
 * @module
 */
import { runProgram } from "./program.ts";
import { processTerminal } from "./terminal.ts";

if (import.meta.main) {
  Deno.exit(await runProgram(Deno.args, { terminal: processTerminal }));
}

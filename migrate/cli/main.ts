/**
 * The command line of the migrations: `deno task migrate <command>`.
 *
 * @module
 */
import { runProgram } from "./program.ts";
import { processTerminal } from "./terminal.ts";

if (import.meta.main) {
  // `deno task` goes to the project's root; paths mean where it was called.
  const called = Deno.env.get("INIT_CWD");
  if (called !== undefined) Deno.chdir(called);
  Deno.exit(await runProgram(Deno.args, { terminal: processTerminal }));
}

/**
 * Prints the closing line of `.ci/run`.
 *
 * Takes the exit status of each command as `name=status`, reads what they left
 * in `.results`, and fails if anything did.
 */
import { join } from "node:path";
import { parseJunit } from "./conformance/junit.ts";
import { closingLine, sum } from "./conformance/totals.ts";
import { say } from "./terminal.ts";

const RESULTS = join(import.meta.dirname!, "../.results");

const statuses = Object.fromEntries(Deno.args.map((argument) => {
  const [name = "", status] = argument.split("=");
  return [name, Number(status)];
}));
const totals = sum({
  cases: parseJunit(await read("test.xml")),
  gates: JSON.parse(await read("check.json") || '{"gates":[]}').gates,
  statuses,
});
for (const [name, status] of Object.entries(statuses)) {
  if (status !== 0) say(`deno task ${name} ended with status ${status}`);
}
say(closingLine(totals));
Deno.exitCode = totals.failed || !totals.passed ? 1 : 0;

async function read(file: string): Promise<string> {
  return await Deno.readTextFile(join(RESULTS, file)).catch(() => "");
}

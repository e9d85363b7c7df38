/**
 * One command before every commit: `deno task check`.
 *
 * Runs every gate of `gates/mod.ts` on the package, a line each, and the
 * captured output of those that fail.
 */
import { Command, InvalidArgumentError } from "commander";
import { stop } from "esbuild";
import { join } from "node:path";
import { GATES } from "./gates/mod.ts";
import { type Gate, type GateResult, runGates } from "./gates/gate.ts";
import { readPackage } from "./gates/package.ts";
import { parseArguments, say } from "./terminal.ts";

const program = new Command("deno task check")
  .description("Everything that must hold before a commit.")
  .option("--only <gates>", "a comma-separated list of gates", chosen)
  .option("--json", "print the results as JSON")
  .option("--report <file>", "write the results as JSON to a file as well")
  .option("--jobs <n>", "gates at a time", positive, cores())
  .addHelpText(
    "after",
    `\nGates:\n${
      GATES.map(({ name, claim }) => `  ${name.padEnd(14)}${claim}`).join("\n")
    }`,
  );

const options = parseArguments<{
  only?: Gate[];
  json?: true;
  report?: string;
  jobs: number;
}>(program);

const started = performance.now();
const results = await runGates(
  options.only ?? GATES,
  await readPackage(join(import.meta.dirname!, "..")),
  {
    jobs: options.jobs,
    report: (result) => options.json || say(line(result)),
  },
);
await stop();

const failed = results.filter(({ problem }) => problem !== null);
const json = JSON.stringify(
  { ok: failed.length === 0, gates: results },
  null,
  2,
);
if (options.report) await Deno.writeTextFile(options.report, json + "\n");
if (options.json) {
  say(json);
} else {
  for (const { name, problem } of failed) {
    say(`\n── ${name} ──\n${problem}`);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(
    `\n${
      results.length - failed.length
    } gates passed, ${failed.length} failed (${seconds} s)`,
  );
}
Deno.exitCode = failed.length ? 1 : 0;

function line({ name, problem, milliseconds, note = "" }: GateResult): string {
  const mark = problem === null ? "ok  " : "FAIL";
  const seconds = `${(milliseconds / 1000).toFixed(1)} s`.padStart(7);
  return `${mark} ${name.padEnd(14)}${seconds}  ${note}`.trimEnd();
}

function chosen(list: string): Gate[] {
  return list.split(",").map((name) => {
    const gate = GATES.find((gate) => gate.name === name.trim());
    if (gate) return gate;
    throw new InvalidArgumentError(
      `There is no gate "${name}"; choose from ${
        GATES.map(({ name }) => name).join(", ")
      }`,
    );
  });
}

function positive(text: string): number {
  const n = Number(text);
  if (Number.isInteger(n) && n > 0) return n;
  throw new InvalidArgumentError("Give a whole number above 0");
}

/** Two at most: several of the gates are themselves a compiler on every core. */
function cores(): number {
  return Math.min(2, navigator.hardwareConcurrency);
}

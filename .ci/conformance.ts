/**
 * How much of the specification is shown: `deno task conformance`.
 *
 * The numbered lines of `tests/conformance/lists` are the specification. Runs
 * the tests (or reads a finished run), and counts the lines whose number a
 * passed test bears.
 */
import { Command, InvalidArgumentError } from "commander";
import { join } from "node:path";
import { cover, type Coverage } from "./conformance/coverage.ts";
import { parseJunit } from "./conformance/junit.ts";
import {
  isListName,
  type ListName,
  LISTS,
  parseExceptions,
  parseList,
} from "./conformance/lists.ts";
import { fail, parseArguments, say } from "./terminal.ts";

const ROOT = join(import.meta.dirname!, "..");
const TEXTS = join(ROOT, "tests/conformance");

const options = parseArguments<{
  from?: string;
  list?: ListName[];
  require?: ListName[];
  missing?: true;
  json?: true;
}>(
  new Command("deno task conformance")
    .description("Which lines of the conformance lists the tests show.")
    .option("--from <file>", "read this JUnit report; run no test")
    .option("--list <names>", `only these of ${LISTS.join(", ")}`, listNames)
    .option(
      "--require <names>",
      "fail if one of these is incomplete",
      listNames,
    )
    .option("--missing", "print what is missing, with its text")
    .option("--json", "print the report as JSON"),
);

const lists = await Promise.all(
  LISTS.map(async (name) =>
    parseList(name, await Deno.readTextFile(join(TEXTS, "lists", `${name}.md`)))
  ),
);
const exceptions = parseExceptions(
  await Deno.readTextFile(join(TEXTS, "exceptions.md")),
  lists,
);
let runFailed = false;
const cases = parseJunit(await readRun());
const report = cover(lists, exceptions, cases);
// A file that does not load stands in no report, and neither do its claims.
const unreported = runFailed &&
  !cases.some(({ outcome }) => outcome === "failed");
const shown = report.lists.filter(({ list }) =>
  options.list?.includes(list) ?? true
);
const incomplete = report.lists.filter(({ list, missing }) =>
  options.require?.includes(list) && missing.length > 0
);

if (options.json) {
  say(JSON.stringify({ ...report, lists: shown }, null, 2));
} else {
  if (options.missing) { for (const list of shown) sayMissing(list); }
  for (const list of shown) say(line(list));
  for (const problem of report.problems) say(`problem: ${problem}`);
  if (unreported) say("problem: the run failed outside of its tests");
  for (const { list, missing } of incomplete) {
    say(
      `problem: ${list} is required and lacks ${missing.length}; see deno task conformance --missing --list ${list}`,
    );
  }
}
Deno.exitCode = report.problems.length || incomplete.length || unreported
  ? 1
  : 0;

function line({ list, total, covered, excepted, missing }: Coverage): string {
  const apart = [
    excepted.length ? `${excepted.length} excepted` : "",
    missing.length ? `${missing.length} missing` : "",
  ].filter(Boolean).join(", ");
  return `${list} ${covered.length}/${total}${apart && ` (${apart})`}`;
}

function sayMissing({ list, missing }: Coverage) {
  for (const { number, text } of missing) say(`${list} ${number}: ${text}`);
  if (missing.length) say("");
}

/** The text of the report asked for, or of a run made now. */
async function readRun(): Promise<string> {
  if (options.from) {
    const xml = await Deno.readTextFile(options.from).catch(() => "");
    if (xml.includes("<testsuites")) return xml;
    fail(
      `Cannot read a JUnit report from ${options.from}; run deno task test first`,
    );
  }
  const path = join(ROOT, ".results/conformance.xml");
  await Deno.remove(path).catch(() => {});
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "test",
      "--allow-all",
      "--no-check",
      "--parallel",
      `--junit-path=${path}`,
      "tests/",
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).output();
  if (!success && !options.json) {
    const text = new TextDecoder().decode(stdout);
    say(text.slice(Math.max(0, text.indexOf(" ERRORS "))));
  }
  runFailed = !success;
  return await Deno.readTextFile(path).catch(() =>
    fail("The test run left no report; run deno task test to see why")
  );
}

function listNames(text: string): ListName[] {
  return text.split(",").map((word) => {
    const name = word.trim();
    if (isListName(name)) return name;
    throw new InvalidArgumentError(
      `There is no list "${name}"; choose from ${LISTS.join(", ")}`,
    );
  });
}

/** Misuse of a task ends in one line that says what to do, and in status 1. */
import { equal, match } from "node:assert/strict";
import { join } from "node:path";

const CI = join(import.meta.dirname!, "../../.ci");

async function run(script: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", join(CI, script), ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  return { code, out: text.decode(stdout), err: text.decode(stderr) };
}

const MISUSES: readonly [script: string, args: string[], says: RegExp][] = [
  ["check.ts", ["--fast"], /unknown option '--fast'; see .* --help/],
  ["check.ts", ["everything"], /too many arguments.*--help/],
  ["check.ts", ["--only", "fmt,lnt"], /no gate "lnt"; choose from fmt, lint/],
  ["check.ts", ["--jobs", "0"], /whole number above 0/],
  ["conformance.ts", ["--list", "sql"], /no list "sql"; choose from cache/],
  ["conformance.ts", ["--from", "none.xml"], /none\.xml; run deno task test/],
  ["dev.ts", ["--port", "http"], /number from 1 to 65535/],
];

for (const [script, args, says] of MISUSES) {
  Deno.test(`${script} ${args.join(" ")} says what to do`, async () => {
    const { code, out, err } = await run(script, ...args);

    equal(code, 1);
    equal(out, "");
    match(err, says);
    equal(err.trimEnd().split("\n").length, 1);
  });
}

Deno.test("dev.ts says which port is in use, and starts nothing", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  try {
    const { code, out, err } = await run("dev.ts", "--port", String(port));

    equal(code, 1);
    equal(out, "");
    match(err, new RegExp(`port ${port}: it is in use; choose another`));
    equal(err.trimEnd().split("\n").length, 1);
  } finally {
    listener.close();
  }
});

Deno.test("check.ts --help lists the gates", async () => {
  const { code, out } = await run("check.ts", "--help");

  equal(code, 0);
  match(out, /edge-bundle\s+every entry bundles/);
});

Deno.test("conformance.ts --from fails if a required list is incomplete", async () => {
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    await Deno.writeTextFile(
      report,
      '<testsuites><testsuite name="a"><testcase name="cache 1: a"></testcase></testsuite></testsuites>',
    );

    const asked = await run("conformance.ts", "--from", report);
    equal(asked.code, 0);
    match(asked.out, /^cache 1\/111 \(110 missing\)$/m);

    const required = await run(
      ...["conformance.ts", "--from", report, "--require", "cache"] as const,
    );
    equal(required.code, 1);
    match(required.out, /cache is required and lacks 110/);
  } finally {
    await Deno.remove(report);
  }
});

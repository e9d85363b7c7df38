import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { cover, readClaim } from "../../.ci/conformance/coverage.ts";
import { parseJunit, type TestCase } from "../../.ci/conformance/junit.ts";
import {
  LISTS,
  parseExceptions,
  parseList,
} from "../../.ci/conformance/lists.ts";

const lists = [
  parseList("cache", "1. One\n   goes on\n2. Two\n3. Three\n"),
  parseList("orm", "## Part\n\n1. Uno\n"),
];

function tests(...titles: string[]): TestCase[] {
  return titles.map((title) => {
    const [outcome, name] = title.startsWith("!")
      ? ["failed", title.slice(1)] as const
      : title.startsWith("~")
      ? ["skipped", title.slice(1)] as const
      : ["passed", title] as const;
    return { file: "a_test.ts", title: name, topLevel: true, outcome };
  });
}

function covered(...titles: string[]) {
  return cover(lists, [], tests(...titles)).lists[0]!.covered;
}

Deno.test("the committed lists count 111, 219 and 184 lines", async () => {
  const sizes = await Promise.all(LISTS.map(async (name) => {
    const url = new URL(
      `../conformance/lists/${name}.md`,
      import.meta.url,
    );
    return parseList(name, await Deno.readTextFile(url)).lines.size;
  }));

  deepEqual(sizes, [111, 219, 184]);
});

Deno.test("parseList() joins wrapped lines and refuses a gap", () => {
  equal(lists[0]!.lines.get(1), "One goes on");
  throws(() => parseList("orm", "1. a\n3. c\n"), /3 follows 1/);
});

Deno.test("readClaim() understands one number, several and ranges", () => {
  deepEqual(readClaim("cache 42: a"), { list: "cache", numbers: [42] });
  deepEqual(readClaim("orm 41, 43: a"), { list: "orm", numbers: [41, 43] });
  deepEqual(readClaim("migrate 1-3, 9: a"), {
    list: "migrate",
    numbers: [1, 2, 3, 9],
  });
  equal(readClaim("Region.get() answers"), null);
  equal(readClaim("cache keeps 3 values"), null);
  equal(readClaim("cache 4 - a dash"), "misnamed");
  equal(readClaim("cache 4:"), "misnamed");
  equal(readClaim("cache 4-2: backwards"), "misnamed");
});

Deno.test("cover() counts what passed, not what was skipped or failed", () => {
  deepEqual(covered("cache 1: a", "cache 2, 3: b"), [1, 2, 3]);
  deepEqual(covered("cache 1: a", "~cache 2: b"), [1]);
  deepEqual(covered("cache 1: on one backend", "!cache 1: on another"), []);
});

Deno.test("cover() lists what is missing, with its text", () => {
  const { lists: [cache, orm], problems } = cover(lists, [], tests("orm 1: a"));

  deepEqual(cache!.missing.map(({ text }) => text), [
    "One goes on",
    "Two",
    "Three",
  ]);
  deepEqual(orm!.missing, []);
  deepEqual(problems, []);
});

Deno.test("cover() complains of failed, misnamed and unknown claims", () => {
  const problems = (title: string) => cover(lists, [], tests(title)).problems;

  match(problems("!cache 1: a")[0]!, /"cache 1: a" failed/);
  match(problems("cache 1 a")[0]!, /claims no line/);
  match(problems("cache 4: a")[0]!, /the list cache ends at 3/);
});

Deno.test("an exception counts apart, and is refused once a test shows the line", () => {
  const exceptions = parseExceptions(
    "| list | number | reason |\n| - | - | - |\n| cache | 2 | no clock |\n",
    lists,
  );

  const without = cover(lists, exceptions, tests("cache 1: a")).lists[0]!;
  deepEqual(without.excepted, [2]);
  deepEqual(without.missing.map(({ number }) => number), [3]);
  match(
    cover(lists, exceptions, tests("cache 2: a")).problems[0]!,
    /take its row out/,
  );
});

Deno.test("parseExceptions() refuses a row without a known line or a reason", () => {
  const table = (row: string) => () =>
    parseExceptions(`| list | number | reason |\n| - | - | - |\n${row}`, lists);

  throws(table("| cache | 9 | far |"), /needs a list/);
  throws(table("| disk | 1 | far |"), /needs a list/);
  throws(table("| cache | 1 | |"), /needs a list/);
});

Deno.test("parseJunit() reads what the runner writes: steps, skips, failures, entities", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      `${folder}/a_test.ts`,
      `Deno.test('orm 1: a > b & "c" <d>', async (t) => {
         await t.step("cache 1: step", () => {});
         await t.step({ name: "cache 2: ignored", ignore: true, fn() {} });
         await t.step("outer", (t) => t.step("cache 3: deep", () => {}));
       });
       Deno.test.ignore("orm 2: skipped", () => {});
       Deno.test("orm 3: fails", () => { throw new Error("<failure> > ]]>"); });`,
    );
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--no-check", "--no-config", "--junit-path=out.xml"],
      cwd: folder,
      stdout: "null",
      stderr: "null",
    }).output();

    const cases = parseJunit(await Deno.readTextFile(`${folder}/out.xml`));

    ok(code !== 0);
    deepEqual(
      Object.fromEntries(cases.map(({ title, outcome }) => [title, outcome])),
      {
        'orm 1: a > b & "c" <d>': "passed",
        "cache 1: step": "passed",
        "cache 2: ignored": "skipped",
        "cache 3: deep": "passed",
        "outer": "passed",
        "orm 2: skipped": "skipped",
        "orm 3: fails": "failed",
      },
    );
    deepEqual(
      cases.filter(({ topLevel }) => topLevel).map(({ title }) => title),
      ['orm 1: a > b & "c" <d>', "orm 2: skipped", "orm 3: fails"],
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { fileNameOf, slugOf } from "../../migrate/cli/revision_file.ts";
import { readSwitches } from "../../migrate/cli/environment.ts";
import { Project } from "./project.ts";

/** Base, two branches, on a SQLite file. */
async function branched(): Promise<Project> {
  const project = new Project();
  await project.ok("init");
  project.env(`import { defineMigrations } from "@aludel/aludel/migrate";
export default defineMigrations({
  engines: { default: { sqlite: ${
    JSON.stringify(`${project.directory}/app.db`)
  } } },
});
`);
  await project.ok("revision", "-m", "users", "--rev-id", "aaaa1111");
  project.revise(
    "aaaa1111",
    '  upgrade(op) {\n    op.execute("CREATE TABLE users (id INTEGER)", { undo: "DROP TABLE users" });\n  },\n',
  );
  await project.ok("revision", "-m", "posts", "--rev-id", "bbbb2222");
  await project.ok(
    "revision",
    "-m",
    "tags",
    "--rev-id",
    "cccc3333",
    "--head",
    "aaaa",
    "--splice",
    "--branch-label",
    "tags",
  );
  return project;
}

Deno.test("a project is made, branched, merged, and brought up and down", async () => {
  using project = await branched();
  await project.ok("merge", "heads", "--rev-id", "dddd4444");
  deepEqual(await project.ok("upgrade", "head"), [
    "Running upgrade <base> -> aaaa1111, users",
    "Running upgrade aaaa1111 -> cccc3333, tags",
    "Running upgrade aaaa1111 -> bbbb2222, posts",
    "Running upgrade bbbb2222, cccc3333 -> dddd4444, merge bbbb2222 and cccc3333",
  ]);
  deepEqual(await project.ok("upgrade"), ["Nothing to do at dddd4444"]);
  await project.ok("check");
  deepEqual(await project.ok("downgrade", "-1"), [
    "Running downgrade dddd4444 -> bbbb2222, cccc3333, merge bbbb2222 and cccc3333",
  ]);
  await project.ok("downgrade", "tags@-1");
  deepEqual(await project.ok("current"), ["bbbb2222"]);
  await project.ok("upgrade", "+1");
  await project.ok("downgrade", "base");
  deepEqual(await project.ok("current"), []);
});

Deno.test("migrate 88: with several heads a revision needs one of them, or a merge first", async () => {
  using project = await branched();
  await project.fails(
    1,
    /^error: Cannot build on 'head': there are 2 heads \(bbbb2222, cccc3333\); name one with --head, or run 'merge'$/,
    "revision",
  );
  await project.ok("merge", "heads", "--rev-id", "dddd4444");
  await project.ok("revision", "--rev-id", "eeee5555");
});

Deno.test("migrate 89: a revision on what is no head needs --splice, and no head is named twice", async () => {
  using project = await branched();
  await project.fails(1, /not a head/, "revision", "--head", "aaaa1111");
  await project.fails(
    1,
    /named twice/,
    "revision",
    "--head",
    "bbbb2222",
    "bbbb",
  );
});

Deno.test("migrate 90: --depends-on takes ids, beginnings and labels, and stores ids and labels", async () => {
  using project = await branched();
  const [dependsOn] = [
    JSON.parse(
      (await project.ok(
        "--json",
        "revision",
        "--rev-id",
        "eeee5555",
        "--head",
        "base",
        "--splice",
        "--depends-on",
        "bbbb",
        "tags",
      )).join("\n"),
    ).dependsOn,
  ];
  deepEqual(dependsOn, ["bbbb2222", "tags"]);
  await project.fails(
    1,
    /No such revision or branch 'nowhere'/,
    "revision",
    "--head",
    "eeee",
    "--depends-on",
    "nowhere",
  );
  equal(project.files().filter((name) => /^[a-f]{4}/.test(name)).length, 4);
});

Deno.test("migrate 92: with several version locations a revision goes beside its parent, or where it is told", async () => {
  using project = await branched();
  for (const name of ["one", "two"]) Deno.mkdirSync(`${project.dir}/${name}`);
  project.env(`import { defineMigrations } from "@aludel/aludel/migrate";
export default defineMigrations({
  engines: { default: { sqlite: ":memory:" } },
  versionLocations: ["one", "two"],
});
`);
  await project.fails(1, /several version locations/, "revision");
  await project.fails(
    1,
    /Cannot write into/,
    "revision",
    "--version-path",
    `${project.dir}/three`,
  );
  await project.ok(
    "revision",
    "--rev-id",
    "eeee5555",
    "--version-path",
    `${project.dir}/two`,
  );
  await project.ok("revision", "--rev-id", "ffff6666");
  deepEqual(
    [...Deno.readDirSync(`${project.dir}/two`)].map(({ name }) => name).sort(),
    ["eeee5555.ts", "ffff6666.ts"],
  );
});

Deno.test("migrate 93: current gives the heads and what they imply, and --check-heads exits with 2 below the heads", async () => {
  using project = await branched();
  await project.ok(
    "revision",
    "--rev-id",
    "eeee5555",
    "--head",
    "base",
    "--splice",
    "--depends-on",
    "bbbb2222",
  );
  await project.ok("upgrade", "eeee5555");
  deepEqual((await project.ok("current")).sort(), [
    "bbbb2222 (effective head)",
    "eeee5555 (head)",
  ]);
  await project.fails(2, /not at the heads/, "current", "--check-heads");
  await project.ok("upgrade", "heads");
  await project.ok("current", "--check-heads");
});

Deno.test("migrate 94: history goes over ranges, from the current revision, back some steps, with a mark", async () => {
  using project = await branched();
  await project.ok("upgrade", "bbbb2222");
  const ids = async (...args: string[]) =>
    (await project.ok("history", ...args)).map((line) =>
      / -> (\w+)/.exec(line)![1]
    );
  deepEqual(await ids(), ["bbbb2222", "cccc3333", "aaaa1111"]);
  deepEqual(await ids("-r", "aaaa:bbbb"), ["bbbb2222", "aaaa1111"]);
  deepEqual(await ids("-r", ":aaaa"), ["aaaa1111"]);
  deepEqual(await ids("-r", "bbbb:"), ["bbbb2222"]);
  deepEqual(await ids("-r", "current:"), ["bbbb2222"]);
  deepEqual(await ids("-r", "-1:current"), ["bbbb2222", "aaaa1111"]);
  deepEqual(await ids("-r", "-9:bbbb"), ["bbbb2222", "aaaa1111"]);
  deepEqual(await project.ok("history", "-i", "-r", "bbbb:"), [
    "aaaa1111 -> bbbb2222 (head) (current), posts",
  ]);
  await project.fails(1, /a range needs a colon/, "history", "-r", "bbbb");
});

Deno.test("migrate 95: branches lists branch points, heads leaves out what is depended on", async () => {
  using project = await branched();
  deepEqual(await project.ok("branches"), [
    "<base> -> aaaa1111 (branchpoint), users",
    "             -> bbbb2222 (head)",
    "             -> cccc3333 (tags) (head)",
  ]);
  await project.ok(
    "revision",
    "--rev-id",
    "eeee5555",
    "--head",
    "bbbb",
    "--depends-on",
    "tags",
  );
  deepEqual(await project.ok("heads"), [
    "cccc3333 (tags) (effective head)",
    "eeee5555 (head)",
  ]);
  deepEqual(await project.ok("heads", "--resolve-dependencies"), [
    "eeee5555 (head)",
  ]);
});

Deno.test("migrate 96: show tells a revision's place, marks and file", async () => {
  using project = await branched();
  await project.ok("merge", "heads", "--rev-id", "dddd4444");
  const base = await project.ok("show", "aaaa");
  deepEqual(base.slice(0, 3), [
    "Rev: aaaa1111 (branchpoint)",
    "Parent: <base>",
    "Branches into: bbbb2222, cccc3333",
  ]);
  match(base[3]!, /^Path: .*migrations\/aaaa1111_users\.ts$/);
  deepEqual((await project.ok("show", "head")).slice(0, 2), [
    "Rev: dddd4444 (head) (mergepoint)",
    "Merges: bbbb2222, cccc3333",
  ]);
  await project.ok("upgrade", "bbbb");
  match((await project.ok("show", "current"))[0]!, /^Rev: bbbb2222/);
});

Deno.test("migrate 98: init refuses a directory that is not empty, and a template it does not know", async () => {
  using project = new Project();
  await project.fails(
    1,
    /Cannot find template 'oracle'/,
    "init",
    "-t",
    "oracle",
  );
  await project.ok("init", "-t", "d1");
  await project.fails(1, /it is not empty/, "init");
});

Deno.test("migrate 99: edit opens a revision's file, and says so when there is none", async () => {
  using project = await branched();
  const log = `${project.directory}/edited`;
  const script = `${project.directory}/editor.sh`;
  Deno.writeTextFileSync(script, `echo "$@" >> ${log}\n`);
  const before = Deno.env.get("EDITOR");
  Deno.env.set("EDITOR", `sh ${script}`);
  try {
    await project.ok("edit", "aaaa");
    await project.ok("upgrade", "bbbb");
    await project.ok("edit", "current");
    await project.fails(1, /names no revision/, "edit", "base");
  } finally {
    if (before === undefined) Deno.env.delete("EDITOR");
    else Deno.env.set("EDITOR", before);
  }
  const edited = Deno.readTextFileSync(log).trim().split("\n");
  match(edited[0]!, /aaaa1111_users\.ts$/);
  match(edited[1]!, /bbbb2222_posts\.ts$/);
});

Deno.test("migrate 101: file names come from a template; slugs are cut at a word; time zones are known ones", async () => {
  equal(slugOf("Add the E-Mail & more"), "add_the_e_mail_more");
  equal(
    slugOf("one two three four five six seven eight nine ten"),
    "one_two_three_four_five_six_seven_eight",
  );
  const made = {
    revision: "aaaa1111",
    downRevision: [],
    dependsOn: [],
    branchLabels: [],
    message: "A b",
    createDate: new Date("2026-11-23T23:30:05Z"),
    timezone: "UTC",
  };
  equal(
    fileNameOf(
      "{year}/{month}/{day}_{hour}{minute}{second}_{rev}_{slug}",
      made,
    ),
    "2026/11/23_233005_aaaa1111_a_b.ts",
  );
  equal(fileNameOf("{epoch}_{rev}", made), "1795476605_aaaa1111.ts");
  equal(
    fileNameOf("{day}-{hour}", { ...made, timezone: "europe/vienna" }),
    "24-00.ts",
  );
  using project = await branched();
  project.env(`import { defineMigrations } from "@aludel/aludel/migrate";
export default defineMigrations({ engines: { default: { sqlite: ":memory:" } }, timezone: "Nowhere" });
`);
  await project.fails(
    1,
    /Cannot use time zone 'Nowhere'/,
    "revision",
    "--head",
    "bbbb",
  );
});

Deno.test("migrate 102: other files are left alone, directories are searched when told, and one file in two places is read once", async () => {
  using project = await branched();
  Deno.writeTextFileSync(`${project.dir}/.#aaaa1111_users.ts`, "throw 1;");
  Deno.writeTextFileSync(`${project.dir}/_notes.ts`, "throw 1;");
  Deno.mkdirSync(`${project.dir}/deep`);
  const users = project.files().find((name) => name.startsWith("aaaa"))!;
  Deno.writeTextFileSync(
    `${project.dir}/deep/eeee5555.ts`,
    'import { revision } from "@aludel/aludel/migrate";\nexport default revision({ revision: "eeee5555" });\n',
  );
  const count = async () => (await project.ok("history")).length;
  equal(await count(), 3);
  const env = (more: string) =>
    project.env(`import { defineMigrations } from "@aludel/aludel/migrate";
export default defineMigrations({ engines: { default: { sqlite: ":memory:" } }, ${more} });
`);
  env("recursiveVersionLocations: true");
  equal(await count(), 4);
  env('versionLocations: [".", "deep"]');
  Deno.symlinkSync(`${project.dir}/${users}`, `${project.dir}/deep/${users}`);
  const { out, err } = await project.run("history");
  equal(out.length, 4);
  match(err[0]!, /^warning: .*read once$/);
});

Deno.test("migrate 103: -x gives switches to the revisions", async () => {
  deepEqual(readSwitches(["a=1", "b", "c=x=y"]), { a: "1", b: "", c: "x=y" });
  using project = await branched();
  project.revise(
    "bbbb2222",
    "  upgrade(op, { x }) {\n    op.execute(`CREATE TABLE ${x.table ?? 'plain'} (id INTEGER)`);\n  },\n",
  );
  const script = await project.ok(
    "-x",
    "table=chosen",
    "-x",
    "other",
    "upgrade",
    "bbbb2222",
    "--sql",
  );
  ok(script.includes("CREATE TABLE chosen (id INTEGER);"), script.join("\n"));
});

Deno.test("migrate 104: an error is one line and exit code 1, and --raiseerr throws it", async () => {
  using project = await branched();
  await project.fails(
    1,
    /^error: Cannot locate revision 'zzzz'/,
    "show",
    "zzzz",
  );
  let thrown: unknown;
  await project.run("--raiseerr", "show", "zzzz").catch((error) => {
    thrown = error;
  });
  ok(thrown instanceof Error && thrown.name === "RevisionNotFoundError");
});

Deno.test("migrate 100: ensure-version may be run again, and prints its script", async () => {
  using project = await branched();
  await project.ok("ensure-version");
  await project.ok("ensure-version");
  match(
    (await project.ok("ensure-version", "--sql")).join("\n"),
    /^CREATE TABLE IF NOT EXISTS "aludel_version"/,
  );
});

Deno.test("check names what is not applied, edited, or without a file; repair sets it right", async () => {
  using project = await branched();
  await project.fails(2, /^Not applied: aaaa1111/, "check");
  await project.ok("upgrade", "heads");
  await project.ok("check");
  const path = `${project.dir}/aaaa1111_users.ts`;
  const text = Deno.readTextFileSync(path);
  Deno.writeTextFileSync(path, text.replace("id INTEGER", "id TEXT"));
  await project.fails(2, /^Edited after it was applied: aaaa1111$/, "check");
  await project.fails(1, /were edited afterwards/, "upgrade", "heads");
  deepEqual(await project.ok("repair", "--yes"), [
    "Taken as it is now: aaaa1111",
  ]);
  await project.ok("check");
  Deno.removeSync(`${project.dir}/cccc3333_tags.ts`);
  await project.fails(2, /^Applied, but without a file: cccc3333$/, "check");
  await project.fails(1, /table 'aludel_version' names it/, "upgrade", "heads");
  await project.ok("repair", "--yes");
  await project.ok("check");
});

Deno.test("migrate 183: a squashed range is nothing on a database that holds it, and one step on a new one", async () => {
  using project = await branched();
  await project.ok("upgrade", "bbbb2222");
  Deno.removeSync(`${project.dir}/cccc3333_tags.ts`);
  await project.ok("squash", "aaaa:bbbb", "-m", "all of it");
  deepEqual(await project.ok("upgrade"), ["Nothing to do at bbbb2222"]);
  await project.ok("check");
  const fresh = await project.ok(
    "--sqlite",
    `${project.directory}/fresh.db`,
    "upgrade",
  );
  deepEqual(fresh, ["Running upgrade <base> -> bbbb2222, all of it"]);
  await project.ok(
    "--sqlite",
    `${project.directory}/fresh.db`,
    "downgrade",
    "base",
  );
});

Deno.test("migrate 183: what was squashed is squashed again, and its parts are still found with what they import", async () => {
  using project = await branched();
  Deno.writeTextFileSync(
    `${project.directory}/notes.ts`,
    'export const NOTES = "CREATE TABLE notes (id INTEGER)";\n',
  );
  project.revise(
    "bbbb2222",
    '  upgrade(op) {\n    op.execute(NOTES, { undo: "DROP TABLE notes" });\n  },\n',
  );
  const posts = `${project.dir}/bbbb2222_posts.ts`;
  Deno.writeTextFileSync(
    posts,
    `import { NOTES } from "../notes.ts";\n${Deno.readTextFileSync(posts)}`,
  );
  Deno.removeSync(`${project.dir}/cccc3333_tags.ts`);
  await project.ok("revision", "-m", "more", "--rev-id", "dddd4444");
  await project.ok("squash", "aaaa:bbbb");
  deepEqual(
    await project.ok("squash", "bbbb:dddd", "-m", "all of it"),
    [
      `Wrote ${project.dir}/dddd4444_more.ts`,
      `Kept ${project.dir}/__bbbb2222_posts.ts`,
      `Kept ${project.dir}/_dddd4444_more.ts`,
    ].map((line) => line.replace(`${Deno.cwd()}/`, "")),
  );
  deepEqual(await project.ok("history"), [
    "<base> -> dddd4444 (head), all of it",
  ]);
  await project.ok("upgrade");
  await project.ok("downgrade", "base");
  await project.fails(1, /give <from>:<to>$/, "squash", "dddd");
});

Deno.test("a run that fails halfway tells what it has done, a downgrade what cannot be undone, and a purge what it emptied", async () => {
  using project = await branched();
  project.revise(
    "bbbb2222",
    '  upgrade(op) {\n    op.execute("CREATE TABLE \\"users\\" (id INTEGER)");\n  },\n',
  );
  const { code, err } = await project.run("upgrade", "bbbb");
  deepEqual([code, ...err], [
    1,
    "Running upgrade <base> -> aaaa1111, users",
    "error: Cannot upgrade revision 'bbbb2222': Cannot run the statement: table \"users\" already exists",
  ]);
  await project.ok("stamp", "bbbb");
  await project.fails(
    1,
    /^error: Cannot downgrade revision 'bbbb2222': Cannot reverse execute/,
    ...["downgrade", "base"],
  );
  deepEqual(await project.ok("stamp", "--purge", "base"), [
    "Running stamp bbbb2222 -> <base>",
  ]);
});

Deno.test("a file that cannot be imported, a database that cannot be opened and a directory that cannot be made are named", async () => {
  using project = await branched();
  await project.fails(
    1,
    /^error: Cannot make migrations in '\/proc\/none': .*; name a directory/,
    ...["--dir", "/proc/none", "init"],
  );
  await project.fails(
    1,
    /^error: Cannot open SQLite file '\/nowhere\/a.db': /,
    ...["--sqlite", "/nowhere/a.db", "current"],
  );
  await project.fails(
    1,
    /the request failed; see the cause \(Invalid URL: [^@]+\)$/,
    ...["--url", "postgres://u:secret@127.0.0.1:1/x", "current"],
  );
  Deno.writeTextFileSync(`${project.dir}/odd.ts`, "export default {");
  await project.fails(
    1,
    /^error: Cannot load '.*migrations\/odd.ts': SyntaxError/,
    "history",
  );
});

Deno.test("an id that is taken, or no part of a file's name, is refused before anything is written", async () => {
  using project = await branched();
  const before = project.files();
  await project.fails(
    1,
    /'aaaa1111': there is one of that id; give another --rev-id$/,
    ...["revision", "--rev-id", "aaaa1111", "--head", "bbbb"],
  );
  await project.fails(
    1,
    /'\.\.\/x': an id that becomes a file/,
    ...["revision", "--rev-id", "../x", "--head", "bbbb"],
  );
  deepEqual(project.files(), before);
});

Deno.test("--local and --remote before a command do not take its name for that of a binding", async () => {
  using project = await branched();
  for (const flag of ["--local", "--remote"]) {
    const config = ["--wrangler-config", "/nowhere/wrangler.jsonc"];
    await project.fails(
      1,
      /^error: Cannot find \/nowhere\/wrangler.jsonc/,
      ...[...config, flag, "current"],
    );
  }
});

Deno.test("several engines and many tenants are brought up in one run; who failed is told with exit code 3", async () => {
  using project = await branched();
  const file = (name: string) =>
    JSON.stringify(`${project.directory}/${name}.db`);
  project.env(`import { defineMigrations } from "@aludel/aludel/migrate";
import { createEngine } from "@aludel/aludel/sql";
import { sqlite } from "@aludel/aludel/backends/sqlite";
export default defineMigrations({
  engines: { one: { sqlite: ${file("one")} }, two: { sqlite: ${file("two")} } },
  tenants: {
    names: () => ["a", "b", "c"],
    open: (name) => createEngine(sqlite(name === "b" ? "/nowhere/b.db" : ${
    file("tenant_")
  } + name), { name }),
  },
});
`);
  deepEqual(await project.ok("upgrade", "bbbb"), [
    "✓ one  2 step(s), at bbbb2222",
    "✓ two  2 step(s), at bbbb2222",
  ]);
  await project.ok("--name", "two", "upgrade", "heads");
  deepEqual(await project.ok("current"), [
    "one:",
    "bbbb2222 (head)",
    "two:",
    "bbbb2222 (head)",
    "cccc3333 (tags) (head)",
  ]);
  await project.fails(
    1,
    /Cannot find engine 'three'/,
    "-n",
    "three",
    "upgrade",
  );
  const { code, out } = await project.run("--tenants", "upgrade", "heads");
  equal(code, 3);
  deepEqual(out.slice(0, 3), [
    "✓ a  3 step(s), at bbbb2222, cccc3333",
    "✗ b  failed",
    "✓ c  3 step(s), at bbbb2222, cccc3333",
  ]);
  const again = await project.run("--tenants", "upgrade", "heads");
  equal(again.out[0], "✓ a  0 step(s), at bbbb2222, cccc3333");
});

Deno.test("history is drawn, and written as a diagram", async () => {
  using project = await branched();
  await project.ok("merge", "heads", "--rev-id", "dddd4444", "-m", "together");
  deepEqual(await project.ok("history", "--graph"), [
    "●   dddd4444 (tags) (head) (mergepoint), together",
    "├─╮",
    "● │ bbbb2222, posts",
    "│ ● cccc3333 (tags), tags",
    "├─╯",
    "●   aaaa1111 (branchpoint), users",
  ]);
  deepEqual((await project.ok("history", "--mermaid")).slice(0, 2), [
    "flowchart TD",
    '  raaaa1111["aaaa1111<br/>users"]',
  ]);
  const json = JSON.parse((await project.ok("--json", "history")).join("\n"));
  equal(json.length, 4);
  deepEqual(json[0].downRevision, ["bbbb2222", "cccc3333"]);
});

Deno.test("lint names the file, the rule and the operation, and exits with 2", async () => {
  using project = await branched();
  project.revise(
    "bbbb2222",
    '  upgrade(op) {\n    op.execute("SELECT 1", { undo: "SELECT 1" });\n    op.dropColumn("users", "id");\n  },\n',
  );
  const { code, out } = await project.run("lint", "-r", "bbbb:bbbb");
  equal(code, 2);
  match(
    out.at(-2)!,
    /bbbb2222_posts\.ts: drop-column in operation 2: Column 'users.id' goes/,
  );
});

Deno.test("the module of all revisions is importable, sorted, and written again after a merge", async () => {
  using project = await branched();
  const path = `${project.dir}/mod.ts`;
  const text = Deno.readTextFileSync(path);
  const { revisions } = await import(`file://${path}`);
  deepEqual(
    revisions.map((one: { revision: string }) => one.revision),
    ["aaaa1111", "bbbb2222", "cccc3333"],
  );
  Deno.writeTextFileSync(path, "<<<<<<< ours");
  match((await project.ok("index"))[0]!, /^Wrote /);
  equal(Deno.readTextFileSync(path), text);
  match((await project.ok("index"))[0]!, /is as it should be$/);
});

/** The gates that Deno's own tools answer. */
import { join } from "node:path";
import { exceptionOf } from "./exceptions.ts";
import { type Gate, type Outcome, pass } from "./gate.ts";
import type { Package } from "./package.ts";

/** Where this file's configurations lie, whatever package is looked at. */
const CI = join(import.meta.dirname!, "..");

/** Runs Deno in the package; what it printed is the complaint if it failed. */
async function deno(pkg: Package, args: readonly string[]): Promise<Outcome> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: pkg.root,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  if (success) return pass();
  const text = new TextDecoder();
  return {
    problem: [text.decode(stdout), text.decode(stderr)]
      .map((part) => part.trim()).filter(Boolean).join("\n"),
  };
}

function files(pkg: Package): string[] {
  return pkg.entries.map(({ file }) => file);
}

/** `deno fmt`, untouched. */
export const fmt: Gate = {
  name: "fmt",
  claim: "every file is as `deno fmt` writes it",
  // Not --quiet, which hides the name of the file.
  run: (pkg) => deno(pkg, ["fmt", "--check"]),
};

/** The lint set of `deno.json`. */
export const lint: Gate = {
  name: "lint",
  claim: "no lint complaint in any file",
  run: (pkg) => deno(pkg, ["lint", "--quiet"]),
};

/** Types of library, tests, examples, benches and this folder. */
export const types: Gate = {
  name: "types",
  claim: "all code and all tests type-check",
  run: (pkg) => deno(pkg, ["check", "--quiet"]),
};

/** What JSR calls "no slow types", found with a line number. */
export const strict: Gate = {
  name: "strict",
  claim: "the library's declarations need no inference (isolatedDeclarations)",
  run: (pkg) =>
    deno(pkg, [
      "check",
      "--quiet",
      "--no-lock",
      `--config=${join(CI, "strict.json")}`,
      "--import-map=deno.json",
      ...files(pkg),
    ]),
};

/** Every exported symbol has a doc comment, and none leaks a private type. */
export const doc: Gate = {
  name: "doc",
  claim: "`deno doc --lint` is silent on every entry",
  run: (pkg) => deno(pkg, ["doc", "--lint", "--quiet", ...files(pkg)]),
};

/** Documentation that is executed cannot lie. */
export const examples: Gate = {
  name: "examples",
  claim: "every example in doc comments and README.md runs",
  async run(pkg) {
    const readme = join(pkg.root, "README.md");
    const hasReadme = await Deno.stat(readme).then(() => true, () => false);
    return await deno(pkg, [
      "test",
      "--doc",
      "--quiet",
      "--allow-all",
      ...pkg.rooms,
      ...hasReadme ? ["README.md"] : [],
    ]);
  },
};

/** What the registry would refuse. */
export const publish: Gate = {
  name: "publish",
  claim: "`deno publish --dry-run` accepts the package",
  run: (pkg) => deno(pkg, ["publish", "--dry-run", "--allow-dirty", "--quiet"]),
};

/** A Worker has no `Deno`; a type check that does not know it says where. */
export const edgeTypes: Gate = {
  name: "edge-types",
  claim: "every edge entry type-checks with web standards alone",
  run: (pkg) =>
    deno(pkg, [
      "check",
      "--quiet",
      "--no-lock",
      `--config=${join(CI, "edge.json")}`,
      "--import-map=deno.json",
      ...pkg.entries.filter(({ name }) => !exceptionOf(name)?.deno)
        .map(({ file }) => file),
    ]),
};

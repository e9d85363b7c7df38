/** The house's spelling, and the faces of its rooms. */
import { join } from "node:path";
import { complaints, type Gate } from "./gate.ts";

const KEBAB = /^\.(\/[a-z0-9]+(-[a-z0-9]+)*)*$/;
const SNAKE = /^_?[a-z0-9]+(_[a-z0-9]+)*\.ts$/;
/** A file is named for what it does; these names say nothing. */
const EMPTY_NAMES = /^_?(utils?|common|misc|helpers?|shared|stuff)\.ts$/;

/** Exports are kebab-case and exist; files are snake_case and named for a thing. */
export const names: Gate = {
  name: "names",
  claim:
    "exports and files follow the house's spelling, and every entry exists",
  async run(pkg) {
    const problems = pkg.missing.map(({ name, file }) =>
      `deno.json: export "${name}" points to ${file}, which is not there`
    );
    for (const { name } of pkg.entries) {
      if (!KEBAB.test(name)) {
        problems.push(`deno.json: export "${name}" is not kebab-case`);
      }
    }
    for (const file of pkg.files) {
      const base = file.split("/").at(-1)!;
      if (!SNAKE.test(base)) problems.push(`${file}: not snake_case`);
      if (EMPTY_NAMES.test(base)) {
        problems.push(`${file}: name the file for what it does`);
      }
    }
    for (const { file } of pkg.entries) {
      const text = await Deno.readTextFile(join(pkg.root, file));
      if (!/^\s*\/\*\*[\s\S]*?@module[\s\S]*?\*\//.test(text)) {
        problems.push(`${file}: an entry opens with its @module text`);
      }
    }
    return complaints(problems);
  },
};

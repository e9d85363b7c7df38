/** Bundle bytes are a promise, so they are measured on every commit. */
import { dirname, join } from "node:path";
import { bundle, gzipBytes } from "./bundle.ts";
import { complaints, type Gate } from "./gate.ts";

/** One row of `.ci/budgets.json`. */
interface Budget {
  readonly name: string;
  /** A module that imports what is to be measured, relative to the root. */
  readonly entry: string;
  /** What it may weigh; lowered when it weighs less, never raised. */
  readonly maxGzipBytes: number;
  /** What was promised, while it weighs more than that. */
  readonly goalGzipBytes?: number;
}

/** What a typical Worker carries, against what was promised. */
export const budgets: Gate = {
  name: "budgets",
  claim: "every bundle of .ci/budgets.json is within its bytes",
  async run(pkg) {
    const rows = JSON.parse(
      await Deno.readTextFile(join(pkg.root, ".ci/budgets.json")),
    ) as Budget[];
    const problems: string[] = [];
    const notes: string[] = [];
    for (const { name, entry, maxGzipBytes, goalGzipBytes } of rows) {
      const path = join(pkg.root, entry);
      const { code, files, problems: failed } = await bundle(
        pkg,
        await Deno.readTextFile(path),
        { resolveDir: dirname(path) },
      );
      problems.push(...failed.map((text) => `${entry}: ${text}`));
      if (failed.length) continue;

      const bytes = gzipBytes(code);
      const goal = goalGzipBytes ? ` (goal ${goalGzipBytes})` : "";
      notes.push(`${name} ${bytes}/${maxGzipBytes} B${goal}`);
      if (bytes > maxGzipBytes) {
        problems.push(
          `${entry}: ${name} is ${bytes} bytes gzip, ${
            bytes - maxGzipBytes
          } over its budget of ${maxGzipBytes}; minified, the largest parts are:`,
          ...files.slice(0, 12).map(({ file, bytes }) =>
            `  ${bytes} bytes of ${file}`
          ),
        );
      }
      if (code === "") {
        problems.push(`${entry}: bundles to nothing, so it measures nothing`);
      }
    }
    return complaints(problems, notes.join(" · "));
  },
};

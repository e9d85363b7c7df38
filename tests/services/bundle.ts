/**
 * Bundles a Worker written in TypeScript into one module, as a deploy would.
 *
 * @module
 */
import { buildSync } from "esbuild";
import { fileURLToPath } from "node:url";
import packageJson from "../../deno.json" with { type: "json" };

/** Where the package's files lie. */
const ROOT = new URL("../../", import.meta.url);

/** What to bundle: a file, or source text that lies nowhere. */
export type WorkerEntry =
  /** A module's address; `new URL("./worker.ts", import.meta.url)`. */
  | URL
  /** TypeScript text; relative imports start at the package's root. */
  | { readonly source: string };

/** How to bundle. */
export interface BundleOptions {
  /**
   * Shorten names and drop white space, as for a size budget.
   * @default {false}
   */
  readonly minify?: boolean;
}

/**
 * Bundles `entry` and everything it imports, save `cloudflare:*` and `node:*`.
 *
 * Our own package name resolves through the `exports` of `deno.json`, npm
 * packages through `node_modules`. It is synchronous, so that no bundler process
 * outlives the call.
 *
 * @throws {Error} If a module is missing or does not parse; the message lists
 * every place.
 */
export function bundleWorker(
  entry: WorkerEntry,
  options: BundleOptions = {},
): string {
  const resolveDir = fileURLToPath(ROOT);
  const built = buildSync({
    ...(entry instanceof URL
      ? { entryPoints: [fileURLToPath(entry)] }
      : { stdin: { contents: entry.source, resolveDir, loader: "ts" } }),
    absWorkingDir: resolveDir,
    alias: ownExports(),
    bundle: true,
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    format: "esm",
    logLevel: "silent",
    mainFields: ["module", "main"],
    minify: options.minify ?? false,
    platform: "neutral",
    target: "es2024",
    write: false,
  });
  return built.outputFiles[0]!.text;
}

function ownExports(): Record<string, string> {
  const alias: Record<string, string> = {};
  for (const [path, file] of Object.entries(packageJson.exports)) {
    const specifier = packageJson.name + path.slice(1);
    alias[specifier] = fileURLToPath(new URL(file, ROOT));
  }
  return alias;
}

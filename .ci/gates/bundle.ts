/** Bundles as a Worker's toolchain would, to see what an entry drags along. */
import { build, type Message, type Plugin } from "esbuild";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Package } from "./package.ts";

/** A bundle, or the reasons why there is none. */
export interface Bundle {
  readonly code: string;
  /** Bytes that each file left in the code, the largest first. */
  readonly files: readonly { file: string; bytes: number }[];
  readonly problems: readonly string[];
}

/**
 * Bundles `source`, a module that stands in the package's root.
 *
 * The platform is neutral: no built-in module resolves, save `external`.
 */
export async function bundle(
  pkg: Package,
  source: string,
  { external = [], resolveDir = pkg.root, minify = true }: {
    external?: readonly string[];
    resolveDir?: string;
    minify?: boolean;
  } = {},
): Promise<Bundle> {
  try {
    const result = await build({
      stdin: {
        contents: source,
        resolveDir,
        sourcefile: "entry.ts",
        loader: "ts",
      },
      absWorkingDir: pkg.root,
      bundle: true,
      minify,
      metafile: true,
      write: false,
      format: "esm",
      platform: "neutral",
      target: "es2024",
      mainFields: ["module", "main"],
      conditions: ["workerd", "worker", "browser"],
      plugins: [selfImports(pkg), platformModules(external)],
      tsconfigRaw: {},
      logLevel: "silent",
    });
    const [output] = Object.values(result.metafile.outputs);
    return {
      code: result.outputFiles[0]!.text.trim(),
      files: Object.entries(output!.inputs)
        .map(([file, { bytesInOutput }]) => ({ file, bytes: bytesInOutput }))
        .filter(({ bytes }) => bytes > 0)
        .sort((a, b) => b.bytes - a.bytes),
      problems: [],
    };
  } catch (error) {
    const messages = (error as { errors?: Message[] }).errors;
    if (!messages) throw error;
    return { code: "", files: [], problems: messages.map(describe) };
  }
}

/** Size on the wire, in bytes. */
export function gzipBytes(code: string): number {
  return gzipSync(new TextEncoder().encode(code)).length;
}

/** Lets a bundle import the package by its name, as its users do. */
function selfImports(pkg: Package): Plugin {
  return {
    name: "self-imports",
    setup({ onResolve }) {
      onResolve({ filter: new RegExp(`^${pkg.name}(/|$)`) }, ({ path }) => {
        const name = `.${path.slice(pkg.name.length)}`;
        const entry = pkg.entries.find((entry) => entry.name === name);
        if (entry) return { path: join(pkg.root, entry.file) };
        return { errors: [{ text: `No entry "${name}" in the exports map` }] };
      });
    },
  };
}

/** Leaves the platform's modules outside; importing one does nothing by itself. */
function platformModules(external: readonly string[]): Plugin {
  return {
    name: "platform-modules",
    setup({ onResolve }) {
      onResolve({ filter: /^(cloudflare|node):/ }, ({ path }) => {
        const given = path.startsWith("cloudflare:") || external.includes(path);
        return given ? { path, external: true, sideEffects: false } : null;
      });
    },
  };
}

function describe({ text, location }: Message): string {
  const where = location ? `${location.file}:${location.line}: ` : "";
  return where + text;
}

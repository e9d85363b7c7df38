/** Edge purity as a bundler sees it. */
import { bundle } from "./bundle.ts";
import { exceptionOf } from "./exceptions.ts";
import { complaints, type Gate } from "./gate.ts";

/** No entry reaches for a built-in module of a server. */
export const edgeBundle: Gate = {
  name: "edge-bundle",
  claim: "every entry bundles for a neutral platform with no `node:` import",
  async run(pkg) {
    const problems: string[] = [];
    for (const { name, file } of pkg.entries) {
      const external = exceptionOf(name)?.node ?? [];
      const result = await bundle(pkg, `export * from "./${file}";`, {
        external,
      });
      problems.push(...result.problems.map((text) => `${name}: ${text}`));
    }
    return complaints(problems, `${pkg.entries.length} entries`);
  },
};

/** Importing costs nothing: what is not used is not there. */
export const sideEffects: Gate = {
  name: "side-effects",
  claim: "importing an entry and using nothing of it leaves no code",
  async run(pkg) {
    const problems: string[] = [];
    for (const { name, file } of pkg.entries) {
      const { node = [], sideEffectBytes = 0 } = exceptionOf(name) ?? {};
      const { code } = await bundle(pkg, `import "./${file}";`, {
        external: node,
      });
      if (code.length <= sideEffectBytes) continue;
      const shown = code.length > 400 ? `${code.slice(0, 400)} …` : code;
      problems.push(
        `${name} (${file}): ${code.length} bytes remain, ${sideEffectBytes} allowed; make them lazy or mark them /* @__PURE__ */:\n  ${shown}`,
      );
    }
    return complaints(problems);
  },
};

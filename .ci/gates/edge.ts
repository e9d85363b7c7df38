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
      const { code, files } = await bundle(pkg, `import "./${file}";`, {
        external: node,
        minify: false,
      });
      if (code.length <= sideEffectBytes) continue;
      problems.push(
        `${name}: importing it leaves ${code.length} bytes, ${sideEffectBytes} allowed; make these lazy or mark them /* @__PURE__ */:`,
        ...suspects(code).slice(0, 12).map((line) => `  ${line}`),
        ...files.map(({ file, bytes }) => `  ${bytes} bytes of ${file}`),
      );
    }
    return complaints(problems);
  },
};

/** The top-level statements that may be the reason why the others stayed. */
function suspects(code: string): string[] {
  return code.split("\n").filter((line) =>
    (/^[A-Za-z_$]/.test(line) && !HARMLESS.test(line)) ||
    COMPUTED_MEMBER.test(line)
  );
}

/** A bundler keeps a class whose member is named by an expression. */
const COMPUTED_MEMBER =
  /^ {2}(static )?((get|set|async) |\*)?\[(?!Symbol\.)[^\]]+\] ?[(=]/;

const HARMLESS =
  /^(function|async function|class|import|export)\b|^var \S+ = (class\b|\/\* @__PURE__ \*\/|(async )?(function|\([^)]*\) =>|\w+ =>))/;

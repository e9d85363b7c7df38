/**
 * Every gate is shown a package that it must refuse, and says which file; the
 * package it was spoilt from passes them all.
 */
import { stop } from "esbuild";
import { equal, match } from "node:assert/strict";
import { dirname, join } from "node:path";
import { GATES } from "../../.ci/gates/mod.ts";
import { runGates } from "../../.ci/gates/gate.ts";
import { readPackage } from "../../.ci/gates/package.ts";

/** Files by path; `null` takes a file of the good package away. */
type Files = Readonly<Record<string, string | null>>;

const HOUSE = JSON.parse(
  await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
);

const CONFIG = {
  name: "@aludel/aludel",
  version: "0.1.0",
  license: "MIT",
  exports: {
    "./cache": "./cache/mod.ts",
    "./sql": "./sql/mod.ts",
    "./backends/kv": "./backends/kv.ts",
    "./backends/sqlite": "./backends/sqlite.ts",
  },
  compilerOptions: HOUSE.compilerOptions,
  lint: HOUSE.lint,
};

const GOOD: Files = {
  "deno.json": JSON.stringify(CONFIG, null, 2) + "\n",
  "README.md": '# Good\n\n```ts\nimport "@aludel/aludel/cache";\n```\n',
  "cache/mod.ts": `/**
 * A room.
 *
 * @module
 */
export { getOrCreate } from "./region.ts";
`,
  "cache/region.ts": `/**
 * Returns what the creator makes.
 *
 * @example
 * \`\`\`ts
 * import { getOrCreate } from "@aludel/aludel/cache";
 * import { equal } from "node:assert/strict";
 *
 * equal(getOrCreate(() => 1), 1);
 * \`\`\`
 */
export function getOrCreate<Value>(create: () => Value): Value {
  return create();
}
`,
  "sql/mod.ts":
    "/**\n * A room.\n *\n * @module\n */\n/** Types of columns. */\nexport type ColumnType = string;\n",
  "backends/kv.ts": `/**
 * A backend.
 *
 * @module
 */
import { getOrCreate } from "../cache/mod.ts";

/** Reads a value. */
export function kv(): number {
  return getOrCreate(() => 1);
}
`,
  "backends/sqlite.ts": `/**
 * An engine in a file, excepted from edge purity.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";

/** Opens a file and says which process did. */
export function sqlite(path: string): [DatabaseSync, number] {
  return [new DatabaseSync(path), Deno.pid];
}
`,
  "tests/good_test.ts": 'Deno.test("a test", () => {});\n',
  ".ci/budgets.json": `[
  { "name": "kv", "entry": ".ci/bundles/kv.ts", "maxGzipBytes": 200 }
]
`,
  ".ci/bundles/kv.ts":
    'import { kv } from "@aludel/aludel/backends/kv";\n\nexport default { kv };\n',
};

function exporting(name: string, file: string): string {
  const exports = { ...CONFIG.exports, [name]: file };
  return JSON.stringify({ ...CONFIG, exports }, null, 2) + "\n";
}

/** A module with its `@module` text, and this body. */
function module(body: string): string {
  return `/**\n * A room.\n *\n * @module\n */\n${body}\n`;
}

/** What each gate must refuse, and what its complaint must name. */
const COUNTER_EXAMPLES: readonly {
  gate: string;
  because: string;
  files: Files;
  names: RegExp;
}[] = [
  {
    gate: "fmt",
    because: "a file is not formatted",
    files: { "sql/loose.ts": "export const a   = 1\n" },
    names: /sql\/loose\.ts/,
  },
  {
    gate: "lint",
    because: "library code writes to the console",
    files: { "sql/loud.ts": 'console.log("hello");\n' },
    names: /no-console[\s\S]*sql\/loud\.ts/,
  },
  {
    gate: "names",
    because: "an export has no file",
    files: { "deno.json": exporting("./backends/d1", "./backends/d1.ts") },
    names: /"\.\/backends\/d1" points to backends\/d1\.ts/,
  },
  {
    gate: "names",
    because: "an export is not kebab-case",
    files: {
      "deno.json": exporting("./backends/cloud_kv", "./backends/kv.ts"),
    },
    names: /"\.\/backends\/cloud_kv" is not kebab-case/,
  },
  {
    gate: "names",
    because: "a file is not snake_case",
    files: { "sql/tableName.ts": "export {};\n" },
    names: /sql\/tableName\.ts: not snake_case/,
  },
  {
    gate: "names",
    because: "a file is a drawer for everything",
    files: { "sql/_utils.ts": "export {};\n" },
    names: /sql\/_utils\.ts: name the file/,
  },
  {
    gate: "names",
    because: "an entry does not open with its text",
    files: { "sql/mod.ts": "export {};\n" },
    names: /sql\/mod\.ts: an entry opens with/,
  },
  {
    gate: "dependencies",
    because: "the cache knows the Core, if only its types",
    files: {
      "cache/rows.ts": 'export type { ColumnType } from "../sql/mod.ts";\n',
    },
    names: /cache\/rows\.ts:1 imports sql\/mod\.ts: cache may import no other/,
  },
  {
    gate: "dependencies",
    because: "the migrations know a backend",
    files: {
      "deno.json": exporting("./migrate", "./migrate/mod.ts"),
      "migrate/mod.ts": module('import "../backends/kv.ts";'),
    },
    names:
      /migrate\/mod\.ts:6 imports backends\/kv\.ts: migrate may import sql/,
  },
  {
    gate: "dependencies",
    because: "a room is entered through a window",
    files: { "backends/d1.ts": 'import "../cache/region.ts";\n' },
    names:
      /backends\/d1\.ts:1 imports cache\/region\.ts: .*through its mod\.ts/,
  },
  {
    gate: "dependencies",
    because: "the library needs what is not published",
    files: {
      "examples/a.ts": "export {};\n",
      "sql/b.ts": 'import "../examples/a.ts";\n',
    },
    names: /sql\/b\.ts:1 imports examples\/a\.ts/,
  },
  {
    gate: "dependencies",
    because: "a room has no rule",
    files: {
      "deno.json": exporting("./attic", "./attic/mod.ts"),
      "attic/mod.ts": module("export {};"),
    },
    names: /attic\/: no rule/,
  },
  {
    gate: "dependencies",
    because: "two files need each other",
    files: {
      "sql/a.ts":
        'import { b } from "./b.ts";\nexport const a = (): number => b();\n',
      "sql/b.ts":
        'import { a } from "./a.ts";\nexport const b = (): number => a();\n',
    },
    names: /import cycle: sql\/a\.ts → sql\/b\.ts → sql\/a\.ts/,
  },
  {
    gate: "types",
    because: "a test does not type-check",
    files: { "tests/bad_test.ts": 'export const n: number = "one";\n' },
    names: /TS2322[\s\S]*tests\/bad_test\.ts/,
  },
  {
    gate: "types",
    because: "the code of a bundle budget does not type-check",
    files: { ".ci/bundles/bad.ts": 'export const n: number = "one";\n' },
    names: /TS2322[\s\S]*\.ci\/bundles\/bad\.ts/,
  },
  {
    gate: "strict",
    because: "an exported type is left to inference",
    files: {
      "sql/mod.ts": module("export const limit = () => Math.random();"),
    },
    names: /TS9007[\s\S]*sql\/mod\.ts/,
  },
  {
    gate: "edge-types",
    because: "an edge entry names the Deno namespace",
    files: {
      "sql/mod.ts": module("export const pid = (): number => Deno.pid;"),
    },
    names: /'Deno'[\s\S]*sql\/mod\.ts/,
  },
  {
    gate: "edge-bundle",
    because: "a file behind an entry imports a module of Node",
    files: {
      "cache/region.ts":
        'import { randomUUID } from "node:crypto";\nexport const getOrCreate = (): string => randomUUID();\n',
    },
    names: /\.\/backends\/kv: cache\/region\.ts:1: .*"node:crypto"/,
  },
  {
    gate: "side-effects",
    because: "an entry works when it is imported",
    files: {
      "sql/mod.ts": module("export const started: number = Date.now();"),
    },
    names:
      /\.\/sql: importing it leaves \d+ bytes, 0 allowed[\s\S]*started = Date\.now[\s\S]*bytes of sql\/mod\.ts/,
  },
  {
    gate: "side-effects",
    because: "a class has a member that is named by an expression",
    files: {
      "sql/mod.ts": module(
        "export const key: unique symbol = Symbol.for('k');\nexport class Row {\n  get [key](): number {\n    return 1;\n  }\n}",
      ),
    },
    names: /get \[key\]\(\)/,
  },
  {
    gate: "budgets",
    because: "a bundle is over its bytes",
    files: {
      ".ci/budgets.json":
        '[{ "name": "kv", "entry": ".ci/bundles/kv.ts", "maxGzipBytes": 10 }]\n',
    },
    names:
      /\.ci\/bundles\/kv\.ts: kv is \d+ bytes gzip, \d+ over its budget of 10/,
  },
  {
    gate: "budgets",
    because: "a bundle measures nothing",
    files: {
      ".ci/bundles/kv.ts": 'import "@aludel/aludel/backends/kv";\n',
    },
    names: /\.ci\/bundles\/kv\.ts: bundles to nothing/,
  },
  {
    gate: "budgets",
    because: "a bundle imports what is no entry",
    files: {
      ".ci/bundles/kv.ts": 'export * from "@aludel/aludel/backends/d1";\n',
    },
    names: /\.ci\/bundles\/kv\.ts: .*No entry "\.\/backends\/d1"/,
  },
  {
    gate: "doc",
    because: "an exported symbol has no doc comment",
    files: {
      "sql/mod.ts": module(
        "/** One. */\nexport const one: number = 1;\nexport const limit: number = 1;",
      ),
    },
    names: /missing-jsdoc[\s\S]*sql\/mod\.ts/,
  },
  {
    gate: "examples",
    because: "an example in a doc comment asserts what is not so",
    files: {
      "cache/region.ts": GOOD["cache/region.ts"]!.replace("1), 1)", "1), 2)"),
    },
    names: /cache\/region\.ts/,
  },
  {
    gate: "examples",
    because: "an example in README.md calls what is not there",
    files: {
      "README.md":
        '# Bad\n\n```ts\nimport { region } from "@aludel/aludel/cache";\nregion();\n```\n',
    },
    names: /README\.md/,
  },
  {
    gate: "publish",
    because: "the registry would refuse a slow type",
    files: {
      "sql/mod.ts": module(
        "const make = (): new () => object => class {};\n\n/** A class. */\nexport class Made extends make() {}",
      ),
    },
    names: /super-class-expr[\s\S]*sql\/mod\.ts/,
  },
];

async function withPackage<T>(
  files: Files,
  use: (root: string) => Promise<T>,
): Promise<T> {
  const root = await Deno.makeTempDir({ prefix: "aludel_gates_" });
  try {
    for (const [path, text] of Object.entries({ ...GOOD, ...files })) {
      if (text === null) continue;
      await Deno.mkdir(dirname(join(root, path)), { recursive: true });
      await Deno.writeTextFile(join(root, path), text);
    }
    return await use(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** The bundler is a process that all tests share, so its pipes outlive each. */
const sharedBundler = { sanitizeResources: false, sanitizeOps: false };

Deno.test.afterAll(async () => await stop());

Deno.test({
  name: "a good package passes every gate",
  ...sharedBundler,
  fn: () =>
    withPackage({}, async (root) => {
      const results = await runGates(GATES, await readPackage(root));

      for (const { name, problem } of results) {
        equal(problem, null, `${name}: ${problem}`);
      }
      equal(results.length, GATES.length);
    }),
});

for (const { gate, because, files, names } of COUNTER_EXAMPLES) {
  Deno.test({
    name: `the gate "${gate}" fails when ${because}`,
    ...sharedBundler,
    fn: () =>
      withPackage(files, async (root) => {
        const [result] = await runGates(
          GATES.filter(({ name }) => name === gate),
          await readPackage(root),
        );

        match(result?.problem ?? "(no complaint)", names);
      }),
  });
}

Deno.test("every gate has a counter-example", () => {
  const shown = new Set(COUNTER_EXAMPLES.map(({ gate }) => gate));

  equal(
    GATES.map(({ name }) => name).filter((name) => !shown.has(name)).join(),
    "",
  );
});

Deno.test("a gate that cannot look has failed", async () => {
  const [result] = await runGates([{
    name: "broken",
    claim: "never holds",
    run: () => Promise.reject(new Error("no such tool")),
  }], {
    root: "",
    name: "",
    entries: [],
    missing: [],
    files: [],
    rooms: [],
  });

  match(result!.problem!, /no such tool/);
});

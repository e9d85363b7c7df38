import { deepStrictEqual, doesNotMatch, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { stop } from "esbuild";
import { bundle } from "../../.ci/gates/bundle.ts";
import { readPackage } from "../../.ci/gates/package.ts";

const root = join(import.meta.dirname!, "..", "..");

/** The files of the mapper that a Worker carries, and what it does besides. */
async function mapperFiles(source: string): Promise<string[]> {
  const { files, code, problems } = await bundle(
    await readPackage(root),
    source,
  );
  deepStrictEqual(problems, []);
  // Engines that send batches hold no transaction, and SQLite reserves no keys.
  doesNotMatch(code, /SAVEPOINT|nextval/);
  return files.map(({ file }) => file).filter((file) =>
    file.startsWith("orm/")
  );
}

Deno.test("a Worker carries of the mapper what it names: no attributes, collections, listeners and loaders besides", async () => {
  const plain = await mapperFiles(
    await Deno.readTextFile(join(root, ".ci", "bundles", "orm_d1.ts")),
  );
  const optional =
    /attributes\/|inheritance\/|many_to_many|one_to_one|collections\/|events\/|history|join_on|association_proxy|selectin|joined|aliased|comparators|criteria|n_plus_one|sharding\//;
  deepStrictEqual(plain.filter((file) => optional.test(file)), []);
  strictEqual(plain.includes("orm/session.ts"), true);

  const names: [name: string, file: string][] = [
    ["composite", "orm/attributes/composite.ts"],
    ["hybrid", "orm/attributes/hybrid.ts"],
    ["columnProperty", "orm/attributes/column_property.ts"],
    ["undefer", "orm/attributes/deferred.ts"],
    ["keyedBy", "orm/collections/keyed.ts"],
    ["orderingList", "orm/collections/ordering_list.ts"],
    ["writeOnly", "orm/collections/write_only.ts"],
    ["associationProxy", "orm/association_proxy.ts"],
    ["validates", "orm/events/validates.ts"],
    ["listen", "orm/events/listen.ts"],
    ["manyToMany", "orm/relations/many_to_many.ts"],
    ["oneToOne", "orm/relations/one_to_one.ts"],
    ["historyOf", "orm/history.ts"],
    ["joinOn", "orm/join_on.ts"],
    ["joined", "orm/inheritance/joined.ts"],
    ["single", "orm/inheritance/single.ts"],
    ["concrete", "orm/inheritance/concrete.ts"],
    ["withPolymorphic", "orm/inheritance/with_polymorphic.ts"],
  ];
  for (const [name, file] of names) {
    const files = await mapperFiles(
      `import { ${name} } from "@aludel/aludel/orm"; export default ${name};`,
    );
    strictEqual(files.includes(file), true, name);
    strictEqual(files.includes("orm/session.ts"), false, name);
  }
  await stop();
});

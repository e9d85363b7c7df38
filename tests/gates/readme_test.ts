import { equal, match } from "node:assert/strict";
import { join } from "node:path";

const ROOT = join(import.meta.dirname!, "../..");

function read(path: string): Promise<string> {
  return Deno.readTextFile(join(ROOT, path));
}

Deno.test("README.md opens with the two commands", async () => {
  match(
    await read("README.md"),
    /^# Aludel\n\n```sh\nnpx -y deno@\S+ task demo .*\nnpx -y deno@\S+ task test .*\n```\n/,
  );
});

Deno.test("one version of Deno is asked for everywhere", async () => {
  const texts = [
    await read("README.md"),
    await read("CONTRIBUTING.md"),
    await read(".ci/run"),
  ].join("\n");
  const versions = texts.matchAll(
    /(?:deno@|DENO_VERSION=)(\d+\.\d+\.\d+)/g,
  );

  equal(new Set([...versions].map(([, version]) => version)).size, 1);
});

Deno.test("every task that README.md and CONTRIBUTING.md name exists", async () => {
  const { tasks } = JSON.parse(await read("deno.json"));
  const texts = await read("README.md") + await read("CONTRIBUTING.md");
  const named = [...texts.matchAll(/deno(?:@\S+)? task (\w+)/g)]
    .map(([, task]) => task!);

  equal(named.filter((task) => !(task in tasks)).join(), "");
  equal(named.length > 3, true);
});

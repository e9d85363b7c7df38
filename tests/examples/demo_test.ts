import { match, strictEqual } from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url);

async function demo(...stories: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "examples/demo/main.ts", ...stories],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, page: decoder.decode(stdout), errors: decoder.decode(stderr) };
}

Deno.test("the demo tells its four stories with the figures they promise", async () => {
  const { code, page, errors } = await demo();

  strictEqual(code, 0, errors);
  match(page, /Aludel +2 \/ 1 +1 \/ 2/);
  match(page, /creations +distinct values +wall time\n +1 +1 +\d+ ms/);
  match(page, /saved in 1 round trip/);
  match(page, /loaded with every relation in 1 round trip/);
  match(
    page,
    /aludel\.engine\.leader BEGIN \(implicit\)\n[^]*aludel\.engine\.other BEGIN \(implicit\)\n[^]*aludel\.engine\.other COMMIT\n[^]*aludel\.engine\.leader COMMIT\n/,
  );
  match(page, /Running upgrade .* -> d00d5e6f70a1: merge blog/);
  match(page, /two heads again/);
  match(page, /CREATE TABLE "users"/);
});

Deno.test("the demo names its stories when asked for one it does not know", async () => {
  const { code, page, errors } = await demo("wigdet");

  strictEqual(code, 2);
  strictEqual(page, "");
  strictEqual(
    errors.trim(),
    'Cannot tell "wigdet": the stories are widget, patterns, routers, migrations',
  );
});

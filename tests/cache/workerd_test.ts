import { deepEqual, equal } from "node:assert/strict";
import { startWorkerd } from "../services/mod.ts";

const entry = new URL("./worker.ts", import.meta.url);
const names = Array.from({ length: 8 }, (_, i) => `worker${i}`);
const workerd = await startWorkerd({
  workers: names.map((name, i) => ({
    name,
    entry,
    kv: ["CACHE"],
    durableObjects: {
      LOCKS: i
        ? { className: "CacheCoordinator", worker: "worker0" }
        : "CacheCoordinator",
    },
  })),
});
Deno.test.afterAll(() => workerd.dispose());

async function ask(path: string, worker = "worker0") {
  const response = await workerd.fetch(`/${path}`, { worker });
  const text = await response.text();
  equal(response.status, 200, text);
  return JSON.parse(text);
}

Deno.test("cache 98: in workerd, KV, Durable Objects, the Cache API and memory pass the suite, plain and through a proxy", async () => {
  const { passed, failures } = await ask("suite");
  deepEqual(failures, []);
  equal(passed, 4 * 2 * 11);
});

Deno.test("cache 111: in workerd, 8 Workers x 25 misses are one creation, and a hop for each Worker", async () => {
  const answers = await Promise.all(
    names.map((name) => ask("stampede", name)),
  );
  const values = new Set(answers.flatMap(({ values }) => values));
  equal(values.size, 1);
  equal(answers.reduce((sum, { create }) => sum + create, 0), 1);
  for (const { hop } of answers) equal(hop <= 1, true);
});

Deno.test("in workerd, 8 Workers x 25 misses whose creator throws all fail, after few attempts", async () => {
  const answers = await Promise.all(
    names.map((name) => ask("throwing", name)),
  );
  for (const { failed } of answers) equal(failed, 25);
  const attempts = answers.reduce((sum, { lead }) => sum + lead, 0);
  equal(attempts <= 8, true, `${attempts} attempts`);
});

Deno.test("cache 108: in workerd, a stale hit answers at once, and the next request sees the new value", async () => {
  const first = await ask("stale");
  await new Promise((resolve) => setTimeout(resolve, 600));
  const stale = await ask("stale");
  equal(stale.value, first.value);
  equal(stale.took < 200, true, `${stale.took} ms`);
  await new Promise((resolve) => setTimeout(resolve, 400));
  const fresh = await ask("stale");
  equal(fresh.value > first.value, true);
  equal(fresh.took < 200, true, `${fresh.took} ms`);
});

Deno.test("cache 110: in workerd, a leader that died with its request keeps nobody: the wait is the follower's own, and the key recovers", async () => {
  equal(await ask("abandon"), "gone");
  const { value, took } = await ask("follow");
  equal(value, "taken over");
  equal(took < 1500, true, `${took} ms`);
  equal((await ask("follow")).value, "taken over");
});

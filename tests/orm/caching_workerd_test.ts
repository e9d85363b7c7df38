import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { startWorkerd } from "../services/mod.ts";

const entry = new URL("./caching_worker.ts", import.meta.url);
const names = ["worker0", "worker1", "worker2", "worker3"];
const workerd = await startWorkerd({
  workers: names.map((name, i) => ({
    name,
    entry,
    kv: ["CACHE"],
    d1: ["DB"],
    durableObjects: {
      LOCKS: i
        ? { className: "CacheCoordinator", worker: "worker0" }
        : "CacheCoordinator",
    },
  })),
});
Deno.test.afterAll(() => workerd.dispose());

/** What a Worker answers, and what its request cost. */
interface Cost {
  readonly answer: unknown;
  readonly trips: number;
  readonly read: number;
  readonly create: number;
  readonly write: number;
}

async function ask(path: string, worker = "worker0"): Promise<Cost> {
  const response = await workerd.fetch(`/${path}`, { worker });
  const text = await response.text();
  strictEqual(response.status, 200, text);
  return JSON.parse(text);
}

const of = (name: string) => ({ name, emails: ["a"] });

Deno.test("in workerd, cached queries: one creation for 4 Workers x 10 requests, no trip for a hit, and a commit that all of them hear of", async () => {
  await ask("setup");
  deepStrictEqual((await ask("find", "worker1")).answer, []);

  // A commit in an isolate that has read nothing yet; it reads its own write.
  const added = await ask("add");
  deepStrictEqual(added.answer, [of("ed")]);
  strictEqual(added.trips, 2);

  for (const worker of names) {
    const hit = await ask("find", worker);
    deepStrictEqual(hit.answer, [of("ed")]);
    deepStrictEqual([hit.trips, hit.read, hit.create], [0, 1, 0]);
  }

  // DML by hand, heard of by all; then everybody at once.
  strictEqual((await ask("rename", "worker3")).trips, 1);
  const all = await Promise.all(
    names.map((worker) => ask("find?times=10", worker)),
  );
  for (const { answer } of all) deepStrictEqual(answer, [of("edward")]);
  strictEqual(all.reduce((sum, { create }) => sum + create, 0), 1);
  strictEqual(all.reduce((sum, { trips }) => sum + trips, 0), 1);
});

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { startWorkerd } from "../services/mod.ts";

Deno.test("the example Worker saves through the ORM and serves a cached page", async () => {
  await using workerd = await startWorkerd({
    workers: [{
      entry: new URL("../../examples/worker/worker.ts", import.meta.url),
      kv: ["CACHE"],
      d1: ["DB"],
      durableObjects: { LOCKS: "CacheCoordinator" },
    }],
  });
  const post = (path: string, body: unknown) =>
    workerd.fetch(`http://example${path}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
  await (await post("/setup", {})).text();

  const first = await post("/", { name: "ed", text: "hello" });
  const second = await post("/", { name: "ed", text: "again" });
  const bad = await post("/", { name: "ed" });
  const page = await (await workerd.fetch("http://example/")).json();
  await workerd.d1("DB").prepare("DELETE FROM entries").all();
  const cached = await (await workerd.fetch("http://example/")).json();

  deepStrictEqual([first.status, second.status, bad.status], [201, 201, 400]);
  deepStrictEqual(await first.json(), await second.json());
  strictEqual(typeof (await bad.json()).error, "string");
  deepStrictEqual(page, [{ name: "ed", entries: ["hello", "again"] }]);
  deepStrictEqual(cached, page);
});

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { startWorkerd } from "../services/mod.ts";

const entry = new URL("./worker.ts", import.meta.url);
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
await workerd.fetch("/setup", { method: "POST" });

const get = (path: string, worker = "worker0", headers = {}) =>
  workerd.fetch(path, { worker, headers });
const post = (path: string, headers = {}) =>
  workerd.fetch(path, { method: "POST", worker: "worker0", headers });
const counts = async (worker = "worker0") =>
  await (await get("/counts", worker)).json();

Deno.test("in workerd, 4 Workers x 5 requests for a page are one that makes it, and a commit has it made anew", async () => {
  await post("/users/ed");
  const ask = () =>
    Promise.all(names.flatMap((name) =>
      Array.from({ length: 5 }, async () => {
        const response = await get("/public/users", name);
        return [response.headers.get("X-Cache"), await response.json()];
      })
    ));
  const made = async () => {
    let sum = 0;
    for (const name of names) sum += (await counts(name)).made;
    return sum;
  };
  const all = await ask();
  for (const [, users] of all) deepStrictEqual(users, ["ed"]);
  strictEqual(all.filter(([cache]) => cache === "MISS").length, 1);
  strictEqual(await made(), 1);
  deepStrictEqual((await ask()).filter(([cache]) => cache !== "HIT"), []);
  strictEqual(await made(), 0);

  await post("/users/wendy");
  for (const [, users] of await ask()) deepStrictEqual(users, ["ed", "wendy"]);
  strictEqual(await made(), 1);
});

Deno.test("in workerd, bytes come from KV as they were made", async () => {
  for (const cache of ["MISS", "HIT"]) {
    const response = await get("/public/bytes");
    strictEqual(response.headers.get("X-Cache"), cache);
    strictEqual(response.headers.get("Content-Type"), "image/png");
    deepStrictEqual(
      new Uint8Array(await response.arrayBuffer()),
      Uint8Array.from({ length: 5000 }, (_, i) => i % 256),
    );
  }
});

Deno.test("in workerd, each request has a session, closed behind it, and behind what it streams", async () => {
  const before = (await counts()).closed;
  const text = await (await get("/stream")).text();
  const [one, first, two, second, three, third] = text.split(" ");
  deepStrictEqual([one, two, three], ["one", "two", "three"]);
  // Only the request before was closed by then.
  deepStrictEqual([first, second, third], Array(3).fill(`${before + 1}`));
  await new Promise((done) => setTimeout(done, 50));
  strictEqual((await counts()).closed, before + 2);
});

Deno.test("in workerd, a bookmark of D1 goes out with a commit, and comes back", async () => {
  const first = await post("/users/mary");
  const bookmark = first.headers.get("x-bookmark");
  ok(bookmark && /^[\w-]+$/.test(bookmark));
  ok(
    first.headers.getSetCookie().some((one) =>
      one.startsWith(`bookmark=${bookmark};`)
    ),
  );
  const next = await post("/users/jack", { "Cookie": `bookmark=${bookmark}` });
  strictEqual(next.status, 201);
  const later = next.headers.get("x-bookmark");
  ok(later && later > bookmark, `${bookmark} ${later}`);
  // What saw nothing of the database hands nothing on.
  strictEqual((await get("/counts")).headers.get("x-bookmark"), null);
});

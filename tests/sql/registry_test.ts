import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { sqlite } from "../../backends/sqlite.ts";
import { createEngine, EngineRegistry } from "../../sql/mod.ts";

function setUp(random?: () => number) {
  const make = (name: string) => createEngine(sqlite(":memory:"), { name });
  const all = {
    leader: make("leader"),
    follower1: make("follower1"),
    follower2: make("follower2"),
  };
  const close = () =>
    Promise.all(Object.values(all).map((engine) => engine.close()));
  return {
    all,
    registry: new EngineRegistry(all, random ? { random } : {}),
    [Symbol.asyncDispose]: async () => void await close(),
  };
}

Deno.test("a registry hands out engines by name, in the order given", async () => {
  await using set = setUp();

  deepStrictEqual(set.registry.names, ["leader", "follower1", "follower2"]);
  strictEqual(set.registry.get("leader"), set.all.leader);
  // To the type checker these are any text.
  for (const name of ["leader", "follower1"]) {
    strictEqual(set.registry.get(name).name, name);
  }
});

Deno.test("an unknown name is refused with the names that are known", async () => {
  await using set = setUp();
  throws(() => set.registry.get("folower1"), {
    code: "sql/unknown-engine",
    message:
      'Cannot find engine "folower1": the registry has "leader", "follower1", "follower2"',
  });
  throws(() => set.registry.get("toString"), {
    code: "sql/unknown-engine",
  });
  throws(() => set.registry.choose([]), { code: "sql/unknown-engine" });
});

Deno.test("choose() takes each of the names, and only those", async () => {
  const numbers = [0, 0.49, 0.5, 0.999];
  await using set = setUp(() => numbers.shift() ?? 0);

  const chosen = [1, 2, 3, 4].map(() =>
    set.registry.choose(["follower1", "follower2"]).name
  );

  deepStrictEqual(chosen, ["follower1", "follower1", "follower2", "follower2"]);
});

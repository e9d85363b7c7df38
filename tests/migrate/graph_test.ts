import { deepEqual, equal, ok, throws } from "node:assert/strict";
import {
  addRevisions,
  createRevisionMap,
  DuplicateLabelError,
  InvalidRevisionError,
  MigrateError,
  MissingParentError,
  RevisionCycleError,
  type RevisionDeclaration,
  type RevisionNotFoundError,
} from "../../migrate/mod.ts";
import {
  getHeads,
  getRevision,
  ids,
  isBranchPoint,
  isMergePoint,
} from "../../migrate/graph/mod.ts";
import { graph, iterate, linear } from "./graphs.ts";

function cycleOf(declarations: readonly RevisionDeclaration[]) {
  let found: RevisionCycleError | undefined;
  throws(() => createRevisionMap(declarations), (error) => {
    ok(error instanceof RevisionCycleError);
    found = error;
    return true;
  });
  return { kind: found!.kind, revisions: [...found!.revisions] };
}

Deno.test("migrate 1: a linear map reports its last revision as head and its first as base", () => {
  const map = linear("a", "b", "c");
  deepEqual(ids(map.heads), ["c"]);
  deepEqual(ids(map.bases), ["a"]);
});

Deno.test("migrate 2: adding a revision replaces the head it stands on, or adds a head beside it", () => {
  const map = linear("a", "b", "c");
  deepEqual(
    ids(addRevisions(map, { revision: "d", downRevision: "c" }).heads),
    ["d"],
  );
  deepEqual(ids(map.heads), ["c"], "the old map stays as it was");

  const forked = graph("a", "b<a", "c1<b", "c2<b");
  deepEqual(
    ids(addRevisions(forked, { revision: "d1", downRevision: "c1" }).heads),
    ["c2", "d1"],
  );
});

Deno.test("migrate 3: an empty map has no heads and iterates over nothing", () => {
  const map = createRevisionMap([]);
  deepEqual(ids(map.heads), []);
  deepEqual(iterate(map, "head", "base"), []);
  deepEqual(iterate(map, "heads", "base"), []);
});

Deno.test("migrate 4: a revision that names itself as parent is a self-loop", () => {
  deepEqual(cycleOf([{ revision: "a", downRevision: "a" }]), {
    kind: "Self-loop",
    revisions: ["a"],
  });
});

Deno.test("migrate 5: a cycle names its revisions and leaves a healthy branch out", () => {
  const circle = [
    { revision: "a", downRevision: "c" },
    { revision: "b", downRevision: "a" },
    { revision: "c", downRevision: "b" },
  ];
  deepEqual(cycleOf(circle), { kind: "Cycle", revisions: ["a", "b", "c"] });
  deepEqual(
    cycleOf([
      ...circle,
      { revision: "d" },
      { revision: "e", downRevision: "d" },
    ]),
    { kind: "Cycle", revisions: ["a", "b", "c"] },
  );
});

Deno.test("migrate 6: a cycle above or below healthy revisions names every unreachable one", () => {
  deepEqual(
    cycleOf([
      { revision: "a", downRevision: "b" },
      { revision: "b", downRevision: "a" },
      { revision: "c", downRevision: "b" },
      { revision: "x" },
      { revision: "y", downRevision: "x" },
    ]),
    { kind: "Cycle", revisions: ["a", "b", "c"] },
    "c stands on the circle, so no base leads to it",
  );
  deepEqual(
    cycleOf([
      { revision: "a" },
      { revision: "b", downRevision: ["a", "c"] },
      { revision: "c", downRevision: "b" },
      { revision: "e", downRevision: "a" },
    ]),
    { kind: "Cycle", revisions: ["b", "c"] },
  );
  deepEqual(
    cycleOf([
      { revision: "a" },
      { revision: "b", downRevision: ["a", "c"] },
      { revision: "c", downRevision: "b" },
      { revision: "d", downRevision: "c" },
    ]),
    { kind: "Cycle", revisions: ["b", "c"] },
    "a circle in the middle is found though both ends reach through it",
  );
});

Deno.test("migrate 7: a revision that depends on itself is a dependency self-loop", () => {
  deepEqual(cycleOf([{ revision: "a", dependsOn: "a" }]), {
    kind: "Dependency self-loop",
    revisions: ["a"],
  });
});

Deno.test("migrate 8: a loop that only dependsOn closes is a dependency cycle", () => {
  deepEqual(
    cycleOf([
      { revision: "a", dependsOn: "b" },
      { revision: "b", dependsOn: "c" },
      { revision: "c", dependsOn: "a" },
    ]),
    { kind: "Dependency cycle", revisions: ["a", "b", "c"] },
  );
  deepEqual(
    cycleOf([
      { revision: "a" },
      { revision: "b", downRevision: "a", dependsOn: "c" },
      { revision: "c", downRevision: "b" },
    ]).kind,
    "Dependency cycle",
  );
});

Deno.test("migrate 9: ids that begin other ids are no loop", () => {
  const map = graph("user", "user_foo<user");
  deepEqual(ids(map.heads), ["user_foo"]);
  const depending = graph("user", "user_foo dep user");
  deepEqual(getHeads(depending, { considerDependsOn: true }), ["user_foo"]);
});

Deno.test("migrate 10: an id with a character of the identifier language is rejected by name", () => {
  for (const character of ["@", "-", "+", ":"]) {
    throws(
      () => createRevisionMap([{ revision: `abc${character}def` }]),
      (error: InvalidRevisionError) =>
        error.code === "migrate/invalid-revision" &&
        error.revision === `abc${character}def` &&
        error.message.includes(`'${character}'`),
    );
  }
});

Deno.test("migrate 11: two revisions with one id are an error", () => {
  throws(
    () => createRevisionMap([{ revision: "a" }, { revision: "a" }]),
    (error: InvalidRevisionError) =>
      error instanceof InvalidRevisionError && error.revision === "a" &&
      /more than once/.test(error.message),
  );
});

Deno.test("migrate 12: a parent or dependency outside the set is named with the revision that wants it", () => {
  throws(
    () => createRevisionMap([{ revision: "b", downRevision: "a" }]),
    (error: MissingParentError) =>
      error instanceof MissingParentError && error.revision === "b" &&
      error.missing === "a" && error.field === "downRevision",
  );
  throws(
    () => createRevisionMap([{ revision: "b", dependsOn: "x" }]),
    (error: MissingParentError) => error.field === "dependsOn",
  );
});

Deno.test("migrate 13: one label on two revisions is an error that names both", () => {
  throws(
    () => graph("a [x]", "b<a [x]"),
    (error: DuplicateLabelError) =>
      error instanceof DuplicateLabelError && error.label === "x" &&
      error.revisions.join() === "a,b",
  );
});

Deno.test("migrate 14: dependsOn may name a branch label", () => {
  const map = graph("a1", "a2<a1 [lib]", "b1", "b2<b1 dep lib");
  deepEqual(ids(getRevision(map, "b2")!.dependencies), ["a2"]);
});

Deno.test("migrate 15: a dependency that is also the parent is traversed once", () => {
  const map = graph("a", "b<a dep a", "c<b");
  deepEqual(ids(getRevision(map, "b")!.allDownRevisions), ["a"]);
  deepEqual(iterate(map, "c", "base"), ["c", "b", "a"]);
});

Deno.test("migrate 16: a dependency that an ancestor already brings is normalised away", () => {
  const map = graph(
    "a1",
    "a2<a1",
    "a3<a2",
    "b1",
    "b2<b1 dep a3",
    "b3<b2",
    "b4<b3 dep a3",
    "c1 dep a3",
  );
  deepEqual(ids(getRevision(map, "b4")!.normalizedDependencies), []);
  deepEqual(ids(getRevision(map, "b2")!.normalizedDependencies), ["a3"]);
  deepEqual(ids(getRevision(map, "c1")!.normalizedDependencies), ["a3"]);
});

Deno.test("migrate 17, 18: heads go by parents, the stored heads by dependencies as well", () => {
  const map = graph("a1", "a2<a1", "b1", "b2<b1 dep a2");
  deepEqual(getHeads(map), ["a2", "b2"]);
  deepEqual(getHeads(map, { considerDependsOn: true }), ["b2"]);
});

Deno.test("migrate 19: a set whose key is not the revision's id is broken", () => {
  throws(
    () => createRevisionMap({ x: { revision: "a" } }),
    (error: MigrateError) =>
      error instanceof MigrateError &&
      /Dependency resolution failed/.test(error.message),
  );
  equal(createRevisionMap({ a: { revision: "a" } }).nodes.length, 1);
});

Deno.test("migrate 20: an identifier that is not a string says so", () => {
  const map = linear("a", "b");
  throws(
    () => getRevision(map, 5 as unknown as string),
    (error: RevisionNotFoundError) =>
      /is not a string; ensure database driver settings are correct/.test(
        error.message,
      ),
  );
});

Deno.test("a branch point and a merge point know themselves", () => {
  const map = graph("a", "b1<a", "b2<a", "c<b1,b2");
  equal(isBranchPoint(getRevision(map, "a")!), true);
  equal(isMergePoint(getRevision(map, "c")!), true);
  equal(isBranchPoint(getRevision(map, "c")!), false);
});

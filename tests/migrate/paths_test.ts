import { deepEqual, equal, ok, throws } from "node:assert/strict";
import {
  createRevisionMap,
  RelativeRevisionError,
  type RevisionDeclaration,
  RevisionRangeError,
} from "../../migrate/mod.ts";
import {
  ancestors,
  descendants,
  getRevision,
  topologicalSort,
} from "../../migrate/graph/mod.ts";
import { downgrade, graph, iterate, linear, upgrade } from "./graphs.ts";

const LINE = linear("a", "b", "c", "d", "e");
const DIAMOND = graph("a", "b1<a", "b2<a", "c<b1,b2", "d<c");
/** One stem, two labelled branches of three. */
const FORK = graph(
  "stem1",
  "stem2<stem1",
  "left1<stem2 [left]",
  "left2<left1",
  "left3<left2",
  "right1<stem2 [right]",
  "right2<right1",
  "right3<right2",
);
/** Two streams of their own; `b2` needs `a2`. */
const STREAMS = graph(
  "a1 [astream]",
  "a2<a1",
  "a3<a2",
  "b1 [bstream]",
  "b2<b1 dep a2",
  "b3<b2",
);

Deno.test("migrate 37: a diamond iterates children before parents, each once", () => {
  deepEqual(iterate(DIAMOND, "d", "base"), ["d", "c", "b1", "b2", "a"]);
});

Deno.test("migrate 38: a branch is walked to its branch point, which waits for the other branches", () => {
  const map = graph(
    "a",
    "b1<a",
    "b2<a",
    "cb1<b1",
    "cb2<b2",
    "d1cb1<cb1",
    "d2cb1<cb1",
    "d1cb2<cb2",
    "d2cb2<cb2",
    "d3cb2<cb2",
    "d1d2cb2<d1cb2,d2cb2",
  );
  deepEqual(iterate(map, ["d2cb1", "d3cb2"], "a"), [
    "d2cb1",
    "cb1",
    "b1",
    "d3cb2",
    "cb2",
    "b2",
  ]);
  deepEqual(iterate(map, "d1d2cb2", "a"), [
    "d1d2cb2",
    "d1cb2",
    "d2cb2",
    "cb2",
    "b2",
  ]);
  deepEqual(iterate(map, ["d3cb2", "cb1"], "base"), [
    "cb1",
    "b1",
    "d3cb2",
    "cb2",
    "b2",
    "a",
  ]);
});

Deno.test("migrate 39: an upgrade runs what lies between, oldest first", () => {
  deepEqual(upgrade(LINE, ["c"], "e").ran, ["d", "e"]);
  deepEqual(upgrade(LINE, [], "c").ran, ["a", "b", "c"]);
});

Deno.test("migrate 40: a relative upgrade counts from the current revision or from a named one", () => {
  deepEqual(upgrade(LINE, ["a"], "+2").ran, ["b", "c"]);
  deepEqual(upgrade(LINE, ["a"], "b+2").ran, ["b", "c", "d"]);
  deepEqual(upgrade(LINE, ["a"], "d-2").ran, ["b"]);
});

Deno.test("migrate 41: a relative upgrade beyond the head, or downwards, is refused", () => {
  for (const [target, count] of [["+5", 5], ["-2", 2]] as const) {
    throws(
      () => upgrade(LINE, ["c"], target),
      (error: RelativeRevisionError) =>
        error instanceof RelativeRevisionError && error.identifier === target &&
        error.message.includes(`didn't produce ${count} migrations`),
    );
  }
});

Deno.test("migrate 42: base+1 and +1 of an empty database run the first revision", () => {
  deepEqual(upgrade(LINE, [], "base+1").ran, ["a"]);
  deepEqual(upgrade(LINE, [], "+1").ran, ["a"]);
});

Deno.test("migrate 43: a downgrade undoes what lies above, newest first", () => {
  deepEqual(downgrade(LINE, ["e"], "c").ran, ["e", "d"]);
  deepEqual(downgrade(LINE, ["e"], null).ran, ["e", "d", "c", "b", "a"]);
  deepEqual(downgrade(LINE, ["e"], "base").heads, []);
});

Deno.test("migrate 44: relative downgrades count back, and overruns are refused", () => {
  deepEqual(downgrade(LINE, ["e"], "-1").ran, ["e"]);
  deepEqual(downgrade(LINE, ["e"], "-3").ran, ["e", "d", "c"]);
  deepEqual(downgrade(LINE, ["e"], "a+2").ran, ["e", "d"]);
  deepEqual(downgrade(LINE, ["e"], "c-2").ran, ["e", "d", "c", "b"]);
  deepEqual(downgrade(LINE, ["b"], "-2").ran, ["b", "a"]);
  for (const target of ["+2", "-5"]) {
    throws(() => downgrade(LINE, ["b"], target), RelativeRevisionError);
  }
});

Deno.test("migrate 45: -1 of an empty database is refused", () => {
  throws(() => downgrade(LINE, [], "-1"), RelativeRevisionError);
});

Deno.test("migrate 46: a downgrade to what is already current does nothing", () => {
  deepEqual(downgrade(LINE, ["e"], "e").ran, []);
  deepEqual(downgrade(LINE, ["c"], "c").ran, []);
});

Deno.test("migrate 47: a downgrade upwards, or of an empty database, has no valid target", () => {
  for (const [current, target] of [[["b"], "d"], [[], "b"]] as const) {
    throws(
      () => downgrade(LINE, current, target),
      (error: RevisionRangeError) =>
        error instanceof RevisionRangeError &&
        /not a valid downgrade target/.test(error.message),
    );
  }
});

Deno.test("migrate 48: a range whose lower end is above its upper one is refused", () => {
  for (const upper of ["c", "base"]) {
    throws(
      () => iterate(LINE, upper, "d"),
      (error: RevisionRangeError) =>
        error instanceof RevisionRangeError &&
        /is not an ancestor/.test(error.message),
    );
  }
});

Deno.test("migrate 49: an upgrade to two heads stores both", () => {
  const run = upgrade(FORK, ["stem2"], "heads");
  deepEqual(run.ran.length, 6);
  deepEqual(run.heads, ["left3", "right3"]);
});

Deno.test("migrate 50: a downgrade of two heads undoes both branches, then what they share", () => {
  const run = downgrade(FORK, ["left3", "right3"], "stem1");
  deepEqual(run.ran, [
    "left3",
    "left2",
    "left1",
    "right3",
    "right2",
    "right1",
    "stem2",
  ]);
  deepEqual(run.heads, ["stem1"]);
});

Deno.test("migrate 51: a downgrade within a branch leaves the other head alone", () => {
  const run = downgrade(FORK, ["left3", "right3"], "left@left1");
  deepEqual(run.ran, ["left3", "left2"]);
  deepEqual(run.heads, ["left1", "right3"]);
  deepEqual(downgrade(FORK, ["left3", "right3"], "left@stem2").heads, [
    "right3",
  ]);
});

Deno.test("migrate 52: label@-1 steps back on its branch, and a bare -1 with several heads is refused", () => {
  deepEqual(downgrade(FORK, ["left3", "right2"], "right@-1").ran, ["right2"]);
  throws(
    () => downgrade(FORK, ["left3", "right2"], "-1"),
    (error: RelativeRevisionError) =>
      error instanceof RelativeRevisionError &&
      /multiple heads \(left3, right2\)/.test(error.message),
  );
});

Deno.test("migrate 53: label@head-1 works upwards and downwards", () => {
  deepEqual(upgrade(FORK, ["stem2"], "left@head-1").ran, ["left1", "left2"]);
  deepEqual(downgrade(FORK, ["left3", "right3"], "left@head-1").ran, ["left3"]);
});

Deno.test("migrate 54: base+N downgrades one branch when it is named, and everything above when not", () => {
  const map = graph(
    "a1 [one]",
    "a2<a1",
    "a3<a2",
    "b1 [two]",
    "b2<b1",
  );
  deepEqual(downgrade(map, ["a3", "b2"], "one@base+2").ran, ["a3"]);
  deepEqual(downgrade(map, ["a3", "b2"], "one@base+1").heads, ["a1", "b2"]);
  deepEqual(downgrade(FORK, ["left3", "right3"], "base+2").heads, ["stem2"]);
});

Deno.test("migrate 55: label@+1 from a sibling branch steps onto the named branch", () => {
  deepEqual(upgrade(FORK, ["left2"], "right@+1").ran, ["right1"]);
  deepEqual(upgrade(FORK, ["left2"], "right@+1").heads, ["left2", "right1"]);
});

Deno.test("migrate 56: +1 with several current revisions is ambiguous", () => {
  throws(
    () => upgrade(FORK, ["left1", "right1"], "+1"),
    (error: RelativeRevisionError) => /Ambiguous upgrade/.test(error.message),
  );
});

Deno.test("migrate 57: an upgrade across a merge runs both sides, then the merge, and one head is left", () => {
  const run = upgrade(DIAMOND, ["a"], "d");
  deepEqual(run.ran.toSorted(), ["b1", "b2", "c", "d"]);
  deepEqual(run.ran.slice(2), ["c", "d"]);
  deepEqual(run.heads, ["d"]);
});

Deno.test("migrate 58: a downgrade across a merge brings both heads back", () => {
  const map = graph("a", "b1<a [b1x]", "b2<a", "c<b1,b2");
  const run = downgrade(map, ["c"], "b1");
  deepEqual(run.ran, ["c"]);
  deepEqual(run.heads, ["b1", "b2"]);
});

Deno.test("a step down from a merge undoes the merge and brings its parents back", () => {
  for (const target of ["-1", "c-1"]) {
    const run = downgrade(DIAMOND, ["c"], target);
    deepEqual(run.ran, ["c"]);
    deepEqual(run.heads, ["b1", "b2"]);
  }
  deepEqual(downgrade(DIAMOND, ["d"], "-2").ran, ["d", "c"]);
  throws(() => downgrade(DIAMOND, ["d"], "-3"), RelativeRevisionError);
});

Deno.test("migrate 59: a merge keeps the head of a side that also goes on elsewhere", () => {
  const map = graph(
    "a",
    "left1<a",
    "right1<a",
    "left2<left1",
    "merged<left1,right1",
  );
  const run = upgrade(map, ["left2", "right1"], "merged");
  deepEqual(run.ran, ["merged"]);
  deepEqual(run.heads, ["left2", "merged"]);
});

Deno.test("migrate 60: a three-way merge with two sides already further on keeps the right heads", () => {
  const map = graph(
    "a",
    "b1<a",
    "b2<a",
    "b3<a",
    "c1<b1",
    "c2<b2",
    "merged<b1,b2,b3",
  );
  const run = upgrade(map, ["c1", "c2"], "merged");
  deepEqual(run.ran, ["b3", "merged"]);
  deepEqual(run.heads, ["c1", "c2", "merged"]);
  deepEqual(downgrade(map, run.heads, "b3@b3").heads, ["b3", "c1", "c2"]);
});

Deno.test("migrate 61: two merges of the same three parents keep the heads right at every step", () => {
  const map = graph(
    "a",
    "b1<a",
    "b2<a",
    "b3<a",
    "m1<b1,b2,b3",
    "m2<b1,b2,b3",
  );
  const up = upgrade(map, ["b1", "b2", "b3"], "heads");
  deepEqual(up.changes.map((change) => change.heads), [["m2"], ["m1", "m2"]]);
  const down = downgrade(map, ["m1", "m2"], "a");
  deepEqual(down.changes.map((change) => change.heads), [
    ["m2"],
    ["b1", "b2", "b3"],
    ["b2", "b3"],
    ["b3"],
    ["a"],
  ]);
});

Deno.test("migrate 62: a dependency is brought first, also from another base", () => {
  const run = upgrade(STREAMS, [], "bstream@head");
  deepEqual(run.ran, ["a1", "a2", "b1", "b2", "b3"]);
  deepEqual(run.heads, ["b3"]);
  deepEqual(upgrade(STREAMS, run.heads, "heads").heads, ["a3", "b3"]);
});

Deno.test("migrate 63: undoing what others depend on undoes them first", () => {
  const map = graph(
    "a1 [astream]",
    "a2<a1",
    "b1 [bstream]",
    "b2<b1 dep a2",
    "c1 [cstream]",
  );
  const run = downgrade(map, ["b2", "c1"], "astream@a1");
  deepEqual(run.ran, ["b2", "a2"]);
  deepEqual(run.heads, ["a1", "b1", "c1"]);
});

Deno.test("migrate 64: undoing a dependent leaves its dependency, which gets its row back", () => {
  const run = downgrade(STREAMS, ["b3"], "bstream@b1");
  deepEqual(run.ran, ["b3", "b2"]);
  deepEqual(run.heads, ["a2", "b1"]);
  deepEqual(run.changes.at(-1), {
    deletes: [],
    update: { from: "b2", to: "a2" },
    inserts: ["b1"],
    heads: ["a2", "b1"],
  });
});

Deno.test("migrate 65: criss-cross dependencies downgrade one side without a false merge", () => {
  const map = graph(
    "a1 [astream]",
    "b1 [bstream]",
    "b2<b1",
    "a2<a1 dep b1",
    "b3<b2 dep a2",
    "a3<a2 dep b2",
  );
  deepEqual(upgrade(map, [], "heads").heads, ["a3", "b3"]);
  const run = downgrade(map, ["a3", "b3"], "bstream@b2");
  deepEqual(run.ran, ["b3"]);
  deepEqual(run.heads, ["a3"]);
});

Deno.test("migrate 66: undoing a merge whose one parent depends on the other leaves one head", () => {
  const map = graph("a1", "b1", "b2<b1 dep a1", "merged<a1,b2");
  const run = downgrade(map, ["merged"], "b2");
  deepEqual(run.ran, ["merged"]);
  deepEqual(run.heads, ["b2"]);
});

Deno.test("migrate 67: label@base leaves branches alone that its own only depends on", () => {
  const run = downgrade(STREAMS, ["a3", "b3"], "bstream@base");
  deepEqual(run.ran, ["b3", "b2", "b1"]);
  deepEqual(run.heads, ["a3"]);
});

Deno.test("migrate 68: heads of a forest upgrades every root", () => {
  const map = graph("a1", "a2<a1", "b1", "c1", "c2<c1");
  const run = upgrade(map, [], "heads");
  equal(run.ran.length, 5);
  deepEqual(run.heads, ["a2", "b1", "c2"]);
});

Deno.test("migrate 69: beginnings of ids work in upgrades, downgrades and ranges", () => {
  const map = linear("abcd12", "bcde23", "cdef34");
  deepEqual(upgrade(map, ["abcd12"], "cdef").ran, ["bcde23", "cdef34"]);
  deepEqual(downgrade(map, ["cdef34"], "abcd").ran, ["cdef34", "bcde23"]);
  deepEqual(iterate(map, "cdef", "abcd"), ["cdef34", "bcde23"]);
});

/** Deterministic numbers, so that a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return state / 4294967296;
  };
}

function largeGraph(size: number): RevisionDeclaration[] {
  const next = random(7);
  const open: string[] = [];
  const declarations: RevisionDeclaration[] = [];
  for (let at = 0; at < size; at++) {
    const revision = `r${at.toString(36).padStart(5, "0")}`;
    const luck = next();
    const pick = () => open[Math.floor(next() * open.length)];
    const first = pick();
    let down = first === undefined || luck < 0.002 ? [] : [first];
    const second = pick();
    if (luck > 0.95 && second !== undefined && second !== first) {
      down = [first!, second];
    }
    const dependency = luck > 0.9 && luck < 0.92 && at > 0
      ? declarations[Math.floor(next() * at)]!.revision
      : undefined;
    declarations.push({
      revision,
      downRevision: down,
      dependsOn: dependency === undefined || down.includes(dependency)
        ? []
        : [dependency],
    });
    if (luck < 0.95 || open.length > 20) {
      for (const parent of down) {
        if (next() < 0.95) open.splice(open.indexOf(parent), 1);
      }
    }
    open.push(revision);
  }
  return declarations;
}

Deno.test("migrate 70: a graph of 2000 revisions visits each once, parents first, and falls apart cleanly", () => {
  const map = createRevisionMap(largeGraph(2000));
  const run = upgrade(map, [], "heads");
  equal(new Set(run.ran).size, 2000);
  const position = new Map(run.ran.map((id, at) => [id, at]));
  for (const node of map.nodes) {
    for (const parent of node.allDownRevisions) {
      ok(position.get(parent.revision)! < position.get(node.revision)!);
    }
  }
  deepEqual(
    run.heads,
    map.realHeads.map((node) => node.revision).sort(),
    "what is stored is exactly the heads nothing stands on",
  );
  for (const node of map.nodes.filter((_, at) => at % 97 === 0)) {
    const below = ancestors([node]);
    const above = descendants([node]);
    const both = [...below].filter((other) => above.has(other));
    deepEqual(both, [node]);
  }
  const down = downgrade(map, run.heads, null);
  equal(new Set(down.ran).size, 2000);
  deepEqual(down.heads, []);
});

Deno.test("sorting a part of the graph ignores what lies outside it", () => {
  const part = new Set(
    ["d", "b1", "a"].map((id) => getRevision(DIAMOND, id)!),
  );
  deepEqual(
    topologicalSort(part).map((node) => node.revision).toSorted(),
    ["a", "b1", "d"],
  );
});

import { deepEqual, throws } from "node:assert/strict";
import { RevisionRangeError } from "../../migrate/mod.ts";
import {
  AppliedRevisions,
  type Identifier,
  stampSteps,
} from "../../migrate/graph/mod.ts";
import type { RevisionMap } from "../../migrate/mod.ts";
import { downgrade, graph, linear, upgrade } from "./graphs.ts";

const DIAMOND = graph("a", "b1<a [one]", "b2<a [two]", "c<b1,b2");
const FOREST = graph("a1 [astream]", "a2<a1", "b1 [bstream]", "b2<b1");

function stamp(map: RevisionMap, heads: string[], targets: Identifier) {
  return stampSteps(map, heads, targets).map(({ change }) => {
    const { heads: _, ...rows } = change;
    return rows;
  });
}

const rows = (
  deletes: string[],
  update: [string, string] | undefined,
  inserts: string[],
) =>
  update
    ? { deletes, update: { from: update[0], to: update[1] }, inserts }
    : { deletes, inserts };

Deno.test("migrate 73: the first revision is an INSERT, a move an UPDATE, the way out a DELETE", () => {
  const map = linear("a", "b");
  deepEqual(upgrade(map, [], "b").changes, [
    { deletes: [], inserts: ["a"], heads: ["a"] },
    { deletes: [], update: { from: "a", to: "b" }, inserts: [], heads: ["b"] },
  ]);
  deepEqual(downgrade(map, ["a"], null).changes, [
    { deletes: ["a"], inserts: [], heads: [] },
  ]);
});

Deno.test("migrate 76: a new branch is an INSERT, a merge DELETE and UPDATE, an unmerge INSERT and UPDATE, a branch's end a DELETE", () => {
  deepEqual(upgrade(DIAMOND, ["b1"], "b2").changes, [
    { deletes: [], inserts: ["b2"], heads: ["b1", "b2"] },
  ]);
  deepEqual(upgrade(DIAMOND, ["b1", "b2"], "c").changes, [
    {
      deletes: ["b1"],
      update: { from: "b2", to: "c" },
      inserts: [],
      heads: ["c"],
    },
  ]);
  deepEqual(downgrade(DIAMOND, ["c"], "b1").changes, [
    {
      deletes: [],
      update: { from: "c", to: "b2" },
      inserts: ["b1"],
      heads: ["b1", "b2"],
    },
  ]);
  deepEqual(downgrade(DIAMOND, ["b1", "b2"], "one@a").changes, [
    { deletes: ["b1"], inserts: [], heads: ["b2"] },
  ]);
});

Deno.test("migrate 79: a stamp goes up or down in one step, and does nothing when already there", () => {
  const map = linear("a", "b", "c");
  deepEqual(stamp(map, [], "b"), [rows([], undefined, ["b"])]);
  deepEqual(stamp(map, ["a"], "c"), [rows([], ["a", "c"], [])]);
  deepEqual(stamp(map, ["c"], "a"), [rows([], ["c", "a"], [])]);
  deepEqual(stamp(map, ["b"], "b"), []);
});

Deno.test("migrate 80: a stamp of base deletes every row, of label@base those of its branch", () => {
  deepEqual(stamp(FOREST, ["a2", "b2"], "base"), [
    rows(["a2"], undefined, []),
    rows(["b2"], undefined, []),
  ]);
  deepEqual(stamp(FOREST, ["a2", "b2"], "bstream@base"), [
    rows(["b2"], undefined, []),
  ]);
});

Deno.test("migrate 81: a stamp from several branches down to their branch point deletes the others and updates one", () => {
  deepEqual(stamp(DIAMOND, ["b1", "b2"], "a"), [rows(["b1"], ["b2", "a"], [])]);
});

Deno.test("migrate 82: a stamp up across a merge deletes the others and updates one", () => {
  deepEqual(stamp(DIAMOND, ["b1", "b2"], "c"), [rows(["b1"], ["b2", "c"], [])]);
});

Deno.test("migrate 83: a stamp of heads on a forest inserts a row each, and nothing when already there", () => {
  deepEqual(stamp(FOREST, [], "heads"), [
    rows([], undefined, ["a2"]),
    rows([], undefined, ["b2"]),
  ]);
  deepEqual(stamp(FOREST, ["a2", "b2"], "heads"), []);
});

Deno.test("migrate 84: several revisions are stamped at once, and overlapping ones are refused", () => {
  deepEqual(stamp(DIAMOND, ["a"], ["b1", "b2"]), [
    rows([], ["a", "b1"], []),
    rows([], undefined, ["b2"]),
  ]);
  deepEqual(stamp(FOREST, ["a1"], ["a2", "b1"]), [
    rows([], ["a1", "a2"], []),
    rows([], undefined, ["b1"]),
  ]);
  throws(() => stamp(DIAMOND, [], ["a", "c"]), RevisionRangeError);
});

Deno.test("applied revisions know what is there without a row", () => {
  const applied = new AppliedRevisions(DIAMOND, ["b1"]);
  const has = (id: string) => applied.has(DIAMOND.byId.get(id)!);
  deepEqual(["a", "b1", "b2", "c"].map(has), [true, true, false, false]);
});

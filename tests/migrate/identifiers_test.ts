import { deepEqual, equal, ok, throws } from "node:assert/strict";
import {
  MultipleHeadsError,
  RevisionNotFoundError,
  RevisionRangeError,
} from "../../migrate/mod.ts";
import {
  filterForLineage,
  getRevision,
  getRevisions,
  ids,
} from "../../migrate/graph/mod.ts";
import { graph, iterate, linear, upgrade } from "./graphs.ts";

const BRANCHED = graph(
  "base_rev",
  "left_one<base_rev [left]",
  "left_two<left_one",
  "right_one<base_rev [right]",
  "right_two<right_one",
);

function notFound(run: () => unknown): RevisionNotFoundError {
  let found: RevisionNotFoundError | undefined;
  throws(run, (error) => {
    ok(error instanceof RevisionNotFoundError, String(error));
    found = error;
    return true;
  });
  return found!;
}

Deno.test("migrate 21: head resolves to the one head, and lists the heads where there are several", () => {
  equal(getRevision(linear("a", "b"), "head")!.revision, "b");
  throws(
    () => getRevision(BRANCHED, "head"),
    (error: MultipleHeadsError) =>
      error instanceof MultipleHeadsError && error.argument === "head" &&
      error.heads.join() === "left_two,right_two",
  );
});

Deno.test("migrate 22: heads gives all of them, and no single one", () => {
  deepEqual(ids(getRevisions(BRANCHED, "heads")), ["left_two", "right_two"]);
  throws(() => getRevision(BRANCHED, "heads"), MultipleHeadsError);
  equal(getRevision(linear("a", "b"), "heads")!.revision, "b");
});

Deno.test("migrate 23: base is nothing in the singular and an empty list in the plural", () => {
  equal(getRevision(BRANCHED, "base"), null);
  equal(getRevision(BRANCHED, null), null);
  deepEqual(getRevisions(BRANCHED, "base"), []);
});

Deno.test("migrate 24: a unique beginning resolves, an ambiguous one lists its candidates", () => {
  const map = graph("abcd1234", "abcd5678<abcd1234", "efgh<abcd5678");
  equal(getRevision(map, "abcd12")!.revision, "abcd1234");
  equal(getRevision(map, "e")!.revision, "efgh");
  const error = notFound(() => getRevision(map, "abcd"));
  equal(error.code, "migrate/ambiguous-revision");
  deepEqual(error.candidates, ["abcd1234", "abcd5678"]);
  ok(error.message.includes("'abcd1234', 'abcd5678'"), error.message);
});

Deno.test("migrate 25: ids of up to three characters match whole only", () => {
  const map = graph("abc", "abcd<abc");
  equal(getRevision(map, "abc")!.revision, "abc");
  equal(getRevision(map, "ab")!.revision, "abcd");
});

Deno.test("migrate 26: a failed look-up with under four characters says how many are needed", () => {
  const hint = /at least four characters/;
  ok(hint.test(notFound(() => getRevision(BRANCHED, "zzz")).message));
  ok(!hint.test(notFound(() => getRevision(BRANCHED, "zzzz")).message));
});

Deno.test("migrate 27: head, heads, base, revisions and labels resolve within a branch", () => {
  const of = (identifier: string) => ids(getRevisions(BRANCHED, identifier));
  deepEqual(of("left@head"), ["left_two"]);
  deepEqual(of("right@heads"), ["right_two"]);
  deepEqual(of("left@base"), []);
  deepEqual(of("left@left_two"), ["left_two"]);
  deepEqual(of("left@base_rev"), ["base_rev"]);
  deepEqual(of("left@left"), ["left_one"]);
});

Deno.test("migrate 28: a branch makes an ambiguous beginning unambiguous", () => {
  const map = graph("aaaa1<start [one]", "aaaa2<start [two]", "start");
  notFound(() => getRevision(map, "aaaa"));
  equal(getRevision(map, "one@aaaa")!.revision, "aaaa1");
  equal(getRevision(map, "two@aaaa")!.revision, "aaaa2");
});

Deno.test("migrate 29: a revision outside the branch is not a member of it", () => {
  const error = notFound(() => getRevision(BRANCHED, "left@right_two"));
  ok(
    /'right_two' is not a member of branch 'left'/.test(error.message),
    error.message,
  );
});

Deno.test("migrate 30: any revision, whole or by its beginning, may name a branch", () => {
  const map = graph("a", "b<a", "e<b", "d<e", "someothername<b");
  equal(getRevision(map, "e@d")!.revision, "d");
  equal(getRevision(map, "someoth@someothername")!.revision, "someothername");
  deepEqual(ids(getRevisions(BRANCHED, "left_t@head")), ["left_two"]);
});

Deno.test("migrate 31: an unknown branch is no such branch", () => {
  const error = notFound(() => getRevision(BRANCHED, "middle@head"));
  ok(/No such branch: 'middle'/.test(error.message), error.message);
});

Deno.test("migrate 32: a label in mid-branch reaches back to the branch point and on to every descendant", () => {
  const map = graph(
    "a",
    "b<a",
    "c1<b",
    "c2<b",
    "d1<c1 [one]",
    "e1<d1",
    "f1<e1",
  );
  const labelled = map.nodes.filter((node) => node.branchLabels.has("one"));
  deepEqual(ids(labelled), ["c1", "d1", "e1", "f1"]);
  equal(getRevision(map, "one@c1")!.revision, "c1");
  notFound(() => getRevision(map, "one@c2"));
});

Deno.test("migrate 33: the lineage of a branch's head across a merge has both sides of the merge", () => {
  const map = graph(
    "a",
    "left1<a [left]",
    "right1<a [right]",
    "merged<left1,right1",
    "other<a",
  );
  deepEqual(ids(filterForLineage(map, map.nodes, "left@head")), [
    "a",
    "left1",
    "right1",
    "merged",
  ]);
  deepEqual(ids(filterForLineage(map, map.nodes, "left")), [
    "a",
    "left1",
    "merged",
  ]);
});

Deno.test("migrate 34: a bare label is the revision that carries it", () => {
  equal(getRevision(BRANCHED, "right")!.revision, "right_one");
});

Deno.test("migrate 35: naming a target twice changes nothing", () => {
  const map = linear("a", "b", "c");
  deepEqual(upgrade(map, [], ["c", "c"]).ran, ["a", "b", "c"]);
  deepEqual(iterate(map, ["c", "c"], "a"), ["c", "b"]);
});

Deno.test("migrate 36: targets of which one contains another overlap", () => {
  const map = linear("a", "b", "c");
  throws(
    () => upgrade(map, [], ["b", "c"]),
    (error: RevisionRangeError) =>
      error instanceof RevisionRangeError && /overlaps/.test(error.message),
  );
});

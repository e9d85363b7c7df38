/** Columns whose values are objects: of classes of one's own, of the platform, of no class. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Entity, integer, json, merge, text } from "../../orm/mod.ts";
import { column, MetaData, typeDecorator } from "../../sql/mod.ts";
import { memory } from "./memory.ts";

class Point {
  constructor(readonly x: number, readonly y: number) {}
  get length(): number {
    return Math.hypot(this.x, this.y);
  }
}
class Secret {
  readonly #word: string;
  constructor(word: string) {
    this.#word = word;
  }
  tell(): string {
    return this.#word;
  }
}
const point = typeDecorator(json<number[]>(), {
  processBindParam: ({ x, y }: Point) => [x, y],
  processResultValue: ([x = 0, y = 0]) => new Point(x, y),
});
const address = typeDecorator(text(), {
  processBindParam: (url: URL) => url.href,
  processResultValue: (href) => new URL(href),
});
const secret = typeDecorator(text(), {
  processBindParam: (value: Secret) => value.tell(),
  processResultValue: (word) => new Secret(word),
});
const words = typeDecorator(text(), {
  processBindParam: (value: Set<string>) => [...value].join(" "),
  processResultValue: (line) => new Set(line.split(" ")),
});

abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = new MetaData();
}
class Place extends Base.table("places", {
  at: column(point).nullable(),
  home: column(address).nullable(),
  secret: column(secret).nullable(),
  words: column(words).nullable(),
  data: json<unknown>().nullable(),
}) {}

Deno.test("values of a class of one's own keep it through commit, rollback and merge()", async () => {
  await using db = await memory(Base.metadata);
  await using session = db.session();
  const place = new Place({
    at: new Point(3, 4),
    home: new URL("https://a.example/"),
    secret: new Secret("a"),
  });
  session.add(place);
  await session.commit();
  strictEqual(session.dirty.length, 0);

  Object.assign(place, { at: new Point(6, 8), secret: new Secret("b") });
  await session.rollback();
  deepStrictEqual([place.at?.length, place.secret?.tell()], [5, "a"]);

  await using other = db.session();
  const given = new Place({
    id: place.id,
    at: new Point(6, 8),
    secret: new Secret("c"),
  });
  const merged = await merge(other, given);
  strictEqual(merged.at?.length, 10);
  await other.commit();
  deepStrictEqual(
    [merged.home?.host, merged.secret?.tell()],
    ["a.example", "c"],
  );
});

Deno.test("what does not show its state is written when another takes its place, equal structure is not", async () => {
  await using db = await memory(Base.metadata);
  await using session = db.session();
  const place = new Place({
    at: new Point(3, 4),
    home: new URL("https://a.example/"),
    secret: new Secret("a"),
    words: new Set(["one"]),
  });
  session.add(place);
  await session.commit();
  place.at = new Point(3, 4);
  place.words = new Set(["one"]);
  strictEqual(session.dirty.length, 0);

  place.home = new URL("https://b.example/");
  place.secret = new Secret("b");
  place.words.add("two");
  await session.commit();

  await using other = db.session();
  const again = (await other.get(Place, place.id))!;
  deepStrictEqual(
    [again.home?.host, again.secret?.tell(), again.words],
    ["b.example", "b", new Set(["one", "two"])],
  );
});

Deno.test("a document that cannot be copied does not fail a commit that is done", async () => {
  await using db = await memory(Base.metadata);
  await using session = db.session();
  const place = new Place({ data: { kind: "x", toText() {} } });
  session.add(place);
  await session.commit();
  ok(!session.new.includes(place));
  const groups = /(?<kind>.)/.exec("z")!.groups!;
  place.data = groups;
  await session.commit();
  groups["kind"] = "changed in place";
  strictEqual(session.dirty.length, 1);
  place.data = new Proxy({ kind: "y" }, {});
  await session.commit();
  strictEqual(session.dirty.length, 0);
  await using other = db.session();
  deepStrictEqual((await other.get(Place, place.id))?.data, { kind: "y" });
});

import {
  deepStrictEqual,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import {
  Entity,
  expire,
  frozenJson,
  integer,
  isModified,
  json,
  merge,
  mutableDict,
  mutableList,
  mutableSet,
  refresh,
  Session,
  stateOf,
} from "../../orm/mod.ts";
import {
  MetaData,
  select,
  type SqlError,
  TypeConversionError,
} from "../../sql/mod.ts";
import {
  created,
  d1Database,
  emptied,
  pgliteDatabase,
  sqliteDatabase,
  type TestDatabase,
  workerdWith,
} from "./databases.ts";

interface Item {
  n: number;
  parts?: string[];
}
const metadata = new MetaData();
abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = metadata;
}
class Doc extends Base.table("docs", {
  dict: mutableDict<Item>(),
  list: mutableList<Item>(),
  set: mutableSet<string>(),
  plain: json<Item>().nullable(),
  frozen: frozenJson<Item>().nullable(),
}) {}
const doc = () =>
  new Doc({
    dict: { a: { n: 1, parts: ["x"] }, b: { n: 2 } },
    list: [{ n: 2 }, { n: 1, parts: ["x"] }, { n: 3 }],
    set: new Set(["b", "a"]),
    plain: { n: 1 },
    frozen: { n: 1, parts: ["x"] },
  });

const workerd = await workerdWith("DB");
const postgres = await created(pgliteDatabase(), metadata);
Deno.test.afterAll(async () => {
  await workerd.dispose();
  await postgres[Symbol.asyncDispose]();
});
const databases: [string, () => Promise<TestDatabase>][] = [
  ["sqlite", () => created(sqliteDatabase(), metadata)],
  ["D1", () => created(d1Database(workerd, "DB"), metadata)],
  ["PGlite", () => emptied(postgres, metadata)],
];

/** Every way to change a value in place. */
const MUTATORS: ((one: Doc) => unknown)[] = [
  ({ dict }) => dict["c"] = { n: 3 },
  ({ dict }) => dict["a"] = { n: 9 },
  ({ dict }) => delete dict["b"],
  ({ dict }) => Object.assign(dict, { d: { n: 4 } }),
  ({ dict }) =>
    Object.defineProperty(dict, "e", { value: { n: 5 }, enumerable: true }),
  ({ dict }) => dict["a"]!.n++,
  ({ dict }) => dict["a"]!.parts!.push("y"),
  ({ list }) => list.push({ n: 4 }),
  ({ list }) => list.pop(),
  ({ list }) => list.shift(),
  ({ list }) => list.unshift({ n: 0 }),
  ({ list }) => list.splice(1, 1),
  ({ list }) => list.splice(1, 0, { n: 7 }),
  ({ list }) => list.sort((a, b) => a.n - b.n),
  ({ list }) => list.reverse(),
  ({ list }) => list.fill({ n: 8 }),
  ({ list }) => list.copyWithin(0, 1),
  ({ list }) => list[0] = { n: 5 },
  ({ list }) => list.length = 0,
  ({ list }) => list[1]!.n--,
  ({ list }) => delete list[1]!.parts,
  ({ set }) => set.add("c"),
  ({ set }) => set.delete("a"),
  ({ set }) => set.clear(),
  ({ set }) => set.delete("a") && set.add("z"),
];

for (const [name, open] of databases) {
  const test = (
    what: string,
    work: (session: Session, one: Doc, database: TestDatabase) => Promise<void>,
  ) =>
    Deno.test(`orm 159: ${what}, on ${name}`, async () => {
      await using database = await open();
      await using session = new Session({ bind: database.engine });
      const one = doc();
      session.add(one);
      await session.commit();
      await work(session, one, database);
    });
  const stored = async ({ engine }: TestDatabase, id: number) => {
    await using other = new Session({ bind: engine });
    const { dict, list, set } = (await other.get(Doc, id))!;
    return structuredClone({ dict, list, set });
  };
  const now = ({ dict, list, set }: Doc) =>
    structuredClone({ dict, list, set });

  test(
    "whatever changes a dict, list or set in place is a change, and is saved",
    async (session, _, database) => {
      const docs = MUTATORS.map(doc);
      session.addAll(docs);
      await session.commit();
      for (const [i, one] of docs.entries()) {
        strictEqual(isModified(one), false);
        MUTATORS[i]!(one);
        ok(isModified(one), String(MUTATORS[i]));
      }
      deepStrictEqual(session.dirty, docs);
      await session.commit();
      deepStrictEqual(session.dirty, []);
      await using other = new Session({ bind: database.engine });
      for (const one of docs) {
        deepStrictEqual(now((await other.get(Doc, one.id))!), now(one));
      }
      ok(docs.at(-1)!.set instanceof Set);
    },
  );

  test(
    "what comes to the same is no change: a member added again, an order, a value set back",
    async (session, one, database) => {
      one.set.delete("b");
      one.set.add("b");
      one.dict["a"]!.n++;
      one.dict["a"]!.n--;
      one.list.reverse().reverse();
      strictEqual(isModified(one), false);
      database.reset();
      await session.commit();
      strictEqual(database.trips, 0);
    },
  );

  test(
    "a value of another kind is refused, and nothing is written",
    async (session, one, database) => {
      const before = await stored(database, one.id);
      const wrong: [keyof Doc, unknown, kind: RegExp][] = [
        ["dict", ["secret"], /mutableDict.*Array.*plain object/],
        ["dict", "secret", /String/],
        ["dict", new Map([["secret", 1]]), /Map/],
        ["list", { secret: 1 }, /mutableList.*Object.*an array/],
        ["list", new Set(["secret"]), /Set/],
        ["set", ["secret"], /mutableSet.*Array.*a Set/],
        ["set", 7, /Number/],
      ];
      for (const [key, value, told] of wrong) {
        const whole = now(one);
        Object.assign(one, { [key]: value });
        session.add(doc());
        await rejects(session.commit(), (error: SqlError) => {
          ok(error instanceof TypeConversionError, String(error));
          ok(told.test(error.message), error.message);
          ok(!error.message.includes("secret"), error.message);
          return true;
        });
        await session.rollback();
        await session.get(Doc, one.id);
        deepStrictEqual(now(one), whole);
      }
      deepStrictEqual(await stored(database, one.id), before);
      strictEqual((await database.engine.execute(select(Doc.table))).length, 1);
      // @ts-expect-error -- a list is no Set
      one.set = ["a"];
    },
  );

  test(
    "changes in place are seen after a merge, an expiry, a refresh and a rollback as before",
    async (session, one, database) => {
      const toggle = ({ set }: Doc) => set.delete("c") || set.add("c");
      const changes = async (target: Doc) => {
        for (const change of [MUTATORS[6]!, MUTATORS[19]!, toggle]) {
          change(target);
          ok(isModified(target));
          await session.commit();
          deepStrictEqual(await stored(database, target.id), now(target));
        }
      };
      await changes(one);
      await refresh(session, one);
      strictEqual(isModified(one), false);
      await changes(one);
      expire(one);
      await session.get(Doc, one.id);
      await changes(one);
      MUTATORS[0]!(one);
      await session.rollback();
      strictEqual(isModified(one), false);
      await changes(one);

      const given = doc();
      given.id = one.id;
      given.set.add("merged");
      const merged = await merge(session, given);
      strictEqual(merged, one);
      await session.commit();
      deepStrictEqual(await stored(database, one.id), now(given));
      // The given values stay the given object's own.
      merged.set.add("more");
      strictEqual(given.set.has("more"), false);
      await session.commit();
      deepStrictEqual(await stored(database, one.id), now(merged));
      strictEqual(stateOf(given).session, undefined);
    },
  );

  test(
    "a plain document changed in place is saved as well; a frozen one cannot be changed",
    async (session, one, database) => {
      one.plain!.n = 2;
      await session.commit();
      // What was written is frozen, and so is what was read.
      session.expungeAll();
      const again = (await session.get(Doc, one.id))!;
      strictEqual(again.plain!.n, 2);
      for (const { frozen } of [one, again]) {
        throws(() => (frozen as Item).n = 2, TypeError);
        throws(() => (frozen as Item).parts!.push("y"), TypeError);
        // @ts-expect-error -- it is read-only
        throws(() => frozen.n = 2, TypeError);
      }
      strictEqual(isModified(again), false);
      again.frozen = { n: 2 };
      await session.commit();
      const [row] = await database.engine.execute(select(Doc.table.c.frozen));
      deepStrictEqual(row, { n: 2 });
    },
  );
}

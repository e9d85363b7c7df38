import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { sqlite } from "../../backends/sqlite.ts";
import {
  createEngine,
  first,
  insert,
  integer,
  mappings,
  MetaData,
  MultipleResultsError,
  NoResultError,
  one,
  oneOrNull,
  partitions,
  select,
  sql,
  table,
  text,
  uniqueRows,
} from "../../sql/mod.ts";

Deno.test("one(), oneOrNull() and first() take a row, or say why they cannot", () => {
  strictEqual(one(["a"]), "a");
  strictEqual(oneOrNull([]), null);
  strictEqual(first([]), null);
  strictEqual(first(["a", "b"]), "a");
  throws(() => one([]), NoResultError);
  throws(() => one(["a", "b"]), MultipleResultsError);
  throws(() => oneOrNull(["a", "b"]), {
    code: "sql/multiple-results",
    message: "Cannot take one row: the result has 2; narrow it, or use first()",
  });
});

Deno.test("partitions() cuts rows, and refuses a size that cuts nothing", () => {
  deepStrictEqual(partitions([1, 2, 3], 2), [[1, 2], [3]]);
  throws(() => partitions([1], 0), RangeError);
});

Deno.test("uniqueRows() compares plain rows by value and objects by identity", () => {
  class Entity {
    n = 1;
  }
  const entity = new Entity();

  deepStrictEqual(uniqueRows([[1, "1"], [1, 1], [1, "1"]]), [[1, "1"], [1, 1]]);
  deepStrictEqual(uniqueRows([{ a: null }, { a: "null" }, { a: null }]), [
    { a: null },
    { a: "null" },
  ]);
  strictEqual(uniqueRows([entity, new Entity(), entity]).length, 2);
  strictEqual(uniqueRows([[entity], [new Entity()], [entity]]).length, 2);
  strictEqual(uniqueRows([1n, 1, true, new Date(1), new Date(1)]).length, 4);
  deepStrictEqual(uniqueRows([1, 2, 3, 4], (n) => n % 2), [1, 2]);
});

Deno.test("mappings() names the parts of rows of every kind", async () => {
  await using engine = createEngine(sqlite(":memory:"));
  const metadata = new MetaData();
  const users = table("users", metadata, {
    id: integer().primaryKey(),
    name: text(),
  });
  await metadata.createAll(engine);
  await engine.execute(insert(users).values({ id: 1, name: "ed" }));

  const of = async (statement: Parameters<typeof engine.execute>[0]) =>
    mappings(await engine.execute(statement));

  deepStrictEqual(await of(select(users.c.id)), [{ id: 1 }]);
  deepStrictEqual(await of(select(users.c.id, users.c.name)), [
    { id: 1, name: "ed" },
  ]);
  deepStrictEqual(await of(select({ n: users.c.id })), [{ n: 1 }]);
  deepStrictEqual(await of(select(users)), [{ users: { id: 1, name: "ed" } }]);
  deepStrictEqual(await of(select(users, users.c.id)), [
    { users: { id: 1, name: "ed" }, id: 1 },
  ]);
  deepStrictEqual(await of(sql`SELECT 1 AS one`), [{ one: 1 }]);
  const inserted = await engine.execute(insert(users).values({ name: "w" }));
  deepStrictEqual([inserted.rowCount, inserted.columns], [1, []]);
});

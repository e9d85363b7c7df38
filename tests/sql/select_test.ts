import {
  deepStrictEqual,
  match,
  strictEqual,
  throws,
} from "node:assert/strict";
import { sqlite } from "../../backends/sqlite.ts";
import {
  CompileError,
  count,
  createEngine,
  insert,
  integer,
  MetaData,
  prepare,
  select,
  sqlite as dialect,
  table,
  text,
} from "../../sql/mod.ts";

const metadata = new MetaData();
const users = table("users", metadata, {
  id: integer().primaryKey(),
  name: text(50),
  bio: text().nullable(),
});
const addresses = table("addresses", metadata, {
  id: integer().primaryKey(),
  email: text().unique(),
  userId: integer().references("users.id").index(),
});

Deno.test("select() labels columns by table, quotes names and binds values", () => {
  const statement = select(users).where(users.c.name.eq("ed"), users.c.id.gt(1))
    .orderBy(users.c.id.desc()).limit(2);

  const { sql, params } = prepare(statement, dialect);

  strictEqual(
    sql,
    'SELECT "users"."id" AS "users_id", "users"."name" AS "users_name", "users"."bio" AS "users_bio" ' +
      'FROM "users" WHERE "users"."name" = ? AND "users"."id" > ? ORDER BY "users"."id" DESC LIMIT ?',
  );
  deepStrictEqual(params, ["ed", 1, 2]);
});

Deno.test("statements of one shape share one text", () => {
  const shape = (name: string) =>
    prepare(select(users).where(users.c.name.eq(name)), dialect);

  strictEqual(shape("a").sql, shape("b").sql);
  deepStrictEqual(shape("b").params, ["b"]);
});

Deno.test("a schema is created, written and read on SQLite", async () => {
  await using engine = createEngine(sqlite(":memory:"));
  await metadata.createAll(engine);
  const [ed] = await engine.execute(
    insert(users).values([{ name: "ed" }, { name: "wendy", bio: "b" }])
      .returning(users),
  );
  await engine.execute(
    insert(addresses).values({ email: "ed@x", userId: ed?.id ?? 0 }),
  );

  const rows = await engine.execute(
    select({ name: users.c.name, n: count(addresses.c.id) }).leftJoin(addresses)
      .groupBy(users.c.id).orderBy(users.c.name),
  );

  deepStrictEqual([...rows], [{ name: "ed", n: 1 }, { name: "wendy", n: 0 }]);
  const first: string | undefined = rows[0]?.name;
  strictEqual(first, "ed");
});

Deno.test("Select.limit() and offset() refuse what is no count of rows, which SQLite would take for no limit at all", () => {
  for (const count of [-1, 1.5, NaN, Infinity]) {
    throws(() => select(users).limit(count), CompileError);
    throws(() => select(users).offset(count), CompileError);
  }
  match(prepare(select(users).limit(0), dialect).sql, /LIMIT \?/);
});

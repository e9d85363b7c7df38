import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { sqlite } from "../../backends/sqlite.ts";
import {
  Entity,
  integer,
  manyToMany,
  manyToOne,
  oneToMany,
  selectinload,
  Session,
  text,
} from "../../orm/mod.ts";
import { count, createEngine, MetaData, select, table } from "../../sql/mod.ts";

const metadata = new MetaData();
abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = metadata;
}
class User extends Base.table("users", {
  name: text(50),
  managerId: integer().references("users.id").nullable(),
  manager: () => manyToOne(User),
  addresses: () =>
    oneToMany(Address, {
      backPopulates: "user",
      cascade: "all, delete-orphan",
    }),
  tags: () => manyToMany(Tag, { secondary: userTags }),
}) {
  greet(): string {
    return `hello, ${this.name}`;
  }
}
class Address extends Base.table("addresses", {
  email: text(),
  userId: integer().references("users.id"),
  user: () => manyToOne(User, { backPopulates: "addresses" }),
}) {}
class Tag extends Base.table("tags", { label: text() }) {}
const userTags = table("user_tags", metadata, {
  userId: integer().primaryKey().references("users.id"),
  tagId: integer().primaryKey().references("tags.id"),
});

async function fresh() {
  const sent: string[][] = [];
  const engine = createEngine(sqlite(":memory:"), {
    trace: (event) => sent.push([...event.sql]),
  });
  await metadata.createAll(engine);
  sent.length = 0;
  return { engine, sent };
}

Deno.test("Session.commit() writes a graph in one batch, with keys that the database makes", async () => {
  const { engine, sent } = await fresh();
  await using session = new Session({ bind: engine });
  const boss = new User({ name: "boss" });
  const tags = [new Tag({ label: "a" }), new Tag({ label: "b" })];
  for (let i = 0; i < 7; i++) {
    const user = new User({
      name: `u${i}`,
      manager: boss,
      tags,
      addresses: [
        new Address({ email: `${i}@a` }),
        new Address({ email: `${i}@b` }),
      ],
    });
    session.add(user);
  }

  await session.commit();

  strictEqual(sent.length, 1);
  strictEqual(boss.id > 0, true);
  await using other = new Session({ bind: engine });
  sent.length = 0;
  const users = await other.scalars(
    select(User).where(User.c.managerId.eq(boss.id)).orderBy(User.c.name)
      .options(
        selectinload(User.r.addresses, selectinload(Address.r.user)),
        selectinload(User.r.tags),
        selectinload(User.r.manager),
      ),
  );
  strictEqual(sent.length, 1);
  strictEqual(users.length, 7);
  for (const [i, user] of users.entries()) {
    strictEqual(user.name, `u${i}`);
    deepStrictEqual(user.addresses.toArray().map((a) => a.email).sort(), [
      `${i}@a`,
      `${i}@b`,
    ]);
    deepStrictEqual([...user.tags].map((tag) => tag.label).sort(), ["a", "b"]);
    strictEqual(user.manager.value?.name, "boss");
    for (const address of user.addresses) strictEqual(address.user.value, user);
  }
  const rows = await other.execute(
    select({ name: User.c.name, n: count(Address.c.id) }).join(User.r.addresses)
      .groupBy(User.c.name),
  );
  deepStrictEqual(rows.map((row) => row.n), Array(7).fill(2));
});

Deno.test("a removed child is deleted, a changed one updated, in one batch", async () => {
  const { engine, sent } = await fresh();
  await using session = new Session({ bind: engine });
  const user = new User({
    name: "ed",
    addresses: [new Address({ email: "1" }), new Address({ email: "2" })],
  });
  session.add(user);
  await session.commit();
  sent.length = 0;
  const [first, second] = await user.addresses.load();

  user.addresses.remove(first!);
  second!.email = "3";
  user.name = "edward";
  await session.commit();

  strictEqual(sent.length, 1);
  const rows = await engine.execute(select({ email: Address.c.email }));
  deepStrictEqual([...rows], [{ email: "3" }]);
  strictEqual(session.dirty.length, 0);
});

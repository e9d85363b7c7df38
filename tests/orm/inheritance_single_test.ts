import {
  deepStrictEqual,
  match,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import {
  aliased,
  any,
  Entity,
  has,
  integer,
  joinedload,
  loadColumns,
  manyToOne,
  MappingError,
  NotLoadedError,
  oneToMany,
  polymorphicOn,
  selectinload,
  single,
  StateError,
  synchronize,
  text,
  withOptions,
} from "../../orm/mod.ts";
import {
  count,
  deleteFrom,
  MetaData,
  select,
  sql,
  subquery,
  update,
} from "../../sql/mod.ts";
import { type Memory, memory } from "./memory.ts";

const metadata = new MetaData();
abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = metadata;
}
class Farm extends Base.table("farms", {
  name: text(),
  animals: () =>
    oneToMany(Animal, { backPopulates: "farm", foreignKeys: ["farmId"] }),
  dogs: () => oneToMany(Dog, { viewOnly: true, foreignKeys: ["farmId"] }),
  leadId: integer().references("animals.id").nullable(),
  lead: () => manyToOne(Dog, { postUpdate: true, foreignKeys: ["leadId"] }),
}) {}
class Animal extends Base.table("animals", {
  name: text(),
  kind: polymorphicOn(text(), { identity: "animal" }),
  farmId: integer().references("farms.id").nullable(),
  farm: () =>
    manyToOne(Farm, { backPopulates: "animals", foreignKeys: ["farmId"] }),
}) {
  says(): string {
    return "";
  }
}
class Mammal extends single(Animal, {}, { polymorphicAbstract: true }) {}
class Cow extends single(Mammal, { milk: integer() }, { identity: "cow" }) {
  override says(): string {
    return `moo ${this.milk}`;
  }
}
class Dog extends single(Mammal, {
  tricks: text().nullable(),
  ownerId: integer().references("farms.id").nullable(),
  owner: () => manyToOne(Farm, { foreignKeys: ["ownerId"] }),
}, { identity: "dog" }) {
  override says(): string {
    return "woof";
  }
}
class Puppy extends single(Dog, {}, { identity: "puppy" }) {}

async function farmed(): Promise<Memory> {
  const db = await memory(metadata);
  await using session = db.session();
  const rex = new Dog({ name: "rex", tricks: "sit" });
  session.add(
    new Farm({
      name: "green",
      lead: rex,
      animals: [
        new Animal({ name: "gull" }),
        new Cow({ name: "bess", milk: 9 }),
        rex,
        new Puppy({ name: "spot" }),
      ],
    }),
  );
  await session.commit();
  db.reset();
  return db;
}
const names = (all: Iterable<{ readonly name: string }>): string[] =>
  [...all].map(({ name }) => name).sort();

Deno.test("orm 162: a base's query has no criterion, a subclass's tells its rows and those below it", async () => {
  await using db = await farmed();
  await using session = db.session();
  const all = await session.scalars(select(Animal).orderBy(Animal.c.name));
  deepStrictEqual(all.map((one) => one.constructor), [Cow, Animal, Dog, Puppy]);
  deepStrictEqual(names(await session.scalars(select(Dog))), ["rex", "spot"]);
  deepStrictEqual(names(await session.scalars(select(Cow))), ["bess"]);
  deepStrictEqual(
    names(
      await session.scalars(select(Dog).where(Dog.c.name.like("s%"))),
    ),
    ["spot"],
  );
  deepStrictEqual(
    db.statements.map((one) =>
      one.split(/ WHERE /)[1]?.replace("SELECT value FROM json_each(?)", "?, ?")
    ),
    [
      undefined,
      '"animals"."kind" IN (?, ?)',
      '"animals"."kind" = ?',
      '"animals"."name" LIKE ? AND "animals"."kind" IN (?, ?)',
    ],
  );
  strictEqual((await session.scalars(select(Puppy)))[0], all[3]);
});

Deno.test("orm 162: what a subclass adds may be NULL in the table, and is loaded with it or later", async () => {
  await using db = await farmed();
  await using session = db.session();
  const bess = (await session.scalars(
    select(Animal).where(Animal.c.name.eq("bess")),
  ))[0] as Cow;
  throws(() => bess.milk, NotLoadedError);
  await loadColumns(session, bess, Cow.c.milk);
  strictEqual(bess.says(), "moo 9");
  bess.milk = 10;
  db.reset();
  await session.commit();
  match(db.statements[0]!, /^UPDATE "animals" SET "milk" = \?/);
  strictEqual("tricks" in Cow.c, false);
  strictEqual("tricks" in Animal.c, false);
  strictEqual(Puppy.c.tricks, Dog.c.tricks);
});

Deno.test("orm 162: the criterion holds in joins, aliases, subqueries, updates and deletes", async () => {
  await using db = await farmed();
  await using session = db.session();
  const farm = { farm: Farm.c.name, n: count(Animal.c.id) };
  const byJoin = await session.execute(
    select(farm).from(Farm).leftJoin(Cow, Cow.c.farmId.eq(Farm.c.id))
      .groupBy(Farm.c.name),
  );
  deepStrictEqual([...byJoin], [{ farm: "green", n: 1 }]);
  const pup = aliased(Puppy);
  deepStrictEqual(names(await session.scalars(select(pup))), ["spot"]);
  const [pair] = await session.execute(
    select(Cow, pup).join(pup, pup.c.farmId.eq(Cow.c.farmId)),
  );
  deepStrictEqual([pair![0].name, pair![1].name], ["bess", "spot"]);
  const dogs = subquery(select(Dog), "dogs");
  strictEqual(
    (await session.execute(select({ n: count() }).from(dogs)))[0]!.n,
    2,
  );
  strictEqual(
    (await session.execute(select({ n: count(Dog.c.id) }).from(Dog)))[0]!.n,
    2,
  );

  const spot = (await session.scalars(select(Puppy)))[0]!;
  await session.execute(
    withOptions(update(Dog).set({ name: "dog" }), synchronize()),
  );
  strictEqual(spot.name, "dog");
  deepStrictEqual(
    names(
      (await session.execute(sql`SELECT name FROM animals`)) as Iterable<
        { name: string }
      >,
    ),
    ["bess", "dog", "dog", "gull"],
  );
  await session.execute(deleteFrom(Puppy));
  deepStrictEqual((await session.scalars(select(Dog))).length, 1);
  strictEqual((await session.scalars(select(Animal))).length, 3);
});

Deno.test("orm 162, 170: relations to a subclass lead to its rows alone, however they are gone along", async () => {
  await using db = await farmed();
  await using session = db.session();
  const ways = [selectinload, joinedload];
  for (const load of ways) {
    await using fresh = db.session();
    const [green] = await fresh.scalars(
      select(Farm).options(load(Farm.r.dogs)),
    );
    deepStrictEqual(names(green!.dogs), ["rex", "spot"]);
  }
  const [green] = await session.scalars(select(Farm));
  deepStrictEqual(names(await green!.dogs.load()), ["rex", "spot"]);
  strictEqual((await green!.lead.load())!.says(), "woof");
  deepStrictEqual(names(await green!.animals.load()), [
    "bess",
    "gull",
    "rex",
    "spot",
  ]);
  const joined = await session.execute(
    select({ farm: Farm.c.name, dog: Dog.c.name }).join(Farm.r.dogs)
      .orderBy(Dog.c.name),
  );
  deepStrictEqual(joined.map(({ dog }) => dog), ["rex", "spot"]);
  const isBess = (one: typeof Dog.c) => one.name.eq("bess");
  const withDog = async (condition: ReturnType<typeof any>) =>
    (await session.scalars(select(Farm).where(condition))).length;
  strictEqual(await withDog(any(Farm.r.dogs)), 1);
  strictEqual(await withDog(any(Farm.r.dogs, isBess)), 0);
  strictEqual(
    await withDog(any(Farm.r.animals, (one) => one.name.eq("bess"))),
    1,
  );
  strictEqual(await withDog(has(Farm.r.lead, Dog.c.name.eq("rex"))), 1);
  // A relation that the subclass declares.
  const rex = (await green!.lead.load())!;
  rex.owner.set(green!);
  await session.commit();
  await using fresh = db.session();
  const [again] = await fresh.scalars(
    select(Dog).where(Dog.c.name.eq("rex")).options(
      joinedload(Dog.r.owner),
      selectinload(Dog.r.farm),
    ),
  );
  strictEqual(again!.owner.value?.name, "green");
  strictEqual(again!.farm.value, again!.owner.value);
});

Deno.test("orm 171: a new object says what it is from the start, and an update leaves that alone", async () => {
  await using db = await farmed();
  const rex = new Dog({ name: "max" });
  strictEqual(rex.kind, "dog");
  strictEqual(new Animal({ name: "x" }).kind, "animal");
  await using session = db.session();
  const spot = (await session.scalars(select(Puppy)))[0]!;
  spot.name = "spotty";
  db.reset();
  await session.commit();
  match(db.statements[0]!, /SET "name" = \? WHERE/);
});

Deno.test("orm 168: of an abstract class there are no objects, but queries", async () => {
  await using db = await farmed();
  await using session = db.session();
  throws(
    () => new Mammal({ name: "it" }),
    (error) =>
      error instanceof StateError &&
      error.message ===
        "Cannot make an object of Mammal: it is abstract; make one of Cow, Dog, Puppy",
  );
  db.reset();
  deepStrictEqual(names(await session.scalars(select(Mammal))), [
    "bess",
    "rex",
    "spot",
  ]);
  match(db.statements[0]!, /WHERE "animals"."kind" IN \(.*\)$/);
});

Deno.test("orm 167: a row that says nothing, or something unknown, is an error that says so", async () => {
  await using db = await farmed();
  await using session = db.session();
  await session.execute(
    sql`UPDATE animals SET kind = 'cat' WHERE name = 'rex'`,
  );
  await rejects(session.scalars(select(Animal)), {
    name: "MappingError",
    message:
      'Cannot load Animal: "kind" of a row is "cat", which is no class of the hierarchy; it has "animal", "cow", "dog", "puppy"',
  });
});

Deno.test("orm 167: an object that is made to say that it is of another class is written with a warning", async () => {
  await using db = await farmed();
  const warnings: string[] = [];
  await using session = db.session({ warn: (one) => warnings.push(one) });
  const cow = new Cow({ name: "odd", milk: 1, kind: "dog" });
  session.add(cow);
  await session.commit();
  deepStrictEqual(warnings, [
    'Cow is written with the "kind" of another class; it will not be loaded as what it is',
  ]);
});

Deno.test("a class is to be named before rows of it are loaded through its base", async () => {
  class Thing extends Entity.with({ id: integer().primaryKey() }).table(
    "things",
    { name: text() },
  ) {}
  const described = single(Thing, {}, { identity: "tool" });
  await using db = await memory(Thing.table.metadata);
  await using session = db.session();
  await session.execute(
    sql`INSERT INTO things (name, type) VALUES ('saw', 'tool'), ('x', NULL)`,
  );
  await rejects(session.scalars(select(Thing)), {
    message:
      'Cannot load Thing: "type" of a row is "tool", whose class nothing has named yet; name it before, as mapperOf(class) does, or in the query, by selectinPolymorphic()',
  });
  class Tool extends described {}
  strictEqual(Tool.c.name, Thing.c.name);
  const things = await session.scalars(select(Thing).orderBy(Thing.c.id));
  deepStrictEqual(things.map((one) => one.constructor), [Tool, Thing]);
});

Deno.test("what does not fit together is refused where it is described", () => {
  class Thing extends Entity.with({ id: integer().primaryKey() }).table(
    "things",
    { name: text(), kind: polymorphicOn(text(), { identity: "thing" }) },
  ) {}
  const refuses = (work: () => unknown, message: RegExp) =>
    throws(work, (error) => {
      strictEqual(error instanceof MappingError, true, `${error}`);
      match((error as Error).message, message);
      return true;
    });
  refuses(
    () => single(Thing, { name: text() }, { identity: "tool" }),
    /^Cannot inherit "tool" from Thing: both have "name"; give the new column another key/,
  );
  refuses(
    () => single(Thing, {}, { identity: "thing" }),
    /^Cannot inherit "thing": its identity "thing" is that of Thing; choose another$/,
  );
  refuses(() => single(Thing, {}, {}), /has no identity; give it one/);
  // Columns that several subclasses add are one.
  class Saw extends single(Thing, { teeth: integer() }, { identity: "saw" }) {}
  class Comb
    extends single(Thing, { teeth: integer() }, { identity: "comb" }) {}
  strictEqual(Saw.c.teeth as unknown, Comb.c.teeth);
  refuses(
    () => single(Thing, { teeth: text() }, { identity: "x" }),
    /both have "teeth"/,
  );
  class Plain extends Entity.with({ id: integer().primaryKey() }).table(
    "plain",
    { type: text() },
  ) {}
  refuses(
    () => single(Plain, {}, { identity: "x" }),
    /^Cannot inherit from Plain: nothing says of which class its rows are; declare that column as polymorphicOn/,
  );
  class Used extends Entity.with({ id: integer().primaryKey() }).table(
    "used",
    { name: text() },
  ) {}
  select(Used);
  refuses(
    () => single(Used, {}, { identity: "x" }),
    /^Cannot inherit from Used: nothing says of which class its rows are, and it is in use already; declare/,
  );
  deepStrictEqual(Object.keys(Used.table.c), ["id", "name"]);
});

import {
  deepStrictEqual,
  match,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import {
  aliased,
  bindsOf,
  bulkInsert,
  concrete,
  Entity,
  integer,
  isModified,
  joined,
  loadColumns,
  manyToOne,
  mapper,
  MappingError,
  merge,
  NotLoadedError,
  oneToMany,
  polymorphicOn,
  polymorphicUnion,
  refresh,
  selectinload,
  selectinPolymorphic,
  Session,
  single,
  StaleDataError,
  text,
  versionId,
  withLoaderCriteria,
  withPolymorphic,
} from "../../orm/mod.ts";
import {
  caseWhen,
  createEngine,
  dropAll,
  MetaData,
  scalarSubquery,
  select,
  sortTables,
  sql,
  table,
  update,
} from "../../sql/mod.ts";
import { sqlite } from "../../backends/sqlite.ts";
import { compareMetadata } from "../../migrate/mod.ts";
import {
  Company,
  company,
  Director,
  Engineer,
  Manager,
  Person,
  staff,
} from "./company.ts";
import { created, d1Database, workerdWith } from "./databases.ts";
import { memory } from "./memory.ts";

const workerd = await workerdWith("DB");
Deno.test.afterAll(() => workerd.dispose());

const verbs = (statements: readonly string[]): string[] =>
  statements.flatMap((one) =>
    /^(INSERT INTO|UPDATE|DELETE FROM) "\w+"/.exec(one)?.[0] ?? []
  );

Deno.test("orm 149: a change of a subclass's own column counts the base's version, and meets it", async () => {
  const metadata = new MetaData();
  abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
    static override metadata = metadata;
  }
  class Doc extends Base.table("docs", {
    title: text(),
    version: versionId(),
  }) {}
  class Report extends joined(Doc, "reports", { pages: integer() }, {
    identity: "report",
  }) {}
  await using db = await memory(metadata);
  await using session = db.session();
  const report = new Report({ title: "q1", pages: 3 });
  session.add(report);
  await session.commit();
  strictEqual(report.version, 1);
  await using other = db.session();
  const same = (await other.get(Report, report.id))!;
  db.reset();
  report.pages = 4;
  await session.commit();
  strictEqual(report.version, 2);
  deepStrictEqual(
    db.statements.filter((one) => one.startsWith("UPDATE")),
    [
      'UPDATE "docs" SET "version" = ? WHERE "docs"."id" = ? AND "docs"."version" = ?',
      'UPDATE "reports" SET "pages" = ? WHERE "reports"."id" = ?',
    ],
  );
  same.pages = 9;
  await rejects(other.commit(), StaleDataError);
  await other.rollback();
  strictEqual((await other.get(Report, report.id))!.pages, 4);
  other.delete(same);
  db.reset();
  await other.commit();
  match(
    db.statements.find((one) => one.includes('DELETE FROM "docs"'))!,
    /"version" = \?/,
  );

  throws(
    () => joined(Doc, "memos", { revision: versionId() }, { identity: "memo" }),
    (error) =>
      error instanceof MappingError &&
      /versions are counted by "version" already/.test(error.message),
  );
});

Deno.test("orm 59: a new object with a deleted one's key takes over the rows that both have, whatever their classes", async () => {
  await using db = await memory(company);
  await using session = db.session();
  session.add(staff());
  await session.commit();
  const alice = (await session.scalars(
    select(Engineer).where(Engineer.c.name.eq("alice")),
  ))[0]!;
  const wally = (await session.scalars(
    select(Manager).where(Manager.c.name.eq("wally")),
  ))[0]!;

  db.reset();
  session.delete(alice);
  const heir = new Engineer({ id: alice.id, name: "ann", language: "Ada" });
  session.add(heir);
  await session.commit();
  deepStrictEqual(verbs(db.statements), [
    'UPDATE "people"',
    'UPDATE "engineers"',
  ]);
  // What it did not set stays.
  await using fresh = db.session();
  const found = (await fresh.get(Engineer, alice.id))!;
  deepStrictEqual([found.name, found.language, found.bossId], [
    "ann",
    "Ada",
    wally.id,
  ]);

  db.reset();
  session.delete(heir);
  const promoted = new Manager({ id: heir.id, name: "ann", level: 1 });
  session.add(promoted);
  await session.commit();
  deepStrictEqual(verbs(db.statements), [
    'UPDATE "people"',
    'INSERT INTO "managers"',
    'DELETE FROM "engineers"',
  ]);
  await using again = db.session();
  strictEqual((await again.get(Person, heir.id)) instanceof Manager, true);
  strictEqual((await again.get(Manager, heir.id))!.level, 1);
});

Deno.test("a subclass's rows follow the base's, a thousand in one trip on D1", async () => {
  await using database = await created(d1Database(workerd, "DB"), company);
  await using session = new Session({ bind: database.engine });
  const bosses = Array.from(
    { length: 100 },
    (_, i) => new Director({ name: `boss ${i}`, level: i, car: `car ${i}` }),
  );
  session.addAll(bosses);
  session.addAll(Array.from({ length: 900 }, (_, i) =>
    new Engineer({
      name: `e ${i}`,
      language: `${i % 100}`,
      boss: bosses[i % 100]!,
    })));
  await session.commit();
  strictEqual(database.trips, 1);
  strictEqual(database.log.flat().length < 20, true);
  const [row] = await database.engine.execute(sql`
    SELECT count(*) AS n, sum(b.name = 'boss ' || e.language) AS fit,
      sum(d.car = 'car ' || m.level) AS cars
    FROM engineers e JOIN people p ON p.id = e.id AND p.type = 'engineer'
      JOIN people b ON b.id = e."bossId" JOIN managers m ON m.id = b.id
      JOIN directors d ON d.id = m.id`);
  deepStrictEqual(row, { n: 900, fit: 900, cars: 900 });

  database.reset();
  for (const boss of bosses) boss.car += "!";
  await session.commit();
  strictEqual(database.trips, 1);
  await using other = new Session({ bind: database.other() });
  database.reset();
  const read = await other.scalars(select(Director).orderBy(Director.c.id));
  strictEqual(database.trips, 1);
  deepStrictEqual(read.map(({ car }) => car), bosses.map(({ car }) => car));
});

Deno.test("a commit that fails leaves objects of every class as they were", async () => {
  await using db = await memory(company);
  await using session = db.session();
  await db.engine.execute(sql`CREATE UNIQUE INDEX one ON managers (motto)`);
  session.add(new Manager({ name: "a", level: 1, motto: "x" }));
  await session.commit();
  const second = new Manager({ name: "b", level: 2, motto: "x" });
  session.add(second);
  await rejects(session.commit());
  strictEqual(second.id, undefined);
  strictEqual((await db.engine.execute(sql`SELECT * FROM people`)).length, 1);
  second.motto = "y";
  await session.rollback();
  session.add(second);
  await session.commit();
  strictEqual(second.id, 2);
  strictEqual(isModified(second), false);
});

Deno.test("orm 132: a rollback takes back what was set before it was loaded", async () => {
  await using db = await memory(company);
  await using session = db.session();
  session.add(staff());
  await session.commit();
  await using other = db.session();
  const [alice] = await other.scalars(
    select(Person).where(Person.c.name.eq("alice")),
  );
  if (!(alice instanceof Engineer)) throw new TypeError("no engineer");
  alice.language = "C";
  await other.rollback();
  throws(() => alice.language, NotLoadedError);
  await other.commit();
  await loadColumns(other, alice, Engineer.c.language);
  strictEqual(alice.language, "Lisp");
});

Deno.test("rows of a base and a subclass may refer to each other in a circle", async () => {
  const metadata = new MetaData();
  abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
    static override metadata = metadata;
  }
  class Node extends Base.table("nodes", {
    name: text(),
    leadId: integer().references("leads.id").nullable(),
    lead: () =>
      manyToOne(Lead, { foreignKeys: ["leadId"], backPopulates: "members" }),
  }) {}
  class Lead extends joined(Node, "leads", {
    deputyId: integer().references("nodes.id").nullable(),
    deputy: () =>
      manyToOne(Node, { foreignKeys: ["deputyId"], postUpdate: true }),
    members: () =>
      oneToMany(Node, { foreignKeys: ["leadId"], backPopulates: "lead" }),
  }, { identity: "lead" }) {}
  await using db = await memory(metadata);
  await using session = db.session();
  const first = new Lead({ name: "first" });
  const second = new Lead({ name: "second", lead: first });
  const third = new Node({ name: "third", lead: second });
  first.deputy.set(third);
  session.addAll([third, second, first]);
  await session.commit();
  deepStrictEqual([third.leadId, second.leadId, first.deputyId], [
    second.id,
    first.id,
    third.id,
  ]);
  await using other = db.session();
  const again = (await other.get(Lead, first.id))!;
  strictEqual((await again.deputy.load())?.name, "third");
  deepStrictEqual(
    (await again.members.load()).toArray().map(({ name }) => name),
    ["second"],
  );
  for (const one of [third, second, first]) session.delete(one);
  await session.commit();
  strictEqual((await db.engine.execute(sql`SELECT * FROM leads`)).length, 0);
});

Deno.test("orm 163: with passiveDeletes the database deletes a subclass's row with the base's", async () => {
  class Thing extends Entity.with({ id: integer().primaryKey() }).table(
    "things",
    { name: text() },
  ) {}
  class Tool extends joined(Thing, "tools", { weight: integer() }, {
    identity: "tool",
    passiveDeletes: true,
  }) {}
  await using db = await memory(Thing.table.metadata);
  await using session = db.session();
  const saw = new Tool({ name: "saw", weight: 2 });
  session.add(saw);
  await session.commit();
  db.reset();
  session.delete(saw);
  await session.commit();
  deepStrictEqual(verbs(db.statements), ['DELETE FROM "things"']);
  strictEqual((await db.engine.execute(sql`SELECT * FROM tools`)).length, 0);
});

Deno.test("orm 210: a joined subclass goes where its base's table is bound, a class more specific first; a concrete one where its own is", async () => {
  const metadata = new MetaData();
  abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
    static override metadata = metadata;
  }
  class Item extends Base.table("items", { name: text() }) {}
  class Book extends joined(Item, "books", { isbn: text() }, {
    identity: "book",
  }) {}
  class Rare extends concrete(Item, "rares", {}, { identity: "rare" }) {}
  const [a, b, c] = await Promise.all(["a", "b", "c"].map(async (name) => {
    const engine = createEngine(sqlite(":memory:"), { name });
    await metadata.createAll(engine);
    return engine;
  })) as [Session["options"]["bind"] & object, never, never];
  const engineOf = (session: Session, cls: typeof Item | typeof Book) =>
    session.engineOf(select(cls as typeof Item)).name;
  const byTable = new Session({
    bind: a,
    binds: bindsOf(new Map([[Item.table, b]])),
  });
  strictEqual(engineOf(byTable, Book), "b");
  strictEqual(byTable.engineOf(select(Rare)).name, "a");
  const byClass = new Session({
    bind: a,
    binds: bindsOf(
      new Map<typeof Item | typeof Book, never>([[Item, b], [Book, c]]),
    ),
  });
  strictEqual(engineOf(byClass, Item), "b");
  strictEqual(engineOf(byClass, Book), "c");
  strictEqual(
    new Session({ bind: a, binds: bindsOf(new Map([[Rare.table, c]])) })
      .engineOf(select(Rare)).name,
    "c",
  );
  byTable.add(new Book({ name: "x", isbn: "1" }));
  await byTable.commit();
  strictEqual((await byTable.scalars(select(Item)))[0] instanceof Book, true);
  for (const engine of [a, b, c] as typeof a[]) await engine.close();
});

Deno.test("orm 169: a concrete class has a table and identities of its own, and no relations of its base", async () => {
  const metadata = new MetaData();
  abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
    static override metadata = metadata;
  }
  class User extends Base.table("users", {
    name: text(),
    pets: () => oneToMany(Pet, { backPopulates: "user" }),
  }) {
    greet(): string {
      return `hello, ${this.name}`;
    }
  }
  class Pet extends Base.table("pets", {
    userId: integer().references("users.id"),
    user: () => manyToOne(User, { backPopulates: "pets" }),
  }) {}
  class Guest extends concrete(User, "guests", { room: integer() }, {
    identity: "guest",
  }) {}
  class Member extends concrete(User, "members", { since: integer() }, {
    identity: "member",
  }) {}
  await using db = await memory(metadata);
  await using session = db.session();
  session.addAll([
    new User({ name: "ed", pets: [new Pet({})] }),
    new Guest({ name: "wendy", room: 7 }),
    new Member({ name: "mary", since: 1999 }),
  ]);
  await session.commit();
  strictEqual((await session.get(User, 1))!.name, "ed");
  const guest = (await session.get(Guest, 1))!;
  strictEqual(guest.greet(), "hello, wendy");
  strictEqual(guest instanceof User, true);
  throws(
    () => (guest as unknown as User).pets,
    /Cannot find "pets" of Guest/,
  );
  strictEqual((await session.scalars(select(User))).length, 1);
  db.reset();
  const everyone = polymorphicUnion(User, [Guest, Member]);
  await using fresh = db.session();
  const all = await fresh.scalars(
    select(everyone).where(everyone.c.name.ne("x")).orderBy(everyone.c.name),
  );
  strictEqual(db.sent.length, 1);
  deepStrictEqual(all.map((one) => [one.constructor, one.greet()]), [
    [User, "hello, ed"],
    [Member, "hello, mary"],
    [Guest, "hello, wendy"],
  ]);
  const [ed, mary] = all as unknown as [User, Member];
  strictEqual(mary.since, 1999);
  strictEqual(await fresh.get(User, 1), ed);
  mary.since = 2000;
  await fresh.commit();
  deepStrictEqual([...await db.engine.execute(sql`SELECT * FROM members`)], [
    { id: 1, name: "mary", since: 2000 },
  ]);
  // One class may be inherited from in several ways.
  class Tool extends Base.table("tools", { name: text() }) {}
  class Lent extends concrete(Tool, "lent", {}, { identity: "lent" }) {}
  class Saw extends single(Tool, {}, { identity: "saw" }) {}
  strictEqual(new Saw({ name: "x" }).name, "x");
  throws(
    () => polymorphicUnion(Tool, [Lent]),
    /Cannot unite Tool with others: classes share its rows/,
  );
  throws(
    () => polymorphicUnion(Pet, [Guest]),
    /Cannot unite Pet with Guest: it inherits by no concrete\(\)/,
  );
});

Deno.test("orm 171: what the database works out may say of which class a row is", async () => {
  const metadata = new MetaData();
  abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
    static override metadata = metadata;
  }
  class Kind extends Base.table("kinds", { word: text() }) {}
  class Someone extends Base.table("people", {
    age: integer(),
    kindId: integer().references("kinds.id").nullable(),
  }, {
    attributes: (person) => ({
      stage: polymorphicOn(
        () => caseWhen(person.c.age.lt(18), "child").else("adult"),
        { identity: "adult" },
      ),
    }),
  }) {}
  class Child extends single(Someone, {}, { identity: "child" }) {}
  class Pet extends Base.table("pets", {
    kindId: integer().references("kinds.id"),
  }, {
    attributes: (pet) => ({
      kind: polymorphicOn(
        () =>
          scalarSubquery(
            select(Kind.c.word).where(Kind.c.id.eq(pet.c.kindId)),
          ),
        { identity: "pet" },
      ),
    }),
  }) {}
  class Cat extends single(Pet, { lives: integer() }, { identity: "cat" }) {}

  await using db = await memory(metadata);
  await using session = db.session();
  session.addAll([
    new Someone({ age: 40 }),
    new Child({ age: 4 }),
    new Kind({ word: "cat" }),
    new Kind({ word: "pet" }),
  ]);
  await session.commit();
  session.addAll([new Pet({ kindId: 2 }), new Cat({ kindId: 1, lives: 9 })]);
  await session.commit();
  session.expungeAll();
  deepStrictEqual(
    (await session.scalars(select(Someone).orderBy(Someone.c.id)))
      .map((one) => [one.constructor, one.stage]),
    [[Someone, "adult"], [Child, "child"]],
  );
  deepStrictEqual((await session.scalars(select(Child))).length, 1);
  const youth = aliased(Child);
  strictEqual(
    (await session.scalars(select(youth).where(youth.c.age.lt(9)))).length,
    1,
  );
  deepStrictEqual(
    (await session.scalars(select(Pet).orderBy(Pet.c.id))).map((one) =>
      one.constructor
    ),
    [Pet, Cat],
  );
  deepStrictEqual(
    (await session.scalars(select(Cat))).map(({ lives }) => lives),
    [9],
  );
});

Deno.test("plain classes inherit as they are, by mapper()", async () => {
  const metadata = new MetaData();
  const employees = table("employees", metadata, {
    employee_id: integer().primaryKey(),
    name: text(),
    kind: polymorphicOn(text(), { identity: "employee" }),
  });
  const managers = table("managers", metadata, {
    manager_id: integer().primaryKey().references("employees.employee_id"),
    level: integer(),
  });
  const reports = table("reports", metadata, {
    id: integer().primaryKey(),
    manager_id: integer().references("managers.manager_id"),
  });
  class Employee {
    kind?: string;
    employee_id?: number;
    constructor(public name: string) {}
  }
  class Boss extends Employee {
    constructor(name: string, public level: number) {
      super(name);
    }
  }
  class Intern extends Employee {}
  class Report {
    declare boss: { load(): Promise<Boss | null>; set(one: Boss): void };
  }
  const mapped = mapper(Employee, employees);
  const bosses = mapper(Boss, managers, {
    inherits: joined(Employee, { identity: "boss" }),
  });
  mapper(Intern, employees, {
    inherits: single(mapped, { identity: "intern" }),
  });
  mapper(Report, reports, {
    properties: { boss: () => manyToOne(Boss) },
  });
  await using db = await memory(metadata);
  await using session = db.session();
  const report = new Report();
  const ann = new Boss("ann", 3);
  report.boss.set(ann);
  session.addAll([new Employee("ed"), report, new Intern("joe")]);
  await session.commit();
  deepStrictEqual(
    [
      ...await db.engine.execute(sql`
      SELECT name, kind, level FROM employees
        LEFT JOIN managers ON manager_id = employee_id ORDER BY name`),
    ].map(
      (row) => Object.values(row),
    ),
    [["ann", "boss", 3], ["ed", "employee", null], ["joe", "intern", null]],
  );
  strictEqual(ann.kind, "boss");
  await using fresh = db.session();
  const all = await fresh.scalars(
    select(mapped).orderBy(mapped.c.name as never).options(
      selectinPolymorphic(Employee, [Boss]),
    ),
  );
  deepStrictEqual(all.map((one) => one.constructor), [Boss, Employee, Intern]);
  strictEqual((all[0] as unknown as Boss).level, 3);
  const [again] = await fresh.scalars(select(bosses));
  strictEqual(again, all[0]);
  throws(
    () =>
      mapper(class extends Employee {}, reports, {
        inherits: joined(Employee, { identity: "x" }),
      }),
    /the primary key of table "reports" refers to no row of "employees"/,
  );
});

Deno.test("tables of subclasses are created after their base's and dropped before", async () => {
  const order = sortTables(company.tables.values()).map(({ name }) => name);
  strictEqual(order.indexOf("people") < order.indexOf("managers"), true);
  strictEqual(order.indexOf("managers") < order.indexOf("directors"), true);
  deepStrictEqual(
    Director.table.foreignKeys.map(({ targetTable, targetColumns }) => [
      targetTable,
      ...targetColumns,
    ]),
    [["managers", "id"]],
  );
  await using db = await memory(company);
  await dropAll(company, db.engine);
  await company.createAll(db.engine);
});

Deno.test("what cannot be is refused where it is said", async () => {
  class Thing extends Entity.with({ id: integer().primaryKey() }).table(
    "things",
    { name: text(), parts: () => oneToMany(Part) },
  ) {}
  class Part extends Entity.with({ id: integer().primaryKey() }).table(
    "parts",
    { thingId: integer().references("things.id") },
  ) {}
  const refuses = (shape: object, message: RegExp) =>
    throws(
      () => joined(Thing, "tools", shape, { identity: "tool" }),
      (error) => {
        strictEqual(error instanceof MappingError, true, `${error}`);
        match((error as Error).message, message);
        strictEqual(Thing.table.metadata.tables.has("tools"), false);
        return true;
      },
    );
  refuses(
    { name: text() },
    /^Cannot inherit "tools" from Thing: both have "name"; give the new column another key/,
  );
  refuses({ parts: text() }, /both have "parts"/);
  refuses({ type: text() }, /both have "type"/);
  void Part;
  throws(
    () => update(Manager as never),
    /^CompileError: Cannot write to "people": its rows lie in "people", "managers"; write to one of these tables$/,
  );
  await using db = await memory(company);
  await using session = db.session();
  await rejects(
    bulkInsert(session, Manager, [{ name: "x", level: 1 }]),
    /Cannot write to "people"/,
  );
});

Deno.test("the comparison of a model that inherits with its database finds nothing", async () => {
  await using db = await memory(company);
  const { operations } = await compareMetadata(db.engine, company);
  deepStrictEqual(operations, []);
});

Deno.test("keys of several columns reach down to a subclass", async () => {
  class Place extends Entity.with({
    x: integer().primaryKey(),
    y: integer().primaryKey(),
  }).table("places", { name: text() }) {}
  class Town extends joined(Place, "towns", { people: integer() }, {
    identity: "town",
  }) {}
  await using db = await memory(Place.table.metadata);
  await using session = db.session();
  session.add(new Town({ x: 1, y: 2, name: "a", people: 3 }));
  await session.commit();
  await using fresh = db.session();
  const town = (await fresh.get(Town, [1, 2]))!;
  town.people = 4;
  await fresh.commit();
  await refresh(fresh, town);
  strictEqual(town.people, 4);
  fresh.delete(town);
  await fresh.commit();
  strictEqual((await fresh.scalars(select(Place))).length, 0);
});

Deno.test("objects that inherit are merged, refreshed and read optimistically as others are", async () => {
  await using db = await memory(company);
  await using session = db.session();
  session.add(staff());
  await session.commit();
  const [wally] = await session.scalars(
    select(Manager).where(Manager.c.name.eq("wally")),
  );
  await using other = db.session();
  const copy = await merge(
    other,
    new Manager({ id: wally!.id, name: "Wally", level: 7 }),
  );
  await other.commit();
  await refresh(session, wally!);
  deepStrictEqual([wally!.name, wally!.level, copy.level], ["Wally", 7, 7]);
  await session.optimistic(async (one) => {
    const same = (await one.get(Manager, wally!.id))!;
    same.level++;
  });
  await refresh(session, wally!, ["level"]);
  strictEqual(wally!.level, 8);
  let runs = 0;
  await rejects(
    session.optimistic(async (one) => {
      runs++;
      const same = (await one.get(Manager, wally!.id))!;
      await db.engine.execute(sql`UPDATE managers SET level = level + 1`);
      same.name += "!";
    }, { retries: 1 }),
    StaleDataError,
  );
  strictEqual(runs, 2);

  const [acme] = await session.scalars(
    select(Company).options(
      selectinload(Company.r.people),
      withLoaderCriteria(Person, (one) => one.name.ne("pat")),
    ),
  );
  strictEqual(acme!.people.has(wally!), true);

  // A criterion of a class reaches those below it, whatever their tables.
  await using strict = db.session();
  const none = withLoaderCriteria(Person, (one) => one.name.eq("nobody"));
  const boss = aliased(Manager);
  const lists = [
    await strict.scalars(select(Person).options(none)),
    await strict.scalars(select(Manager).options(none)),
    await strict.scalars(select(Director).options(none)),
  ];
  deepStrictEqual(lists.map((some) => some.length), [0, 0, 0]);
  strictEqual((await strict.scalars(select(boss).options(none))).length, 0);
  strictEqual(
    (await strict.scalars(
      select(withPolymorphic(Person, [Engineer, Manager])).options(none),
    )).length,
    0,
  );
  const [all] = await strict.scalars(
    select(Company).options(selectinload(Company.r.managers), none),
  );
  strictEqual(all!.managers.length, 0);
  const seniors = withLoaderCriteria(Manager, (one) => one.level.gt(10));
  deepStrictEqual(
    (await strict.scalars(select(Manager).options(seniors))).map(({ name }) =>
      name
    ),
    ["dogbert"],
  );
});

import {
  deepStrictEqual,
  match,
  strictEqual,
  throws,
} from "node:assert/strict";
import {
  aliased,
  any,
  defer,
  isModified,
  joinedload,
  loadOnly,
  noAutoflush,
  NotLoadedError,
  ofType,
  populateExisting,
  selectinload,
  selectinPolymorphic,
  Session,
  withPolymorphic,
} from "../../orm/mod.ts";
import { count, select, subquery, union } from "../../sql/mod.ts";
import {
  Company,
  company,
  Director,
  Engineer,
  Manager,
  type Note,
  Person,
  staff,
} from "./company.ts";
import {
  created,
  d1Database,
  neonDatabase,
  sqliteDatabase,
  type TestDatabase,
  workerdWith,
} from "./databases.ts";
import { type Memory, memory } from "./memory.ts";

const workerd = await workerdWith("DB");
Deno.test.afterAll(() => workerd.dispose());

async function withStaff(): Promise<Memory> {
  const db = await memory(company);
  await using session = db.session();
  session.add(staff());
  await session.commit();
  db.reset();
  return db;
}

/** What is known of people, class by class. */
function facts(people: Iterable<Person>): unknown[] {
  return [...people].map((one) =>
    one instanceof Director
      ? [one.name, one.level, one.car]
      : one instanceof Manager
      ? [one.name, one.level, one.motto]
      : one instanceof Engineer
      ? [one.name, one.language]
      : [one.name]
  ).sort();
}
const FACTS = [
  ["alice", "Lisp"],
  ["dilbert", "C"],
  ["dogbert", 9, "tank"],
  ["pat"],
  ["wally", 2, null],
];

const databases: [string, () => TestDatabase | Promise<TestDatabase>][] = [
  ["sqlite", () => sqliteDatabase()],
  ["D1", () => d1Database(workerd, "DB")],
  ["Neon", () => neonDatabase()],
];
for (const [name, open] of databases) {
  Deno.test(`orm 165, 166: what subclasses add comes in the query's one trip on ${name}`, async () => {
    await using database = await created(await open(), company);
    {
      await using session = new Session({ bind: database.engine });
      session.add(staff());
      await session.commit();
    }
    const fresh = () => new Session({ bind: database.other() });

    await using first = fresh();
    database.reset();
    const people = await first.scalars(
      select(Person).options(
        selectinPolymorphic(Person, [Engineer, Manager, Director]),
      ),
    );
    strictEqual(database.trips, 1);
    deepStrictEqual(facts(people), FACTS);

    await using second = fresh();
    database.reset();
    const everyone = withPolymorphic(Person, "*");
    deepStrictEqual(facts(await second.scalars(select(everyone))), FACTS);
    strictEqual(database.trips, 1);

    for (const load of [selectinload, joinedload]) {
      await using third = fresh();
      database.reset();
      const [acme] = await third.scalars(
        select(Company).options(
          load(
            Company.r.people,
            selectinPolymorphic(Person, [Engineer, Director]),
            selectinload(Engineer.r.boss),
            selectinload(Person.r.notes),
          ),
        ),
      );
      strictEqual(database.trips, 1);
      deepStrictEqual(facts(acme!.people), FACTS);
      const dilbert = [...acme!.people].find((one) => one.name === "dilbert");
      if (!(dilbert instanceof Engineer)) throw new TypeError("no engineer");
      strictEqual(dilbert.boss.isLoaded, true);
      strictEqual((await dilbert.boss.load())?.name, "wally");
      deepStrictEqual(
        [...dilbert.notes].map(({ words }) => words),
        ["late"],
      );
    }
  });
}

Deno.test("orm 165: selectinPolymorphic() sends one statement for each table that is added", async () => {
  await using db = await withStaff();
  await using session = db.session();
  const people = await session.scalars(
    select(Person).where(Person.c.name.ne("pat")).orderBy(Person.c.id).limit(3)
      .options(selectinPolymorphic(Person, [Director, Engineer])),
  );
  deepStrictEqual(
    db.sent.map((trip) =>
      trip.map((one) => /FROM .*? WHERE (.*? IN)?/.exec(one)?.[0])
    ).flat().slice(1),
    ["managers", "directors", "engineers"].map((table) =>
      `FROM "${table}" WHERE "${table}"."id" IN`
    ),
  );
  deepStrictEqual(facts(people), [["alice", "Lisp"], ["dilbert", "C"], [
    "wally",
    2,
    null,
  ]]);
  strictEqual(people.some(isModified), false);

  // What the program set stays, unless it is to be overwritten.
  const alice = people.find((one) => one.name === "alice") as Engineer;
  alice.language = "Scheme";
  const query = select(Person).options(
    selectinPolymorphic(Person, [Engineer]),
  );
  await noAutoflush(session, async () => {
    await session.scalars(query);
    strictEqual(alice.language, "Scheme");
    await session.scalars(query.options(populateExisting));
    strictEqual(alice.language, "Lisp");
  });
});

Deno.test("orm 166: withPolymorphic() is one statement of left joins, whose columns conditions may name", async () => {
  await using db = await withStaff();
  await using session = db.session();
  const some = withPolymorphic(Person, [Manager, Engineer]);
  const people = await session.scalars(
    select(some).where(
      some.of(Manager).c.level.gt(5).or(Engineer.c.language.eq("C")),
    ).orderBy(some.c.name),
  );
  match(
    db.statements[0]!,
    /FROM \("people" LEFT JOIN "managers" ON "managers"."id" = "people"."id" LEFT JOIN "engineers" ON "engineers"."id" = "people"."id"\) WHERE/,
  );
  deepStrictEqual(people.map((one) => one.constructor), [Engineer, Director]);
  const [dilbert, dogbert] = people as unknown as [Engineer, Director];
  strictEqual(dilbert.language, "C");
  strictEqual(dogbert.level, 9);
  throws(() => dogbert.car, NotLoadedError);

  // Under other names it can stand twice.
  await using again = db.session();
  const [boss, worker] = ["boss", "worker"].map((aliased) =>
    withPolymorphic(Person, [Manager, Engineer], { aliased })
  ) as [typeof some, typeof some];
  db.reset();
  const pairs = await again.execute(
    select(boss, worker).from(boss)
      .join(worker, worker.of(Engineer).c.bossId.eq(boss.c.id))
      .where(boss.of(Manager).c.level.eq(2)).orderBy(worker.c.name),
  );
  deepStrictEqual(
    pairs.map(([one, other]) => [
      (one as Manager).title(),
      (other as Engineer).language,
    ]),
    [["wally, head", "Lisp"], ["wally, head", "C"]],
  );
  match(db.statements[0]!, /"people" AS "worker"/);

  const inner = withPolymorphic(Person, [Manager], { innerJoin: true });
  deepStrictEqual(
    (await again.scalars(select(inner).orderBy(inner.c.name)))
      .map(({ name }) => name),
    ["dogbert", "wally"],
  );
  // Relations lead from it.
  const [one] = await again.scalars(
    select(some).where(some.c.name.eq("dilbert")).options(
      joinedload(some.r.notes),
      joinedload(some.of(Engineer).r.boss),
    ),
  );
  strictEqual(one!.notes.length, 1);
  strictEqual((one as unknown as Engineer).boss.isLoaded, true);
});

Deno.test("orm 170: ofType() narrows a relation to a subclass in joins, any() and aliases", async () => {
  await using db = await withStaff();
  await using session = db.session();
  const engineers = ofType(Company.r.people, Engineer);
  const rows = await session.execute(
    select({ company: Company.c.title, language: Engineer.c.language })
      .join(engineers).orderBy(Engineer.c.language),
  );
  deepStrictEqual([...rows], [
    { company: "acme", language: "C" },
    { company: "acme", language: "Lisp" },
  ]);
  const found = async (language: string) =>
    (await session.scalars(
      select(Company).where(any(engineers, Engineer.c.language.eq(language))),
    )).length;
  deepStrictEqual([await found("C"), await found("Ada")], [1, 0]);
  const other = aliased(Engineer, "other");
  const [row] = await session.execute(
    select(Company, other).join(ofType(Company.r.people, other))
      .where(other.c.language.eq("C")),
  );
  strictEqual(row![1].name, "dilbert");
  // Loaders take it too, and what withPolymorphic() names.
  const some = withPolymorphic(Person, [Engineer, Manager]);
  for (const load of [selectinload, joinedload]) {
    await using fresh = db.session();
    db.reset();
    const [one] = await fresh.scalars(
      select(Company).options(load(engineers, selectinload(Engineer.r.boss))),
    );
    strictEqual(db.sent.length, 1);
    deepStrictEqual(facts(one!.people), [["alice", "Lisp"], ["dilbert", "C"]]);
    await using again = db.session();
    const [all] = await again.scalars(
      select(Company).options(load(ofType(Company.r.people, some))),
    );
    deepStrictEqual(
      facts([...all!.people].filter((one) => !(one instanceof Director))),
      FACTS.filter(([name]) => name !== "dogbert"),
    );
  }
  // A relation to a subclass leads to its rows.
  const [acme] = await session.scalars(
    select(Company).options(selectinload(Company.r.managers)),
  );
  deepStrictEqual(
    [...acme!.managers].map(({ name, level }) => [name, level]).sort(),
    [["dogbert", 9], ["wally", 2]],
  );
});

Deno.test("a subclass can be queried, aliased, joined, counted, cut and paged as any class", async () => {
  await using db = await withStaff();
  await using session = db.session();
  const boss = aliased(Manager, "boss");
  const named = await session.execute(
    select({ name: Engineer.c.name, boss: boss.c.name, level: boss.c.level })
      .from(Engineer).join(boss, boss.c.id.eq(Engineer.c.bossId))
      .orderBy(Engineer.c.name),
  );
  deepStrictEqual([...named], [
    { name: "alice", boss: "wally", level: 2 },
    { name: "dilbert", boss: "wally", level: 2 },
  ]);
  const [wally] = await session.scalars(
    select(Manager).where(any(Manager.r.reports, (one) => one.language.eq("C")))
      .limit(1).options(
        joinedload(Manager.r.reports),
        joinedload(Manager.r.notes),
        joinedload(Manager.r.company),
      ),
  );
  strictEqual(wally!.name, "wally");
  strictEqual(wally!.reports.length, 2);
  strictEqual(wally!.notes.length, 0);
  strictEqual(wally!.company.value?.title, "acme");
  const inner = subquery(select(Engineer), "e");
  strictEqual(
    (await session.execute(select({ n: count() }).from(inner)))[0]!.n,
    2,
  );
  const both = union(
    select(Person).where(Person.c.name.like("a%")),
    select(Person).where(Person.c.name.like("w%")),
  );
  await using fresh = db.session();
  deepStrictEqual(
    (await fresh.scalars(both.orderBy(both.c.name))).map((one) =>
      one.constructor
    ),
    [Engineer, Manager],
  );
  // A query that leaves columns out still tells the classes apart.
  await using few = db.session();
  const [first] = await few.scalars(
    select(Person).orderBy(Person.c.name).options(loadOnly(Person.c.name)),
  );
  strictEqual(first instanceof Engineer, true);
  const [second] = await few.scalars(
    select(Engineer).where(Engineer.c.name.eq("dilbert"))
      .options(defer(Engineer.c.language)),
  );
  throws(() => second!.language, NotLoadedError);
});

Deno.test("relations that a subclass inherits or declares load lazily, in one trip for all", async () => {
  await using db = await withStaff();
  await using session = db.session();
  const people = await session.scalars(select(Person).orderBy(Person.c.name));
  db.reset();
  const notes = await Promise.all(people.map((one) => one.notes.load()));
  strictEqual(db.sent.length, 1);
  deepStrictEqual(notes.map((some) => some.length), [0, 1, 0, 0, 0]);
  const [note] = [...notes[1]!] as [Note];
  strictEqual(await note.person.load(), people[1]);

  const engineers = await session.scalars(select(Engineer));
  db.reset();
  const bosses = await Promise.all(engineers.map((one) => one.boss.load()));
  deepStrictEqual(bosses.map((one) => one?.title()), [
    "wally, head",
    "wally, head",
  ]);
  // The base's row of wally was here, but not what a manager has besides.
  strictEqual(db.sent.length, 1);
  const [wally] = bosses;
  strictEqual(wally, people[4]);
  strictEqual(wally!.level, 2);
  deepStrictEqual(
    (await wally!.reports.load()).toArray().map(({ name }) => name).sort(),
    ["alice", "dilbert"],
  );
});

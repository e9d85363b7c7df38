import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  isModified,
  loadColumns,
  NotLoadedError,
  Session,
} from "../../orm/mod.ts";
import { select, sql } from "../../sql/mod.ts";
import {
  company,
  Director,
  Engineer,
  Manager,
  Person,
  staff,
} from "./company.ts";
import {
  created,
  d1Database,
  neonDatabase,
  pgliteDatabase,
  sqliteDatabase,
  type TestDatabase,
  workerdWith,
} from "./databases.ts";
import { memory } from "./memory.ts";

const workerd = await workerdWith("DB");
Deno.test.afterAll(() => workerd.dispose());

const databases: [
  string,
  () => TestDatabase | Promise<TestDatabase>,
  number,
][] = [
  ["sqlite", () => sqliteDatabase(), 1],
  ["D1", () => d1Database(workerd, "DB"), 1],
  ["Neon", () => neonDatabase(), 2],
  ["Postgres", () => pgliteDatabase(), 2],
];

async function withStaff() {
  const db = await memory(company);
  await using session = db.session();
  session.add(staff());
  await session.commit();
  db.reset();
  return db;
}

for (const [name, open, commitTrips] of databases) {
  Deno.test(`orm 163, 164: a graph of classes that inherit is written in ${commitTrips} trips and read in 1 on ${name}`, async () => {
    await using database = await created(await open(), company);
    await using session = new Session({ bind: database.engine });
    const acme = staff();
    session.add(acme);
    await session.commit();
    strictEqual(database.trips, commitTrips);
    deepStrictEqual(
      [
        ...await database.engine.execute(sql`
        SELECT p.name, p.type, m.level, d.car, e.language, b.name AS boss
        FROM people p LEFT JOIN managers m ON m.id = p.id
          LEFT JOIN directors d ON d.id = m.id
          LEFT JOIN engineers e ON e.id = p.id
          LEFT JOIN people b ON b.id = e."bossId" ORDER BY p.name`),
      ].map((
        row,
      ) => Object.values(row)),
      [
        ["alice", "engineer", null, null, "Lisp", "wally"],
        ["dilbert", "engineer", null, null, "C", "wally"],
        ["dogbert", "director", 9, "tank", null, null],
        ["pat", "person", null, null, null, null],
        ["wally", "manager", 2, null, null, null],
      ],
    );

    database.reset();
    await using other = new Session({ bind: database.other() });
    const people = await other.scalars(select(Person).orderBy(Person.c.name));
    strictEqual(database.trips, 1);
    deepStrictEqual(
      people.map((one) => [one.constructor, one.title()]),
      [
        [Engineer, "alice"],
        [Engineer, "dilbert"],
        [Director, "dogbert, head"],
        [Person, "pat"],
        [Manager, "wally, head"],
      ],
    );

    // Each change touches the tables that it is about.
    const alice = people[0] as Engineer;
    const dogbert = people[2] as Director;
    await loadColumns(other, dogbert, Director.c.car, Director.c.level);
    database.reset();
    dogbert.car = "bike";
    dogbert.level = 10;
    alice.name = "Alice";
    await other.commit();
    strictEqual(database.trips, 1);
    const changes = (): unknown =>
      database.log.flat().map((one) => /^[A-Z]+ .*?"(\w+)"/.exec(one)?.slice())
        .map((found) => found?.[0]).filter((one) =>
          /^(UPD|DEL)/.test(one ?? "")
        );
    if (commitTrips === 1) {
      deepStrictEqual(changes(), [
        'UPDATE "people"',
        'UPDATE "managers"',
        'UPDATE "directors"',
      ]);
    }

    // Of what is deleted, members are read first; then the last table goes first.
    database.reset();
    other.delete(dogbert);
    await other.commit();
    strictEqual(database.trips, 2);
    if (commitTrips === 1) {
      deepStrictEqual(changes(), [
        'DELETE FROM "directors"',
        'DELETE FROM "managers"',
        'DELETE FROM "people"',
      ]);
    }
    deepStrictEqual(
      (await database.engine.execute(sql`
        SELECT (SELECT count(*) FROM people) AS people,
          (SELECT count(*) FROM managers) AS managers,
          (SELECT count(*) FROM directors) AS directors`)).map((row) =>
        Object.values(row).map(Number)
      ),
      [[4, 1, 0]],
    );
  });
}

Deno.test("orm 40: get() of a base and a subclass find one object; of another subclass, none", async () => {
  await using db = await withStaff();
  await using session = db.session();
  const wally = (await session.scalars(
    select(Manager).where(Manager.c.name.eq("wally")),
  ))[0]!;
  db.reset();
  strictEqual(await session.get(Person, wally.id), wally);
  strictEqual(await session.get(Manager, wally.id), wally);
  strictEqual(await session.get(Engineer, wally.id), null);
  deepStrictEqual(db.sent, []);

  await using fresh = db.session();
  strictEqual(await fresh.get(Engineer, wally.id), null);
  const again = await fresh.get(Person, wally.id);
  strictEqual(again instanceof Manager, true);
  strictEqual(await fresh.get(Engineer, wally.id), null);
  strictEqual(await fresh.get(Engineer, wally.id, { fresh: true }), null);
  strictEqual(await fresh.get(Manager, wally.id), again);

  // Read anew, a row brings everything, whichever class is asked for.
  await using expiring = db.session({ expireOnCommit: true });
  const one = await expiring.get(Manager, wally.id);
  one!.level = 5;
  await expiring.commit();
  strictEqual(await expiring.get(Person, wally.id), one);
  strictEqual(one!.level, 5);
});

Deno.test("orm 118: columns of a subclass are loaded later from its own table, without a JOIN", async () => {
  await using db = await withStaff();
  await using session = db.session();
  const people = await session.scalars(select(Person).orderBy(Person.c.id));
  const engineers = people.filter((one) => one instanceof Engineer);
  const [dilbert] = engineers;
  throws(() => dilbert!.language, NotLoadedError);
  throws(
    () => dilbert!.language,
    /await loadColumns\(session, object, Engineer\.c\.language\)/,
  );
  strictEqual(isModified(dilbert!), false);
  db.reset();
  await loadColumns(session, engineers, Engineer.c.language);
  deepStrictEqual(db.statements, [
    'SELECT "engineers"."id" AS "engineers_id", "engineers"."language" AS "engineers_language", "engineers"."bossId" AS "engineers_bossId" FROM "engineers" WHERE "engineers"."id" IN (SELECT value FROM json_each(?))',
  ]);
  deepStrictEqual(engineers.map(({ language }) => language), ["C", "Lisp"]);
  strictEqual(typeof dilbert!.bossId, "number");

  // Of two tables, two statements and one trip; none of the base's.
  const director = people.find((one) => one instanceof Director)!;
  db.reset();
  await loadColumns(session, director, Director.c.car, Director.c.level);
  deepStrictEqual(
    db.statements.map((one) => /FROM .*? WHERE/.exec(one)?.[0]),
    ['FROM "managers" WHERE', 'FROM "directors" WHERE'],
  );
  deepStrictEqual([director.level, director.car], [9, "tank"]);
  // What was set meanwhile stays.
  await using other = db.session();
  const alice = (await other.get(Person, engineers[1]!.id)) as Engineer;
  alice.language = "Scheme";
  await loadColumns(other, alice, Engineer.c.bossId);
  strictEqual(alice.language, "Scheme");
});

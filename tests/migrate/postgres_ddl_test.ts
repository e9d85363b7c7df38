/** Every change of a table on a real Postgres, and back. */
import { deepEqual, equal } from "node:assert/strict";
import { createMigrator, revision } from "../../migrate/mod.ts";
import { check, enumeration, integer, Raw, sql, text } from "../../sql/mod.ts";
import { rowsOf, startNeon } from "./databases.ts";

const neon = await startNeon();
Deno.test.afterAll(async () => {
  await neon[Symbol.asyncDispose]();
});

const made = revision({
  revision: "a1b2c3d4e5f6",
  upgrade(op) {
    op.createTable("teams", { id: integer().primaryKey() });
    const people = op.createTable(
      "people",
      {
        id: integer().primaryKey(),
        name: text(50),
        mood: enumeration("mood", ["sad", "happy"]),
        age: text().nullable().comment("in years"),
      },
      [],
      { comment: "everyone" },
    );
    op.bulkInsert(people, [{ id: 1, name: "ed", mood: "sad", age: "7" }]);
  },
  downgrade: "reverse",
});

const changed = revision({
  revision: "b2c3d4e5f6a1",
  downRevision: made.revision,
  upgrade(op) {
    op.alterTable("people", (t) => {
      t.alterColumn("age", {
        type: integer(),
        using: new Raw("age::integer"),
        nullable: false,
        serverDefault: 0,
        comment: "full years",
      });
      t.addColumn("team", integer().nullable().references("teams.id").index());
      t.addColumn("second", enumeration("mood", ["sad", "happy"]).nullable());
      t.renameColumn("name", "called");
      t.createUniqueConstraint("uq_people_called", ["called"]);
      t.addConstraint(check(new Raw("age < 200"), "ck_people_age"));
      t.createIndex("ix_people_age", ["age"], { where: new Raw("age > 1") });
      t.createTableComment("all of them");
    });
    op.renameTable("people", "persons");
  },
  downgrade: "reverse",
});

Deno.test("every change of a table works on Postgres, and its reverse brings the table back", async () => {
  const engine = await neon.engine("ddl");
  const migrator = createMigrator({ revisions: [made, changed], engine });
  const look = async () => [
    await rowsOf(
      engine,
      "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE 'aludel%' ORDER BY 1, 2",
    ),
    await rowsOf(
      engine,
      "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype <> 'n' AND connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE 'aludel%' ORDER BY 1",
    ),
    await rowsOf(
      engine,
      "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE 'aludel%' ORDER BY 1",
    ),
    await rowsOf(
      engine,
      "SELECT objoid::regclass::text, objsubid, description FROM pg_description WHERE objoid::regclass::text IN ('people', 'persons') AND classoid = 'pg_class'::regclass ORDER BY 1, 2",
    ),
  ];
  await migrator.upgrade(made.revision);
  const before = await look();

  await migrator.upgrade();

  deepEqual(await rowsOf(engine, "SELECT called, age FROM persons"), [
    ["ed", "7"],
  ]);
  await engine.execute(
    sql`INSERT INTO persons (id, called, mood) VALUES (2, 'al', 'happy')`,
  );
  const after = await look();
  equal(after[1]!.length, before[1]!.length + 3);
  await engine.execute(sql`DELETE FROM persons WHERE id = 2`);
  await migrator.downgrade("-1");
  deepEqual(await look(), before);
  await migrator.downgrade("base");
  deepEqual(await look(), [[], [], [], []]);
  deepEqual(
    await rowsOf(engine, "SELECT typname FROM pg_type WHERE typname = 'mood'"),
    [],
  );
  await migrator.upgrade();
});

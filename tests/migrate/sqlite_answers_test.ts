/** What SQLite answers where it has no ALTER: on a file's engine and on D1. */
import {
  deepEqual,
  equal,
  match,
  ok,
  rejects,
  throws,
} from "node:assert/strict";
import {
  createMigrator,
  revision,
  UnsupportedChangeError,
} from "../../migrate/mod.ts";
import {
  enumeration,
  integer,
  MetaData,
  sql,
  table,
  text,
} from "../../sql/mod.ts";
import { after, isRebuilt, tableText } from "./after.ts";
import { memoryEngine, startD1 } from "./databases.ts";
import { planned, type Record } from "./planned.ts";

const d1 = await startD1("answers");
Deno.test.afterAll(async () => {
  await d1[Symbol.asyncDispose]();
});

const make: Record = (op) => {
  const t = op.createTable(
    "t",
    {
      id: integer().primaryKey(),
      a: integer().nullable(),
    },
    [],
    { comment: "a table" },
  );
  op.bulkInsert(t, [{ id: 1, a: 1 }]);
};
const changes: Record[] = [
  (op) => op.createUniqueConstraint("uq", "t", ["a"]),
  (op) => op.createForeignKey("fk", "t", ["a"], ["t.id"]),
  (op) => op.createCheckConstraint("ck", "t", text("a > 0")),
  (op) => op.dropConstraint("uq", "t"),
];

Deno.test("migrate 131: a constraint is added and dropped by a rebuild, and where none is possible or allowed the way to one is told", async () => {
  for (const change of changes) {
    // Nothing says what the table is, so there is nothing to rebuild it from.
    throws(() => planned("sqlite", change), (error) => {
      ok(error instanceof UnsupportedChangeError);
      equal(error.code, "migrate/unsupported-change");
      match(
        error.message,
        /Cannot alter table 't' in place: SQLite cannot (add a constraint to a table|drop constraint 'uq'); a rebuild needs the table's description, which no revision gives: give alterTable\(…, \{ original: table\(…\) \}\)/,
      );
      return true;
    });
  }
  const original = table("t", new MetaData(), {
    id: integer().primaryKey(),
    a: integer().nullable(),
  });
  const onlyIn = (recreate: "auto" | "never"): Record => (op) =>
    op.createUniqueConstraint("uq", "t", ["a"], { original, recreate });
  throws(
    () => planned("sqlite", onlyIn("never")),
    /SQLite cannot add a constraint to a table; allow a rebuild with recreate: 'auto'/,
  );
  // Told what it is, SQLite and D1 have it rebuilt, though no revision made it.
  for (const engine of [memoryEngine(), d1.engine("answers")]) {
    await engine.execute(
      sql`CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER)`,
    );
    await engine.execute(sql`INSERT INTO t VALUES (1, 1)`);
    await createMigrator({
      revisions: [revision({ revision: "aaaa1111", upgrade: onlyIn("auto") })],
      engine,
    }).upgrade();
    match(await tableText(engine, "t"), /CONSTRAINT "uq" UNIQUE \("a"\)/);
    await rejects(engine.execute(sql`INSERT INTO t VALUES (2, 1)`));
    await engine.execute(sql`DROP TABLE t`);
    await engine.execute(sql`DROP TABLE aludel_version`);
    await engine.execute(sql`DROP TABLE aludel_history`);
  }
});

Deno.test("migrate 131: the check of a type comes with its column, in place, and holds", async () => {
  for (const engine of [memoryEngine(), d1.engine("answers")]) {
    await using t = await after(make, undefined, engine);
    const moody: Record = (op) =>
      op.addColumn("t", "mood", enumeration("mood", ["sad", "ok"]).nullable());
    equal(isRebuilt(t.plan(moody)), false);
    await t.run(moody);
    await rejects(engine.execute(sql`UPDATE t SET mood = 'odd'`));
    await engine.execute(sql`UPDATE t SET mood = 'ok'`);
    await t.undo();
    deepEqual(await t.rows("SELECT * FROM t"), [[1, 1]]);
    for (const name of ["t", "aludel_version", "aludel_history"]) {
      await engine.send({ sql: `DROP TABLE ${name}`, params: [] });
    }
  }
});

Deno.test("migrate 131: comments are left out, since SQLite keeps none", async () => {
  const commented: Record[] = [
    (op) => op.createTableComment("t", "words"),
    (op) => op.dropTableComment("t"),
    (op) => op.alterColumn("t", "a", { comment: "words" }),
    (op) => op.alterColumn("t", "a", { comment: null }),
  ];
  for (const record of commented) {
    deepEqual(planned("sqlite", record, make), []);
    // Also of a table that no revision describes.
    deepEqual(planned("sqlite", record), []);
  }
  deepEqual(
    planned(
      "sqlite",
      (op) => op.addColumn("t", "b", text().nullable().comment("words")),
      make,
    ),
    ['ALTER TABLE "t" ADD COLUMN "b" TEXT'],
  );
  await using t = await after(make);
  ok(!(await tableText(t.engine, "t")).includes("a table"));
  for (const record of commented) await t.run(record);
  for (const _ of commented) await t.undo();
});

Deno.test("migrate 131: a default that is an expression stands in brackets, as SQLite wants it", async () => {
  for (const engine of [memoryEngine(), d1.engine("answers")]) {
    await using t = await after(
      (op) => {
        make(op);
        op.createTable("u", {
          id: integer().primaryKey(),
          at: text().serverDefault(text("datetime('now')")),
          n: integer().serverDefault(text("1 + 2")),
          plain: integer().serverDefault(7),
          words: text().serverDefault("it's (1)"),
        });
      },
      undefined,
      engine,
    );
    const made = await tableText(engine, "u");
    match(made, /"at" TEXT NOT NULL DEFAULT \(datetime\('now'\)\)/);
    match(made, /"n" INTEGER NOT NULL DEFAULT \(1 \+ 2\)/);
    match(made, /"plain" INTEGER NOT NULL DEFAULT 7,/);
    match(made, /"words" TEXT NOT NULL DEFAULT 'it''s \(1\)'/);
    await engine.execute(sql`INSERT INTO u (id) VALUES (1)`);
    deepEqual(await t.rows("SELECT n, plain, words FROM u"), [
      [3, 7, "it's (1)"],
    ]);
    await t.run((op) => {
      op.addColumn("t", "b", integer().serverDefault(text("abs(-5)")));
      op.alterColumn("t", "a", { serverDefault: text("2 * 3") });
    });
    match(
      await tableText(engine, "t"),
      /DEFAULT \(2 \* 3\)[^]*DEFAULT \(abs\(-5\)\)/,
    );
    await engine.execute(sql`INSERT INTO t (id) VALUES (2)`);
    deepEqual(await t.rows("SELECT id, a, b FROM t"), [[1, 1, 5], [2, 6, 5]]);
  }
});

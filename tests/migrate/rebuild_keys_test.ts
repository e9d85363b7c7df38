/** Foreign keys of more than one column, and in an attached database, through a rebuild. */
import {
  deepEqual,
  equal,
  match,
  ok,
  rejects,
  throws,
} from "node:assert/strict";
import { UnsupportedChangeError } from "../../migrate/mod.ts";
import {
  createAll,
  type Engine,
  foreignKey,
  index,
  integer,
  MetaData,
  primaryKey,
  sql,
  table,
  text,
} from "../../sql/mod.ts";
import { after, isRebuilt, tableText } from "./after.ts";
import { memoryEngine, rowsOf, startD1 } from "./databases.ts";
import { planned, type Record } from "./planned.ts";

const d1 = await startD1("composite", "stranger");
Deno.test.afterAll(async () => {
  await d1[Symbol.asyncDispose]();
});

const composite: Record = (op) => {
  const parent = op.createTable("parent", {
    a: integer(),
    b: text(),
    note: text().nullable(),
  }, [primaryKey(["a", "b"])]);
  const child = op.createTable("child", {
    id: integer().primaryKey(),
    a: integer().nullable(),
    b: text().nullable(),
    note: text().nullable(),
  }, [
    foreignKey(["a", "b"], ["parent.a", "parent.b"], {
      name: "fk_parent",
      onDelete: "cascade",
      onUpdate: "cascade",
      deferrable: true,
      initiallyDeferred: true,
    }),
    foreignKey(["id"], ["child.id"]),
  ]);
  op.bulkInsert(parent, [{ a: 1, b: "x" }, { a: 1, b: "y" }]);
  op.bulkInsert(child, [
    { id: 1, a: 1, b: "x" },
    { id: 2, a: 1, b: "y" },
    { id: 3, a: null, b: "y" },
  ]);
};

async function keepsComposite(engine: Engine): Promise<void> {
  await using t = await after(composite, undefined, engine);
  const children = "SELECT id, a, b FROM child ORDER BY id";
  const before = await t.rows(children);
  equal(before.length, 3);
  for (const name of ["child", "parent"]) {
    const change: Record = (op) =>
      op.alterColumn(name, "note", { type: integer() });
    ok(isRebuilt(t.plan(change)));
    await t.run(change);
    deepEqual(await t.rows(children), before);
    match(
      await tableText(engine, "child"),
      /CONSTRAINT "fk_parent" FOREIGN KEY \("a", "b"\) REFERENCES "parent" \("a", "b"\) ON DELETE CASCADE ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED/,
    );
    match(
      await tableText(engine, "child"),
      /FOREIGN KEY \("id"\) REFERENCES "child" \("id"\)/,
    );
    await t.undo();
    deepEqual(await t.rows(children), before);
  }
  await rejects(
    engine.execute(sql`INSERT INTO child VALUES (9, 1, 'z', NULL)`),
  );
  // The key follows new names of its columns, on either side.
  await t.run((op) => {
    op.renameColumn("parent", "b", "c");
    op.alterTable("child", (t) => {
      t.renameColumn("a", "d");
      t.alterColumn("note", { nullable: true, serverDefault: "none" });
    });
  });
  match(
    await tableText(engine, "child"),
    /FOREIGN KEY \("d", "b"\) REFERENCES "parent" \("a", "c"\)/,
  );
  deepEqual(await t.rows("SELECT id, d, b FROM child ORDER BY id"), before);
}

Deno.test("migrate 143: a key of several columns is made anew as it was, and keeps its rows on both sides, on SQLite", () =>
  keepsComposite(memoryEngine()));

Deno.test("migrate 143: a key of several columns is made anew as it was, and keeps its rows on both sides, on D1", () =>
  keepsComposite(d1.engine("composite")));

Deno.test("migrate 143: a key to a table that no revision describes needs no description of it, on SQLite and D1", async () => {
  for (const engine of [memoryEngine(), d1.engine("stranger")]) {
    await engine.execute(
      sql`CREATE TABLE stranger (a INTEGER, b TEXT, PRIMARY KEY (a, b))`,
    );
    await engine.execute(sql`INSERT INTO stranger VALUES (1, 'x')`);
    await using t = await after(
      (op) => {
        const made = op.createTable("t", {
          id: integer().primaryKey(),
          a: integer().references("other.id").nullable(),
          b: text().nullable(),
        }, [foreignKey(["id", "b"], ["stranger.a", "stranger.b"])]);
        op.createTable("other", { id: integer().primaryKey() });
        op.bulkInsert(made, [{ id: 1, b: "x" }]);
      },
      undefined,
      engine,
    );
    await t.run((op) => op.alterColumn("t", "a", { serverDefault: 1 }));
    const made = await tableText(engine, "t");
    match(
      made,
      /FOREIGN KEY \("id", "b"\) REFERENCES "stranger" \("a", "b"\)/,
    );
    match(made, /FOREIGN KEY \("a"\) REFERENCES "other" \("id"\)/);
    deepEqual(await t.rows("SELECT id, b FROM t"), [[1, "x"]]);
    await rejects(engine.execute(sql`INSERT INTO t VALUES (2, NULL, 'z')`));
  }
});

async function attached(): Promise<Engine> {
  const engine = memoryEngine();
  await engine.send({ sql: `ATTACH ':memory:' AS "the aux"`, params: [] });
  return engine;
}

const schema = "the aux";
const away: Record = (op) => {
  const u = op.createTable(
    "u",
    {
      id: integer().primaryKey({ autoincrement: true }),
      up: integer().nullable().references("u.id"),
      a: text().nullable(),
    },
    [index("ix_u", ["a"])],
    { schema },
  );
  const t = op.createTable(
    "t",
    {
      id: integer().primaryKey(),
      u: integer().nullable().references(`${schema}.u.id`, {
        onDelete: "cascade",
      }),
    },
    [],
    { schema },
  );
  // A table of the same name that has nothing to do with it.
  op.createTable("u", { id: integer().primaryKey(), a: text().nullable() });
  op.bulkInsert(u, [{ id: 1, a: "x" }, { id: 2, up: 1, a: "y" }]);
  op.bulkInsert(t, [{ id: 1, u: 1 }, { id: 2, u: 2 }]);
};

Deno.test("migrate 143: in an attached database keys stay in it, through a rebuild with everything that hangs on the table", async () => {
  const engine = await attached();
  await using t = await after(away, undefined, engine);
  const look = async () => [
    await t.rows(`SELECT * FROM "the aux".u ORDER BY 1`).catch(() => []),
    await t.rows(`SELECT * FROM "the aux".t ORDER BY id`),
    await t.rows(`SELECT seq FROM "the aux".sqlite_sequence WHERE name = 'u'`),
    await t.rows(
      `SELECT name, sql FROM "the aux".sqlite_master WHERE sql IS NOT NULL AND name <> 'sqlite_sequence' ORDER BY name`,
    ),
    await t.rows("SELECT sql FROM main.sqlite_master WHERE name = 'u'"),
  ];
  const before = await look();
  equal(before[0]!.length, 2);
  match(
    JSON.stringify(before[3]),
    /REFERENCES \\"u\\" \(\\"id\\"\) ON DELETE CASCADE/,
  );
  await engine.execute(sql`DELETE FROM "the aux".u WHERE id = 2`);
  deepEqual(await t.rows(`SELECT id FROM "the aux".t`), [[1]]);
  await engine.execute(sql`INSERT INTO "the aux".u VALUES (2, 1, 'y')`);
  await engine.execute(sql`INSERT INTO "the aux".t VALUES (2, 2)`);

  const change: Record = (op) => {
    op.alterTable("u", (t) => {
      t.alterColumn("a", { nullable: false });
      t.createIndex("ix_more", ["up"]);
      t.dropIndex("ix_u");
    }, { schema });
    op.dropIndex("ix_more", "u", { schema });
    op.createIndex("ix_last", "u", ["a"], { schema });
  };
  ok(
    t.plan(change).some((sql) =>
      sql.startsWith('CREATE TABLE "the aux"."_aludel_stage_u"')
    ),
  );
  await t.run(change);
  const [rows, children, sequence, made, other] = await look();
  deepEqual([rows, children, sequence, other], [
    before[0],
    before[1],
    before[2],
    before[4],
  ]);
  match(JSON.stringify(made), /ix_last/);
  ok(!JSON.stringify(made).includes("ix_more"));
  match(JSON.stringify(made), /\\"a\\" TEXT NOT NULL/);
  await t.undo();
  deepEqual(await look(), before);
  // Renamed there, it is found under its new names, by others and by itself.
  await t.run((op) => {
    op.renameColumn("u", "id", "key", { schema });
    op.renameTable("u", "v", { schema });
    op.alterColumn("v", "a", { serverDefault: "z" }, { schema });
    op.alterColumn("t", "u", { serverDefault: 1 }, { schema });
  });
  const renamed = JSON.stringify((await look())[3]);
  equal(renamed.match(/REFERENCES \\"v\\" \(\\"key\\"\)/g)?.length, 2, renamed);
  await t.undo();
  deepEqual((await look())[1], before[1]);
  // A name that no revision knows of there is found there.
  await engine.execute(sql`CREATE TABLE "the aux".w (u REFERENCES u)`);
  await rejects(
    t.run((op) => op.dropTable("u", { schema })),
    /table 'u' is to be dropped and .* refer/,
  );
});

Deno.test("migrate 143: a key to another database is refused on SQLite, and one schema's tables are made by createAll() there", async () => {
  const across: Record[] = [
    (op) =>
      void op.createTable("t", { u: integer().references("u.id") }, [
        foreignKey(["u"], ["main.u.id"]),
      ], { schema }),
    (op) => op.addColumn("t", "u", integer().nullable().references("aux.u.id")),
    (op) => op.createForeignKey("fk", "t", ["id"], ["aux.u.id"]),
  ];
  for (const record of across) {
    throws(
      () =>
        planned(
          "sqlite",
          record,
          (op) => void op.createTable("t", { id: integer().primaryKey() }),
        ),
      (error) => {
        ok(error instanceof UnsupportedChangeError);
        match(
          error.message,
          /the database has no foreign keys to another database/,
        );
        return true;
      },
    );
  }
  const engine = await attached();
  const metadata = new MetaData({ schema });
  table("u", metadata, { id: integer().primaryKey() });
  table("t", metadata, {
    id: integer().primaryKey(),
    u: integer().references("u.id").index(),
  });
  await createAll(metadata, engine);
  deepEqual(
    await rowsOf(
      engine,
      `SELECT name FROM "the aux".sqlite_master ORDER BY name`,
    ),
    [["ix_t_u"], ["t"], ["u"]],
  );
  await rejects(engine.execute(sql`INSERT INTO "the aux".t VALUES (1, 1)`));
});
